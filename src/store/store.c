/* The transactions of a store, and what is left to keep in order. */
#include "store/store.h"

#include "store/internal.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define JOURNAL_MAX 100000 /* changes */
#define SUPERSEDED_AGE_MAX_MS (24 * 3600 * 1000LL)
#define SUPERSEDED_SIZE_MAX (256LL << 20) /* bytes of text */

int store_count_removals(struct store *store, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_REMOVAL_COUNT];
	int rc = db_row(stmt, err);
	if (rc < 0)
		return rc;
	store->removals_noted = sqlite3_column_int64(stmt, 0) > 0;
	sqlite3_reset(stmt);
	return 0;
}

/* --- transactions ------------------------------------------------------------------------------------------------- */

int store_clean_up(struct store *store, struct err *err)
{
	bool left_over = !store->in_transaction && !sqlite3_get_autocommit(store->db);
	return left_over ? db_run(store->statements[ST_ROLLBACK], err) : 0;
}

int store_begin(struct store *store, struct err *err)
{
	int rc = store_clean_up(store, err);
	if (rc == 0)
		rc = db_run(store->statements[ST_BEGIN], err);
	if (rc < 0)
		return rc;
	store->in_transaction = true;
	store->removed_names = false;
	store->quarantined = false;
	store->changed_count = 0;
	store->journal_next = store->journal_end;
	store->now_ns = clock_wall_ns();
	store->now_ms = clock_monotonic_ms();
	return 0;
}

int store_commit(struct store *store, struct err *err)
{
	int rc = directory_settle(store, err);
	if (rc == 0)
		rc = quarantine_trim(store, err);
	if (rc == 0)
		rc = db_run(store->statements[ST_COMMIT], err);
	if (rc < 0) {
		store_rollback(store);
		return rc;
	}
	store->in_transaction = false;
	store->journal_end = store->journal_next;
	return 0;
}

void store_rollback(struct store *store)
{
	if (!store->in_transaction)
		return;
	db_run(store->statements[ST_ROLLBACK], NULL);
	dirent_forget(store);
	store->in_transaction = false;
	store->removals_noted = true; /* not known any more; looking costs little */
	store->quarantine_rows++;     /* nor is this */
}

void store_rest(struct store *store)
{
	if (store->db)
		sqlite3_db_release_memory(store->db);
	malloc_trim(0); /* else it stays with the process */
}

/* --- housekeeping ------------------------------------------------------------------------------------------------- */

int store_note(struct store *store, const char *key, const char *value, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_META_SET];
	db_bind_text(stmt, 1, slice_of(key));
	db_bind_text(stmt, 2, slice_of(value));
	return db_run(stmt, err);
}

int store_note_get(struct store *store, const char *key, struct buf *value, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *stmt = store->statements[ST_META_GET];
	db_bind_text(stmt, 1, slice_of(key));
	int rc = db_row(stmt, err);
	if (rc <= 0)
		return rc;
	struct slice text = db_column_text(stmt, 0);
	return buf_append(value, text.at, text.len) < 0 ? err_oom(err) : 1;
}

int64_t store_journal_end(const struct store *store)
{
	return store->journal_end;
}

int store_set_announced(struct store *store, int64_t change, struct err *err)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)change);
	int rc = store_begin(store, err);
	if (rc < 0)
		return rc;
	rc = store_note(store, "announced", text, err);
	if (rc == 0 && store->journal_end - JOURNAL_MAX > 0) {
		int64_t keep_from = store->journal_end - JOURNAL_MAX;
		sqlite3_stmt *stmt = store->statements[ST_CHANGE_TRIM];
		sqlite3_bind_int64(stmt, 1, change < keep_from ? change : keep_from);
		rc = db_run(stmt, err);
	}
	if (rc < 0) {
		store_rollback(store);
		return rc;
	}
	return store_commit(store, err);
}

/* Adds what is too old or too much, the oldest first. */
static int gather_expired(struct store *store, struct ino_list *list, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_SUPERSEDED_SIZE];
	int rc = db_row(stmt, err);
	if (rc < 0)
		return rc;
	int64_t size = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	int64_t now = store->now_ms;
	CLEANUP(db_reset) sqlite3_stmt *oldest = store->statements[ST_SUPERSEDED_OLD];
	while ((rc = db_row(oldest, err)) > 0) {
		int64_t at = sqlite3_column_int64(oldest, 1);
		if (size <= SUPERSEDED_SIZE_MAX && at + SUPERSEDED_AGE_MAX_MS >= now)
			return 0;
		size -= sqlite3_column_int64(oldest, 2);
		rc = ino_list_add(list, sqlite3_column_int64(oldest, 0), err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int delete_superseded(struct store *store, int64_t ino, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_SUPERSEDED_IS];
	sqlite3_bind_int64(stmt, 1, ino);
	int rc = db_row(stmt, err);
	if (rc <= 0)
		return rc;
	sqlite3_reset(stmt);
	stmt = store->statements[ST_SUPERSEDED_REMOVE];
	sqlite3_bind_int64(stmt, 1, ino);
	rc = db_run(stmt, err);
	return rc < 0 ? rc : node_delete(store, ino, err);
}

static int delete_all(struct store *store, const int64_t *inos, size_t count, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = delete_superseded(store, inos[i], err);
	return rc;
}

static int reclaim(struct store *store, const int64_t *inos, size_t count, struct err *err)
{
	CLEANUP(ino_list_finish) struct ino_list list = {0};
	int rc = 0;
	if (count == SUPERSEDED_ALL) {
		rc = ino_list_fill(&list, store->statements[ST_SUPERSEDED_ALL], err);
	} else {
		rc = delete_all(store, inos, count, err); /* first: what is left may then be within the bounds */
		if (rc == 0)
			rc = gather_expired(store, &list, err);
	}
	return rc < 0 ? rc : delete_all(store, list.ino, list.count, err);
}

int store_reclaim(struct store *store, const int64_t *inos, size_t count, struct err *err)
{
	int rc = store_begin(store, err);
	if (rc < 0)
		return rc;
	rc = reclaim(store, inos, count, err);
	if (rc < 0) {
		store_rollback(store);
		return rc;
	}
	return store_commit(store, err);
}
