/*
 * SQLite as the rest of this folder uses it: connections, prepared statements, and SQLite's results as errno. Private to
 * store/.
 */
#ifndef CONTENTFS_STORE_DB_H
#define CONTENTFS_STORE_DB_H

#include "util/err.h"
#include "util/slice.h"

#include <sqlite3.h>
#include <stdint.h>

/* Turns the last result of a connection into a negative errno with a message: damaged -> EUCLEAN, full -> ENOSPC,
 * locked -> EBUSY, read-only -> EROFS, no memory -> ENOMEM, anything else -> EIO. What the operating system refused while
 * SQLite could name no reason of its own is told by the system's. */
int db_error(sqlite3 *db, struct err *err);

int db_exec(sqlite3 *db, const char *sql, struct err *err);

/* Prepares a statement that lives as long as the connection. */
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err);

/* Prepares statements[0..count) from sql[0..count); on failure none is left. */
int db_prepare_all(sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, int count, struct err *err);

/* Finalizes them and sets them to NULL. */
void db_finalize_all(sqlite3_stmt **statements, int count);

void db_bind_text(sqlite3_stmt *stmt, int column, struct slice text);

/* Borrowed; valid until the statement steps or is reset. */
struct slice db_column_text(sqlite3_stmt *stmt, int column);

/* Steps once: 1 if there is a row, 0 if there is none, or a negative errno. The statement is reset unless there is a row. */
int db_row(sqlite3_stmt *stmt, struct err *err);

/* Runs a statement that returns no row, and resets it. */
int db_run(sqlite3_stmt *stmt, struct err *err);

/* Ends a statement that was left on a row. For CLEANUP(db_reset). */
void db_reset(sqlite3_stmt **stmt);

#endif
