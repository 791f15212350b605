/*
 * What one run over the Sync API keeps: where its tokens are, what it has staged, which removals it has seen, and which
 * visible items it listed.
 */
#include "store/internal.h"
#include "tree/name.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>

#define BREAK_ITEMS 64 /* between two of store_break */

/* --- looking ------------------------------------------------------------------------------------------------------ */

static int bind_key(sqlite3_stmt *stmt, const struct store_key *key)
{
	sqlite3_bind_int(stmt, 1, (int)key->kind);
	db_bind_text(stmt, 2, key->content_type);
	db_bind_text(stmt, 3, key->locale);
	db_bind_text(stmt, 4, key->uid);
	return 5; /* the next parameter */
}

static int find_live(struct store *store, const struct store_key *key, struct store_version *live, struct err *err)
{
	int64_t parent = 0;
	int rc = directory_find(store, key, &parent, err);
	if (rc < 0 || parent == 0)
		return rc;
	char name[NAME_BYTES_MAX + 1];
	int64_t ino;
	rc = dirent_get(store, parent, slice_make(name, name_encode(key->uid, STORE_FILE_SUFFIX, name)), &ino, err);
	if (rc < 0 || ino == 0)
		return rc;

	sqlite3_stmt *stmt = store->statements[ST_NODE_GET];
	sqlite3_bind_int64(stmt, 1, ino);
	rc = db_row(stmt, err);
	if (rc <= 0)
		return rc < 0 ? rc : err_set(err, -EUCLEAN, "the store is damaged: a name points nowhere");
	live->event_at = sqlite3_column_int64(stmt, 3);
	sqlite3_reset(stmt);
	stmt = store->statements[ST_VERSION_NUMBER];
	sqlite3_bind_int64(stmt, 1, ino);
	rc = db_row(stmt, err);
	if (rc <= 0)
		return rc < 0 ? rc
			      : err_set(err, -EUCLEAN, "the store is damaged: node %lld has no text", (long long)ino);
	live->number = sqlite3_column_int64(stmt, 0);
	live->ino = ino;
	sqlite3_reset(stmt);
	return 0;
}

static int find_staged(struct store *store, const struct store_key *key, struct store_version *staged, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *stmt = store->statements[ST_STAGED_GET];
	bind_key(stmt, key);
	int rc = db_row(stmt, err);
	if (rc <= 0)
		return rc;
	staged->ino = sqlite3_column_int64(stmt, 0);
	staged->event_at = sqlite3_column_int64(stmt, 1);
	staged->number = sqlite3_column_int64(stmt, 2);
	return 0;
}

static int find_removal(struct store *store, const struct store_key *key, int64_t *at, struct err *err)
{
	if (!store->removals_noted)
		return 0;
	CLEANUP(db_reset) sqlite3_stmt *stmt = store->statements[ST_REMOVAL_NEWEST];
	bind_key(stmt, key);
	int rc = db_row(stmt, err);
	if (rc > 0 && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		*at = sqlite3_column_int64(stmt, 0);
	return rc < 0 ? rc : 0;
}

int store_find(struct store *store, const struct store_key *key, struct store_known *known, struct err *err)
{
	const struct store_version none = {.ino = 0, .event_at = NO_EVENT};
	struct store_known found = {.live = none, .staged = none, .removed_at = NO_EVENT};
	int rc = find_live(store, key, &found.live, err);
	if (rc == 0)
		rc = find_staged(store, key, &found.staged, err);
	if (rc == 0)
		rc = find_removal(store, key, &found.removed_at, err);
	if (rc == 0)
		*known = found;
	return rc;
}

int store_is_same(struct store *store, int64_t ino, const struct store_item *item, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *stmt = store->statements[ST_VERSION_TEXT];
	sqlite3_bind_int64(stmt, 1, ino);
	int rc = db_row(stmt, err);
	if (rc > 0)
		rc = slice_eq(db_column_text(stmt, 0), item->text);
	return rc > 0 && item->key.kind == NODE_ASSET ? asset_is_same(store, ino, &item->file, err) : rc;
}

/* --- staging ------------------------------------------------------------------------------------------------------ */

static int delete_staged(struct store *store, int64_t ino, struct err *err)
{
	int rc = asset_delete(store, ino, err);
	return rc < 0 ? rc : node_delete(store, ino, err);
}

static int unstage_one(struct store *store, const struct store_key *key, int64_t ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_STAGED_REMOVE];
	bind_key(stmt, key);
	int rc = db_run(stmt, err);
	return rc < 0 ? rc : delete_staged(store, ino, err);
}

int store_stage(struct store *store, const struct store_item *item, struct err *err)
{
	struct store_version before = {0};
	int rc = find_staged(store, &item->key, &before, err);
	if (rc == 0 && before.ino)
		rc = delete_staged(store, before.ino, err);
	int64_t ino;
	if (rc == 0)
		rc = node_add(store, item, 0, &ino, err);
	if (rc < 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_STAGED_SET];
	int next = bind_key(stmt, &item->key);
	sqlite3_bind_int(stmt, next, item->stream);
	sqlite3_bind_int64(stmt, next + 1, ino);
	return db_run(stmt, err);
}

/* One staged item that a removal covers: 1 if there was one. */
static int unstage_covered(struct store *store, const struct store_key *key, int64_t event_at, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_STAGED_COVERED];
	int next = bind_key(stmt, key);
	sqlite3_bind_int64(stmt, next, event_at);
	int rc = db_row(stmt, err);
	if (rc <= 0)
		return rc;
	/* The slices point into the row, so they are copied before it goes. */
	CLEANUP(buf_finish) struct buf locale = BUF_INIT;
	CLEANUP(buf_finish) struct buf uid = BUF_INIT;
	struct slice text = db_column_text(stmt, 0);
	buf_append(&locale, text.at, text.len);
	text = db_column_text(stmt, 1);
	buf_append(&uid, text.at, text.len);
	sqlite3_reset(stmt);
	if (locale.failed || uid.failed)
		return err_oom(err);
	struct store_key one = {key->kind, key->content_type, buf_slice(&locale), buf_slice(&uid)};
	struct store_version staged = {0};
	rc = find_staged(store, &one, &staged, err);
	if (rc == 0)
		rc = unstage_one(store, &one, staged.ino, err);
	return rc < 0 ? rc : 1;
}

static int unstage(struct store *store, const struct store_key *key, int64_t event_at, struct err *err)
{
	int rc;
	if (key->locale.len > 0 && key->uid.len > 0) {
		struct store_version staged = {0};
		rc = find_staged(store, key, &staged, err);
		if (rc == 0 && staged.ino && staged.event_at <= event_at)
			rc = unstage_one(store, key, staged.ino, err);
		return rc;
	}
	while ((rc = unstage_covered(store, key, event_at, err)) > 0)
		;
	return rc;
}

int store_note_removal(struct store *store, int stream, const struct store_key *key, int64_t event_at, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_REMOVAL_NOTE];
	int next = bind_key(stmt, key);
	sqlite3_bind_int(stmt, next, stream);
	sqlite3_bind_int64(stmt, next + 1, event_at);
	int rc = db_run(stmt, err);
	if (rc < 0)
		return rc;
	store->removals_noted = true;
	return unstage(store, key, event_at, err);
}

int store_list(struct store *store, int stream, int64_t ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_LISTED_ADD];
	sqlite3_bind_int(stmt, 1, stream);
	sqlite3_bind_int64(stmt, 2, ino);
	return db_run(stmt, err);
}

/* --- making it visible -------------------------------------------------------------------------------------------- */

static struct store_key row_key(sqlite3_stmt *row)
{
	return (struct store_key){
		.kind = (enum node_kind)sqlite3_column_int(row, 0),
		.content_type = db_column_text(row, 1),
		.locale = db_column_text(row, 2),
		.uid = db_column_text(row, 3),
	};
}

/* Once for so many calls. `breaks` may be NULL. */
static int take_break(const struct store_break *breaks, unsigned *since, struct err *err)
{
	return breaks && ++*since % BREAK_ITEMS == 0 ? breaks->take(breaks->context, err) : 0;
}

static int carry_out_removals(struct store *store, int stream, const struct store_break *breaks, struct err *err)
{
	unsigned since = 0;
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_REMOVAL_EACH];
	sqlite3_bind_int(row, 1, stream);
	int rc;
	while ((rc = db_row(row, err)) > 0) {
		struct store_key key = row_key(row);
		rc = store_unplace(store, &key, sqlite3_column_int64(row, 4), err);
		if (rc == 0)
			rc = take_break(breaks, &since, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int link_staged(struct store *store, const struct store_key *key, int64_t ino, struct err *err)
{
	int64_t parent;
	int rc = directory_make(store, key, &parent, err);
	if (rc == 0)
		rc = node_adopt(store, ino, parent, err);
	if (rc < 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_NODE_GET];
	sqlite3_bind_int64(stmt, 1, ino);
	rc = db_row(stmt, err);
	if (rc <= 0)
		return rc < 0 ? rc : err_set(err, -EUCLEAN, "the store is damaged: a staged item has no node");
	int64_t size = sqlite3_column_int64(stmt, 2);
	int64_t event_at = sqlite3_column_int64(stmt, 3);
	sqlite3_reset(stmt);
	return node_link(store, key, ino, size, event_at, parent, err);
}

static int place_staged(struct store *store, int stream, bool mark, const struct store_break *breaks, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_STAGED_EACH];
	sqlite3_bind_int(row, 1, stream);
	int rc;
	unsigned since = 0;
	while ((rc = db_row(row, err)) > 0) {
		struct store_key key = row_key(row);
		int64_t ino = sqlite3_column_int64(row, 4);
		rc = link_staged(store, &key, ino, err);
		if (rc == 0 && mark)
			rc = store_list(store, stream, ino, err);
		if (rc == 0)
			rc = take_break(breaks, &since, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int remove_unlisted(struct store *store, int stream, const struct store_break *breaks, struct err *err)
{
	unsigned since = 0;
	CLEANUP(ino_list_finish) struct ino_list list = {0};
	sqlite3_stmt *stmt = store->statements[ST_LISTED_NOT];
	sqlite3_bind_int(stmt, 1, stream);
	int rc = ino_list_fill(&list, stmt, err);
	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		rc = node_unlink(store, list.ino[i], err);
		if (rc == 0)
			rc = take_break(breaks, &since, err);
	}
	return rc;
}

/* Much may take its time: what readers compare with times of their own has to bear the time when they can see it. */
static int date_changes(struct store *store, struct err *err)
{
	store->now_ns = clock_wall_ns();
	sqlite3_stmt *stmt = store->statements[ST_CHANGE_DATE];
	sqlite3_bind_int64(stmt, 1, store->journal_end);
	sqlite3_bind_int64(stmt, 2, store->now_ns / 1000000);
	int rc = db_run(stmt, err);
	if (rc < 0)
		return rc;
	stmt = store->statements[ST_CHANGE_DATE_PLACES];
	sqlite3_bind_int64(stmt, 1, store->journal_end);
	sqlite3_bind_int64(stmt, 2, store->now_ns);
	return db_run(stmt, err);
}

int store_publish(struct store *store, int stream, bool complete, const struct store_break *breaks, struct err *err)
{
	int rc = carry_out_removals(store, stream, breaks, err);
	if (rc == 0)
		rc = place_staged(store, stream, complete, breaks, err);
	if (rc == 0 && complete)
		rc = remove_unlisted(store, stream, breaks, err);
	if (rc == 0)
		rc = date_changes(store, err);
	if (rc < 0)
		return rc;
	/* The staged nodes have names now and must outlive their rows here. */
	sqlite3_stmt *stmt = store->statements[ST_STAGED_FORGET];
	sqlite3_bind_int(stmt, 1, stream);
	return db_run(stmt, err);
}

int store_has_gathered(struct store *store, int stream, bool *gathered, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_GATHERED];
	sqlite3_bind_int(row, 1, stream);
	int rc = db_row(row, err);
	if (rc <= 0)
		return rc;
	*gathered = sqlite3_column_int(row, 0) != 0;
	return 0;
}

int store_forget_run(struct store *store, int stream, struct err *err)
{
	CLEANUP(ino_list_finish) struct ino_list left = {0};
	sqlite3_stmt *stmt = store->statements[ST_STAGED_INOS];
	sqlite3_bind_int(stmt, 1, stream);
	int rc = ino_list_fill(&left, stmt, err);
	for (size_t i = 0; rc == 0 && i < left.count; i++)
		rc = delete_staged(store, left.ino[i], err);
	static const enum statement forget[] = {ST_STAGED_FORGET, ST_REMOVAL_FORGET, ST_LISTED_FORGET};
	for (size_t i = 0; rc == 0 && i < sizeof(forget) / sizeof(forget[0]); i++) {
		stmt = store->statements[forget[i]];
		sqlite3_bind_int(stmt, 1, stream);
		rc = db_run(stmt, err);
	}
	return rc < 0 ? rc : store_count_removals(store, err);
}

/* --- schemas ------------------------------------------------------------------------------------------------------ */

static int each_uid(sqlite3_stmt *stmt, void (*found)(void *context, struct slice uid), void *context, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = stmt;
	int rc;
	while ((rc = db_row(row, err)) > 0)
		found(context, db_column_text(row, 0));
	return rc;
}

int store_missing_schemas(struct store *store, void (*found)(void *context, struct slice uid), void *context,
			  struct err *err)
{
	return each_uid(store->statements[ST_SCHEMA_MISSING], found, context, err);
}

int store_schemas(struct store *store, void (*found)(void *context, struct slice uid), void *context, struct err *err)
{
	return each_uid(store->statements[ST_SCHEMA_EACH], found, context, err);
}

int store_schemas_newest(struct store *store, int64_t *event_at, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_SCHEMA_NEWEST];
	int rc = db_row(row, err);
	if (rc < 0)
		return rc;
	*event_at = sqlite3_column_int64(row, 0);
	return 0;
}

int store_remove_stale_schemas(struct store *store, int64_t before, struct err *err)
{
	CLEANUP(ino_list_finish) struct ino_list list = {0};
	sqlite3_stmt *stmt = store->statements[ST_SCHEMA_STALE];
	sqlite3_bind_int64(stmt, 1, before);
	int rc = ino_list_fill(&list, stmt, err);
	for (size_t i = 0; rc == 0 && i < list.count; i++)
		rc = node_unlink(store, list.ino[i], err);
	return rc;
}
