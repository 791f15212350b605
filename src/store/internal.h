/* What the files of the writing side share. Private to store/. */
#ifndef CONTENTFS_STORE_INTERNAL_H
#define CONTENTFS_STORE_INTERNAL_H

#include "store/db.h"
#include "store/statements.h"
#include "store/store.h"
#include "tree/name.h"
#include "util/buf.h"

/* What the transaction has done to a directory so far; written to it at the commit. */
struct directory_change {
	int64_t ino;
	int64_t subdirs;
	int64_t files;
	int64_t bytes;
	int64_t file_bytes; /* of the assets' files in the folders in it */
};

#define DIRECTORY_CHANGES_MAX 64

/* A name that was looked for a moment ago: an item's directories are those of many others, and its own name is asked for
 * more than once on the way. */
struct known_name {
	int64_t parent; /* 0: nothing is known here */
	int64_t ino;    /* 0: there is no such name */
	size_t len;
	char name[NAME_BYTES_MAX];
};

#define NAMES_KNOWN 256

struct store {
	char *path;
	sqlite3 *db;
	sqlite3_stmt *statements[ST_COUNT];
	int lock_fd;
	bool in_transaction;
	bool removed_names;       /* a directory may have become empty */
	bool quarantined;         /* the transaction put something there */
	bool removals_noted;      /* the removal table may have rows */
	int64_t quarantine_rows;  /* at least; 0 is sure */
	int64_t quarantine_bytes; /* of their texts, at least */
	int64_t journal_end;      /* committed */
	int64_t journal_next;     /* with this transaction */
	int64_t now_ns;           /* wall time of the transaction */
	int64_t now_ms;           /* the same by the monotonic clock */
	struct directory_change changed[DIRECTORY_CHANGES_MAX];
	int changed_count;
	struct known_name names[NAMES_KNOWN]; /* as the transaction sees them; dirent.c alone knows it */
};

/* A list of node numbers that was read before the rows behind it are changed. */
struct ino_list {
	int64_t *ino;
	size_t count;
	size_t cap;
};

int ino_list_add(struct ino_list *list, int64_t ino, struct err *err);
void ino_list_finish(struct ino_list *list);

/* Runs a statement (bound already) and gathers its first column. */
int ino_list_fill(struct ino_list *list, sqlite3_stmt *stmt, struct err *err);

/* Sets removals_noted. */
int store_count_removals(struct store *store, struct err *err);

/* Ends a transaction whose rollback failed, as a failing disk can make it: nothing may be read in it. */
int store_clean_up(struct store *store, struct err *err);

/* quarantine.c */

/* Learns how much is in the quarantine. */
int quarantine_count(struct store *store, struct err *err);

/* Brings the quarantine within its bounds, if the transaction put something there. */
int quarantine_trim(struct store *store, struct err *err);

/* open.c */

/* Opens what is at store->path: everything but the lock. `after`: what the numbers of a new store begin after, 0 for the
 * beginning. `ours` is set if the file itself says that it is a store. -EUCLEAN if it is damaged. */
int store_open_file(struct store *store, const struct store_identity *identity, int64_t after, bool *ours,
		    struct err *err);
void store_close_file(struct store *store);

/* open.c: the number of a failure of this machine. EACCES is for what the service refuses. */
int store_local_errno(int rc);

/* beside.c: removes what a new store that was begun beside the one at path and never finished has left. It was nobody's
 * content yet. With the lock held. */
void store_remove_unfinished(const char *path);

/* beside.c: if a new store was whole when its process was killed, it takes the place of the damaged one at path now; but not
 * if somebody has written to that since. With the lock held, and before store_remove_unfinished. */
int store_finish_exchange(const char *path, struct err *err);

/* identity.c: gives a new store its identity, or compares. -EINVAL if it has another one. */
int store_claim(struct store *store, const struct store_identity *identity, struct err *err);

/* directories.c */

/* The directory that holds the item's name: its ino, or 0 if it does not exist. */
int directory_find(struct store *store, const struct store_key *key, int64_t *ino, struct err *err);

/* The same, made with whatever is missing above it. */
int directory_make(struct store *store, const struct store_key *key, int64_t *ino, struct err *err);

/* The directories that may hold what a key with an empty locale covers. */
int directory_each(struct store *store, const struct store_key *key, struct ino_list *list, struct err *err);

/* Notes a change in a directory for the commit; change->ino does not matter. */
int directory_note(struct store *store, int64_t ino, const struct directory_change *change, struct err *err);

/* Writes what was noted, and takes empty directories out of the tree. */
int directory_settle(struct store *store, struct err *err);

/* dirent.c */

/* Forgets what is known of names, since the transaction that saw them so is no more. */
void dirent_forget(struct store *store);

/* Names. What dirent_get finds is 0 if there is none; `put` is ST_DIRENT_ADD or ST_DIRENT_SET. */
int dirent_get(struct store *store, int64_t parent, struct slice name, int64_t *ino, struct err *err);
int dirent_put(struct store *store, enum statement put, int64_t parent, struct slice name, int64_t ino,
	       struct err *err);
int dirent_remove(struct store *store, int64_t parent, struct slice name, struct err *err);

/* place.c */

int journal_add(struct store *store, enum change_op op, const struct store_key *key, int64_t parent, struct slice name,
		int64_t old, int64_t event_at, struct err *err);

/* Makes a node of that kind with the times and the stream of an item. */
int node_insert(struct store *store, enum node_kind kind, int64_t parent, int64_t size, const struct store_item *item,
		int64_t *ino, struct err *err);

/* Gives a node that was made without one its directory. */
int node_adopt(struct store *store, int64_t ino, int64_t parent, struct err *err);

/* Makes the node and its version, and an asset's file; parent is 0 for a staged one. */
int node_add(struct store *store, const struct store_item *item, int64_t parent, int64_t *ino, struct err *err);

/* Makes the node and gives it the item's name, as store_place. */
int node_place(struct store *store, const struct store_item *item, int64_t *ino, struct err *err);

/* Deletes a node that nobody can have open. */
int node_delete(struct store *store, int64_t ino, struct err *err);

/* Gives the key's name to a node that is there. */
int node_link(struct store *store, const struct store_key *key, int64_t ino, int64_t size, int64_t event_at,
	      int64_t parent, struct err *err);

/* Takes the name from a node: it is superseded from then on. */
int node_unlink(struct store *store, int64_t ino, struct err *err);

int node_supersede(struct store *store, int64_t ino, int64_t size, struct err *err);

/* asset.c: the file that belongs to a version of an asset's record */

/* Makes it, for a record that was made just now, without a name. Nothing if the record has no file. */
int asset_add(struct store *store, const struct store_item *item, int64_t record, struct err *err);

/* Whether the record's file is this one, or there is none and none is wanted: 1, 0, or a negative errno. */
int asset_is_same(struct store *store, int64_t record, const struct store_file *file, struct err *err);

/* Deletes it, where nobody can have it open. */
int asset_delete(struct store *store, int64_t record, struct err *err);

/* Gives the place of one version's file to that of the next; either record may be 0, for none. The folder comes and goes
 * with what is in it. `locale`: the directory of the records. */
int asset_link(struct store *store, const struct store_key *key, int64_t locale, int64_t before, int64_t after,
	       int64_t event_at, struct err *err);

#endif
