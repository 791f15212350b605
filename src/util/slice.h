/* A borrowed run of bytes. The owner of the bytes is whoever made the slice; a slice never frees. */
#ifndef CONTENTFS_UTIL_SLICE_H
#define CONTENTFS_UTIL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *at; /* may be NULL when len is 0; not NUL-terminated */
	size_t len;
};

/* For printf's "%.*s". */
#define SLICE_FMT(s) (int)(s).len, (s).at

static inline struct slice slice_of(const char *text)
{
	return (struct slice){.at = text, .len = text ? strlen(text) : 0};
}

static inline struct slice slice_make(const char *at, size_t len)
{
	return (struct slice){.at = at, .len = len};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool slice_is(struct slice s, const char *text)
{
	return slice_eq(s, slice_of(text));
}

#endif
