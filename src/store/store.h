/*
 * The store: one SQLite file that is the tree. This header is the writing side; store/reader.h is the reading side.
 *
 * One struct store per file and machine, held by a lock beside the file; it belongs to one thread, the one that syncs.
 * Everything between store_begin and store_commit becomes visible to readers in one step, or not at all. Which of two
 * events counts is not decided here: the caller looks with store_find and says what to do.
 */
#ifndef CONTENTFS_STORE_STORE_H
#define CONTENTFS_STORE_STORE_H

#include "store/types.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* What a store belongs to. The strings are borrowed for the call; filters is "" when everything is kept. */
struct store_identity {
	const char *host;
	const char *api_key;
	const char *environment;
	const char *branch;
	const char *filters;
};

/*
 * Opens the store for writing; makes it (0600) and its folder (0700) if they are missing, and takes the lock. -EBUSY if
 * another contentfs has it, -EINVAL if it belongs to another identity (err says which parts differ), was written by a
 * newer contentfs, or is no store of ours: then it is not touched. A damaged store is set aside under another name, with a
 * warning, and a new one begun whose numbers go on above those of the old one. Blocks for disk only.
 */
int store_open(struct store **out, const char *path, const struct store_identity *identity, struct err *err);
void store_close(struct store *store); /* NULL is fine; rolls back what was not committed */

/*
 * For a store that is found damaged (-EUCLEAN) while it is open. The first begins another one beside it, empty, seen by
 * nobody, with numbers above those of the damaged one. When that is whole the second sets the damaged one aside, its new
 * path appended to `aside`, and gives its name and its lock to the other one, in one step; on failure both stay as they
 * were, as far as the disk lets them. Killed meanwhile, the next store_open has the one or the other, whole. Readers of
 * the damaged one go on until they are closed. `damaged` is then to be closed.
 */
int store_open_beside(struct store **out, struct store *damaged, const struct store_identity *identity,
		      struct err *err);
int store_take_place(struct store *fresh, struct store *damaged, const struct store_identity *identity,
		     struct buf *aside, struct err *err);

/* Opens the file of a store again if that failed in store_take_place; to be called before it is used. -EUCLEAN if the file
 * is gone. */
int store_reopen(struct store *store, const struct store_identity *identity, struct err *err);

int store_begin(struct store *store, struct err *err);
int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store);

/* Gives back the memory that many changes have taken, when there are no more for a while. */
void store_rest(struct store *store);

/* --- what is known of one item ------------------------------------------------------------------------------------ */

/* What an event is about. An empty locale or uid (in removals only) stands for all. */
struct store_key {
	enum node_kind kind;       /* NODE_ENTRY, NODE_ASSET or NODE_SCHEMA */
	struct slice content_type; /* of NODE_ENTRY only */
	struct slice locale;       /* not of NODE_SCHEMA */
	struct slice uid;
};

#define NO_EVENT INT64_MIN

/* The versions of one item that the store has; ino is 0 where there is none. */
struct store_known {
	struct store_version {
		int64_t ino;
		int64_t event_at; /* NO_EVENT where there is none */
		long long number;
	} live, staged;
	int64_t removed_at; /* the newest removal that was remembered and covers the item; NO_EVENT if none */
};

int store_find(struct store *store, const struct store_key *key, struct store_known *known, struct err *err);

/* The file of an asset, whose bytes are elsewhere. */
struct store_file {
	struct slice url;  /* raw, as in the record; empty if the asset has no file */
	struct slice name; /* raw; the tree shows it encoded */
	struct slice media_type;
	int64_t size;       /* as the record says; up to 0 counts as not known */
	int64_t generation; /* how often the bytes behind the URL were seen to change; 0 from a record */
};

struct store_item;

/* Whether the node has exactly the item's text and file: 1, 0, or a negative errno. */
int store_is_same(struct store *store, int64_t ino, const struct store_item *item, struct err *err);

/* --- changing (inside a transaction) ------------------------------------------------------------------------------ */

struct store_item {
	struct store_key key;
	int stream;
	int64_t event_at;     /* ms since the epoch */
	int64_t published_at; /* ms since the epoch; the file's mtime */
	long long number;     /* _version */
	struct slice updated_at;
	struct slice title;
	struct slice text;      /* the file */
	struct store_file file; /* of assets only */
};

/* Gives the item's name to a new node with this text, visible with the commit. */
int store_place(struct store *store, const struct store_item *item, struct err *err);

/* Keeps the item for store_publish; replaces what was staged for it before. */
int store_stage(struct store *store, const struct store_item *item, struct err *err);

/* Notes a newer event for a node whose content did not change. */
int store_touch(struct store *store, int64_t ino, int64_t event_at, struct err *err);

/* Takes every visible item that the key covers and whose event is not newer than event_at out of the tree. */
int store_unplace(struct store *store, const struct store_key *key, int64_t event_at, struct err *err);

/* Remembers a removal until store_forget_run, and drops what it covers of what was staged, if not newer. */
int store_note_removal(struct store *store, int stream, const struct store_key *key, int64_t event_at, struct err *err);

/* Marks a visible node as listed by the stream's run under way. */
int store_list(struct store *store, int stream, int64_t ino, struct err *err);

/* The same for every visible item that the key covers. */
int store_list_covered(struct store *store, int stream, const struct store_key *key, struct err *err);

/* For who has to do other things while much is done: `take` is called between items, and may block. What it returns but 0
 * ends the work with that, and nothing of it is done once the transaction is rolled back. */
struct store_break {
	int (*take)(void *context, struct err *err);
	void *context;
};

/* Makes what the stream has staged visible and carries out the removals that it noted. With `complete`, visible items of
 * the stream that are neither staged nor listed go: the run was a whole new listing. `breaks` may be NULL. The times of what
 * changed in the transaction until here are those of the end of this. */
int store_publish(struct store *store, int stream, bool complete, const struct store_break *breaks, struct err *err);

/* Whether there is something for store_publish: versions that the stream has staged, or removals that it noted. */
int store_has_gathered(struct store *store, int stream, bool *gathered, struct err *err);

/* Drops what was kept for one run of the stream: staged leftovers, removals, marks. */
int store_forget_run(struct store *store, int stream, struct err *err);

/* --- what readers learn ------------------------------------------------------------------------------------------- */

/* The file of an asset turned out to be this large. Nothing if there is no such node any more. */
int store_measure(struct store *store, int64_t ino, int64_t size, struct err *err);

/* The bytes behind a URL have changed: every visible file of that generation, or an older one, gets a new node, of the next
 * generation. */
int store_renew(struct store *store, struct slice url, int64_t generation, struct err *err);

/* --- quarantine --------------------------------------------------------------------------------------------------- */

/* An item that cannot be applied. */
struct store_suspect {
	bool known;           /* `key` is set: it could be read what the item is about */
	struct store_key key; /* of an entry or asset, with locale and uid */
	int stream;
	int64_t event_at; /* ms since the epoch; 0 if it is not known */
	struct slice source;
	const char *reason;
};

/* Keeps it; one that is there about the same and not newer is replaced. Bounds: see quarantine.c. */
int store_quarantine(struct store *store, const struct store_suspect *suspect, struct err *err);

/* An event was applied: forgets what the quarantine has about the key up to that time. As with removals, an empty locale
 * or uid stands for all. */
int store_quarantine_settle(struct store *store, const struct store_key *key, int64_t event_at, struct err *err);

/* Forgets what came with a stream: the stack is about to be listed anew. */
int store_quarantine_forget(struct store *store, int stream, struct err *err);

/* The next item after `id` that another version of the program could not apply: 1, or 0 if there is none. */
struct store_inmate {
	int64_t id; /* 0 to begin */
	int stream;
	bool known; /* as in struct store_suspect */
	bool whole; /* the text was not cut */
	struct buf source;
};

int store_quarantine_next(struct store *store, struct store_inmate *inmate, struct err *err);
int store_quarantine_remove(struct store *store, int64_t id, struct err *err);

/* --- streams ------------------------------------------------------------------------------------------------------ */

/* How far the conversation with the Sync API is. Numbers are in stores: they never change their meaning. */
enum stream_run {
	RUN_NONE = 0,          /* between runs: sync_token is set */
	RUN_FIRST = 1,         /* the first listing, visible page by page */
	RUN_DELTA = 2,         /* news, visible at the end */
	RUN_REBUILD = 3,       /* a new listing beside the old content, visible at the end */
	RUN_REBUILD_DELTA = 4, /* the news since that listing began, part of the same step */
	RUN_READY = 5,         /* a delta is staged whole, and has to be made visible */
	RUN_REBUILD_READY = 6, /* and so is a new listing */
	RUN_SEED = 7,  /* a first listing in parts: what was published lately, for the token that it ends with */
	RUN_PARTS = 8, /* the parts are being listed, by streams of their own; sync_token is set */
	RUN_GONE = 9,  /* its content type was deleted: asked for again by every run; sync_token is of no use */
};

struct stream {
	int id;
	int part_of; /* the stream whose first listing this is a part of, or 0; what it lists belongs to that one */
	char *content_type; /* filter, NULL for none */
	char *locale;
	char *types;      /* item types, a filter of parts only; NULL for none */
	char *sync_token; /* NULL before the first run ended */
	char *page_token; /* the next page of the run under way, NULL at its first page */
	enum stream_run run;
	uint64_t pages; /* of the run under way */
	uint64_t items;
	bool listed;   /* a listing of it was visible as a whole once */
	int64_t total; /* of a listing in parts: how many items there are as the service says; 0 if it does not matter */
};

/* Fills *stream; a stream that is new to the store starts with RUN_FIRST. stream_finish frees it. */
int store_stream_load(struct store *store, int id, struct stream *stream, struct err *err);
int store_stream_save(struct store *store, const struct stream *stream, struct err *err);
void stream_finish(struct stream *stream);

/* Saves a part that is new, and gives it its id. */
int store_part_add(struct store *store, struct stream *part, struct err *err);

/* The parts of a stream's first listing: calls `each` with every one of them, whose strings it takes over. */
int store_parts_each(struct store *store, int of, int (*each)(void *context, struct stream *part, struct err *err),
		     void *context, struct err *err);
int store_parts_forget(struct store *store, int of, struct err *err);

/* --- housekeeping ------------------------------------------------------------------------------------------------- */

/* The newest entry of the journal; 0 if there is none. */
int64_t store_journal_end(const struct store *store);

/* How far the kernel has been told. */
int store_set_announced(struct store *store, int64_t change, struct err *err);

/* Deletes superseded nodes: the `count` given ones, and whatever is older or more than the bounds allow. With
 * SUPERSEDED_ALL as count, all of them (at start, when nobody can have one open). Its own transaction. */
#define SUPERSEDED_ALL SIZE_MAX
int store_reclaim(struct store *store, const int64_t *inos, size_t count, struct err *err);

/* Small facts that outlive the process (when a sync last succeeded, and the like). store_note needs a transaction. */
int store_note(struct store *store, const char *key, const char *value, struct err *err);

/* A note's value, appended: 1, or 0 if there is none. */
int store_note_get(struct store *store, const char *key, struct buf *value, struct err *err);

/* The uids of content types that have entries and no schema: calls `found` for each. */
int store_missing_schemas(struct store *store, void (*found)(void *context, struct slice uid), void *context,
			  struct err *err);

/* The uids of content types that have a schema. */
int store_schemas(struct store *store, void (*found)(void *context, struct slice uid), void *context, struct err *err);

/* The newest event of any schema; 0 if there is none. */
int store_schemas_newest(struct store *store, int64_t *event_at, struct err *err);

/* Takes schemas out of the tree whose event is older than `before` (not listed by the last fetch), unless entries of the
 * type are there. Needs a transaction. */
int store_remove_stale_schemas(struct store *store, int64_t before, struct err *err);

#endif
