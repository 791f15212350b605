/*
 * The folder of the cache: its paths, and how an object gets its name and loses it. Everything goes by path, since people
 * remove folders under a running program.
 *
 * A name is given only where there is none, and is taken from a file only by who has looked that it is that file's.
 * Between the look and the removal somebody else may have removed it too and have made another: then that one loses its
 * name, which costs a download and nothing else.
 */
#include "assets/assets.h"
#include "assets/internal.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_BELOW 128 /* what a path has below the folder */
#define ATTEMPTS 10       /* at what others may undo in the middle */

struct cache_key cache_key_of(struct slice url)
{
	struct cache_key key = {0};
	digest_hex(url, key.hex, DIGEST_HEX_LEN);
	return key;
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

int cache_open(struct cache **out, const char *folder, int64_t limit, struct err *err)
{
	if (strlen(folder) + LONGEST_BELOW > PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "the name of the cache's folder is too long: %s", folder);
	struct cache *cache = calloc(1, sizeof(*cache));
	char *copy = strdup(folder);
	if (!cache || !copy) {
		free(cache);
		free(copy);
		return err_oom(err);
	}
	cache->folder = copy;
	cache->limit = limit;
	room_open(cache);
	*out = cache;
	return 0;
}

int64_t assets_cached_bytes(const char *folder)
{
	struct cache *cache = NULL;
	int64_t bytes = cache_open(&cache, folder, 0, NULL) == 0 ? cache_bytes(cache) : 0;
	cache_close(cache);
	return bytes;
}

void cache_close(struct cache *cache)
{
	if (!cache)
		return;
	free(cache->folder);
	free(cache);
}

void cache_path(const struct cache *cache, char path[PATH_MAX], const char *fmt, ...)
{
	int len = snprintf(path, PATH_MAX, "%s/", cache->folder);
	va_list args;
	va_start(args, fmt);
	vsnprintf(path + len, (size_t)(PATH_MAX - len), fmt, args);
	va_end(args);
}

void object_path(const struct cache *cache, const struct cache_key *key, char path[PATH_MAX])
{
	cache_path(cache, path, "objects/%.2s/%s", key->hex, key->hex);
}

/* With what is above it. */
static int make_folder(const char *path)
{
	char part[PATH_MAX];
	snprintf(part, sizeof(part), "%s", path);
	for (char *at = part + 1;; at++) {
		char was = *at;
		if (was != '/' && was != '\0')
			continue;
		*at = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
		if (was == '\0')
			return 0;
		*at = was;
	}
}

int cache_make_folders(const struct cache *cache)
{
	char path[PATH_MAX];
	cache_path(cache, path, "objects");
	int rc = make_folder(path);
	cache_path(cache, path, "new");
	return rc == 0 ? make_folder(path) : rc;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

bool file_has_name(int fd, const char *path)
{
	struct stat file;
	struct stat named;
	return fstat(fd, &file) == 0 && lstat(path, &named) == 0 && file.st_dev == named.st_dev &&
	       file.st_ino == named.st_ino;
}

static int rename_unless_taken(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -errno;
	/* Some file systems know only this. */
	if (link(from, to) < 0)
		return -errno;
	unlink(from);
	return 0;
}

static int give_name(const struct cache *cache, const char *temporary, const struct cache_key *key)
{
	char path[PATH_MAX];
	object_path(cache, key, path);
	int rc = rename_unless_taken(temporary, path);
	if (rc != -ENOENT)
		return rc;
	char folder[PATH_MAX];
	cache_path(cache, folder, "objects/%.2s", key->hex);
	rc = make_folder(folder);
	return rc == 0 ? rename_unless_taken(temporary, path) : rc;
}

void object_remove(struct object *object)
{
	char path[PATH_MAX];
	object_path(object->cache, &object->key, path);
	if (file_has_name(object->fd, path))
		unlink(path);
}

/* --- finding and making ------------------------------------------------------------------------------------------- */

int cache_find(struct cache *cache, const struct cache_key *key, struct object **out)
{
	return object_open(cache, key, out);
}

static int make_named(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag,
		      struct object **out)
{
	char path[PATH_MAX];
	struct object *object = NULL;
	cache_path(cache, path, "new/" NEW_PREFIX "XXXXXX");
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = object_create(cache, key, size, etag, fd, &object);
	if (rc == 0)
		rc = give_name(cache, path, key);
	if (rc < 0) {
		object_unref(object);
		unlink(path);
		return rc;
	}
	*out = object;
	return 0;
}

/* -EEXIST if the name is taken, -ENOENT if folders are missing, or have vanished in the middle. */
static int make_new(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag,
		    struct object **out)
{
	CLEANUP(room_leave) struct room room = ROOM_NONE;
	int rc = room_enter(cache, OBJECT_COST, &room);
	if (rc == 0)
		rc = cache_make_folders(cache);
	if (rc < 0)
		return rc;
	rc = make_named(cache, key, size, etag, out);
	if (rc == -ENOSPC && room_squeeze(&room, OBJECT_COST) == 0)
		rc = make_named(cache, key, size, etag, out);
	return rc;
}

/* The one that is there, if it is of that size and tag; else it loses its name and is as good as none. */
static int find_alike(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag,
		      struct object **out)
{
	struct object *found = NULL;
	int rc = cache_find(cache, key, &found);
	if (rc < 0)
		return rc;
	if (found->size == size && strcmp(found->etag, etag) == 0) {
		*out = found;
		return 0;
	}
	object_remove(found);
	object_unref(found);
	return -ENOENT;
}

int cache_make(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag, struct object **out)
{
	if (size < 0)
		return -EINVAL;
	if (size > OBJECT_BYTES_MAX ||
	    whole_blocks(object_file_bytes(size)) + OBJECT_COST + FOLDERS_COST > cache->limit)
		return -ENOSPC;
	if (!etag || strlen(etag) > ETAG_MAX)
		etag = "";
	int rc = -ENOENT;
	for (int i = 0; (rc == -ENOENT || rc == -EEXIST) && i < ATTEMPTS; i++) {
		rc = find_alike(cache, key, size, etag, out);
		if (rc == -ENOENT)
			rc = make_new(cache, key, size, etag, out);
	}
	return rc;
}
