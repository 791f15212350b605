/*
 * Damage: how it is found while a store is opened, and how a damaged store is set aside. Private to store/.
 *
 * Only what a look at a few pages can tell is looked for, so that opening does not take longer as a store grows; the rest
 * is found by whoever reads the page.
 */
#ifndef CONTENTFS_STORE_DAMAGE_H
#define CONTENTFS_STORE_DAMAGE_H

#include "util/buf.h"
#include "util/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the file is as long as it says and each of its trees can be followed to both ends. -EUCLEAN if not; writes
 * nothing. For a store whose layout is known to be ours and current. */
int damage_check(sqlite3 *db, const char *path, struct err *err);

/* The same of everything that is in it, which takes as long as reading it does. */
int damage_check_whole(sqlite3 *db, struct err *err);

/* Whether the store at path has a journal with something in it. */
bool damage_has_journal(const char *path);

/* Whether nothing is left of the store at path but the journal of what was to be written to it. */
bool damage_left_journal_only(const char *path);

/*
 * Renames the store at path, its -wal and -shm with it, to path.damaged-TIME, and appends the new path to `name`. Never
 * replaces a file. Nobody but readers may have it open: they go on with what they have. With `keep` the store has its old
 * name too, until another file takes that, so that there is one at every instant; but not where the disk knows no second
 * names. On failure it is undone.
 */
int damage_set_aside(const char *path, bool keep, struct buf *name, struct err *err);

/* Undoes that, as far as the disk lets it. */
void damage_put_back(const char *path, const char *name);

/* A number above every one that a store has given to a node or a change: from what can still be read of it, and above
 * what any store could have reached by now. */
int64_t damage_numbers_after(sqlite3 *db);

#endif
