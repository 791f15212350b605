/*
 * What a program does that knows its files: stats each, or opens, reads and closes each, in the order of a list. As small a
 * loop as can be, so that what is measured is the file system.
 *
 *   files stat LIST                    once
 *   files read LIST                    once
 *   files follow LIST COUNTS N OF      read over and over until SIGTERM, from the Nth of OF parts of the list on, counting
 *                                      in the Nth `struct counts` of the file COUNTS
 *
 * LIST holds paths, each with a NUL at its end, relative to the working directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Shared with who started us, who may set `longest_ns` back to 0. */
struct counts {
	_Atomic uint64_t reads;
	_Atomic uint64_t failures;
	_Atomic uint64_t longest_ns;
};

struct list {
	const char *text;
	const char **paths;
	size_t count;
};

static char buffer[1 << 16];

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "files: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *map(const char *path, int flags, int protection, size_t *len)
{
	struct stat info;
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) < 0)
		fail(path);
	void *at = mmap(NULL, (size_t)info.st_size, protection, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		fail(path);
	close(fd);
	*len = (size_t)info.st_size;
	return at;
}

static struct list load(const char *path)
{
	size_t len;
	struct list list = {.text = map(path, O_RDONLY, PROT_READ, &len)};
	for (size_t at = 0; at < len; at++)
		list.count += list.text[at] == '\0';
	list.paths = calloc(list.count + 1, sizeof(*list.paths));
	if (!list.paths)
		fail(path);
	const char *next = list.text;
	for (size_t i = 0; i < list.count; i++) {
		list.paths[i] = next;
		next += strlen(next) + 1;
	}
	return list;
}

static bool stat_one(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0;
}

static bool read_one(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t got;
	do
		got = read(fd, buffer, sizeof(buffer));
	while (got > 0);
	close(fd);
	return got == 0;
}

static int once(const struct list *list, bool (*one)(const char *path))
{
	for (size_t i = 0; i < list->count; i++)
		if (!one(list->paths[i]))
			fail(list->paths[i]);
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void count(struct counts *counts, bool succeeded, uint64_t ns)
{
	counts->reads++;
	if (!succeeded)
		counts->failures++;
	if (ns > counts->longest_ns)
		counts->longest_ns = ns;
}

static _Noreturn void follow(const struct list *list, const char *shared, size_t number, size_t of)
{
	size_t len;
	struct counts *counts = map(shared, O_RDWR, PROT_READ | PROT_WRITE, &len);
	if (len / sizeof(*counts) <= number || list->count == 0 || of == 0)
		fail(shared);
	uint64_t before = now_ns();
	for (size_t i = list->count / of * number;; i = (i + 1) % list->count) {
		bool succeeded = read_one(list->paths[i]);
		uint64_t after = now_ns();
		count(counts + number, succeeded, after - before);
		before = after;
	}
}

int main(int argc, char **argv)
{
	const struct list list = argc >= 3 ? load(argv[2]) : (struct list){0};
	if (argc == 3 && strcmp(argv[1], "stat") == 0)
		return once(&list, stat_one);
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return once(&list, read_one);
	if (argc == 6 && strcmp(argv[1], "follow") == 0)
		follow(&list, argv[3], strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
	fprintf(stderr, "Usage: files stat|read LIST\n       files follow LIST COUNTS N OF\n");
	return 64;
}
