/* Names in directories. */
#include "store/internal.h"

int dirent_get(struct store *store, int64_t parent, struct slice name, int64_t *ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_DIRENT_GET];
	sqlite3_bind_int64(stmt, 1, parent);
	db_bind_text(stmt, 2, name);
	int rc = db_row(stmt, err);
	if (rc < 0)
		return rc;
	*ino = rc ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_reset(stmt);
	return 0;
}

int dirent_put(struct store *store, enum statement put, int64_t parent, struct slice name, int64_t ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[put];
	sqlite3_bind_int64(stmt, 1, parent);
	db_bind_text(stmt, 2, name);
	sqlite3_bind_int64(stmt, 3, ino);
	return db_run(stmt, err);
}

int dirent_remove(struct store *store, int64_t parent, struct slice name, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_DIRENT_REMOVE];
	sqlite3_bind_int64(stmt, 1, parent);
	db_bind_text(stmt, 2, name);
	return db_run(stmt, err);
}
