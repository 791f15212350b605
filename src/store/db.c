#include "store/db.h"

#include <errno.h>
#include <string.h>

static int no_room(struct err *err)
{
	return err_set(err, -ENOSPC, "there is no room left on the store's disk: make room there");
}

static int read_only(struct err *err)
{
	return err_set(err, -EROFS, "the store or its disk is read-only: make it writable");
}

/* SQLITE_IOERR and SQLITE_CANTOPEN. The reason is in errno, which everything here clears before it calls SQLite:
 * sqlite3_system_errno() does not know it where a commit failed. */
static int system_error(sqlite3 *db, int reason, struct err *err)
{
	int code = sqlite3_extended_errcode(db);
	if (code == SQLITE_IOERR_NOMEM)
		return err_oom(err);
	switch (reason) {
	case ENOSPC:
	case EDQUOT:
		return no_room(err);
	case EROFS:
		return read_only(err);
	case EACCES:
	case EPERM:
		return err_set(err, -EPERM,
			       "the store may not be used (%s): run contentfs as the user that it belongs to, or name "
			       "another file with --store",
			       strerror(reason));
	default:
		return err_set(err, -EIO,
			       "the store's disk fails (%s, %s, %d): look after it (dmesg may say more); it is tried "
			       "again",
			       sqlite3_errmsg(db), strerror(reason ? reason : EIO), code);
	}
}

int db_error(sqlite3 *db, struct err *err)
{
	int reason = errno;
	int code = sqlite3_errcode(db) & 0xff;
	const char *text = sqlite3_errmsg(db);
	switch (code) {
	case SQLITE_CORRUPT:
		/* So SQLite calls a page that the disk fails to read (SQLITE_IOERR_CORRUPTFS), but the disk may recover. */
		if (reason == EIO || reason == ENXIO || reason == ERANGE)
			return system_error(db, reason, err);
		return err_set(err, -EUCLEAN, "the store is damaged: %s", text);
	case SQLITE_NOTADB:
		return err_set(err, -EUCLEAN, "the store is damaged: %s", text);
	case SQLITE_FULL:
		return no_room(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, -EBUSY, "the store is locked by another program");
	case SQLITE_READONLY:
		return read_only(err);
	case SQLITE_NOMEM:
		return err_oom(err);
	case SQLITE_PERM: /* its locks */
		return system_error(db, EPERM, err);
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return system_error(db, reason, err);
	default:
		return err_set(err, -EIO, "the store cannot be used: %s (%d)", text, sqlite3_extended_errcode(db));
	}
}

int db_exec(sqlite3 *db, const char *sql, struct err *err)
{
	errno = 0;
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(db, err);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	errno = 0;
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
		return db_error(db, err);
	*out = stmt;
	return 0;
}

int db_prepare_all(sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, int count, struct err *err)
{
	for (int i = 0; i < count; i++) {
		int rc = db_prepare(db, sql[i], &statements[i], err);
		if (rc < 0) {
			db_finalize_all(statements, i);
			return rc;
		}
	}
	return 0;
}

void db_finalize_all(sqlite3_stmt **statements, int count)
{
	for (int i = 0; i < count; i++) {
		sqlite3_finalize(statements[i]);
		statements[i] = NULL;
	}
}

void db_bind_text(sqlite3_stmt *stmt, int column, struct slice text)
{
	sqlite3_bind_text64(stmt, column, text.at ? text.at : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

struct slice db_column_text(sqlite3_stmt *stmt, int column)
{
	const char *at = sqlite3_column_blob(stmt, column); /* no conversion: bytes as they are stored */
	return slice_make(at, (size_t)sqlite3_column_bytes(stmt, column));
}

int db_row(sqlite3_stmt *stmt, struct err *err)
{
	errno = 0;
	int code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		return 1;
	int rc = code == SQLITE_DONE ? 0 : db_error(sqlite3_db_handle(stmt), err);
	sqlite3_reset(stmt);
	return rc;
}

int db_run(sqlite3_stmt *stmt, struct err *err)
{
	int rc = db_row(stmt, err);
	if (rc > 0)
		sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

void db_reset(sqlite3_stmt **stmt)
{
	if (*stmt)
		sqlite3_reset(*stmt);
}
