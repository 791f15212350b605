#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* glibc's own names of what is replaced here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void __libc_free(void *pointer);

static _Thread_local struct {
	bool armed;
	bool on;
	bool hit;
	enum failing what;
	long left;
	long live;
} state;

void failing_arm(enum failing what, long nth, bool on)
{
	state.what = what;
	state.left = nth;
	state.on = on;
	state.hit = false;
	state.armed = true;
}

bool failing_disarm(void)
{
	state.armed = false;
	return state.hit;
}

long failing_live(void)
{
	return state.live;
}

static bool fails(enum failing what)
{
	if (!state.armed || state.what != what || (state.left > 0 && --state.left > 0))
		return false;
	if (state.hit && !state.on)
		return false;
	state.hit = true;
	return true;
}

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	if (fails(FAILING_ALLOCATION))
		return no_memory();
	void *pointer = __libc_malloc(size);
	state.live += pointer != NULL;
	return pointer;
}

void *calloc(size_t count, size_t size)
{
	if (fails(FAILING_ALLOCATION))
		return no_memory();
	void *pointer = __libc_calloc(count, size);
	state.live += pointer != NULL;
	return pointer;
}

void *realloc(void *old, size_t size)
{
	if (fails(FAILING_ALLOCATION))
		return no_memory();
	void *pointer = __libc_realloc(old, size);
	state.live += !old && pointer;
	return pointer;
}

void free(void *pointer)
{
	state.live -= pointer != NULL;
	__libc_free(pointer);
}

/* What is written is read again by this process only: the disk may take its time. */
int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int sqlite3_step(sqlite3_stmt *stmt)
{
	static int (*real)(sqlite3_stmt *);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "sqlite3_step");
	return fails(FAILING_STEP) ? SQLITE_IOERR : real(stmt);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
	static ssize_t (*real)(int, void *, size_t, off64_t);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pread64");
	if (fails(FAILING_READ)) {
		errno = EIO;
		return -1;
	}
	return real(fd, bytes, size, offset);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	static ssize_t (*real)(int, void *, size_t, int);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "recv");
	if (fails(FAILING_READ)) {
		errno = ECONNRESET;
		return -1;
	}
	return real(fd, bytes, size, flags);
}
