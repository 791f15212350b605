#include "store/reader.h"

#include "store/damage.h"
#include "store/db.h"
#include "store/schema.h"
#include "tree/name.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>

/* A text longer than this is read piece by piece instead of being loaded whole for every piece. */
#define TEXT_AT_ONCE_MAX (64 << 10)

enum reader_statement {
	RD_LOOKUP,
	RD_ATTR,
	RD_PARENT,
	RD_LIST,
	RD_TEXT,
	RD_NAMED,
	RD_COOKIE,
	RD_TEXTS,
	RD_TEXTS_BACK,
	RD_FACTS,
	RD_ASSET,
	RD_TOTALS,
	RD_COUNTS,
	RD_SYNC_STATE,
	RD_NOTE,
	RD_CHANGES,
	RD_HISTORY,
	RD_HISTORY_START,
	RD_TITLE,
	RD_COUNT,
};

/* What an attribute needs, in the order that attr_of reads it. A directory has a link from each subdirectory. */
#define ATTR_COLUMNS                                                                                                   \
	"n.ino, n.kind, n.size, n.mtime, CASE n.kind WHEN 0 THEN 2 + ifnull(g.subdirs, 0)"                             \
	" WHEN 5 THEN 2 ELSE 1 END"
#define ATTR_JOIN " LEFT JOIN directory g ON n.kind = 0 AND g.ino = n.ino"

#define TEXTS                                                                                                          \
	"SELECT d.cookie, d.ino, CASE WHEN n.size <= ?3 THEN v.text END FROM dirent d NOT INDEXED"                     \
	" JOIN node n ON n.ino = d.ino JOIN version v ON v.ino = d.ino WHERE d.parent = ?1"

static const char *const reader_sql[RD_COUNT] = {
	[RD_LOOKUP] = "SELECT " ATTR_COLUMNS " FROM dirent d INDEXED BY dirent_name"
		      " JOIN node n ON n.ino = d.ino" ATTR_JOIN " WHERE d.parent = ?1 AND d.hash = ?2 AND d.name = ?3",
	[RD_ATTR] = "SELECT " ATTR_COLUMNS " FROM node n" ATTR_JOIN " WHERE n.ino = ?1",
	[RD_PARENT] = "SELECT parent FROM node WHERE ino = ?1",
	[RD_LIST] =
		"SELECT " ATTR_COLUMNS ", d.cookie, d.name FROM dirent d NOT INDEXED"
		" JOIN node n ON n.ino = d.ino" ATTR_JOIN " WHERE d.parent = ?1 AND d.cookie > ?2 ORDER BY d.cookie",
	[RD_TEXT] = "SELECT n.size, n.kind, n.parent, CASE WHEN n.size <= ?2 THEN v.text END FROM node n"
		    " LEFT JOIN version v ON v.ino = n.ino WHERE n.ino = ?1 AND n.kind IN (1, 2, 3, 4)",
	[RD_NAMED] = "SELECT n.parent, v.uid FROM node n JOIN version v ON v.ino = n.ino WHERE n.ino = ?1",
	[RD_COOKIE] = "SELECT cookie FROM dirent INDEXED BY dirent_name WHERE parent = ?1 AND hash = ?2 AND ino = ?3",
	[RD_TEXTS] = TEXTS " AND d.cookie > ?2 ORDER BY d.cookie",
	[RD_TEXTS_BACK] = TEXTS " AND d.cookie < ?2 ORDER BY d.cookie DESC",
	/* The directory above says the locale (of entries, assets and folders) and the one above that the content type (of
	 * entries) or the locale (of files); a directory's own uid is in `directory`. */
	[RD_FACTS] = "SELECT n.kind, n.parent, v.uid, v.number, v.published_at, v.updated_at, v.title,"
		     " own.uid, up.uid, upup.uid, upn.parent, a.url, a.media_type FROM node n"
		     " LEFT JOIN version v ON v.ino = n.ino - (n.kind = 4) LEFT JOIN directory own ON own.ino = n.ino"
		     " LEFT JOIN directory up ON up.ino = n.parent LEFT JOIN node upn ON upn.ino = n.parent"
		     " LEFT JOIN directory upup ON upup.ino = upn.parent"
		     " LEFT JOIN asset a ON a.ino = n.ino AND n.kind = 4 WHERE n.ino = ?1",
	/* A file that lost its name is current as long as the one that has it now is of the same bytes. Nobody has those
	 * of an older generation any more. */
	[RD_ASSET] = "SELECT a.url, a.media_type, a.generation, n.size, a.file_size,"
		     " 'assets/' || ifnull(l.name, '') || '/' || ifnull(fo.name, '') || '/' || a.name,"
		     " EXISTS (SELECT 1 FROM dirent d JOIN asset b ON b.ino = d.ino"
		     " WHERE d.parent = n.parent AND b.url = a.url AND b.generation = a.generation)"
		     " FROM asset a JOIN node n ON n.ino = a.ino LEFT JOIN node f ON f.ino = n.parent"
		     " LEFT JOIN directory l ON l.ino = f.parent"
		     " LEFT JOIN dirent fo ON fo.parent = f.parent AND fo.cookie = f.ino WHERE a.ino = ?1"
		     " AND a.generation >= ifnull((SELECT max(c.generation) FROM asset c"
		     " WHERE c.url = a.url AND c.generation > 0), 0)",
	[RD_TOTALS] = "SELECT ifnull(sum(CASE WHEN d.ino = 2 THEN d.files END), 0),"
		      " ifnull(sum(CASE WHEN d.ino <> 2 AND n.parent <> 4 THEN d.files END), 0),"
		      " ifnull(sum(CASE WHEN n.parent = 4 THEN d.files END), 0),"
		      " count(*), ifnull(sum(d.bytes), 0),"
		      " ifnull(sum(CASE WHEN n.parent = 4 THEN d.subdirs END), 0), ifnull(sum(d.file_bytes), 0)"
		      " FROM directory d JOIN node n ON n.ino = d.ino",
	[RD_COUNTS] = "SELECT t.uid, l.uid, l.files FROM dirent a JOIN directory t ON t.ino = a.ino"
		      " JOIN dirent b ON b.parent = t.ino JOIN directory l ON l.ino = b.ino"
		      " WHERE a.parent = 3 ORDER BY t.name, l.name",
	[RD_SYNC_STATE] = "SELECT (SELECT count(*) FROM stream WHERE part_of = 0),"
			  " (SELECT count(*) FROM stream WHERE part_of = 0 AND NOT listed),"
			  " (SELECT ifnull(sum(pages), 0) FROM stream), (SELECT ifnull(sum(items), 0) FROM stream),"
			  " (SELECT count(*) FROM quarantine_item),"
			  " ifnull((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'announced'), 0),"
			  " ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)",
	[RD_NOTE] = "SELECT value FROM meta WHERE key = ?1",
	[RD_CHANGES] = "SELECT id, op, parent, old, name FROM change WHERE id > ?1 ORDER BY id",
	[RD_HISTORY] = "SELECT id, at, event_at, op, kind, content_type, locale, uid, title, parent, name"
		       " FROM change WHERE id > ?1 AND kind IN (1, 2, 3) ORDER BY id",
	[RD_HISTORY_START] = "SELECT id FROM change WHERE kind IN (1, 2, 3) ORDER BY id DESC LIMIT 1 OFFSET ?1",
	[RD_TITLE] = "SELECT v.title FROM dirent d INDEXED BY dirent_name JOIN version v ON v.ino = d.ino"
		     " WHERE d.parent = ?1 AND d.hash = ?2 AND d.name = ?3",
};

struct store_reader {
	sqlite3 *db;
	sqlite3_stmt *statements[RD_COUNT];
};

int reader_open(struct store_reader **out, const char *path, struct err *err)
{
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return err_set(err, -EINVAL, "there is no store at %s yet: run contentfs mount or contentfs sync",
			       path);
	struct store_reader *reader = calloc(1, sizeof(*reader));
	if (!reader)
		return err_oom(err);
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
	int rc = 0;
	errno = 0;
	if (sqlite3_open_v2(path, &reader->db, flags, NULL) != SQLITE_OK)
		rc = reader->db ? db_error(reader->db, err) : err_oom(err);
	if (rc == 0) {
		sqlite3_busy_timeout(reader->db, 10000); /* only while a store that was not closed is recovered */
		rc = schema_check(reader->db, err);
	}
	if (rc == 0)
		rc = db_exec(reader->db, "PRAGMA temp_store = MEMORY", err); /* else sorting may need room on a disk */
	if (rc == 0)
		rc = db_prepare_all(reader->db, reader_sql, reader->statements, RD_COUNT, err);
	if (rc < 0) {
		err_prefix(err, rc, "%s", path);
		reader_close(reader);
		return rc;
	}
	*out = reader;
	return 0;
}

void reader_close(struct store_reader *reader)
{
	if (!reader)
		return;
	db_finalize_all(reader->statements, RD_COUNT);
	sqlite3_close(reader->db);
	free(reader);
}

static void attr_of(sqlite3_stmt *row, struct node_attr *attr)
{
	*attr = (struct node_attr){
		.ino = sqlite3_column_int64(row, 0),
		.kind = (enum node_kind)sqlite3_column_int(row, 1),
		.size = sqlite3_column_int64(row, 2),
		.mtime = sqlite3_column_int64(row, 3),
		.links = sqlite3_column_int64(row, 4),
	};
}

int reader_lookup(struct store_reader *reader, int64_t parent, struct slice name, struct node_attr *attr)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_LOOKUP];
	sqlite3_bind_int64(row, 1, parent);
	sqlite3_bind_int(row, 2, name_hash(name));
	db_bind_text(row, 3, name);
	int rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	attr_of(row, attr);
	return 0;
}

int reader_attr(struct store_reader *reader, int64_t ino, struct node_attr *attr)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_ATTR];
	sqlite3_bind_int64(row, 1, ino);
	int rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ESTALE;
	attr_of(row, attr);
	return 0;
}

int reader_parent(struct store_reader *reader, int64_t ino, int64_t *parent)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_PARENT];
	sqlite3_bind_int64(row, 1, ino);
	int rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ESTALE;
	*parent = sqlite3_column_int64(row, 0);
	return 0;
}

int reader_list(struct store_reader *reader, int64_t ino, int64_t cookie,
		bool (*each)(void *context, const struct dir_entry *entry), void *context)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_LIST];
	sqlite3_bind_int64(row, 1, ino);
	sqlite3_bind_int64(row, 2, cookie);
	int rc;
	while ((rc = db_row(row, NULL)) > 0) {
		struct dir_entry entry = {.cookie = sqlite3_column_int64(row, 5)};
		entry.name.at = (const char *)sqlite3_column_text(row, 6);
		entry.name.len = (size_t)sqlite3_column_bytes(row, 6);
		attr_of(row, &entry.attr);
		if (!each(context, &entry))
			return 0;
	}
	return rc;
}

/* The blob does not outlive the call: an open one is an open read transaction, which keeps the log from being trimmed. */
static int text_piece(struct store_reader *reader, int64_t ino, int64_t offset, size_t size,
		      void (*take)(void *context, struct slice bytes), void *context)
{
	CLEANUP(cleanup_free) char *bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	sqlite3_blob *blob = NULL;
	errno = 0;
	int code = sqlite3_blob_open(reader->db, "main", "version", "text", ino, 0, &blob);
	if (code == SQLITE_OK)
		code = sqlite3_blob_read(blob, bytes, (int)size, (int)offset);
	int rc = code == SQLITE_OK ? 0 : code == SQLITE_ERROR ? -ESTALE /* no such row */ : db_error(reader->db, NULL);
	sqlite3_blob_close(blob);
	if (rc == 0)
		take(context, slice_make(bytes, size));
	return rc;
}

int reader_text(struct store_reader *reader, int64_t ino, int64_t offset, size_t size, int64_t *directory,
		void (*take)(void *context, struct slice bytes), void *context)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_TEXT];
	sqlite3_bind_int64(row, 1, ino);
	sqlite3_bind_int64(row, 2, TEXT_AT_ONCE_MAX);
	int rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ESTALE;
	int64_t total = sqlite3_column_int64(row, 0);
	if (sqlite3_column_int(row, 1) == NODE_FILE)
		return -EREMOTE;
	if (directory)
		*directory = sqlite3_column_int64(row, 2);
	if (offset >= total) {
		take(context, slice_make(NULL, 0));
		return 0;
	}
	if (size > (size_t)(total - offset))
		size = (size_t)(total - offset);
	if (total > TEXT_AT_ONCE_MAX) {
		sqlite3_reset(row);
		return text_piece(reader, ino, offset, size, take, context);
	}
	if (sqlite3_column_type(row, 3) == SQLITE_NULL)
		return -ESTALE;
	struct slice text = db_column_text(row, 3);
	size_t from = offset < (int64_t)text.len ? (size_t)offset : text.len;
	take(context, slice_make(text.at + from, text.len - from < size ? text.len - from : size));
	return 0;
}

int reader_cookie(struct store_reader *reader, int64_t ino, int64_t *cookie)
{
	char bytes[NAME_BYTES_MAX + 1];
	CLEANUP(db_reset) sqlite3_stmt *named = reader->statements[RD_NAMED];
	sqlite3_bind_int64(named, 1, ino);
	int rc = db_row(named, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ESTALE;
	struct slice name = slice_make(bytes, name_encode(db_column_text(named, 1), STORE_FILE_SUFFIX, bytes));
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_COOKIE];
	sqlite3_bind_int64(row, 1, sqlite3_column_int64(named, 0));
	sqlite3_bind_int(row, 2, name_hash(name));
	sqlite3_bind_int64(row, 3, ino);
	rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ESTALE;
	*cookie = sqlite3_column_int64(row, 0);
	return 0;
}

int reader_texts(struct store_reader *reader, int64_t parent, int64_t cookie, bool back, size_t longest,
		 bool (*each)(void *context, const struct dir_text *text), void *context)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[back ? RD_TEXTS_BACK : RD_TEXTS];
	sqlite3_bind_int64(row, 1, parent);
	sqlite3_bind_int64(row, 2, cookie);
	sqlite3_bind_int64(row, 3, (int64_t)longest);
	int rc;
	while ((rc = db_row(row, NULL)) > 0) {
		const struct dir_text text = {
			.cookie = sqlite3_column_int64(row, 0),
			.ino = sqlite3_column_int64(row, 1),
			.left_out = sqlite3_column_type(row, 2) == SQLITE_NULL,
			.text = db_column_text(row, 2),
		};
		if (!each(context, &text))
			return 0;
	}
	return rc;
}

static struct node_facts facts_of(sqlite3_stmt *row)
{
	struct node_facts facts = {
		.kind = (enum node_kind)sqlite3_column_int(row, 0),
		.uid = db_column_text(row, 2),
		.version = sqlite3_column_int64(row, 3),
		.published_at = sqlite3_column_int64(row, 4),
		.updated_at = db_column_text(row, 5),
		.title = db_column_text(row, 6),
		.url = db_column_text(row, 11),
	};
	struct slice own = db_column_text(row, 7);
	struct slice up = db_column_text(row, 8);
	struct slice upup = db_column_text(row, 9);
	int64_t parent = sqlite3_column_int64(row, 1);
	int64_t grandparent = sqlite3_column_int64(row, 10);
	switch (facts.kind) {
	case NODE_ENTRY:
		facts.content_type = upup;
		facts.locale = up;
		break;
	case NODE_ASSET:
	case NODE_FOLDER:
		facts.locale = up;
		break;
	case NODE_FILE:
		facts.content_type = db_column_text(row, 12);
		facts.locale = upup;
		break;
	case NODE_SCHEMA:
		facts.content_type = facts.uid;
		break;
	case NODE_DIRECTORY:
		if (parent == STORE_INO_ENTRIES)
			facts.content_type = own;
		if (grandparent == STORE_INO_ENTRIES)
			facts.content_type = up;
		if (grandparent == STORE_INO_ENTRIES || parent == STORE_INO_ASSETS)
			facts.locale = own;
		break;
	}
	return facts;
}

int reader_facts(struct store_reader *reader, int64_t ino, void (*take)(void *context, const struct node_facts *facts),
		 void *context)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_FACTS];
	sqlite3_bind_int64(row, 1, ino);
	int rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ESTALE;
	struct node_facts facts = facts_of(row);
	take(context, &facts);
	return 0;
}

int reader_asset(struct store_reader *reader, int64_t ino, void (*take)(void *context, const struct node_asset *asset),
		 void *context)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_ASSET];
	sqlite3_bind_int64(row, 1, ino);
	int rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ESTALE;
	const struct node_asset asset = {
		.url = db_column_text(row, 0),
		.media_type = db_column_text(row, 1),
		.generation = sqlite3_column_int64(row, 2),
		.size = sqlite3_column_int64(row, 3),
		.recorded = sqlite3_column_int64(row, 4),
		.path = (const char *)sqlite3_column_text(row, 5),
		.current = sqlite3_column_int(row, 6) != 0,
	};
	take(context, &asset);
	return 0;
}

int reader_totals(struct store_reader *reader, struct store_totals *totals, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_TOTALS];
	int rc = db_row(row, err);
	if (rc <= 0)
		return rc;
	*totals = (struct store_totals){
		.content_types = sqlite3_column_int64(row, 0),
		.entries = sqlite3_column_int64(row, 1),
		.assets = sqlite3_column_int64(row, 2),
		.asset_files = sqlite3_column_int64(row, 5), /* each in a folder of its own */
		.directories = sqlite3_column_int64(row, 3) + sqlite3_column_int64(row, 5),
		.bytes = sqlite3_column_int64(row, 4),
		.asset_bytes = sqlite3_column_int64(row, 6),
	};
	return 0;
}

int reader_counts(struct store_reader *reader,
		  void (*each)(void *context, struct slice content_type, struct slice locale, int64_t files),
		  void *context, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_COUNTS];
	int rc;
	while ((rc = db_row(row, err)) > 0)
		each(context, db_column_text(row, 0), db_column_text(row, 1), sqlite3_column_int64(row, 2));
	return rc;
}

int reader_sync_state(struct store_reader *reader, struct store_sync_state *state, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_SYNC_STATE];
	int rc = db_row(row, err);
	if (rc <= 0)
		return rc;
	*state = (struct store_sync_state){
		.complete = sqlite3_column_int64(row, 0) > 0 && sqlite3_column_int64(row, 1) == 0,
		.pages = (uint64_t)sqlite3_column_int64(row, 2),
		.items = (uint64_t)sqlite3_column_int64(row, 3),
		.quarantined = sqlite3_column_int64(row, 4),
		.announced = sqlite3_column_int64(row, 5),
		.journal_end = sqlite3_column_int64(row, 6),
	};
	return 0;
}

int reader_note(struct store_reader *reader, const char *key, struct buf *value)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_NOTE];
	db_bind_text(row, 1, slice_of(key));
	int rc = db_row(row, NULL);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	struct slice text = db_column_text(row, 0);
	return buf_append(value, text.at, text.len);
}

int reader_changes(struct store_reader *reader, int64_t after, bool (*each)(void *context, const struct change *change),
		   void *context, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_CHANGES];
	sqlite3_bind_int64(row, 1, after);
	int rc;
	while ((rc = db_row(row, err)) > 0) {
		struct change change = {
			.id = sqlite3_column_int64(row, 0),
			.op = (enum change_op)sqlite3_column_int(row, 1),
			.parent = sqlite3_column_int64(row, 2),
			.old = sqlite3_column_int64(row, 3),
		};
		change.name.at = (const char *)sqlite3_column_text(row, 4);
		change.name.len = (size_t)sqlite3_column_bytes(row, 4);
		if (!each(context, &change))
			return 0;
	}
	return rc;
}

/* Of a file that is there. The row is RD_TITLE's, held until its reset. */
static int title_of(struct store_reader *reader, int64_t parent, struct slice name, struct slice *title)
{
	sqlite3_stmt *row = reader->statements[RD_TITLE];
	sqlite3_reset(row);
	sqlite3_bind_int64(row, 1, parent);
	sqlite3_bind_int(row, 2, name_hash(name));
	db_bind_text(row, 3, name);
	int rc = db_row(row, NULL);
	if (rc > 0)
		*title = db_column_text(row, 0);
	return rc < 0 ? rc : 0;
}

int reader_history(struct store_reader *reader, int64_t after,
		   bool (*each)(void *context, const struct history *history), void *context, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_HISTORY];
	CLEANUP(db_reset) sqlite3_stmt *title = reader->statements[RD_TITLE];
	(void)title;
	sqlite3_bind_int64(row, 1, after);
	int rc;
	while ((rc = db_row(row, err)) > 0) {
		struct history history = {
			.id = sqlite3_column_int64(row, 0),
			.at = sqlite3_column_int64(row, 1),
			.event_at = sqlite3_column_int64(row, 2),
			.op = (enum change_op)sqlite3_column_int(row, 3),
			.kind = (enum node_kind)sqlite3_column_int(row, 4),
			.content_type = db_column_text(row, 5),
			.locale = db_column_text(row, 6),
			.uid = db_column_text(row, 7),
			.title = db_column_text(row, 8),
		};
		bool told = sqlite3_column_type(row, 8) != SQLITE_NULL;
		if (!told)
			rc = title_of(reader, sqlite3_column_int64(row, 9), db_column_text(row, 10), &history.title);
		if (rc < 0)
			return err_set(err, rc, "the titles cannot be read: %s", strerror(-rc));
		if (!each(context, &history))
			return 0;
	}
	return rc;
}

int reader_history_start(struct store_reader *reader, int64_t count, int64_t *after, struct err *err)
{
	CLEANUP(db_reset) sqlite3_stmt *row = reader->statements[RD_HISTORY_START];
	sqlite3_bind_int64(row, 1, count);
	int rc = db_row(row, err);
	if (rc < 0)
		return rc;
	*after = rc > 0 ? sqlite3_column_int64(row, 0) : 0;
	return 0;
}

int reader_check(struct store_reader *reader, struct err *err)
{
	return damage_check_whole(reader->db, err);
}
