#include "temp_cache.h"

#include "random.h"
#include "util/cleanup.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

struct cache *temp_cache_open(const char *folder, int64_t limit)
{
	struct err err = {0};
	struct cache *cache = NULL;
	temp_must(cache_open(&cache, folder, limit, &err), &err, "cache_open");
	return cache;
}

void temp_cache_init(struct temp_cache *temp, int64_t limit)
{
	temp_folder_make(temp->top);
	snprintf(temp->folder, sizeof(temp->folder), "%s/a/cache", temp->top);
	temp->cache = temp_cache_open(temp->folder, limit);
}

void temp_cache_finish(struct temp_cache *temp)
{
	cache_close(temp->cache);
	temp_folder_remove(temp->top);
}

struct cache_key temp_cache_key(const char *name)
{
	return cache_key_of(slice_of(name));
}

char *temp_cache_path(const char *folder, const char *name, char path[PATH_MAX])
{
	struct cache_key key = temp_cache_key(name);
	snprintf(path, PATH_MAX, "%s/objects/%.2s/%s", folder, key.hex, key.hex);
	return path;
}

void temp_cache_fill(const char *name, int64_t offset, char *bytes, size_t len)
{
	uint64_t seed = 0;
	for (const char *at = name; *at; at++)
		seed = seed * 131 + (unsigned char)*at;
	for (size_t i = 0; i < len;) {
		struct rng rng = {seed + (uint64_t)(offset + (int64_t)i) / 8};
		uint64_t word = rng_next(&rng);
		for (size_t j = (size_t)(offset + (int64_t)i) % 8; j < 8 && i < len; j++)
			bytes[i++] = (char)(word >> 8 * j);
	}
}

struct object *temp_cache_find(struct cache *cache, const char *name)
{
	struct cache_key key = temp_cache_key(name);
	struct object *object = NULL;
	int rc = cache_find(cache, &key, &object);
	temp_must(rc == -ENOENT ? 0 : rc, NULL, "cache_find");
	return object;
}

struct object *temp_cache_make(struct cache *cache, const char *name, int64_t size)
{
	struct cache_key key = temp_cache_key(name);
	struct object *object = NULL;
	temp_must(cache_make(cache, &key, size, NULL, &object), NULL, "cache_make");
	return object;
}

static size_t piece_len(const struct object *object, int64_t piece)
{
	int64_t left = object_size(object) - piece * PIECE_BYTES;
	return left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
}

int temp_cache_write(struct object *object, const char *name, int64_t piece)
{
	CLEANUP(cleanup_free) char *bytes = malloc(PIECE_BYTES);
	size_t len = piece_len(object, piece);
	temp_must(bytes ? 0 : -ENOMEM, NULL, "malloc");
	temp_cache_fill(name, piece * PIECE_BYTES, bytes, len);
	return object_write(object, piece, bytes, len);
}

int temp_cache_keep(struct cache *cache, const char *name, int64_t size)
{
	struct cache_key key = temp_cache_key(name);
	struct object *object = NULL;
	int rc = cache_make(cache, &key, size, NULL, &object);
	for (int64_t piece = 0; rc == 0 && piece * PIECE_BYTES < size; piece++)
		rc = temp_cache_write(object, name, piece);
	object_unref(object);
	return rc;
}

static bool piece_is_right(struct object *object, const char *name, int64_t piece)
{
	CLEANUP(cleanup_free) char *there = malloc(PIECE_BYTES);
	CLEANUP(cleanup_free) char *right = malloc(PIECE_BYTES);
	size_t len = piece_len(object, piece);
	temp_must(there && right ? 0 : -ENOMEM, NULL, "malloc");
	temp_cache_fill(name, piece * PIECE_BYTES, right, len);
	return pread(object_fd(object), there, len, piece * PIECE_BYTES) == (ssize_t)len &&
	       memcmp(there, right, len) == 0;
}

int64_t temp_cache_count(struct object *object, const char *name)
{
	int64_t count = 0;
	for (int64_t piece = 0; piece * PIECE_BYTES < object_size(object); piece++) {
		if (!object_has(object, piece * PIECE_BYTES, piece_len(object, piece), NULL))
			continue;
		if (!piece_is_right(object, name, piece))
			return -1;
		count++;
	}
	return count;
}

static int64_t sum;

static int add(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	if (type != FTW_NS)
		sum += (int64_t)st->st_blocks * 512;
	return 0;
}

int64_t temp_cache_du(const char *folder)
{
	sum = 0;
	nftw(folder, add, 16, FTW_PHYS);
	return sum;
}
