/*
 * Items that cannot be applied. One row an item, however often it comes: what it is about is its key, or, where that
 * could not be read, its own text. A row goes when something newer about the item was applied, when the stack was listed
 * anew without it, or when a later version of the program knows what to do with it.
 */
#include "store/internal.h"
#include "tree/name.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS_MAX 10000                 /* the oldest make room, and are counted in NOTE_QUARANTINE_LOST */
#define SOURCE_MAX (1 << 20)           /* bytes of an item that are kept; what is longer is cut */
#define SOURCE_CUT 1024                /* to this */
#define SOURCES_MAX (64LL << 20)       /* bytes of all; the older half is cut beyond that */
#define SIZE_UNKNOWN (SOURCES_MAX + 1) /* measured when the first one comes */

static bool is_utf8_boundary(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static struct slice cut(struct slice source)
{
	size_t len = SOURCE_CUT;
	while (len > 0 && !is_utf8_boundary(source.at[len]))
		len--;
	return slice_make(source.at, len);
}

int store_quarantine(struct store *store, const struct store_suspect *suspect, struct err *err)
{
	static const struct store_key unknown = {0};
	const struct store_key *key = suspect->known ? &suspect->key : &unknown;
	bool whole = suspect->source.len <= SOURCE_MAX;
	struct slice source = whole ? suspect->source : cut(suspect->source);
	char about[NAME_BYTES_MAX + 1];
	sqlite3_stmt *stmt = store->statements[ST_QUARANTINE_ADD];
	sqlite3_bind_int(stmt, 1, (int)key->kind);
	db_bind_text(stmt, 2, key->content_type);
	db_bind_text(stmt, 3, key->locale);
	db_bind_text(stmt, 4, key->uid);
	db_bind_text(stmt, 5, slice_make(about, suspect->known ? 0 : name_encode(suspect->source, "", about)));
	sqlite3_bind_int64(stmt, 6, suspect->event_at);
	sqlite3_bind_int(stmt, 7, suspect->stream);
	sqlite3_bind_int64(stmt, 8, store->now_ns / 1000000);
	db_bind_text(stmt, 9, slice_of(suspect->reason));
	db_bind_text(stmt, 10, slice_of(CONTENTFS_VERSION));
	sqlite3_bind_int(stmt, 11, whole);
	db_bind_text(stmt, 12, source);
	store->quarantine_rows++;
	store->quarantine_bytes += (int64_t)source.len;
	store->quarantined = true;
	return db_run(stmt, err);
}

int store_quarantine_settle(struct store *store, const struct store_key *key, int64_t event_at, struct err *err)
{
	if (store->quarantine_rows == 0)
		return 0;
	sqlite3_stmt *stmt = store->statements[ST_QUARANTINE_SETTLE];
	sqlite3_bind_int(stmt, 1, (int)key->kind);
	db_bind_text(stmt, 2, key->content_type);
	db_bind_text(stmt, 3, key->locale);
	db_bind_text(stmt, 4, key->uid);
	sqlite3_bind_int64(stmt, 5, event_at);
	return db_run(stmt, err);
}

int store_quarantine_forget(struct store *store, int stream, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_QUARANTINE_FORGET];
	sqlite3_bind_int(stmt, 1, stream);
	return db_run(stmt, err);
}

int store_quarantine_next(struct store *store, struct store_inmate *inmate, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_QUARANTINE_NEXT];
	sqlite3_bind_int64(row, 1, inmate->id);
	db_bind_text(row, 2, slice_of(CONTENTFS_VERSION));
	int rc = db_row(row, err);
	if (rc <= 0)
		return rc;
	struct slice source = db_column_text(row, 3);
	buf_reset(&inmate->source);
	if (buf_append(&inmate->source, source.at, source.len) < 0)
		return err_oom(err);
	inmate->id = sqlite3_column_int64(row, 0);
	inmate->stream = sqlite3_column_int(row, 1);
	inmate->whole = sqlite3_column_int(row, 2) != 0;
	inmate->known = sqlite3_column_int(row, 4) != 0;
	return 1;
}

int store_quarantine_remove(struct store *store, int64_t id, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_QUARANTINE_REMOVE];
	sqlite3_bind_int64(stmt, 1, id);
	return db_run(stmt, err);
}

static int ask(struct store *store, enum statement which, int64_t argument, int64_t *value, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[which];
	if (sqlite3_bind_parameter_count(stmt) > 0)
		sqlite3_bind_int64(stmt, 1, argument);
	int rc = db_row(stmt, err);
	if (rc < 0)
		return rc;
	*value = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return 0;
}

int quarantine_count(struct store *store, struct err *err)
{
	store->quarantine_bytes = SIZE_UNKNOWN;
	return ask(store, ST_QUARANTINE_COUNT, 0, &store->quarantine_rows, err);
}

/* Reads all of it. */
static int measure(struct store *store, struct err *err)
{
	int rc = ask(store, ST_QUARANTINE_COUNT, 0, &store->quarantine_rows, err);
	return rc < 0 ? rc : ask(store, ST_QUARANTINE_SIZE, 0, &store->quarantine_bytes, err);
}

static int note_lost(struct store *store, int64_t lost, struct err *err)
{
	CLEANUP(buf_finish) struct buf before = BUF_INIT;
	char text[24];
	int rc = store_note_get(store, NOTE_QUARANTINE_LOST, &before, err);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "%lld", atoll(buf_text(&before)) + (long long)lost);
	return store_note(store, NOTE_QUARANTINE_LOST, text, err);
}

static int drop_oldest(struct store *store, struct err *err)
{
	int64_t lost = 0;
	int rc = ask(store, ST_QUARANTINE_LOST, ROWS_MAX, &lost, err);
	if (rc < 0 || lost == 0)
		return rc;
	rc = note_lost(store, lost, err);
	if (rc < 0)
		return rc;
	sqlite3_stmt *stmt = store->statements[ST_QUARANTINE_TRIM];
	sqlite3_bind_int64(stmt, 1, ROWS_MAX);
	return db_run(stmt, err);
}

static bool may_be_too_much(const struct store *store)
{
	return store->quarantine_rows > ROWS_MAX || store->quarantine_bytes > SOURCES_MAX;
}

int quarantine_trim(struct store *store, struct err *err)
{
	if (!store->quarantined || !may_be_too_much(store))
		return 0;
	int rc = measure(store, err); /* rows that came again were counted twice */
	if (rc < 0 || !may_be_too_much(store))
		return rc;
	if (store->quarantine_rows > ROWS_MAX)
		rc = drop_oldest(store, err);
	if (rc == 0 && store->quarantine_bytes > SOURCES_MAX) {
		sqlite3_stmt *stmt = store->statements[ST_QUARANTINE_CUT];
		sqlite3_bind_int64(stmt, 1, store->quarantine_rows / 2);
		rc = db_run(stmt, err);
	}
	return rc < 0 ? rc : measure(store, err);
}
