/*
 * The FUSE frontend: answers the kernel from the store, and tells it what has changed. The only folder that knows libfuse.
 *
 * Nothing that the kernel was told expires, and `open` and `opendir` do not exist, so a warm read costs no request; in
 * exchange every change of the store must be announced. The order that makes this safe:
 *
 *  - a request is answered, reply and all, while its worker holds fs->answering for reading;
 *  - the announcer takes the journal's new entries (they are committed), then fs->answering for writing and lets it go at
 *    once: from there on no answer from before the commit can be on its way; what was made of a listing before anybody asked
 *    for it is dropped there;
 *  - then it notifies, holding no lock: each name first (the kernel waits for lookups and listings of that directory that
 *    are under way, so their results are caught), then each directory's inode, for its attributes and its cached listing.
 *
 * Threads: the workers, the announcer and the one that reads ahead are the module's own. Everything here may be called from any thread but
 * fs_create, fs_start and fs_destroy, which belong to one.
 */
#ifndef CONTENTFS_FS_FS_H
#define CONTENTFS_FS_FS_H

#include "assets/assets.h"
#include "fs/keeper.h"
#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fs;

struct fs_config {
	const char *store_path;
	struct assets *assets;       /* where the bytes of assets come from; borrowed until fs_stop returns */
	const struct keeper *keeper; /* that mounts, and unmounts; borrowed until fs_destroy returns */
	const char *mount_options;   /* the keeper's */
	uid_t uid;                   /* whom the files belong to */
	gid_t gid;
	mode_t umask;      /* bits taken from 0444 and 0555 */
	int64_t announced; /* how far the store's journal was announced before */
};

/* Asked from a worker; none may block. */
struct fs_hooks {
	void *context;
	int (*status)(void *context, struct buf *json); /* appends the text of status.json; 0 or a negative errno */
	void (*refresh)(void *context);                 /* a sync is wanted: fs_refreshed answers */
	void (*damaged)(void *context);                 /* the store cannot be read where it should */
	void (*learned)(void *context);                 /* there is something for fs_look_measured */
	void (*ended)(void *context);                   /* the kernel has let go: it was unmounted */
};

/* Mounts. The strings are borrowed for the call, hooks->context as long as fs lives. */
int fs_create(struct fs **out, const struct fs_config *config, const struct fs_hooks *hooks, struct err *err);

/* Starts to answer. After any fork. */
int fs_start(struct fs *fs, struct err *err);

/* Stops all threads: nothing is asked of anybody from then on, but answers of assets/ that are still to come are passed
 * on to the kernel. NULL is fine. */
void fs_stop(struct fs *fs);

/* Stops, has it unmounted (lazily if it is in use), frees; no answer of assets/ may be left to come. NULL is fine. */
void fs_destroy(struct fs *fs);

/* Tells the announcer that something was committed. Never blocks. */
void fs_changed(struct fs *fs);

/*
 * Another store was put in the place of the one that is read: the tree goes over to it, and the kernel is told of every
 * name that may differ. Who has something of the old store open goes on reading it there, since no number is in both.
 * Never blocks; it has happened when the journal of the new store is announced.
 */
void fs_store_replaced(struct fs *fs);

/* Waits until the kernel knows everything up to this entry of the journal; false after `timeout_ms`. */
bool fs_wait_announced(struct fs *fs, int64_t change, int64_t timeout_ms);

/* How far the kernel has been told. */
int64_t fs_announced(struct fs *fs);

/* How many refreshes were asked for so far. A run answers those that were asked for before it began. */
uint64_t fs_refreshes_wanted(struct fs *fs);

/* Answers every refresh up to the `wanted`th: status 0 or a positive errno, with the reason. */
void fs_refreshed(struct fs *fs, uint64_t wanted, int status, const char *message);

/* Superseded nodes that the kernel has let go of (or should long have): up to `max` of them, each once. */
size_t fs_take_forgotten(struct fs *fs, int64_t *inos, size_t max);

/* Sizes of assets' files as they turned out to be, for the store to keep: up to `max` of them. They are looked at here
 * first until fs_measured_stored says that the store has them (committed). */
struct fs_measured {
	int64_t ino;
	int64_t size;
};

size_t fs_look_measured(struct fs *fs, struct fs_measured *out, size_t max);
void fs_measured_stored(struct fs *fs, const struct fs_measured *stored, size_t count);

/* How long the request takes that a worker has been at for longest; 0 if none has one. None should take long: what has to be
 * waited for is handed to others. */
int64_t fs_busy_ms(struct fs *fs);

/* Requests answered so far, but for those about .contentfs and what needs no answer. `cacheable` counts those that the kernel
 * remembers the answer to, so that it need not ask twice: names, attributes, listings and texts. It never remembers
 * extended attributes and statfs (find and grep -r ask for one statfs a run). */
#define FS_OPERATIONS 7
struct fs_counts {
	uint64_t cacheable;
	uint64_t by_operation[FS_OPERATIONS];
};

extern const char *const fs_operation_names[FS_OPERATIONS];

void fs_count_requests(struct fs *fs, struct fs_counts *counts);

#endif
