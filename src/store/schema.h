/* The tables of the store, their versions, and the public views. Private to store/. */
#ifndef CONTENTFS_STORE_SCHEMA_H
#define CONTENTFS_STORE_SCHEMA_H

#include "util/err.h"

#include <sqlite3.h>

/* Whether the file is empty, or a store that this contentfs knows or can bring up to date; -EUCLEAN as below if not. Reads
 * only: to be called before anything that writes, for the file may be another program's. */
int schema_accept(sqlite3 *db, struct err *err);

/* Makes an empty file a store, or brings an older one up to date, in one transaction. -EUCLEAN if the file is some other
 * program's database or was written by a newer contentfs. */
int schema_migrate(sqlite3 *db, struct err *err);

/* The same check without writing, for a connection that only reads. */
int schema_check(sqlite3 *db, struct err *err);

#endif
