/*
 * Reading the tree from the store: what a file system request needs, one short read transaction each. A reader is one
 * connection with its prepared statements; it belongs to one thread at a time, is opened after any fork, and never waits
 * for the writer.
 */
#ifndef CONTENTFS_STORE_READER_H
#define CONTENTFS_STORE_READER_H

#include "store/types.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct store_reader;

/* -EINVAL if there is no store, or none that this contentfs knows. */
int reader_open(struct store_reader **out, const char *path, struct err *err);
void reader_close(struct store_reader *reader); /* NULL is fine */

struct node_attr {
	int64_t ino;
	enum node_kind kind;
	int64_t size;  /* -1 of an asset's file: not known yet */
	int64_t mtime; /* ns since the epoch */
	int64_t links;
};

/* -ENOENT if there is no such name. */
int reader_lookup(struct store_reader *reader, int64_t parent, struct slice name, struct node_attr *attr);

/* -ESTALE if there is no such node any more. */
int reader_attr(struct store_reader *reader, int64_t ino, struct node_attr *attr);

/* The directory that a directory is in. -ESTALE as above. */
int reader_parent(struct store_reader *reader, int64_t ino, int64_t *parent);

/*
 * Goes over a directory in the order of its cookies, from the first one after `cookie` (0 for all). `each` gets the name
 * (borrowed for the call) and stops the listing by returning false.
 */
struct dir_entry {
	struct slice name; /* NUL-terminated too */
	int64_t cookie;
	struct node_attr attr;
};

int reader_list(struct store_reader *reader, int64_t ino, int64_t cookie,
		bool (*each)(void *context, const struct dir_entry *entry), void *context);

/* Hands out up to `size` bytes of a file's text from `offset`, borrowed for the call, exactly once (perhaps empty), and
 * says which `directory` the file is in (unless that is NULL). -EREMOTE if it is the file of an asset, whose bytes are elsewhere: see
 * reader_asset. */
int reader_text(struct store_reader *reader, int64_t ino, int64_t offset, size_t size, int64_t *directory,
		void (*take)(void *context, struct slice bytes), void *context);

/* Where a file with a text stands in its directory. -ESTALE if it has lost its name, or is none. */
int reader_cookie(struct store_reader *reader, int64_t ino, int64_t *cookie);

/*
 * Goes over the texts of the files in a directory in the order of their cookies, from the first one after `cookie`, or
 * `back` from the last one before it. A text longer than `longest` bytes is left out. `each` gets the text (borrowed for
 * the call) and stops by returning false.
 */
struct dir_text {
	int64_t cookie;
	int64_t ino;
	bool left_out;
	struct slice text;
};

int reader_texts(struct store_reader *reader, int64_t parent, int64_t cookie, bool back, size_t longest,
		 bool (*each)(void *context, const struct dir_text *text), void *context);

/* What is said of a node in its extended attributes. Slices are borrowed for the call; those that do not apply are
 * empty. */
struct node_facts {
	enum node_kind kind;
	struct slice uid;
	struct slice content_type; /* of an asset's file the media type */
	struct slice locale;
	struct slice url; /* of an asset's file */
	struct slice title;
	struct slice updated_at;
	int64_t published_at; /* ms since the epoch */
	long long version;
};

int reader_facts(struct store_reader *reader, int64_t ino, void (*take)(void *context, const struct node_facts *facts),
		 void *context);

/* What the bytes of an asset's file are found by. Borrowed for the call. */
struct node_asset {
	struct slice url; /* raw */
	struct slice media_type;
	int64_t generation;
	int64_t size;     /* of the record, or as it was learnt since; -1: not known yet */
	int64_t recorded; /* of the record; -1 if it says none */
	const char *path; /* in the tree, its last part not encoded; for messages */
	bool current;     /* the tree has these bytes under this name still */
};

/* -ESTALE if it is no asset's file, or none any more, or the bytes behind its URL have changed since. */
int reader_asset(struct store_reader *reader, int64_t ino, void (*take)(void *context, const struct node_asset *asset),
		 void *context);

/* Sums over the tree. */
struct store_totals {
	int64_t content_types; /* schemas */
	int64_t entries;
	int64_t assets;
	int64_t asset_files;
	int64_t directories;
	int64_t bytes;       /* of texts */
	int64_t asset_bytes; /* of assets' files, as far as their sizes are known */
};

int reader_totals(struct store_reader *reader, struct store_totals *totals, struct err *err);

/* Entries by content type and locale, in the order of their names. */
int reader_counts(struct store_reader *reader,
		  void (*each)(void *context, struct slice content_type, struct slice locale, int64_t files),
		  void *context, struct err *err);

struct store_sync_state {
	bool complete;  /* a listing of every stream was visible as a whole */
	uint64_t pages; /* of the runs under way */
	uint64_t items;
	int64_t quarantined;
	int64_t announced;
	int64_t journal_end;
};

int reader_sync_state(struct store_reader *reader, struct store_sync_state *state, struct err *err);

/* A fact that store_note left; appended to `value`. 0, or -ENOENT if there is none. */
int reader_note(struct store_reader *reader, const char *key, struct buf *value);

/* The journal after `after`, oldest first. `each` stops it by returning false. */
struct change {
	int64_t id;
	enum change_op op;
	int64_t parent;
	int64_t old; /* the node that lost the name; 0 if none */
	struct slice name;
};

int reader_changes(struct store_reader *reader, int64_t after, bool (*each)(void *context, const struct change *change),
		   void *context, struct err *err);

/* The same for people: what became of entries, assets and schemas. The slices are borrowed for the call. */
struct history {
	int64_t id;
	int64_t at;       /* when it could be seen; ms since the epoch, as is the next */
	int64_t event_at; /* of the version that came; of a removal, of the one that went */
	enum change_op op;
	enum node_kind kind;
	struct slice content_type; /* empty where it does not apply, as is the next */
	struct slice locale;
	struct slice uid;
	struct slice title; /* that it has now, or had at last */
};

int reader_history(struct store_reader *reader, int64_t after,
		   bool (*each)(void *context, const struct history *history), void *context, struct err *err);

/* The change that the last `count` of these come after; 0 if there are no more than that. */
int reader_history_start(struct store_reader *reader, int64_t count, int64_t *after, struct err *err);

/* Compares the store with what it should be: every page and index, which takes as long as reading it does. -EUCLEAN if it
 * is damaged. */
int reader_check(struct store_reader *reader, struct err *err);

#endif
