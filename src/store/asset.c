/*
 * The files of assets: beside the record of an asset, which is a text like an entry's, stands a folder of the asset's own
 * with its file in it. The file's bytes are not in the store; what they are named by is.
 *
 * The file belongs to one version of the record: it is the node with the number after the record's, comes and goes with
 * it, and a new version has a new one. The folder stays while the asset does.
 */
#include "store/internal.h"
#include "tree/name.h"
#include "util/cleanup.h"

#include <errno.h>

/* --- nodes -------------------------------------------------------------------------------------------------------- */

static int add_facts(struct store *store, int64_t ino, const struct store_file *file, int64_t size, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_ASSET_ADD];
	sqlite3_bind_int64(stmt, 1, ino);
	db_bind_text(stmt, 2, file->name);
	db_bind_text(stmt, 3, file->url);
	db_bind_text(stmt, 4, file->media_type);
	sqlite3_bind_int64(stmt, 5, file->generation);
	sqlite3_bind_int64(stmt, 6, size);
	return db_run(stmt, err);
}

int asset_add(struct store *store, const struct store_item *item, int64_t record, struct err *err)
{
	if (item->file.url.len == 0)
		return 0;
	/* Nothing, or no size at all, has to be looked at where the bytes are. */
	int64_t size = item->file.size > 0 ? item->file.size : -1;
	int64_t ino;
	int rc = node_insert(store, NODE_FILE, 0, size, item, &ino, err);
	if (rc == 0 && ino != record + 1)
		rc = err_set(err, -EUCLEAN, "the store is damaged: it numbers its nodes wrongly");
	return rc < 0 ? rc : add_facts(store, ino, &item->file, size, err);
}

/* What is known of the file that belongs to a record: 1, or 0 if there is none. The row is held until it is reset. */
static int find_facts(struct store *store, int64_t record, sqlite3_stmt **row, struct err *err)
{
	*row = store->statements[ST_ASSET_GET];
	sqlite3_bind_int64(*row, 1, record + 1);
	return db_row(*row, err);
}

int asset_is_same(struct store *store, int64_t record, const struct store_file *file, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = NULL;
	int rc = find_facts(store, record, &row, err);
	if (rc <= 0)
		return rc < 0 ? rc : file->url.len == 0;
	return slice_eq(db_column_text(row, 0), file->name) && slice_eq(db_column_text(row, 1), file->url) &&
	       slice_eq(db_column_text(row, 2), file->media_type);
}

int asset_delete(struct store *store, int64_t record, struct err *err)
{
	sqlite3_stmt *row;
	int rc = find_facts(store, record, &row, err);
	if (rc <= 0)
		return rc;
	sqlite3_reset(row);
	return node_delete(store, record + 1, err);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

/* Where the file of one version stands, or is to stand. */
struct place {
	int64_t ino; /* 0: there is no file */
	int64_t size;
	char bytes[NAME_BYTES_MAX + 1];
	struct slice name;
};

static int look_up(struct store *store, int64_t record, struct place *place, struct err *err)
{
	*place = (struct place){0};
	if (record == 0)
		return 0;
	sqlite3_stmt *row;
	int rc = find_facts(store, record, &row, err);
	if (rc <= 0)
		return rc;
	place->name = slice_make(place->bytes, name_encode_file(db_column_text(row, 0), place->bytes));
	sqlite3_reset(row);
	row = store->statements[ST_NODE_GET];
	sqlite3_bind_int64(row, 1, record + 1);
	rc = db_row(row, err);
	if (rc <= 0)
		return rc < 0 ? rc : err_set(err, -EUCLEAN, "the store is damaged: an asset has no file");
	place->ino = record + 1;
	place->size = sqlite3_column_int64(row, 2) > 0 ? sqlite3_column_int64(row, 2) : 0;
	sqlite3_reset(row);
	return 0;
}

static int make_folder(struct store *store, const struct store_key *key, int64_t locale, struct slice name,
		       int64_t *out, struct err *err)
{
	const struct store_item item = {.key = *key};
	int rc = node_insert(store, NODE_FOLDER, locale, 0, &item, out, err);
	if (rc == 0)
		rc = dirent_put(store, ST_DIRENT_ADD, locale, name, *out, err);
	if (rc == 0)
		rc = directory_note(store, locale, &(struct directory_change){.subdirs = 1}, err);
	const struct store_key folder = {.kind = NODE_FOLDER, .locale = key->locale, .uid = key->uid};
	return rc < 0 ? rc : journal_add(store, CHANGE_ADDED, &folder, locale, name, 0, 0, err);
}

static int remove_folder(struct store *store, const struct store_key *key, int64_t locale, struct slice name,
			 int64_t folder, struct err *err)
{
	int rc = dirent_remove(store, locale, name, err);
	if (rc == 0)
		rc = node_supersede(store, folder, 0, err);
	if (rc == 0)
		rc = directory_note(store, locale, &(struct directory_change){.subdirs = -1}, err);
	const struct store_key removed = {.kind = NODE_FOLDER, .locale = key->locale, .uid = key->uid};
	return rc < 0 ? rc : journal_add(store, CHANGE_REMOVED, &removed, locale, name, folder, 0, err);
}

static int touch_folder(struct store *store, int64_t folder, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_DIRECTORY_MTIME];
	sqlite3_bind_int64(stmt, 1, folder);
	sqlite3_bind_int64(stmt, 2, store->now_ns);
	return db_run(stmt, err);
}

static struct store_key file_key(const struct store_key *key)
{
	return (struct store_key){.kind = NODE_FILE, .locale = key->locale, .uid = key->uid};
}

/* A file that comes into the tree has the number of the changes that were seen behind its URL so far, also those since it
 * was staged. */
static int catch_up(struct store *store, int64_t ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_ASSET_CATCH_UP];
	sqlite3_bind_int64(stmt, 1, ino);
	return db_run(stmt, err);
}

static int put_file(struct store *store, const struct store_key *key, int64_t folder, const struct place *before,
		    const struct place *after, int64_t event_at, struct err *err)
{
	const struct store_key file = file_key(key);
	bool same_name = before->ino && slice_eq(before->name, after->name);
	int rc = node_adopt(store, after->ino, folder, err);
	if (rc == 0)
		rc = catch_up(store, after->ino, err);
	if (rc == 0)
		rc = dirent_put(store, same_name ? ST_DIRENT_SET : ST_DIRENT_ADD, folder, after->name, after->ino, err);
	return rc < 0 ? rc
		      : journal_add(store, same_name ? CHANGE_CHANGED : CHANGE_ADDED, &file, folder, after->name,
				    same_name ? before->ino : 0, event_at, err);
}

static int drop_file(struct store *store, const struct store_key *key, int64_t folder, const struct place *before,
		     int64_t event_at, struct err *err)
{
	const struct store_key file = file_key(key);
	int rc = dirent_remove(store, folder, before->name, err);
	return rc < 0 ? rc
		      : journal_add(store, CHANGE_REMOVED, &file, folder, before->name, before->ino, event_at, err);
}

/* From the file of one version to that of the next; either may be none. */
static int replace_file(struct store *store, const struct store_key *key, int64_t locale, const struct place *before,
			const struct place *after, int64_t event_at, struct err *err)
{
	char bytes[NAME_BYTES_MAX + 1];
	struct slice name = slice_make(bytes, name_encode_folder(key->uid, bytes));
	int64_t folder;
	int rc = dirent_get(store, locale, name, &folder, err);
	if (rc == 0 && folder == 0)
		rc = make_folder(store, key, locale, name, &folder, err);
	if (rc == 0 && before->ino && !(after->ino && slice_eq(before->name, after->name)))
		rc = drop_file(store, key, folder, before, event_at, err);
	if (rc == 0 && after->ino)
		rc = put_file(store, key, folder, before, after, event_at, err);
	if (rc == 0 && before->ino)
		rc = node_supersede(store, before->ino, 0, err);
	const struct directory_change change = {.file_bytes = after->size - before->size};
	if (rc == 0)
		rc = directory_note(store, locale, &change, err);
	if (rc < 0)
		return rc;
	return after->ino ? touch_folder(store, folder, err) : remove_folder(store, key, locale, name, folder, err);
}

int asset_link(struct store *store, const struct store_key *key, int64_t locale, int64_t before, int64_t after,
	       int64_t event_at, struct err *err)
{
	struct place old = {0};
	struct place new = {0};
	int rc = look_up(store, before, &old, err);
	if (rc == 0)
		rc = look_up(store, after, &new, err);
	if (rc < 0 || (old.ino == 0 && new.ino == 0))
		return rc;
	return replace_file(store, key, locale, &old, &new, event_at, err);
}

/* --- what readers learn ------------------------------------------------------------------------------------------- */

/* Counts the new size where the old one was counted. Nothing of the directory that anybody sees has changed, so its time
 * stays. */
static int count_size(struct store *store, int64_t ino, int64_t size, struct err *err)
{
	sqlite3_stmt *row = store->statements[ST_ASSET_PLACE];
	sqlite3_bind_int64(row, 1, ino);
	int rc = db_row(row, err);
	if (rc <= 0)
		return rc;
	int64_t directory = sqlite3_column_int64(row, 0);
	int64_t before = sqlite3_column_int64(row, 1);
	sqlite3_reset(row);
	row = store->statements[ST_DIRECTORY_UPDATE];
	sqlite3_bind_int64(row, 1, directory);
	for (int i = 2; i < 5; i++)
		sqlite3_bind_int64(row, i, 0);
	sqlite3_bind_int64(row, 5, size - (before > 0 ? before : 0));
	return db_run(row, err);
}

int store_measure(struct store *store, int64_t ino, int64_t size, struct err *err)
{
	int rc = count_size(store, ino, size, err);
	if (rc < 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_ASSET_MEASURE];
	sqlite3_bind_int64(stmt, 1, ino);
	sqlite3_bind_int64(stmt, 2, size);
	return db_run(stmt, err);
}

/* A run that has listed the version before has listed this one too. */
static int replace_record(struct store *store, int64_t before, const struct store_item *item, struct err *err)
{
	int64_t after;
	int rc = node_place(store, item, &after, err);
	if (rc < 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_LISTED_FOLLOW];
	sqlite3_bind_int64(stmt, 1, before);
	sqlite3_bind_int64(stmt, 2, after);
	return db_run(stmt, err);
}

/* The row is held while the new version is made from it. */
static int renew_one(struct store *store, int64_t ino, int64_t generation, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_ASSET_RECORD];
	sqlite3_bind_int64(row, 1, ino - 1);
	int rc = db_row(row, err);
	if (rc <= 0)
		return rc;
	const struct store_item item = {
		.key = {.kind = NODE_ASSET, .locale = db_column_text(row, 8), .uid = db_column_text(row, 2)},
		.stream = sqlite3_column_int(row, 1),
		.event_at = sqlite3_column_int64(row, 0),
		.published_at = sqlite3_column_int64(row, 4),
		.number = sqlite3_column_int64(row, 3),
		.updated_at = db_column_text(row, 5),
		.title = db_column_text(row, 6),
		.text = db_column_text(row, 7),
		.file = {db_column_text(row, 10), db_column_text(row, 9), db_column_text(row, 11), -1, generation},
	};
	return replace_record(store, ino - 1, &item, err);
}

int store_renew(struct store *store, struct slice url, int64_t generation, struct err *err)
{
	CLEANUP(ino_list_finish) struct ino_list files = {0};
	sqlite3_stmt *stmt = store->statements[ST_ASSET_OF_URL];
	db_bind_text(stmt, 1, url);
	sqlite3_bind_int64(stmt, 2, generation);
	int rc = ino_list_fill(&files, stmt, err);
	for (size_t i = 0; rc == 0 && i < files.count; i++)
		rc = renew_one(store, files.ino[i], generation + 1, err);
	return rc;
}
