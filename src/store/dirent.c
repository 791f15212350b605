/* Names in directories. All that changes them comes through here, so what was found a moment ago can be remembered. */
#include "store/internal.h"

/* --- what is known ------------------------------------------------------------------------------------------------ */

static struct known_name *slot_of(struct store *store, int64_t parent, int32_t hash)
{
	return &store->names[((uint32_t)hash ^ (uint32_t)parent) % NAMES_KNOWN];
}

static bool knows(const struct known_name *slot, int64_t parent, struct slice name)
{
	return slot->parent == parent && slice_eq(slice_make(slot->name, slot->len), name);
}

static void learn(struct known_name *slot, int64_t parent, struct slice name, int64_t ino)
{
	bool fits = name.len <= sizeof(slot->name);
	slot->parent = fits ? parent : 0;
	slot->ino = ino;
	slot->len = fits ? name.len : 0;
	memcpy(slot->name, name.at, slot->len);
}

void dirent_forget(struct store *store)
{
	for (size_t i = 0; i < NAMES_KNOWN; i++)
		store->names[i].parent = 0;
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

static sqlite3_stmt *named(struct store *store, enum statement statement, int64_t parent, struct slice name,
			   int32_t hash)
{
	sqlite3_stmt *stmt = store->statements[statement];
	sqlite3_bind_int64(stmt, 1, parent);
	sqlite3_bind_int(stmt, 2, hash);
	db_bind_text(stmt, 3, name);
	return stmt;
}

int dirent_get(struct store *store, int64_t parent, struct slice name, int64_t *ino, struct err *err)
{
	int32_t hash = name_hash(name);
	struct known_name *slot = slot_of(store, parent, hash);
	if (!knows(slot, parent, name)) {
		sqlite3_stmt *stmt = named(store, ST_DIRENT_GET, parent, name, hash);
		int rc = db_row(stmt, err);
		if (rc < 0)
			return rc;
		learn(slot, parent, name, rc ? sqlite3_column_int64(stmt, 0) : 0);
		sqlite3_reset(stmt);
	}
	*ino = slot->ino;
	return 0;
}

int dirent_put(struct store *store, enum statement put, int64_t parent, struct slice name, int64_t ino, struct err *err)
{
	int32_t hash = name_hash(name);
	sqlite3_stmt *stmt = named(store, put, parent, name, hash);
	sqlite3_bind_int64(stmt, 4, ino);
	int rc = db_run(stmt, err);
	if (rc == 0)
		learn(slot_of(store, parent, hash), parent, name, ino);
	return rc;
}

int dirent_remove(struct store *store, int64_t parent, struct slice name, struct err *err)
{
	int32_t hash = name_hash(name);
	int rc = db_run(named(store, ST_DIRENT_REMOVE, parent, name, hash), err);
	if (rc == 0)
		learn(slot_of(store, parent, hash), parent, name, 0);
	return rc;
}
