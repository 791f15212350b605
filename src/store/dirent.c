/* Names in directories. */
#include "store/internal.h"
#include "tree/name.h"

static sqlite3_stmt *named(struct store *store, enum statement statement, int64_t parent, struct slice name)
{
	sqlite3_stmt *stmt = store->statements[statement];
	sqlite3_bind_int64(stmt, 1, parent);
	sqlite3_bind_int(stmt, 2, name_hash(name));
	db_bind_text(stmt, 3, name);
	return stmt;
}

int dirent_get(struct store *store, int64_t parent, struct slice name, int64_t *ino, struct err *err)
{
	sqlite3_stmt *stmt = named(store, ST_DIRENT_GET, parent, name);
	int rc = db_row(stmt, err);
	if (rc < 0)
		return rc;
	*ino = rc ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_reset(stmt);
	return 0;
}

int dirent_put(struct store *store, enum statement put, int64_t parent, struct slice name, int64_t ino, struct err *err)
{
	sqlite3_stmt *stmt = named(store, put, parent, name);
	sqlite3_bind_int64(stmt, 4, ino);
	return db_run(stmt, err);
}

int dirent_remove(struct store *store, int64_t parent, struct slice name, struct err *err)
{
	return db_run(named(store, ST_DIRENT_REMOVE, parent, name), err);
}
