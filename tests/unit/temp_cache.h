/*
 * A cache in a folder of its own, for tests. What an asset holds follows from its name, so that each byte of the cache can
 * be compared with what it must be. Of one thread.
 */
#ifndef CONTENTFS_TESTS_TEMP_CACHE_H
#define CONTENTFS_TESTS_TEMP_CACHE_H

#include "assets/cache.h"
#include "temp_store.h"

#include <limits.h>

struct temp_cache {
	char top[TEMP_PATH_SIZE];         /* temporary */
	char folder[TEMP_PATH_SIZE + 16]; /* of the cache, below it; not made yet */
	struct cache *cache;
};

/* Makes the temporary folder and opens the cache. */
void temp_cache_init(struct temp_cache *temp, int64_t limit);
void temp_cache_finish(struct temp_cache *temp);

struct cache *temp_cache_open(const char *folder, int64_t limit);

/* The path of an object's file. Returns `path`. */
char *temp_cache_path(const char *folder, const char *name, char path[PATH_MAX]);

struct cache_key temp_cache_key(const char *name);

/* The asset's bytes from `offset` on. */
void temp_cache_fill(const char *name, int64_t offset, char *bytes, size_t len);

/* Finds it, or NULL; makes it, without a tag, or ends the program. */
struct object *temp_cache_find(struct cache *cache, const char *name);
struct object *temp_cache_make(struct cache *cache, const char *name, int64_t size);

int temp_cache_write(struct object *object, const char *name, int64_t piece);

/* Makes one with all its pieces and closes it. What object_write said last. */
int temp_cache_keep(struct cache *cache, const char *name, int64_t size);

/* How many pieces are there; -1 if one of them holds a wrong byte. */
int64_t temp_cache_count(struct object *object, const char *name);

/* What the folder takes on the disk, as du(1) has it. */
int64_t temp_cache_du(const char *folder);

#endif
