/*
 * Nodes and names: a new version of an item is a new node; giving it the name supersedes the node that had it.
 */
#include "store/internal.h"
#include "tree/name.h"
#include "util/cleanup.h"

#include <errno.h>

int journal_add(struct store *store, enum change_op op, const struct store_key *key, int64_t parent, struct slice name,
		int64_t old, int64_t event_at, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_CHANGE_ADD];
	sqlite3_bind_int64(stmt, 1, store->now_ns / 1000000);
	sqlite3_bind_int(stmt, 2, op);
	sqlite3_bind_int(stmt, 3, (int)key->kind);
	sqlite3_bind_int64(stmt, 4, parent);
	db_bind_text(stmt, 5, name);
	sqlite3_bind_int64(stmt, 6, old);
	sqlite3_bind_int64(stmt, 7, event_at);
	db_bind_text(stmt, 8, key->content_type);
	db_bind_text(stmt, 9, key->locale);
	db_bind_text(stmt, 10, key->uid);
	int rc = db_run(stmt, err);
	if (rc == 0)
		store->journal_next = sqlite3_last_insert_rowid(store->db);
	return rc;
}

/* Nanoseconds for a file's time, which reach from 1677 to 2262; what lies outside is as near as they come. */
static int64_t ns_of(int64_t ms)
{
	const int64_t max = INT64_MAX / 1000000;
	return (ms > max ? max : ms < -max ? -max : ms) * 1000000;
}

int node_insert(struct store *store, enum node_kind kind, int64_t parent, int64_t size, const struct store_item *item,
		int64_t *ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_NODE_ADD];
	sqlite3_bind_int(stmt, 1, (int)kind);
	sqlite3_bind_int64(stmt, 2, parent);
	sqlite3_bind_int64(stmt, 3, size);
	sqlite3_bind_int64(stmt, 4,
			   kind == NODE_DIRECTORY || kind == NODE_FOLDER ? store->now_ns : ns_of(item->published_at));
	sqlite3_bind_int64(stmt, 5, item->event_at);
	sqlite3_bind_int(stmt, 6, item->stream);
	int rc = db_run(stmt, err);
	if (rc == 0)
		*ino = sqlite3_last_insert_rowid(store->db);
	return rc;
}

int node_adopt(struct store *store, int64_t ino, int64_t parent, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_NODE_ADOPT];
	sqlite3_bind_int64(stmt, 1, ino);
	sqlite3_bind_int64(stmt, 2, parent);
	return db_run(stmt, err);
}

static int version_add(struct store *store, const struct store_item *item, int64_t ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_VERSION_ADD];
	sqlite3_bind_int64(stmt, 1, ino);
	db_bind_text(stmt, 2, item->key.uid);
	sqlite3_bind_int64(stmt, 3, item->number);
	sqlite3_bind_int64(stmt, 4, item->published_at);
	db_bind_text(stmt, 5, item->updated_at);
	db_bind_text(stmt, 6, item->title);
	db_bind_text(stmt, 7, item->text);
	return db_run(stmt, err);
}

int node_add(struct store *store, const struct store_item *item, int64_t parent, int64_t *out, struct err *err)
{
	int64_t ino;
	int rc = node_insert(store, item->key.kind, parent, (int64_t)item->text.len, item, &ino, err);
	if (rc == 0)
		rc = version_add(store, item, ino, err);
	if (rc == 0 && item->key.kind == NODE_ASSET)
		rc = asset_add(store, item, ino, err);
	if (rc == 0)
		*out = ino;
	return rc;
}

int node_delete(struct store *store, int64_t ino, struct err *err)
{
	static const enum statement remove[] = {ST_NODE_REMOVE, ST_VERSION_REMOVE, ST_ASSET_REMOVE};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(remove) / sizeof(remove[0]); i++) {
		sqlite3_stmt *stmt = store->statements[remove[i]];
		sqlite3_bind_int64(stmt, 1, ino);
		rc = db_run(stmt, err);
	}
	return rc;
}

int node_supersede(struct store *store, int64_t ino, int64_t size, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_SUPERSEDE];
	sqlite3_bind_int64(stmt, 1, ino);
	sqlite3_bind_int64(stmt, 2, store->now_ms);
	sqlite3_bind_int64(stmt, 3, size);
	return db_run(stmt, err);
}

static int name_holder(struct store *store, int64_t parent, struct slice name, int64_t *ino, int64_t *size,
		       struct err *err)
{
	*size = 0;
	int rc = dirent_get(store, parent, name, ino, err);
	if (rc < 0 || *ino == 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_NODE_GET];
	sqlite3_bind_int64(stmt, 1, *ino);
	rc = db_row(stmt, err);
	if (rc == 0)
		return err_set(err, -EUCLEAN, "the store is damaged: a name points nowhere");
	if (rc > 0) {
		*size = sqlite3_column_int64(stmt, 2);
		sqlite3_reset(stmt);
		rc = 0;
	}
	return rc;
}

int node_link(struct store *store, const struct store_key *key, int64_t ino, int64_t size, int64_t event_at,
	      int64_t parent, struct err *err)
{
	char bytes[NAME_BYTES_MAX + 1];
	struct slice name = slice_make(bytes, name_encode(key->uid, STORE_FILE_SUFFIX, bytes));
	int64_t old;
	int64_t old_size;
	int rc = name_holder(store, parent, name, &old, &old_size, err);
	if (rc < 0)
		return rc;
	rc = dirent_put(store, old ? ST_DIRENT_SET : ST_DIRENT_ADD, parent, name, ino, err);
	if (rc == 0 && old)
		rc = node_supersede(store, old, old_size, err);
	const struct directory_change change = {.files = old ? 0 : 1, .bytes = size - old_size};
	if (rc == 0)
		rc = directory_note(store, parent, &change, err);
	if (rc == 0)
		rc = journal_add(store, old ? CHANGE_CHANGED : CHANGE_ADDED, key, parent, name, old, event_at, err);
	if (rc == 0 && key->kind == NODE_ASSET)
		rc = asset_link(store, key, parent, old, ino, event_at, err);
	return rc;
}

int node_place(struct store *store, const struct store_item *item, int64_t *out, struct err *err)
{
	int64_t parent;
	int64_t ino;
	int rc = directory_make(store, &item->key, &parent, err);
	if (rc == 0)
		rc = node_add(store, item, parent, &ino, err);
	if (rc == 0)
		rc = node_link(store, &item->key, ino, (int64_t)item->text.len, item->event_at, parent, err);
	if (rc == 0)
		*out = ino;
	return rc;
}

int store_place(struct store *store, const struct store_item *item, struct err *err)
{
	int64_t ino;
	return node_place(store, item, &ino, err);
}

int store_touch(struct store *store, int64_t ino, int64_t event_at, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_NODE_TOUCH];
	sqlite3_bind_int64(stmt, 1, ino);
	sqlite3_bind_int64(stmt, 2, event_at);
	return db_run(stmt, err);
}

/* Keeps with the last change what the file was called. */
static int journal_title(struct store *store, struct slice title, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_CHANGE_TITLE];
	sqlite3_bind_int64(stmt, 1, store->journal_next);
	db_bind_text(stmt, 2, title);
	return db_run(stmt, err);
}

/* The row of ST_NODE_FACTS is still held while this runs. */
static int unlink_with_facts(struct store *store, int64_t ino, sqlite3_stmt *facts, struct err *err)
{
	struct store_key key = {.kind = (enum node_kind)sqlite3_column_int(facts, 0), .uid = db_column_text(facts, 4)};
	if (key.kind != NODE_SCHEMA)
		key.locale = db_column_text(facts, 5);
	if (key.kind == NODE_ENTRY)
		key.content_type = db_column_text(facts, 6);
	int64_t parent = sqlite3_column_int64(facts, 1);
	int64_t size = sqlite3_column_int64(facts, 2);
	int64_t event_at = sqlite3_column_int64(facts, 3);

	char bytes[NAME_BYTES_MAX + 1];
	struct slice name = slice_make(bytes, name_encode(key.uid, STORE_FILE_SUFFIX, bytes));
	int rc = dirent_remove(store, parent, name, err);
	if (rc == 0)
		rc = node_supersede(store, ino, size, err);
	const struct directory_change change = {.files = -1, .bytes = -size};
	if (rc == 0)
		rc = directory_note(store, parent, &change, err);
	if (rc == 0)
		rc = journal_add(store, CHANGE_REMOVED, &key, parent, name, ino, event_at, err);
	if (rc == 0)
		rc = journal_title(store, db_column_text(facts, 7), err);
	if (rc == 0 && key.kind == NODE_ASSET)
		rc = asset_link(store, &key, parent, ino, 0, event_at, err);
	return rc;
}

int node_unlink(struct store *store, int64_t ino, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *facts = store->statements[ST_NODE_FACTS];
	sqlite3_bind_int64(facts, 1, ino);
	int rc = db_row(facts, err);
	if (rc == 0)
		return err_set(err, -EUCLEAN, "the store is damaged: node %lld has no text", (long long)ino);
	if (rc < 0)
		return rc;
	store->removed_names = true;
	return unlink_with_facts(store, ino, facts, err);
}

/* Adds the files in one directory that the key covers. */
static int gather_covered(struct store *store, int64_t parent, const struct store_key *key, int64_t event_at,
			  struct ino_list *list, struct err *err)
{
	if (key->uid.len == 0) {
		sqlite3_stmt *stmt = store->statements[ST_DIRENT_FILES];
		sqlite3_bind_int64(stmt, 1, parent);
		sqlite3_bind_int64(stmt, 2, event_at);
		return ino_list_fill(list, stmt, err);
	}
	char bytes[NAME_BYTES_MAX + 1];
	struct slice name = slice_make(bytes, name_encode(key->uid, STORE_FILE_SUFFIX, bytes));
	int64_t ino;
	int64_t size;
	int rc = name_holder(store, parent, name, &ino, &size, err);
	if (rc < 0 || ino == 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_NODE_GET];
	sqlite3_bind_int64(stmt, 1, ino);
	rc = db_row(stmt, err);
	bool covered = rc > 0 && sqlite3_column_int64(stmt, 3) <= event_at;
	sqlite3_reset(stmt);
	if (rc < 0 || !covered)
		return rc < 0 ? rc : 0;
	return ino_list_add(list, ino, err);
}

int store_unplace(struct store *store, const struct store_key *key, int64_t event_at, struct err *err)
{
	CLEANUP(ino_list_finish) struct ino_list parents = {0};
	CLEANUP(ino_list_finish) struct ino_list files = {0};
	int rc = directory_each(store, key, &parents, err);
	for (size_t i = 0; rc == 0 && i < parents.count; i++)
		rc = gather_covered(store, parents.ino[i], key, event_at, &files, err);
	for (size_t i = 0; rc == 0 && i < files.count; i++)
		rc = node_unlink(store, files.ino[i], err);
	return rc;
}

int store_list_covered(struct store *store, int stream, const struct store_key *key, struct err *err)
{
	CLEANUP(ino_list_finish) struct ino_list parents = {0};
	CLEANUP(ino_list_finish) struct ino_list files = {0};
	int rc = directory_each(store, key, &parents, err);
	for (size_t i = 0; rc == 0 && i < parents.count; i++)
		rc = gather_covered(store, parents.ino[i], key, INT64_MAX, &files, err);
	for (size_t i = 0; rc == 0 && i < files.count; i++)
		rc = store_list(store, stream, files.ino[i], err);
	return rc;
}
