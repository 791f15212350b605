#include "util/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message may quote what came from outside; it must stay one line and must not drive a terminal. U+0080 to U+009F, C2 80
 * to C2 9F in UTF-8, are control characters too. */
static void make_printable(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
}

int err_set(struct err *err, int rc, const char *fmt, ...)
{
	if (!err)
		return rc;
	va_list args;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	make_printable(err->text);
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
