/* The rows of streams: how far each conversation with the Sync API is. */
#include "store/internal.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy_text(sqlite3_stmt *row, int column, char **out)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return 0;
	*out = strdup((const char *)sqlite3_column_text(row, column));
	return *out ? 0 : -ENOMEM;
}

/* The columns of ST_STREAM_GET. */
static int read_row(sqlite3_stmt *row, struct stream *stream)
{
	stream->id = sqlite3_column_int(row, 0);
	stream->part_of = sqlite3_column_int(row, 1);
	stream->run = (enum stream_run)sqlite3_column_int(row, 2);
	stream->pages = (uint64_t)sqlite3_column_int64(row, 3);
	stream->items = (uint64_t)sqlite3_column_int64(row, 4);
	stream->total = sqlite3_column_int64(row, 5);
	stream->listed = sqlite3_column_int(row, 11) != 0;
	if (copy_text(row, 6, &stream->content_type) < 0 || copy_text(row, 7, &stream->locale) < 0 ||
	    copy_text(row, 8, &stream->types) < 0 || copy_text(row, 9, &stream->sync_token) < 0 ||
	    copy_text(row, 10, &stream->page_token) < 0)
		return -ENOMEM;
	return 0;
}

int store_stream_load(struct store *store, int id, struct stream *out, struct err *err)
{
	struct stream stream = {.id = id, .run = RUN_FIRST};
	int rc = store_clean_up(store, err);
	if (rc < 0)
		return rc;
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_STREAM_GET];
	sqlite3_bind_int(row, 1, id);
	rc = db_row(row, err);
	if (rc < 0)
		return rc;
	if (rc > 0 && read_row(row, &stream) < 0) {
		stream_finish(&stream);
		return err_oom(err);
	}
	*out = stream;
	return 0;
}

int store_parts_each(struct store *store, int of, int (*each)(void *context, struct stream *part, struct err *err),
		     void *context, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = store->statements[ST_STREAM_PARTS];
	sqlite3_bind_int(row, 1, of);
	int rc;
	while ((rc = db_row(row, err)) > 0) {
		struct stream part = {0};
		if (read_row(row, &part) < 0) {
			stream_finish(&part);
			return err_oom(err);
		}
		rc = each(context, &part, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

int store_parts_forget(struct store *store, int of, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_STREAM_FORGET_PARTS];
	sqlite3_bind_int(stmt, 1, of);
	return db_run(stmt, err);
}

static void bind_optional(sqlite3_stmt *stmt, int column, const char *text)
{
	if (text)
		db_bind_text(stmt, column, slice_of(text));
	else
		sqlite3_bind_null(stmt, column);
}

static void bind_row(sqlite3_stmt *stmt, const struct stream *stream)
{
	sqlite3_bind_int(stmt, 2, stream->part_of);
	sqlite3_bind_int(stmt, 3, (int)stream->run);
	sqlite3_bind_int64(stmt, 4, (sqlite3_int64)stream->pages);
	sqlite3_bind_int64(stmt, 5, (sqlite3_int64)stream->items);
	sqlite3_bind_int64(stmt, 6, stream->total);
	bind_optional(stmt, 7, stream->content_type);
	bind_optional(stmt, 8, stream->locale);
	bind_optional(stmt, 9, stream->types);
	bind_optional(stmt, 10, stream->sync_token);
	bind_optional(stmt, 11, stream->page_token);
	sqlite3_bind_int(stmt, 12, stream->listed);
}

int store_stream_save(struct store *store, const struct stream *stream, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_STREAM_SET];
	sqlite3_bind_int(stmt, 1, stream->id);
	bind_row(stmt, stream);
	return db_run(stmt, err);
}

int store_part_add(struct store *store, struct stream *part, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_STREAM_SET];
	sqlite3_bind_null(stmt, 1); /* the next one that is free */
	bind_row(stmt, part);
	int rc = db_run(stmt, err);
	if (rc == 0)
		part->id = (int)sqlite3_last_insert_rowid(store->db);
	return rc;
}

void stream_finish(struct stream *stream)
{
	free(stream->content_type);
	free(stream->locale);
	free(stream->types);
	free(stream->sync_token);
	free(stream->page_token);
	*stream = (struct stream){0};
}
