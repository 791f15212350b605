/* The cache of one process: what is kept, what is found damaged, what is removed for room, and where it fails. */
#include "tap.h"
#include "temp_cache.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MB (INT64_C(1) << 20)
#define PLENTY (100 * MB)
#define FOOTER 512

/* Stands before that of the C library: a file system that does not know it. */
static bool without_renameat2;

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (without_renameat2) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

/* --- keeping ------------------------------------------------------------------------------------------------------ */

static void test_sizes(void)
{
	static const int64_t sizes[] = {0, 1, 7, 8, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES - 5};
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, PLENTY);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char name[32];
		snprintf(name, sizeof(name), "size %lld", (long long)sizes[i]);
		int64_t pieces = (sizes[i] + PIECE_BYTES - 1) / PIECE_BYTES;
		ok(!temp_cache_find(temp.cache, name), "%s: nothing is there at first", name);
		struct object *object = temp_cache_make(temp.cache, name, sizes[i]);
		is_int(object_is_whole(object), sizes[i] == 0, "%s: whole at once only without bytes", name);
		is_int(temp_cache_count(object, name), 0, "%s: no piece is there", name);
		object_unref(object);
		is_int(temp_cache_keep(temp.cache, name, sizes[i]), 0, "%s: is kept", name);
		object = temp_cache_find(temp.cache, name);
		if (!ok(object != NULL, "%s: is found", name))
			continue;
		is_int(object_size(object), sizes[i], "%s: its size", name);
		ok(object_is_whole(object), "%s: is whole", name);
		is_int(temp_cache_count(object, name), pieces, "%s: each piece is there and right", name);
		object_unref(object);
	}
}

static void test_ranges(void)
{
	static const struct {
		int64_t offset;
		size_t len;
		int64_t missing; /* -1: none */
	} rows[] = {
		{0, 1, 0},
		{0, 0, -1},
		{PIECE_BYTES, PIECE_BYTES, -1},
		{PIECE_BYTES - 1, 1, 0},
		{PIECE_BYTES - 1, 2, 0},
		{2 * PIECE_BYTES - 1, 1, -1},
		{2 * PIECE_BYTES - 1, 2, 2},
		{3 * PIECE_BYTES, 10, -1},
		{3 * PIECE_BYTES, SIZE_MAX, -1},
		{3 * PIECE_BYTES + 10, 1, -1},
		{INT64_MAX, SIZE_MAX, -1},
		{0, SIZE_MAX, 0},
		{PIECE_BYTES, SIZE_MAX, 2},
	};
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, PLENTY);
	struct object *object = temp_cache_make(temp.cache, "a", 3 * PIECE_BYTES + 10);
	temp_cache_write(object, "a", 1);
	temp_cache_write(object, "a", 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t missing = -1;
		bool has = object_has(object, rows[i].offset, rows[i].len, &missing);
		is_int(missing, rows[i].missing, "of %zu bytes from %lld that piece is missing", rows[i].len,
		       (long long)rows[i].offset);
		is_int(has, missing == -1, "and so it says");
	}
	char byte = 0;
	is_int(object_write(object, 3, &byte, 1), -EINVAL, "a piece of a wrong length is refused");
	is_int(object_write(object, 4, &byte, 1), -EINVAL, "and one beyond the end");
	is_int(object_write(object, -1, &byte, 1), -EINVAL, "and one before the beginning");
	object_unref(object);
}

static void test_replacing(void)
{
	char longest[ETAG_MAX + 2];
	memset(longest, 'e', sizeof(longest));
	longest[ETAG_MAX + 1] = '\0';
	const struct {
		int64_t size;
		const char *etag;
		bool same; /* as the one before */
		const char *then;
	} rows[] = {
		{10, "\"1\"", false, "\"1\""}, {10, "\"1\"", true, "\"1\""},
		{10, "\"2\"", false, "\"2\""}, {11, "\"2\"", false, "\"2\""},
		{11, NULL, false, ""},         {11, "", true, ""},
		{11, longest, true, ""},       {11, longest + 1, false, longest + 1},
	};
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, PLENTY);
	struct cache_key key = temp_cache_key("a");
	char bytes[11] = "0123456789";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct object *object = NULL;
		is_int(cache_make(temp.cache, &key, rows[i].size, rows[i].etag, &object), 0, "row %zu is made", i);
		is_int(object_has(object, 0, 1, NULL), rows[i].same, "row %zu has a piece if it is the one before", i);
		is_str(object_etag(object), rows[i].then, "row %zu has that tag", i);
		is_int(object_write(object, 0, bytes, (size_t)rows[i].size), 0, "row %zu is written", i);
		object_unref(object);
	}
}

static void test_removing(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, PLENTY);
	struct object *old = temp_cache_make(temp.cache, "a", 10);
	temp_cache_write(old, "a", 0);
	object_remove(old);
	ok(!temp_cache_find(temp.cache, "a"), "what was removed is not found");
	is_int(temp_cache_count(old, "a"), 1, "and goes on for who has it open");
	struct object *young = temp_cache_make(temp.cache, "a", 10);
	object_remove(old);
	struct object *found = temp_cache_find(temp.cache, "a");
	ok(found != NULL, "a second removal does not take what another has made");
	object_ref(old);
	object_unref(old);
	is_int(temp_cache_write(old, "a", 0), 0, "it can be written still");
	object_unref(found);
	object_unref(young);
	object_unref(old);
	object_unref(NULL);
}

static void test_without_renameat2(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, PLENTY);
	without_renameat2 = true;
	is_int(temp_cache_keep(temp.cache, "a", 1000), 0, "a file system without renameat2 will do");
	is_int(temp_cache_keep(temp.cache, "a", 2000), 0, "for a replacement too");
	without_renameat2 = false;
	struct object *object = temp_cache_find(temp.cache, "a");
	is_int(object ? object_size(object) : -1, 2000, "the second is there");
	object_unref(object);
}

static void test_modes(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	struct stat st;
	mode_t old = umask(0);
	temp_cache_init(&temp, PLENTY);
	ok(stat(temp.folder, &st) < 0, "opening makes nothing");
	is_int(cache_bytes(temp.cache), 0, "what is not there takes nothing");
	ok(stat(temp.folder, &st) < 0, "and asking makes nothing");
	temp_cache_keep(temp.cache, "a", 1000);
	ok(stat(temp.folder, &st) == 0 && (st.st_mode & 07777) == 0700, "the folder is private");
	ok(stat(temp_cache_path(temp.folder, "a", path), &st) == 0 && (st.st_mode & 07777) == 0600, "so are files");
	*strrchr(path, '/') = '\0';
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700, "and the folders between");
	ok(cache_bytes(temp.cache) >= temp_cache_du(temp.folder), "the count is no less than what is there");
	umask(old);
}

/* --- damage ------------------------------------------------------------------------------------------------------- */

/* Somebody's write is seen by the mtime, whose grain is coarse on some file systems. */
static void touch(int fd)
{
	struct stat st;
	temp_must(fstat(fd, &st), NULL, "fstat");
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {st.st_mtim.tv_sec + 1, st.st_mtim.tv_nsec}};
	temp_must(futimens(fd, times), NULL, "futimens");
}

/* Changes a byte; `at` counts from the end if it is negative. */
static void flip(const char *path, int64_t at)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte = 0;
	if (at < 0)
		at += lseek(fd, 0, SEEK_END);
	temp_must(pread(fd, &byte, 1, at) == 1 ? 0 : -EIO, NULL, "pread");
	byte ^= 0x10;
	temp_must(pwrite(fd, &byte, 1, at) == 1 ? 0 : -EIO, NULL, "pwrite");
	touch(fd);
}

static void cut(const char *path, int64_t len)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDWR | O_CLOEXEC);
	temp_must(ftruncate(fd, len), NULL, "ftruncate");
	touch(fd);
}

#define PIECES 4
#define SIZE (PIECES * PIECE_BYTES - 100)
#define TABLE (SIZE + 7) / 8 * 8
#define FILE_BYTES (TABLE + PIECES * 8 + FOOTER)

static void test_flipped(void)
{
	static const struct {
		const char *what;
		int64_t at;
		int64_t open_has; /* pieces, while it is open */
		int64_t found;    /* when it is opened anew; -1: not found */
	} rows[] = {
		{"first byte", 0, PIECES - 1, PIECES - 1},
		{"last byte of a piece", 2 * PIECE_BYTES - 1, PIECES - 1, PIECES - 1},
		{"last byte", SIZE - 1, PIECES - 1, PIECES - 1},
		{"padding", SIZE + 1, PIECES, PIECES},
		{"checksum", TABLE + 8, PIECES - 1, PIECES - 1},
		{"magic word", -FOOTER, PIECES, -1},
		{"piece size", -FOOTER + 8, PIECES, -1},
		{"size", -FOOTER + 16, PIECES, -1},
		{"key", -FOOTER + 24, PIECES, -1},
		{"tag", -FOOTER + 96, PIECES, -1},
		{"unused part of the footer", -FOOTER + 400, PIECES, -1},
		{"checksum of the footer", -1, PIECES, -1},
	};
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	temp_cache_init(&temp, PLENTY);
	temp_cache_path(temp.folder, "a", path);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		temp_cache_keep(temp.cache, "a", SIZE);
		flip(path, rows[i].at);
		struct object *object = temp_cache_find(temp.cache, "a");
		is_int(object ? temp_cache_count(object, "a") : -1, rows[i].found, "%s changed, then opened",
		       rows[i].what);
		if (!object)
			ok(access(path, F_OK) < 0, "%s: what is of no use is removed", rows[i].what);
		object_unref(object);

		temp_cache_keep(temp.cache, "a", SIZE);
		object = temp_cache_find(temp.cache, "a");
		is_int(temp_cache_count(object, "a"), PIECES, "%s: whole again", rows[i].what);
		flip(path, rows[i].at);
		is_int(temp_cache_count(object, "a"), rows[i].open_has, "%s changed while it is open", rows[i].what);
		is_int(object_is_whole(object), rows[i].open_has == PIECES, "%s: whole or not", rows[i].what);
		temp_cache_keep(temp.cache, "a", SIZE);
		is_int(temp_cache_count(object, "a"), PIECES, "%s: mended", rows[i].what);
		object_unref(object);
		object = temp_cache_find(temp.cache, "a");
		ok(object != NULL, "%s: found again", rows[i].what);
		object_unref(object);
	}
}

static void test_swapped(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	temp_cache_init(&temp, PLENTY);
	temp_cache_keep(temp.cache, "a", SIZE);
	CLEANUP(cleanup_close) int fd = open(temp_cache_path(temp.folder, "a", path), O_RDWR | O_CLOEXEC);
	CLEANUP(cleanup_free) char *bytes = malloc(PIECE_BYTES);
	uint64_t entry = 0;
	temp_must(pread(fd, bytes, PIECE_BYTES, 0) == PIECE_BYTES && pread(fd, &entry, 8, TABLE) == 8 ? 0 : -EIO, NULL,
		  "pread");
	temp_must(pwrite(fd, bytes, PIECE_BYTES, PIECE_BYTES) == PIECE_BYTES && pwrite(fd, &entry, 8, TABLE + 8) == 8
			  ? 0
			  : -EIO,
		  NULL, "pwrite");
	struct object *object = temp_cache_find(temp.cache, "a");
	is_int(temp_cache_count(object, "a"), PIECES - 1, "a piece with its checksum is not right in another place");
	object_unref(object);
}

static void test_cut(void)
{
	static const int64_t lengths[] = {
		0,
		1,
		100,
		PIECE_BYTES,
		PIECE_BYTES + 1,
		SIZE - 1,
		SIZE,
		TABLE,
		TABLE + 4,
		TABLE + 8,
		TABLE + 9,
		FILE_BYTES - FOOTER,
		FILE_BYTES - FOOTER + 1,
		FILE_BYTES - 1,
		FILE_BYTES + 1,
		FILE_BYTES + 8,
		FILE_BYTES + PIECE_BYTES,
	};
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	struct stat st;
	temp_cache_init(&temp, PLENTY);
	temp_cache_path(temp.folder, "a", path);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		long long len = lengths[i];
		temp_cache_keep(temp.cache, "a", SIZE);
		cut(path, len);
		ok(!temp_cache_find(temp.cache, "a"), "a file of %lld bytes is not found", len);
		ok(access(path, F_OK) < 0, "%lld: it is removed", len);

		temp_cache_keep(temp.cache, "a", SIZE);
		struct object *object = temp_cache_find(temp.cache, "a");
		temp_cache_count(object, "a");
		cut(path, len);
		int64_t there = temp_cache_count(object, "a");
		is_int(there,
		       len >= FILE_BYTES - FOOTER ? PIECES
		       : len >= TABLE + 8         ? 1
						  : 0,
		       "%lld: while it is open, those pieces are left", len);
		ok(stat(path, &st) == 0 && st.st_size == FILE_BYTES, "%lld: it has its length again", len);
		temp_cache_keep(temp.cache, "a", SIZE);
		is_int(temp_cache_count(object, "a"), PIECES, "%lld: mended", len);
		object_unref(object);
	}
}

static void test_strange_files(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	char other[PATH_MAX];
	temp_cache_init(&temp, PLENTY);
	temp_cache_keep(temp.cache, "a", 1000);
	temp_cache_keep(temp.cache, "b", 1000);
	temp_cache_path(temp.folder, "a", path);
	temp_cache_path(temp.folder, "b", other);
	unlink(path);
	temp_must(mkfifo(path, 0600), NULL, "mkfifo");
	ok(!temp_cache_find(temp.cache, "a"), "a pipe is no object, and does not block");
	is_int(temp_cache_keep(temp.cache, "a", 1000), 0, "it gives way");
	unlink(path);
	temp_must(symlink(other, path), NULL, "symlink");
	ok(!temp_cache_find(temp.cache, "a"), "a symbolic link is not followed");
	is_int(temp_cache_keep(temp.cache, "a", 1000), 0, "it gives way");
	struct object *object = temp_cache_find(temp.cache, "b");
	ok(object != NULL, "and what it pointed to is there");
	object_unref(object);
	unlink(path);
	temp_must(rename(other, path), NULL, "rename");
	ok(!temp_cache_find(temp.cache, "a"), "a file under another's name is none");
	struct cache_key key = temp_cache_key("a");
	temp_must(mkdir(path, 0700), NULL, "mkdir");
	is_int(cache_find(temp.cache, &key, &object), -EISDIR, "a folder under an object's name is an error");
	is_int(cache_make(temp.cache, &key, 10, NULL, &object), -EISDIR, "for making, too");
}

static void test_deleted_folder(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, PLENTY);
	struct object *object = temp_cache_make(temp.cache, "a", 2 * PIECE_BYTES);
	temp_cache_write(object, "a", 0);
	temp_folder_remove(temp.folder);
	is_int(temp_cache_count(object, "a"), 1, "an open object outlives its folder");
	is_int(temp_cache_write(object, "a", 1), 0, "and can be filled");
	is_int(temp_cache_count(object, "a"), 2, "it is whole");
	ok(!temp_cache_find(temp.cache, "a"), "it has no name any more");
	temp_folder_remove(temp.folder);
	is_int(temp_cache_keep(temp.cache, "a", 1000), 0, "the folder is made again");
	ok(cache_bytes(temp.cache) < PIECE_BYTES, "and counted anew");
	static const char *const parts[] = {"objects", "new", "contentfs.tally"};
	for (size_t i = 0; i < 3; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", temp.folder, parts[i]);
		temp_folder_remove(path);
		is_int(temp_cache_keep(temp.cache, "b", 1000 + (int64_t)i), 0, "without %s it goes on", parts[i]);
	}
	object_unref(object);
}

/* --- room --------------------------------------------------------------------------------------------------------- */

/* Makes it the `hours` longest unused. */
static void age(const char *folder, const char *name, int hours)
{
	char path[PATH_MAX];
	const struct timespec times[2] = {{.tv_sec = clock_wall_ms() / 1000 - hours * 3600}, {.tv_nsec = UTIME_OMIT}};
	temp_must(utimensat(AT_FDCWD, temp_cache_path(folder, name, path), times, 0), NULL, "utimensat");
}

static bool is_there(const char *folder, const char *name)
{
	char path[PATH_MAX];
	return access(temp_cache_path(folder, name, path), F_OK) == 0;
}

static void test_eviction_order(void)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, 3 * MB);
	for (int i = 0; i < 5; i++)
		is_int(temp_cache_keep(temp.cache, names[i], MB / 2), 0, "%s fits", names[i]);
	for (int i = 0; i < 5; i++)
		age(temp.folder, names[i], 10 - i);
	struct object *open = temp_cache_find(temp.cache, "a");
	struct object *used = temp_cache_find(temp.cache, "c");
	age(temp.folder, "a", 20);
	age(temp.folder, "c", 15);
	object_use(used);
	object_unref(used);
	is_int(temp_cache_keep(temp.cache, "f", MB), 0, "room is made for one more");
	ok(is_there(temp.folder, "a"), "what is open stays, however old");
	ok(!is_there(temp.folder, "b"), "the longest unused goes");
	ok(!is_there(temp.folder, "d"), "and the next");
	ok(is_there(temp.folder, "c"), "what was used stays");
	ok(is_there(temp.folder, "e"), "and what is younger");
	ok(temp_cache_du(temp.folder) <= 3 * MB, "the limit holds");
	object_unref(open);
}

static void test_use(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	struct stat st;
	temp_cache_init(&temp, PLENTY);
	temp_cache_keep(temp.cache, "a", 1000);
	struct object *object = temp_cache_find(temp.cache, "a");
	temp_must(stat(temp_cache_path(temp.folder, "a", path), &st), NULL, "stat");
	struct timespec mtime = st.st_mtim;
	age(temp.folder, "a", 48);
	object_use(object);
	temp_must(stat(path, &st), NULL, "stat");
	ok(st.st_atim.tv_sec > clock_wall_ms() / 1000 - 3600, "a use is noted");
	ok(st.st_mtim.tv_sec == mtime.tv_sec && st.st_mtim.tv_nsec == mtime.tv_nsec, "and is no change");
	age(temp.folder, "a", 48);
	object_use(object);
	temp_must(stat(path, &st), NULL, "stat");
	ok(st.st_atim.tv_sec < clock_wall_ms() / 1000 - 3600, "the next is not noted at once");
	object_unref(object);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Another process notes its use: who reads on looks at the file again, and leaves it as it is for the others. */
static void test_use_by_another(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	struct stat before;
	struct stat after;
	temp_cache_init(&temp, PLENTY);
	temp_cache_keep(temp.cache, "a", 1000);
	struct object *object = temp_cache_find(temp.cache, "a");
	age(temp.folder, "a", 48);
	temp_must(stat(temp_cache_path(temp.folder, "a", path), &before), NULL, "stat");
	is_int(temp_cache_count(object, "a"), 1, "a file that another one has used is as it was");
	temp_must(stat(path, &after), NULL, "stat");
	ok(same_time(&before.st_mtim, &after.st_mtim) && same_time(&before.st_ctim, &after.st_ctim),
	   "and is not touched by who finds it so");
	object_unref(object);
}

static void test_too_large(void)
{
	static const struct {
		int64_t limit, size;
		int rc;
	} rows[] = {
		{10 * MB, 10 * MB, -ENOSPC},
		{10 * MB, 10 * MB - 4096, -ENOSPC},
		{10 * MB, 10 * MB - 40 * 1024, 0},
		{0, 0, -ENOSPC},
		{10 * MB, INT64_MAX, -ENOSPC},
		{INT64_MAX, (INT64_C(1) << 40) + 1, -ENOSPC},
		{10 * MB, -1, -EINVAL},
		{1 * MB, 0, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(temp_cache_finish) struct temp_cache temp;
		temp_cache_init(&temp, rows[i].limit);
		struct cache_key key = temp_cache_key("a");
		struct object *object = NULL;
		is_int(cache_make(temp.cache, &key, rows[i].size, NULL, &object), rows[i].rc,
		       "%lld bytes in a cache of %lld", (long long)rows[i].size, (long long)rows[i].limit);
		object_unref(object);
		if (rows[i].rc == 0)
			is_int(temp_cache_keep(temp.cache, "a", rows[i].size), 0, "and then all of it fits");
		ok(temp_cache_du(temp.folder) <= rows[i].limit || rows[i].limit == 0, "within the limit");
	}
}

static void test_no_room(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	temp_cache_init(&temp, 2 * MB);
	struct object *first = temp_cache_make(temp.cache, "a", MB);
	struct object *second = temp_cache_make(temp.cache, "b", 3 * MB / 2);
	int rc = 0;
	for (int64_t piece = 0; piece < 4; piece++)
		is_int(temp_cache_write(first, "a", piece), 0, "the first gets its room");
	int64_t written = 0;
	while (written < 6 && (rc = temp_cache_write(second, "b", written)) == 0)
		written++;
	is_int(rc, -ENOSPC, "the second does not, since both are open");
	is_int(temp_cache_count(second, "b"), written, "and has what it had");
	is_int(temp_cache_count(first, "a"), 4, "the first too");
	ok(temp_cache_du(temp.folder) <= 2 * MB, "the limit holds");
	object_unref(first);
	is_int(temp_cache_write(second, "b", written), 0, "once the first is closed, there is room");
	object_unref(second);
}

/* A tally that says nonsense, or belongs to a folder where people delete. */
static void test_tally(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	temp_cache_init(&temp, PLENTY);
	temp_cache_keep(temp.cache, "a", MB);
	snprintf(path, sizeof(path), "%s/contentfs.tally", temp.folder);
	for (int64_t at = 0; at < 32; at += 5) {
		flip(path, at);
		is_int(cache_bytes(temp.cache), 0, "with byte %lld of the tally changed, it counts for nothing",
		       (long long)at);
		char name[16];
		snprintf(name, sizeof(name), "n%lld", (long long)at);
		temp_cache_keep(temp.cache, name, 10);
		int64_t bytes = cache_bytes(temp.cache);
		ok(bytes >= MB && bytes < 2 * MB, "with byte %lld of the tally changed, it is counted anew",
		   (long long)at);
	}
	cut(path, 3);
	temp_cache_keep(temp.cache, "c", 10);
	ok(cache_bytes(temp.cache) < 2 * MB, "and with the tally cut");
	struct cache *other = temp_cache_open(temp.folder, PLENTY);
	ok(cache_bytes(other) >= MB, "another process counts the same");
	temp_cache_keep(other, "b", MB);
	ok(cache_bytes(temp.cache) >= 2 * MB, "and what it writes is known here");
	cache_close(other);
}

static void test_leftovers(void)
{
	static const struct {
		const char *name;
		int64_t age_s;
		bool locked, stays, foreign;
	} rows[] = {{"old", 3600, false, false, false},
		    {"young", 10, false, true, false},
		    {"locked", 3600, true, true, false},
		    {"somebody else's", 3600, false, true, true}};
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	int locked = -1;
	temp_cache_init(&temp, PLENTY);
	temp_cache_keep(temp.cache, "a", 1000);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/new/%s%s", temp.folder, rows[i].foreign ? "" : "object-",
			 rows[i].name);
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		const struct timespec then = {.tv_sec = clock_wall_ms() / 1000 - rows[i].age_s};
		const struct timespec times[2] = {then, then};
		temp_must(futimens(fd, times), NULL, path);
		if (rows[i].locked && flock(fd, LOCK_SH) == 0)
			locked = fd;
		else
			close(fd);
	}
	struct cache *next = temp_cache_open(temp.folder, PLENTY);
	snprintf(path, sizeof(path), "%s/contentfs.tally", temp.folder); /* as after a start of the machine */
	flip(path, 8);
	temp_cache_keep(next, "b", 10);
	cache_close(next);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/new/%s%s", temp.folder, rows[i].foreign ? "" : "object-",
			 rows[i].name);
		is_int(access(path, F_OK) == 0, rows[i].stays, "a leftover that is %s", rows[i].name);
	}
	close(locked);
}

/* --- disks that fail ---------------------------------------------------------------------------------------------- */

struct small_disk {
	char folder[TEMP_PATH_SIZE];
	bool mounted;
};

static void small_disk_finish(struct small_disk *disk)
{
	if (disk->mounted)
		umount2(disk->folder, MNT_DETACH);
	temp_folder_remove(disk->folder);
}

static bool small_disk_init(struct small_disk *disk, const char *size)
{
	temp_folder_make(disk->folder);
	disk->mounted = mount("tmpfs", disk->folder, "tmpfs", 0, size) == 0;
	return disk->mounted;
}

static void close_cache(struct cache **cache)
{
	cache_close(*cache);
}

static void test_full_disk(void)
{
	CLEANUP(small_disk_finish) struct small_disk disk;
	if (!small_disk_init(&disk, "size=2m")) {
		skip("mounting is not allowed", "a full disk");
		return;
	}
	CLEANUP(close_cache) struct cache *cache = temp_cache_open(disk.folder, PLENTY);
	struct object *object = temp_cache_make(cache, "a", 4 * MB);
	int64_t written = 0;
	int rc = 0;
	while (written < 16 && (rc = temp_cache_write(object, "a", written)) == 0)
		written++;
	is_int(rc, -ENOSPC, "a full disk is no room");
	ok(written >= 6, "much of it was filled: %lld pieces", (long long)written);
	is_int(temp_cache_count(object, "a"), written, "and what is there is right");
	struct object *second = NULL;
	struct cache_key key = temp_cache_key("b");
	rc = cache_make(cache, &key, 1000, NULL, &second);
	ok(rc == 0 || rc == -ENOSPC, "making one on a full disk gives %d", rc);
	object_unref(second);
	object_unref(object);
	is_int(temp_cache_keep(cache, "c", MB), 0, "what nobody has open makes way when the disk is full");
	object = temp_cache_find(cache, "c");
	is_int(object ? temp_cache_count(object, "c") : -1, 4, "and the new one is whole");
	object_unref(object);
}

static void test_read_only(void)
{
	CLEANUP(small_disk_finish) struct small_disk disk;
	if (!small_disk_init(&disk, "size=2m")) {
		skip("mounting is not allowed", "a disk that is read-only");
		return;
	}
	CLEANUP(close_cache) struct cache *cache = temp_cache_open(disk.folder, PLENTY);
	temp_cache_keep(cache, "a", 1000);
	temp_must(mount(NULL, disk.folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), NULL, "remount");
	struct cache_key a = temp_cache_key("a");
	struct cache_key b = temp_cache_key("b");
	struct object *object = NULL;
	is_int(cache_find(cache, &a, &object), -EROFS, "finding on a disk that is read-only");
	is_int(cache_find(cache, &b, &object), -ENOENT, "finding nothing there");
	is_int(cache_make(cache, &b, 10, NULL, &object), -EROFS, "making there");
	ok(cache_bytes(cache) > 0, "counting there");
	CLEANUP(close_cache) struct cache *fresh = temp_cache_open(disk.folder, PLENTY);
	ok(cache_bytes(fresh) > 0, "counting there for the first time");
}

static void test_bad_folders(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char file[TEMP_PATH_SIZE + 16];
	temp_cache_init(&temp, PLENTY);
	snprintf(file, sizeof(file), "%s/a", temp.top);
	temp_file_write(file, "", 0);
	struct cache_key key = temp_cache_key("a");
	struct object *object = NULL;
	is_int(cache_find(temp.cache, &key, &object), -ENOENT, "finding where a file stands above the folder");
	is_int(cache_make(temp.cache, &key, 10, NULL, &object), -ENOTDIR, "making there");
	is_int(cache_bytes(temp.cache), 0, "counting there");
	temp_folder_remove(file);
	temp_must(symlink("/nowhere/at/all", file), NULL, "symlink");
	is_int(cache_make(temp.cache, &key, 10, NULL, &object), -ENOENT, "making where a link leads nowhere");
	CLEANUP(close_cache) struct cache *proc = temp_cache_open("/proc/cache", PLENTY);
	ok(cache_make(proc, &key, 10, NULL, &object) < 0, "making where no folder can be made");
	char path[PATH_MAX];
	struct err err = {0};
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	struct cache *cache = NULL;
	is_int(cache_open(&cache, path, PLENTY, &err), -ENAMETOOLONG, "a folder with a name that is too long");
	ok(!cache && err.text[0], "is refused with a message");
}

/* --- threads ------------------------------------------------------------------------------------------------------ */

struct crowd {
	struct object *object;
	const char *path;
	int64_t wrong;
};

static void *read_all_the_time(void *opaque)
{
	struct crowd *crowd = opaque;
	int64_t deadline = clock_monotonic_ms() + 30000;
	while (!object_is_whole(crowd->object) && clock_monotonic_ms() < deadline) {
		if (temp_cache_count(crowd->object, "a") < 0)
			__atomic_add_fetch(&crowd->wrong, 1, __ATOMIC_RELAXED);
		object_use(crowd->object);
	}
	return NULL;
}

static void test_threads(void)
{
	enum { READERS = 3, COUNT = 12 };
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	temp_cache_init(&temp, PLENTY);
	struct object *object = temp_cache_make(temp.cache, "a", COUNT * PIECE_BYTES);
	struct crowd crowd = {.object = object, .path = temp_cache_path(temp.folder, "a", path)};
	pthread_t readers[READERS];
	for (int i = 0; i < READERS; i++)
		temp_must(-pthread_create(&readers[i], NULL, read_all_the_time, &crowd), NULL, "pthread_create");
	for (int64_t piece = 0; piece < COUNT; piece++)
		is_int(temp_cache_write(object, "a", piece), 0, "piece %lld is written while others read",
		       (long long)piece);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	is_int(crowd.wrong, 0, "nobody saw a wrong byte");
	is_int(temp_cache_count(object, "a"), COUNT, "and all is there");
	object_unref(object);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_sizes();
	test_ranges();
	test_replacing();
	test_removing();
	test_without_renameat2();
	test_modes();
	test_flipped();
	test_swapped();
	test_cut();
	test_strange_files();
	test_deleted_folder();
	test_eviction_order();
	test_use();
	test_use_by_another();
	test_too_large();
	test_no_room();
	test_tally();
	test_leftovers();
	test_full_disk();
	test_read_only();
	test_bad_folders();
	test_threads();
	return tap_done();
}
