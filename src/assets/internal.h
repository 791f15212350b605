/*
 * What the files of the cache share. Private to assets/.
 *
 * cache.c has the folder and its names, room.c and walk.c what it takes on the disk, object.c one file, and pieces.c what
 * is in that.
 */
#ifndef CONTENTFS_ASSETS_INTERNAL_H
#define CONTENTFS_ASSETS_INTERNAL_H

#include "assets/cache.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define DISK_BLOCK 4096
#define NEW_PREFIX "object-"                /* of files that have no name yet; others in that folder are not ours */
#define OBJECT_BYTES_MAX ((int64_t)1 << 40) /* of an asset that is kept */

/* What a new object may take before it has a piece: blocks for the footer, for its name, and for a folder. */
#define OBJECT_COST ((int64_t)4 * DISK_BLOCK)
/* And what there is beside the objects: the folders and the tally. */
#define FOLDERS_COST ((int64_t)4 * DISK_BLOCK)

struct cache {
	char *folder;
	int64_t limit;
	uint64_t boot;         /* of the machine; 0: not known */
	atomic_bool impatient; /* whoever holds the tally did not give it back in time */
};

static inline int64_t whole_blocks(int64_t bytes)
{
	return (bytes + DISK_BLOCK - 1) / DISK_BLOCK * DISK_BLOCK;
}

/* Takes it from a variable that would close it. */
static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/* --- cache.c ------------------------------------------------------------------------------------------------------ */

/* Writes a path under the folder. cache_open has seen to it that it fits. */
void cache_path(const struct cache *cache, char path[PATH_MAX], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void object_path(const struct cache *cache, const struct cache_key *key, char path[PATH_MAX]);

/* Makes the folder, what is above it and what is always in it, as far as it is not there. */
int cache_make_folders(const struct cache *cache);

/* Whether that name is the open file's. */
bool file_has_name(int fd, const char *path);

/* --- room.c ------------------------------------------------------------------------------------------------------- */

/* The right to write to the folder, which one thread of all processes has at a time. */
struct room {
	struct cache *cache;
	int fd; /* of the tally, locked; -1 if none */
	int64_t bytes;
	int64_t measured_ms;
};

#define ROOM_NONE                                                                                                      \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Once for each cache. */
void room_open(struct cache *cache);

/* Waits for the right, and makes room for `bytes` more, which count as taken from then on, whether they are written or
 * not. -ENOSPC if there is no room, -EBUSY if another process keeps the right for too long. */
int room_enter(struct cache *cache, int64_t bytes, struct room *room);

/* For when the disk turns out to be full: frees about twice as much at least. -ENOSPC if nothing was freed. */
int room_squeeze(struct room *room, int64_t bytes);

/* Gives the right back, if there is one. For CLEANUP(room_leave). */
void room_leave(struct room *room);

/* --- walk.c ------------------------------------------------------------------------------------------------------- */

struct candidate {
	int64_t atime_ns;
	int64_t bytes;
	struct cache_key key;
};

/* Begins as `{.cache = cache}`. To be used by who has the right to write, if it is to be exact. */
struct walk {
	const struct cache *cache;
	int64_t total; /* what files and folders take on the disk */
	struct candidate *candidates;
	size_t count;
	size_t cap;
};

/* Counts what is there, and removes leftovers. */
int walk_measure(struct walk *walk);

/* Removes objects that nobody has open, the longest unused first, until the total is `goal` or less, or no more are to be
 * had. */
void walk_evict(struct walk *walk, int64_t goal);

void walk_finish(struct walk *walk);

/* --- object.c ----------------------------------------------------------------------------------------------------- */

/* Tells whether somebody has touched a file. Whoever sets the mtime back cannot set the ctime. */
struct stamp {
	int64_t mtime_ns;
	int64_t ctime_ns;
	int64_t size;
};

struct object {
	struct cache *cache;
	struct cache_key key;
	char etag[ETAG_MAX + 1];
	int64_t size;
	int64_t pieces;
	int fd;
	atomic_int references;
	atomic_bool reported;     /* a line in the log says that it was damaged */
	_Atomic int64_t touch_ms; /* when to note on the disk again that it is used; monotonic */
	pthread_mutex_t lock;     /* of what follows */
	struct stamp seen;
	unsigned char *sound; /* a bit for each piece: found there and right, while `seen` was true */
};

/* How long the file of an asset is. */
int64_t object_file_bytes(int64_t size);

/* Opens a file as an object. -ENOENT if there is none, if it is about to be removed, or if it is of no use and was
 * removed. */
int object_open(struct cache *cache, const struct cache_key *key, struct object **out);

/* Makes an object of an empty file, which has no name that others know. Takes fd, which is closed on failure. */
int object_create(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag, int fd,
		  struct object **out);

/* Makes the file as long as it must be, and its footer what it must be. */
int object_mend(struct object *object);

/* Says once in the log that it was damaged. */
void object_report(struct object *object);

int stamp_of(int fd, struct stamp *stamp);
bool stamp_is(const struct stamp *a, const struct stamp *b);

/* Reads or writes all of it: 0, a negative errno, or -ENODATA where the file ends. */
int read_all(int fd, void *bytes, size_t len, off_t at);
int write_all(int fd, const void *bytes, size_t len, off_t at);

#endif
