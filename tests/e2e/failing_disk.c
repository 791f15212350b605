/*
 * A disk that fails on command, for programs that are started with this in LD_PRELOAD: what is read from, or written to,
 * the files in $FAILING_FOLDER fails as the file $FAILING_ORDERS says ("read 5": an errno), as long as it is there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_in_folder(int fd)
{
	const char *folder = getenv("FAILING_FOLDER");
	char link[64];
	char path[PATH_MAX] = "";
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return folder && readlink(link, path, sizeof(path) - 1) > 0 && strncmp(path, folder, strlen(folder)) == 0;
}

/* Sets errno if the operation is to fail. */
static int fails(int fd, const char *operation)
{
	const char *orders = getenv("FAILING_ORDERS");
	int before = errno;
	char word[16];
	int reason = 0;
	FILE *file = orders ? fopen(orders, "re") : NULL;
	errno = before;
	if (!file)
		return 0;
	int read = fscanf(file, "%15s %d", word, &reason);
	fclose(file);
	errno = before;
	if (read != 2 || strcmp(word, operation) != 0 || !is_in_folder(fd))
		return 0;
	errno = reason;
	return 1;
}

#define NEXT(name) (__extension__(__typeof__(&(name))) dlsym(RTLD_NEXT, #name))

ssize_t pread64(int fd, void *bytes, size_t len, off64_t at)
{
	return fails(fd, "read") ? -1 : NEXT(pread64)(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	return fails(fd, "write") ? -1 : NEXT(pwrite64)(fd, bytes, len, at);
}

int fdatasync(int fd)
{
	return fails(fd, "write") ? -1 : NEXT(fdatasync)(fd);
}

int fsync(int fd)
{
	return fails(fd, "write") ? -1 : NEXT(fsync)(fd);
}
