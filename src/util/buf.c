#include "util/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void buf_finish(struct buf *b)
{
	free(b->text);
	*b = (struct buf)BUF_INIT;
}

void buf_wipe(struct buf *b)
{
	if (b->text)
		explicit_bzero(b->text, b->cap);
	buf_finish(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->text)
		b->text[0] = '\0';
}

int buf_reserve(struct buf *b, size_t extra)
{
	if (b->failed)
		return -ENOMEM;
	if (extra < b->cap - b->len)
		return 0;
	size_t cap = b->cap ? b->cap : 64;
	while (cap - b->len <= extra) {
		if (cap > SIZE_MAX / 2) {
			b->failed = true;
			return -ENOMEM;
		}
		cap *= 2;
	}
	char *text = realloc(b->text, cap);
	if (!text) {
		b->failed = true;
		return -ENOMEM;
	}
	text[b->len] = '\0';
	b->text = text;
	b->cap = cap;
	return 0;
}

int buf_append(struct buf *b, const void *bytes, size_t len)
{
	if (buf_reserve(b, len) < 0)
		return -ENOMEM;
	if (len > 0)
		memcpy(b->text + b->len, bytes, len);
	b->len += len;
	b->text[b->len] = '\0';
	return 0;
}

int buf_append_char(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

int buf_append_text(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_list again;
	va_start(args, fmt);
	va_copy(again, args);
	int need = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	int rc = need < 0 ? -ENOMEM : buf_reserve(b, (size_t)need + 1);
	if (rc == 0) {
		vsnprintf(b->text + b->len, (size_t)need + 1, fmt, again);
		b->len += (size_t)need;
	}
	va_end(again);
	return rc;
}
