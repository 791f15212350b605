/* Scope-bound cleanup, one way throughout: `CLEANUP(buf_finish) struct buf text = BUF_INIT;` */
#ifndef CONTENTFS_UTIL_CLEANUP_H
#define CONTENTFS_UTIL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* For `CLEANUP(cleanup_free) char *text`. */
static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

/* For `CLEANUP(cleanup_close) int fd = -1`. */
static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif
