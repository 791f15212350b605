/*
 * Directories: they come with the first name in them and go with the last, at the end of a transaction. Their counters and
 * times are gathered while a transaction runs and written once, since one page touches the same few again and again.
 */
#include "store/internal.h"
#include "tree/name.h"

#include <errno.h>
#include <stdlib.h>

int ino_list_add(struct ino_list *list, int64_t ino, struct err *err)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		int64_t *grown = realloc(list->ino, cap * sizeof(*grown));
		if (!grown)
			return err_oom(err);
		list->ino = grown;
		list->cap = cap;
	}
	list->ino[list->count++] = ino;
	return 0;
}

void ino_list_finish(struct ino_list *list)
{
	free(list->ino);
	*list = (struct ino_list){0};
}

int ino_list_fill(struct ino_list *list, sqlite3_stmt *stmt, struct err *err)
{
	int rc;
	while ((rc = db_row(stmt, err)) > 0) {
		rc = ino_list_add(list, sqlite3_column_int64(stmt, 0), err);
		if (rc < 0) {
			sqlite3_reset(stmt);
			return rc;
		}
	}
	return rc;
}

/* The steps from a directory that is always there down to the one that holds the item. */
static int steps_of(const struct store_key *key, int64_t *base, struct slice step[2])
{
	switch (key->kind) {
	case NODE_ENTRY:
		*base = STORE_INO_ENTRIES;
		step[0] = key->content_type;
		step[1] = key->locale;
		return 2;
	case NODE_ASSET:
		*base = STORE_INO_ASSETS;
		step[0] = key->locale;
		return 1;
	default:
		*base = STORE_INO_CONTENT_TYPES;
		return 0;
	}
}

static int find_steps(struct store *store, int64_t base, const struct slice *step, int count, int64_t *ino,
		      struct err *err)
{
	int rc = 0;
	for (int i = 0; rc == 0 && base != 0 && i < count; i++) {
		char name[NAME_BYTES_MAX + 1];
		size_t len = name_encode(step[i], "", name);
		rc = dirent_get(store, base, slice_make(name, len), &base, err);
	}
	if (rc == 0)
		*ino = base;
	return rc;
}

int directory_find(struct store *store, const struct store_key *key, int64_t *ino, struct err *err)
{
	int64_t base;
	struct slice step[2];
	int count = steps_of(key, &base, step);
	return find_steps(store, base, step, count, ino, err);
}

static int make_child(struct store *store, int64_t parent, struct slice uid, struct slice name, int64_t *out,
		      struct err *err)
{
	int64_t ino;
	const struct store_item item = {0};
	int rc = node_insert(store, NODE_DIRECTORY, parent, 0, &item, &ino, err);
	if (rc < 0)
		return rc;

	sqlite3_stmt *stmt = store->statements[ST_DIRECTORY_ADD];
	sqlite3_bind_int64(stmt, 1, ino);
	db_bind_text(stmt, 2, name);
	db_bind_text(stmt, 3, uid);
	rc = db_run(stmt, err);
	if (rc < 0)
		return rc;

	rc = dirent_put(store, ST_DIRENT_ADD, parent, name, ino, err);
	if (rc == 0)
		rc = directory_note(store, parent, &(struct directory_change){.subdirs = 1}, err);
	const struct store_key key = {.kind = NODE_DIRECTORY, .uid = uid};
	if (rc == 0)
		rc = journal_add(store, CHANGE_ADDED, &key, parent, name, 0, 0, err);
	if (rc == 0)
		*out = ino;
	return rc;
}

int directory_make(struct store *store, const struct store_key *key, int64_t *out, struct err *err)
{
	int64_t base;
	struct slice step[2];
	int count = steps_of(key, &base, step);
	for (int i = 0; i < count; i++) {
		char name[NAME_BYTES_MAX + 1];
		struct slice encoded = slice_make(name, name_encode(step[i], "", name));
		int64_t ino = 0;
		int rc = dirent_get(store, base, encoded, &ino, err);
		if (rc == 0 && ino == 0)
			rc = make_child(store, base, step[i], encoded, &ino, err);
		if (rc < 0)
			return rc;
		base = ino;
	}
	*out = base;
	return 0;
}

int directory_each(struct store *store, const struct store_key *key, struct ino_list *list, struct err *err)
{
	int64_t base;
	struct slice step[2];
	int count = steps_of(key, &base, step);
	bool all = count > 0 && key->locale.len == 0;
	int64_t top = 0;
	int rc = find_steps(store, base, step, all ? count - 1 : count, &top, err);
	if (rc < 0 || top == 0)
		return rc;
	if (!all)
		return ino_list_add(list, top, err);
	sqlite3_stmt *stmt = store->statements[ST_DIRENT_DIRECTORIES];
	sqlite3_bind_int64(stmt, 1, top);
	return ino_list_fill(list, stmt, err);
}

static int write_changes(struct store *store, struct err *err)
{
	for (int i = 0; i < store->changed_count; i++) {
		const struct directory_change *change = &store->changed[i];
		sqlite3_stmt *stmt = store->statements[ST_DIRECTORY_UPDATE];
		sqlite3_bind_int64(stmt, 1, change->ino);
		sqlite3_bind_int64(stmt, 2, change->subdirs);
		sqlite3_bind_int64(stmt, 3, change->files);
		sqlite3_bind_int64(stmt, 4, change->bytes);
		sqlite3_bind_int64(stmt, 5, change->file_bytes);
		int rc = db_run(stmt, err);
		if (rc < 0)
			return rc;
		stmt = store->statements[ST_DIRECTORY_MTIME];
		sqlite3_bind_int64(stmt, 1, change->ino);
		sqlite3_bind_int64(stmt, 2, store->now_ns);
		rc = db_run(stmt, err);
		if (rc < 0)
			return rc;
	}
	store->changed_count = 0;
	return 0;
}

int directory_note(struct store *store, int64_t ino, const struct directory_change *more, struct err *err)
{
	struct directory_change *change = NULL;
	for (int i = store->changed_count - 1; i >= 0 && !change; i--)
		if (store->changed[i].ino == ino)
			change = &store->changed[i];
	if (!change) {
		if (store->changed_count == DIRECTORY_CHANGES_MAX) {
			int rc = write_changes(store, err);
			if (rc < 0)
				return rc;
		}
		change = &store->changed[store->changed_count++];
		*change = (struct directory_change){.ino = ino};
	}
	change->subdirs += more->subdirs;
	change->files += more->files;
	change->bytes += more->bytes;
	change->file_bytes += more->file_bytes;
	return 0;
}

static int remove_directory(struct store *store, int64_t ino, int64_t parent, struct slice name, struct err *err)
{
	const struct store_key key = {.kind = NODE_DIRECTORY};
	int rc = dirent_remove(store, parent, name, err);
	if (rc == 0)
		rc = journal_add(store, CHANGE_REMOVED, &key, parent, name, ino, 0, err);
	if (rc == 0)
		rc = node_supersede(store, ino, 0, err);
	if (rc == 0)
		rc = directory_note(store, parent, &(struct directory_change){.subdirs = -1}, err);
	if (rc < 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_DIRECTORY_REMOVE];
	sqlite3_bind_int64(stmt, 1, ino);
	return db_run(stmt, err);
}

/* One directory that has nothing in it any more; 1 if there was one. */
static int remove_one_empty(struct store *store, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_DIRECTORY_EMPTY];
	int rc = db_row(stmt, err);
	if (rc <= 0)
		return rc;
	int64_t ino = sqlite3_column_int64(stmt, 0);
	int64_t parent = sqlite3_column_int64(stmt, 2);
	char name[NAME_BYTES_MAX + 1];
	struct slice stored = db_column_text(stmt, 1);
	size_t len = stored.len < sizeof(name) ? stored.len : NAME_BYTES_MAX;
	memcpy(name, stored.at, len);
	sqlite3_reset(stmt);
	rc = remove_directory(store, ino, parent, slice_make(name, len), err);
	return rc < 0 ? rc : 1;
}

int directory_settle(struct store *store, struct err *err)
{
	int rc = write_changes(store, err);
	while (rc == 0 && store->removed_names) {
		rc = remove_one_empty(store, err);
		if (rc == 0)
			store->removed_names = false;
		if (rc > 0)
			rc = write_changes(store, err);
	}
	return rc;
}
