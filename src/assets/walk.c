/*
 * Goes over the folder: what is there takes so much, leftovers of processes that were killed are removed, and so is, the
 * longest unused first, what is too much. Opens nothing but what it removes, since there may be many files.
 */
#include "assets/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#define LEFTOVER_S (5 * 60) /* how old a file without a name is when it is nobody's */

/* --- measuring ---------------------------------------------------------------------------------------------------- */

static int64_t disk_bytes(const struct stat *st)
{
	return (int64_t)st->st_blocks * 512;
}

typedef int visitor(struct walk *walk, const char *name, const struct stat *st);

/* Counts the folder, and shows what is in it. One that is not there holds nothing. */
static int visit_folder(struct walk *walk, const char *path, visitor *visit)
{
	struct stat st;
	int rc = 0;
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(dirfd(dir), &st) == 0)
		walk->total += disk_bytes(&st);
	for (struct dirent *entry; rc == 0 && (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			rc = visit(walk, entry->d_name, &st);
	closedir(dir);
	return rc;
}

static int visit_object(struct walk *walk, const char *name, const struct stat *st)
{
	walk->total += disk_bytes(st);
	if (strlen(name) != DIGEST_HEX_LEN)
		return 0; /* not ours to remove */
	if (walk->count == walk->cap) {
		size_t cap = walk->cap ? 2 * walk->cap : 256;
		void *grown = realloc(walk->candidates, cap * sizeof(*walk->candidates));
		if (!grown)
			return -ENOMEM;
		walk->candidates = grown;
		walk->cap = cap;
	}
	struct candidate *candidate = &walk->candidates[walk->count++];
	candidate->atime_ns = st->st_atim.tv_sec * INT64_C(1000000000) + st->st_atim.tv_nsec;
	candidate->bytes = disk_bytes(st);
	memcpy(candidate->key.hex, name, DIGEST_HEX_LEN + 1);
	return 0;
}

static int visit_shard(struct walk *walk, const char *name, const struct stat *st)
{
	char path[PATH_MAX];
	if (!S_ISDIR(st->st_mode) || strlen(name) != 2)
		return 0;
	cache_path(walk->cache, path, "objects/%s", name);
	return visit_folder(walk, path, visit_object);
}

static bool take_leftover(const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || clock_wall_ms() / 1000 - st->st_mtim.tv_sec < LEFTOVER_S)
		return false;
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0;
}

static int visit_new(struct walk *walk, const char *name, const struct stat *st)
{
	char path[PATH_MAX];
	cache_path(walk->cache, path, "new/%s", name);
	bool ours = strncmp(name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0;
	if (!ours || !take_leftover(path, st))
		walk->total += disk_bytes(st);
	return 0;
}

static int visit_top(struct walk *walk, const char *name, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		walk->total += disk_bytes(st);
	char path[PATH_MAX];
	cache_path(walk->cache, path, "%s", name);
	if (strcmp(name, "objects") == 0)
		return visit_folder(walk, path, visit_shard);
	return strcmp(name, "new") == 0 ? visit_folder(walk, path, visit_new) : 0;
}

int walk_measure(struct walk *walk)
{
	return visit_folder(walk, walk->cache->folder, visit_top);
}

void walk_finish(struct walk *walk)
{
	free(walk->candidates);
}

/* --- evicting ----------------------------------------------------------------------------------------------------- */

static int compare_use(const void *a, const void *b)
{
	int64_t left = ((const struct candidate *)a)->atime_ns;
	int64_t right = ((const struct candidate *)b)->atime_ns;
	return (left > right) - (left < right);
}

/* Whether it is gone. What anybody has open stays. */
static bool evict(const struct cache *cache, const struct cache_key *key)
{
	char path[PATH_MAX];
	object_path(cache, key, path);
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !file_has_name(fd, path) || unlink(path) < 0)
		return false;
	cache_path(cache, path, "objects/%.2s", key->hex);
	rmdir(path); /* if that was the last */
	return true;
}

void walk_evict(struct walk *walk, int64_t goal)
{
	if (walk->total <= goal)
		return;
	qsort(walk->candidates, walk->count, sizeof(*walk->candidates), compare_use);
	for (size_t i = 0; i < walk->count && walk->total > goal; i++)
		if (evict(walk->cache, &walk->candidates[i].key))
			walk->total -= walk->candidates[i].bytes;
}
