/* The tables of the store, their versions, and the public views. Private to store/. */
#ifndef CONTENTFS_STORE_SCHEMA_H
#define CONTENTFS_STORE_SCHEMA_H

#include "util/err.h"

#include <sqlite3.h>
#include <stdint.h>

#define SCHEMA_APPLICATION_ID 0x43744673 /* "CtFs", for file(1) and for us */

/* Whether the file is empty (0), or a store that this contentfs knows (1) or can bring up to date (0); -EINVAL if it is
 * some other program's database or was written by a newer contentfs. Reads only: to be called before anything that writes,
 * for the file may be another program's. */
int schema_accept(sqlite3 *db, struct err *err);

/* Makes an empty file a store, or brings an older one up to date, in one transaction. -EINVAL as above. */
int schema_migrate(sqlite3 *db, struct err *err);

/* Lets the numbers that the store gives to nodes and changes begin after `after`, unless they are there already. */
int schema_number_from(sqlite3 *db, int64_t after, struct err *err);

/* The same check without writing, for a connection that only reads. */
int schema_check(sqlite3 *db, struct err *err);

#endif
