/*
 * The folder of what was fetched: one file for each asset, that holds those of its pieces that are there, and says what
 * they must be. Shared by the mounts of a user: other processes read, write and remove the same files, and people delete
 * them. Private to assets/. Knows no network.
 *
 *   FOLDER/objects/ab/ab12...   named by the SHA-256 of the URL (64 hex digits)
 *   FOLDER/new/                 files that have no name yet
 *   FOLDER/contentfs.tally      how much all of it takes, and the lock of who writes
 *
 * An object is a file of the asset's own bytes, from 0, sparse where pieces are missing; then, from the next multiple of 8,
 * one 64-bit checksum for each piece (0: it is missing); then a footer of fixed size with a checksum of its own: a magic
 * word, the piece size, the asset's size, its entity tag and its key. A piece is written before its checksum, and is
 * checked against it before it is used first in a process, and again after anybody has touched the file (its mtime and ctime): so
 * neither a kill, nor a lost power, nor a damaged, cut or deleted file ever makes a wrong byte, only a missing piece.
 *
 * Who has an object open holds a shared flock on it. Whoever wants room takes objects whose exclusive lock is to be had at
 * once, the longest unused first (by atime, which is set by hand, since mounts differ in what they do about it).
 *
 * Who writes, in whatever process, counts what it will take first, in one file for all, and holds its lock until it has
 * written: so the folder is never larger than the limit, however many write. (What people put there, and mounts with other
 * limits, aside.)
 *
 * Threads: everything may be called from any thread. What an object hands out stays true while it is referenced.
 */
#ifndef CONTENTFS_ASSETS_CACHE_H
#define CONTENTFS_ASSETS_CACHE_H

#include "util/digest.h"
#include "util/err.h"
#include "util/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIECE_BYTES (256 << 10) /* what is checked, and fetched, as one */
#define ETAG_MAX 255            /* a longer one counts as none */

struct cache;
struct object;

struct cache_key {
	char hex[DIGEST_HEX_LEN + 1];
};

struct cache_key cache_key_of(struct slice url);

/* Opens the folder (its path is copied); makes nothing yet. -ENAMETOOLONG or -ENOMEM. */
int cache_open(struct cache **out, const char *folder, int64_t limit, struct err *err);
void cache_close(struct cache *cache); /* NULL is fine; no object may be left */

/* What the files take on the disk, no less than that as a rule, as whoever wrote last has left it: never measures, never
 * waits. 0 if nothing was written yet. */
int64_t cache_bytes(struct cache *cache);

/* Finds an object. -ENOENT if there is none; one that is damaged beyond use is removed and counts as none, with a line in
 * the log. */
int cache_find(struct cache *cache, const struct cache_key *key, struct object **out);

/* Makes an empty one, or finds the one that somebody else has made meanwhile: if that has another size or tag, it is
 * replaced. A tag may be NULL. -ENOSPC if it could never fit (size larger than the limit, or the disk), -EBUSY as for
 * object_write, -EINVAL for a negative size; other errors as the disk gives them. */
int cache_make(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag, struct object **out);

void object_ref(struct object *object);
void object_unref(struct object *object); /* closes it with the last; NULL is fine */

int64_t object_size(const struct object *object);
const char *object_etag(const struct object *object); /* "" if none */
int object_fd(const struct object *object);           /* its bytes, from 0; to be read where object_has says so */

/* Whether all pieces that hold bytes of [offset, offset + len) are there and sound. Reads the disk where that was not
 * checked yet, or the file was touched by somebody. `missing` (may be NULL) gets the first piece that is not. */
bool object_has(struct object *object, int64_t offset, size_t len, int64_t *missing);

/* Whether every piece is there; cheaper than object_has for all, and believes the checksums' presence. */
bool object_is_whole(struct object *object);

/* What a piece of these bytes is known by; never 0. */
uint64_t piece_checksum(int64_t piece, const char *bytes, size_t len);

/* What the piece is known by; 0 if it is missing, or there is none of that number. */
uint64_t object_checksum(const struct object *object, int64_t piece);

/* Whether the piece is there with other bytes than these. */
bool object_differs(struct object *object, int64_t piece, const char *bytes, size_t len);

/* Writes a piece: `len` is PIECE_BYTES, or what is left at the end of the asset. Makes room first: -ENOSPC if there is none
 * to be had within the limit or on the disk, -EBUSY if another process keeps the lock for seconds; then nothing has
 * changed. Other errors as the disk gives them: the piece is missing. */
int object_write(struct object *object, int64_t piece, const char *bytes, size_t len);

/* Notes that it was used; at most once a minute touches the disk. */
void object_use(struct object *object);

/* Removes its name, unless another has it by now. Whoever has it open may go on. */
void object_remove(struct object *object);

#endif
