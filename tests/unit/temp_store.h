/*
 * A store in a folder of its own, for tests: made, looked into and removed. What the machine does not allow ends the test
 * program. Of one thread.
 */
#ifndef CONTENTFS_TESTS_TEMP_STORE_H
#define CONTENTFS_TESTS_TEMP_STORE_H

#include "store/reader.h"
#include "store/store.h"
#include "util/buf.h"

#define TEMP_PATH_SIZE 512

struct temp_store {
	char folder[TEMP_PATH_SIZE];
	char path[TEMP_PATH_SIZE + 16]; /* of the store, which need not be there */
	struct store *store;            /* NULL while closed */
	struct store_reader *reader;    /* NULL while closed */
	struct buf answer;
};

extern const struct store_identity temp_identity;

/* Makes a folder under $TMPDIR. Returns `folder`. */
char *temp_folder_make(char folder[TEMP_PATH_SIZE]);
void temp_folder_remove(const char *folder);

/* Makes a file of these bytes; appends a file's bytes to `out`. */
void temp_file_write(const char *path, const char *bytes, size_t len);
void temp_file_read(const char *path, struct buf *out);

/* The folder and a path in it, nothing opened yet. */
void temp_store_init(struct temp_store *temp);

/* Closes what is open and removes the folder. For CLEANUP(temp_store_finish). */
void temp_store_finish(struct temp_store *temp);

/* Opens the store, as temp_identity, and a reader beside it; temp_store_open does both steps at once. */
void temp_store_start(struct temp_store *temp);
void temp_store_stop(struct temp_store *temp);
void temp_store_open(struct temp_store *temp);

/* What an SQL statement says, over a connection of its own: columns with "|" between them, rows with " " between them.
 * NULL reads as "-". Borrowed until the next call. */
const char *temp_store_ask(struct temp_store *temp, const char *sql);

/* What is not as it must be in every committed state of a store: "" or the first such thing. Borrowed likewise. */
const char *temp_store_fault(struct temp_store *temp);

/* Everything that a reader sees, a path each in the order of listing, directories with "/", files as "path=text" (of an
 * asset "path=<url size>"); parted by " ". Borrowed likewise. */
const char *temp_store_tree(struct temp_store *temp);

/* Ends the test program if rc says that something failed which the test only needs. */
void temp_must(int rc, const struct err *err, const char *what);

/* The inode number of a path such as "entries/blog/en-us/a.json"; 0 if there is none. */
int64_t temp_store_ino(struct temp_store *temp, const char *path);

/* Keys and items. The strings are borrowed. */
struct store_key temp_entry(const char *content_type, const char *locale, const char *uid);
struct store_key temp_asset(const char *locale, const char *uid);
struct store_key temp_schema(const char *uid);
struct store_item temp_item(struct store_key key, int64_t event_at, const char *text);

/* Places it in a transaction of its own. */
void temp_store_place(struct temp_store *temp, struct store_key key, int64_t event_at, const char *text);
/* Puts an item of which nothing is known but its text into the quarantine, within the transaction that is open. */
void temp_store_quarantine(struct temp_store *temp, const char *source);

void temp_store_unplace(struct temp_store *temp, struct store_key key, int64_t event_at);

#endif
