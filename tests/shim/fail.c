/*
 * Lets a call fail that fails only on a machine that has run out of something.
 *
 *   SHIM_FAIL="NAME NTH ERRNO"   the NTH call of that function, counted from 1 in each process (a fork goes on from the
 *                                count of its parent), does nothing and fails with that errno. Of some functions only
 *                                the calls with a certain argument are meant: "open(/etc/hosts) 1 5"
 *   SHIM_FAILED=FILE             is made when it does
 *
 * A test that lets each call fail in turn is at its end when the file is not made any more. What is here is what some
 * message of contentfs is about; to add another one takes a line.
 */
#include "next.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static atomic_long calls; /* of those that are meant */

static void note_failure(void)
{
	const char *file = getenv("SHIM_FAILED");
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd >= 0)
		close(fd);
}

/* What a call fails with, or 0; `what` is the argument that tells which calls are meant, or NULL. errno stays. */
static int fault_of(const char *function, const char *what)
{
	const char *order = getenv("SHIM_FAIL");
	char wanted[PATH_MAX];
	char name[PATH_MAX];
	long nth;
	int fault;
	if (!order || strncmp(order, function, strlen(function)) != 0)
		return 0;
	snprintf(name, sizeof(name), what ? "%s(%s)" : "%s", function, what);
	if (sscanf(order, "%4095s %ld %d", wanted, &nth, &fault) != 3 || strcmp(wanted, name) != 0)
		return 0;
	if (atomic_fetch_add(&calls, 1) + 1 != nth)
		return 0;
	int before = errno;
	note_failure();
	errno = before;
	return fault;
}

bool shim_fails(const char *function, const char *what)
{
	int fault = fault_of(function, what);
	if (fault)
		errno = fault;
	return fault != 0;
}

bool shim_fails_for(const char *function, long what)
{
	char text[24];
	snprintf(text, sizeof(text), "%ld", what);
	return shim_fails(function, text);
}

/* --- any call of a function --------------------------------------------------------------------------------------- */

/* It returns `failed`, and has put the reason into errno. */
#define FAIL(type, failed, name, what, parameters, arguments)                                                          \
	type name parameters                                                                                           \
	{                                                                                                              \
		static type(*next) parameters;                                                                         \
		SHIM_NEXT(next, #name);                                                                                \
		return shim_fails(#name, what) ? (failed) : next arguments;                                            \
	}

/* It returns the reason. */
#define FAIL_WITH_CODE(type, name, parameters, arguments)                                                              \
	type name parameters                                                                                           \
	{                                                                                                              \
		static type(*next) parameters;                                                                         \
		SHIM_NEXT(next, #name);                                                                                \
		int fault = fault_of(#name, NULL);                                                                     \
		return fault ? (type)fault : next arguments;                                                           \
	}

FAIL(pid_t, -1, fork, NULL, (void), ())
FAIL(int, -1, pipe2, NULL, (int ends[2], int flags), (ends, flags))
FAIL(int, -1, socketpair, NULL, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
FAIL(int, -1, eventfd, NULL, (unsigned value, int flags), (value, flags))
FAIL(int, -1, signalfd, NULL, (int fd, const sigset_t *set, int flags), (fd, set, flags))
FAIL(int, -1, close_range, NULL, (unsigned first, unsigned last, int flags), (first, last, flags))
FAIL(int, -1, sigaction, NULL, (int number, const struct sigaction *new, struct sigaction *old), (number, new, old))
FAIL(int, -1, rename, NULL, (const char *from, const char *to), (from, to))
FAIL(char *, NULL, realpath, NULL, (const char *path, char *out), (path, out))
FAIL(int, -1, tcgetattr, NULL, (int fd, struct termios *out), (fd, out))
FAIL(CURLM *, NULL, curl_multi_init, NULL, (void), ())
FAIL_WITH_CODE(int, pthread_create,
	       (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
	       (thread, attributes, run, argument))
FAIL_WITH_CODE(CURLcode, curl_global_init_mem,
	       (long flags, curl_malloc_callback make, curl_free_callback end, curl_realloc_callback remake,
		curl_strdup_callback copy, curl_calloc_callback clear),
	       (flags, make, end, remake, copy, clear))
FAIL_WITH_CODE(CURLMcode, curl_multi_poll, (CURLM * multi, struct curl_waitfd *fds, unsigned count, int ms, int *ready),
	       (multi, fds, count, ms, ready))

/* --- calls with a certain argument -------------------------------------------------------------------------------- */

/* The last name of an open file, as "store.db". */
static const char *name_of(int fd, char path[PATH_MAX])
{
	char link[40];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = getenv("SHIM_FAIL") ? readlink(link, path, PATH_MAX - 1) : -1;
	path[len > 0 ? len : 0] = '\0';
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

#define FAIL_FILE(type, name, parameters, arguments)                                                                   \
	type name parameters                                                                                           \
	{                                                                                                              \
		static type(*next) parameters;                                                                         \
		char path[PATH_MAX];                                                                                   \
		SHIM_NEXT(next, #name);                                                                                \
		return shim_fails(#name, name_of(fd, path)) ? -1 : next arguments;                                     \
	}

FAIL(void *, NULL, dlopen, file, (const char *file, int flags), (file, flags))
FAIL(FILE *, NULL, fopen64, path, (const char *path, const char *mode), (path, mode))
FAIL(int, -1, stat64, path, (const char *path, struct stat64 *st), (path, st))
FAIL_FILE(int, fstat64, (int fd, struct stat64 *st), (fd, st))
FAIL_FILE(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size))

/* write(BYTES): 8 are for an event */
ssize_t write(int fd, const void *bytes, size_t size)
{
	static ssize_t (*next)(int, const void *, size_t);
	SHIM_NEXT(next, "write");
	return shim_fails_for("write", (long)size) ? -1 : next(fd, bytes, size);
}

int open64(const char *path, int flags, ...)
{
	static int (*next)(const char *, int, ...);
	va_list list;
	va_start(list, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	SHIM_NEXT(next, "open64");
	return shim_fails("open64", path) ? -1 : next(path, flags, mode);
}

int prctl(int option, ...)
{
	static int (*next)(int, ...);
	unsigned long a[4];
	va_list list;
	va_start(list, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(list, unsigned long);
	va_end(list);
	SHIM_NEXT(next, "prctl");
	return shim_fails_for("prctl", option) ? -1 : next(option, a[0], a[1], a[2], a[3]);
}
