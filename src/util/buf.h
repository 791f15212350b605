/*
 * A growing byte buffer. `text` is always NUL-terminated once something was appended and may hold NUL bytes itself.
 * Appending can fail only for lack of memory; the failure sticks (`failed`), so a writer may append many times and look
 * once. A failed buffer keeps what it had.
 */
#ifndef CONTENTFS_UTIL_BUF_H
#define CONTENTFS_UTIL_BUF_H

#include "util/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *text; /* owned; NULL while empty and never grown */
	size_t len;
	size_t cap;
	bool failed;
};

#define BUF_INIT                                                                                                       \
	{                                                                                                              \
		0                                                                                                      \
	}

/* Frees the bytes; the buffer may be used again. */
void buf_finish(struct buf *b);

/* The same for a buffer with a secret in it, which it wipes. What it grew out of was not: reserve first. */
void buf_wipe(struct buf *b);

/* Empties the buffer and keeps its memory for the next use. */
void buf_reset(struct buf *b);

/* Makes room for `extra` more bytes. 0 or -ENOMEM. */
int buf_reserve(struct buf *b, size_t extra);

int buf_append(struct buf *b, const void *bytes, size_t len);
int buf_append_char(struct buf *b, char c);
int buf_append_text(struct buf *b, const char *text);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Borrowed; valid until the buffer changes. */
static inline struct slice buf_slice(const struct buf *b)
{
	return slice_make(b->text, b->len);
}

/* As a C string, "" while empty. Borrowed; valid until the buffer changes. */
static inline const char *buf_text(const struct buf *b)
{
	return b->text ? b->text : "";
}

#endif
