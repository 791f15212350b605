#include "util/err.h"

#include "util/printable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int rc, const char *fmt, ...)
{
	if (!err)
		return rc;
	va_list args;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	make_printable(err->text, strlen(err->text));
	return rc;
}

int err_prefix(struct err *err, int rc, const char *fmt, ...)
{
	if (!err)
		return rc;
	char what[ERR_TEXT_MAX / 2];
	char rest[ERR_TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	memcpy(rest, err->text, sizeof(rest));
	return err_set(err, rc, "%s: %.*s", what, (int)(sizeof(rest) - sizeof(what) - 3), rest);
}

int err_oom(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}
