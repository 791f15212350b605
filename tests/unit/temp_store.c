#include "temp_store.h"

#include "util/cleanup.h"

#include <errno.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct store_identity temp_identity = {"https://cdn.example.org", "blt1", "preview", "main", ""};

void temp_must(int rc, const struct err *err, const char *what)
{
	if (rc >= 0)
		return;
	printf("Bail out! %s: %s (%s)\n", what, err ? err->text : "", strerror(-rc));
	fflush(stdout);
	_exit(1);
}

/* --- folders ------------------------------------------------------------------------------------------------------ */

char *temp_folder_make(char folder[TEMP_PATH_SIZE])
{
	const char *under = getenv("TMPDIR");
	snprintf(folder, TEMP_PATH_SIZE, "%s/contentfs-test-XXXXXX", under && *under ? under : "/tmp");
	temp_must(mkdtemp(folder) ? 0 : -errno, NULL, folder);
	return folder;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void temp_folder_remove(const char *folder)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void temp_file_write(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	bool written = file && fwrite(bytes, 1, len, file) == len;
	if (file && fclose(file) != 0)
		written = false;
	temp_must(written ? 0 : -errno, NULL, path);
}

void temp_file_read(const char *path, struct buf *out)
{
	char bytes[4096];
	FILE *file = fopen(path, "r");
	temp_must(file ? 0 : -errno, NULL, path);
	for (size_t len; (len = fread(bytes, 1, sizeof(bytes), file)) > 0;)
		buf_append(out, bytes, len);
	fclose(file);
}

/* --- the store ---------------------------------------------------------------------------------------------------- */

void temp_store_init(struct temp_store *temp)
{
	*temp = (struct temp_store){.answer = BUF_INIT};
	temp_folder_make(temp->folder);
	snprintf(temp->path, sizeof(temp->path), "%s/store.db", temp->folder);
}

void temp_store_start(struct temp_store *temp)
{
	struct err err = {0};
	temp_must(store_open(&temp->store, temp->path, &temp_identity, &err), &err, "store_open");
	temp_must(reader_open(&temp->reader, temp->path, &err), &err, "reader_open");
}

void temp_store_stop(struct temp_store *temp)
{
	reader_close(temp->reader);
	store_close(temp->store);
	temp->reader = NULL;
	temp->store = NULL;
}

void temp_store_open(struct temp_store *temp)
{
	temp_store_init(temp);
	temp_store_start(temp);
}

void temp_store_finish(struct temp_store *temp)
{
	temp_store_stop(temp);
	temp_folder_remove(temp->folder);
	buf_finish(&temp->answer);
}

/* --- looking into it ---------------------------------------------------------------------------------------------- */

static void append_row(struct buf *out, sqlite3_stmt *row)
{
	for (int i = 0; i < sqlite3_column_count(row); i++) {
		const char *text = (const char *)sqlite3_column_text(row, i);
		buf_printf(out, "%s%s", i ? "|" : out->len ? " " : "", text ? text : "-");
	}
}

static int ask(sqlite3 *db, const char *sql, struct buf *out)
{
	int code = SQLITE_OK;
	while (code == SQLITE_OK && *sql) {
		sqlite3_stmt *row = NULL;
		code = sqlite3_prepare_v2(db, sql, -1, &row, &sql);
		while (code == SQLITE_OK && row && (code = sqlite3_step(row)) == SQLITE_ROW) {
			append_row(out, row);
			code = SQLITE_OK;
		}
		if (code == SQLITE_DONE)
			code = SQLITE_OK;
		sqlite3_finalize(row);
	}
	return code;
}

/* Closed by whoever opens it, also where that failed. */
static int open_beside(const struct temp_store *temp, sqlite3 **db)
{
	int code = sqlite3_open_v2(temp->path, db, SQLITE_OPEN_READWRITE, NULL);
	return code == SQLITE_OK ? sqlite3_busy_timeout(*db, 5000) : code;
}

const char *temp_store_ask(struct temp_store *temp, const char *sql)
{
	sqlite3 *db = NULL;
	buf_reset(&temp->answer);
	if (open_beside(temp, &db) != SQLITE_OK || ask(db, sql, &temp->answer) != SQLITE_OK)
		buf_printf(&temp->answer, "(%s)", sqlite3_errmsg(db));
	sqlite3_close(db);
	return buf_text(&temp->answer);
}

static const struct {
	const char *name;
	const char *sql; /* no row where all is well */
} invariants[] = {
	{"the file is sound", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
	{"a name points to a node in its directory",
	 "SELECT d.name FROM dirent d LEFT JOIN node n ON n.ino = d.ino AND n.parent = d.parent WHERE n.ino IS NULL"},
	{"a node has one name at most", "SELECT ino FROM dirent GROUP BY ino HAVING count(*) > 1"},
	{"a named file has a text of its size",
	 "SELECT d.name FROM dirent d JOIN node n ON n.ino = d.ino AND n.kind IN (1, 2, 3) LEFT JOIN version v ON v.ino = d.ino"
	 " WHERE v.ino IS NULL OR n.size <> length(CAST(v.text AS BLOB))"},
	{"every text has a node, and every node of a file a text",
	 "SELECT ino FROM version WHERE ino NOT IN (SELECT ino FROM node WHERE kind IN (1, 2, 3))"
	 " UNION ALL SELECT ino FROM node WHERE kind IN (1, 2, 3) AND ino NOT IN (SELECT ino FROM version)"},
	{"a node is named, staged or superseded, and only one of these",
	 "SELECT ino FROM node n WHERE ino > 1 AND 1 <> (SELECT count(*) FROM dirent d WHERE d.ino = n.ino)"
	 " + (SELECT count(*) FROM staged s WHERE s.ino = n.ino - (n.kind = 4))"
	 " + (SELECT count(*) FROM superseded s WHERE s.ino = n.ino)"},
	{"what is staged or superseded is a node",
	 "SELECT ino FROM staged WHERE ino NOT IN (SELECT ino FROM node)"
	 " UNION ALL SELECT ino FROM superseded WHERE ino NOT IN (SELECT ino FROM node)"},
	{"every named directory has its counters, and no other",
	 "SELECT ino FROM directory WHERE ino > 1 AND ino NOT IN (SELECT ino FROM dirent)"
	 " UNION ALL SELECT d.ino FROM dirent d JOIN node n ON n.ino = d.ino"
	 " WHERE n.kind = 0 AND d.ino NOT IN (SELECT ino FROM directory)"},
	{"the counters of a directory say what is in it",
	 "SELECT g.ino, g.subdirs, g.files, g.bytes FROM directory g WHERE (g.subdirs, g.files, g.bytes) IS NOT"
	 " (SELECT count(n.ino) FILTER (WHERE n.kind IN (0, 5)), count(n.ino) FILTER (WHERE n.kind IN (1, 2, 3)),"
	 "  ifnull(sum(n.size) FILTER (WHERE n.kind IN (1, 2, 3)), 0)"
	 "  FROM dirent d JOIN node n ON n.ino = d.ino WHERE d.parent = g.ino)"},
	{"no directory is empty but those that are always there",
	 "SELECT ino FROM directory WHERE ino > 15 AND subdirs = 0 AND files = 0"},
	{"numbers were given out for every node",
	 "SELECT seq FROM sqlite_sequence WHERE name = 'node' AND seq < (SELECT max(ino) FROM node)"},
	{"so do they of the files in the folders in it",
	 "SELECT g.ino, g.file_bytes FROM directory g WHERE g.file_bytes <>"
	 " (SELECT ifnull(sum(max(n.size, 0)), 0) FROM dirent f JOIN node fn ON fn.ino = f.ino AND fn.kind = 5"
	 "  JOIN dirent d ON d.parent = f.ino JOIN node n ON n.ino = d.ino WHERE f.parent = g.ino)"},
	{"a folder has one file",
	 "SELECT f.ino FROM dirent f JOIN node fn ON fn.ino = f.ino AND fn.kind = 5 WHERE 1 <>"
	 " (SELECT count(n.ino) FROM dirent d JOIN node n ON n.ino = d.ino AND n.kind = 4 WHERE d.parent = f.ino)"},
	{"a file is named if its record is, beside it",
	 "SELECT d.ino FROM dirent d JOIN node n ON n.ino = d.ino AND n.kind = 4 JOIN node f ON f.ino = n.parent"
	 " LEFT JOIN dirent r ON r.ino = d.ino - 1 AND r.parent = f.parent WHERE r.ino IS NULL"
	 " UNION ALL SELECT r.ino FROM dirent r JOIN node n ON n.ino = r.ino AND n.kind = 2"
	 " JOIN asset a ON a.ino = r.ino + 1 LEFT JOIN dirent d ON d.ino = a.ino WHERE d.ino IS NULL"},
	{"it is known where the bytes of every file are",
	 "SELECT ino FROM node WHERE kind = 4 AND ino NOT IN (SELECT ino FROM asset)"
	 " UNION ALL SELECT ino FROM asset WHERE ino NOT IN (SELECT ino FROM node WHERE kind = 4)"},
	{"a cookie is no newer than the node", "SELECT name FROM dirent WHERE cookie > ino"},
};

const char *temp_store_fault(struct temp_store *temp)
{
	sqlite3 *db = NULL;
	int code = open_beside(temp, &db);
	buf_reset(&temp->answer);
	for (size_t i = 0; temp->answer.len == 0 && i < sizeof(invariants) / sizeof(invariants[0]); i++) {
		CLEANUP(buf_finish) struct buf found = BUF_INIT;
		if (code == SQLITE_OK)
			code = ask(db, invariants[i].sql, &found);
		if (code != SQLITE_OK)
			buf_printf(&found, "(%s)", sqlite3_errmsg(db));
		if (found.len > 0)
			buf_printf(&temp->answer, "not so: %s: %s", invariants[i].name, buf_text(&found));
	}
	sqlite3_close(db);
	return buf_text(&temp->answer);
}

struct walk {
	struct temp_store *temp;
	struct buf path;
	struct buf *out;
	struct {
		int64_t ino;
		char name[256];
		bool is_directory;
		bool is_remote;
	} entries[512];
	size_t count;
};

static bool note_entry(void *context, const struct dir_entry *entry)
{
	struct walk *walk = context;
	size_t at = walk->count++;
	walk->entries[at].ino = entry->attr.ino;
	walk->entries[at].is_directory = entry->attr.kind == NODE_DIRECTORY || entry->attr.kind == NODE_FOLDER;
	walk->entries[at].is_remote = entry->attr.kind == NODE_FILE;
	snprintf(walk->entries[at].name, sizeof(walk->entries[at].name), "%s", entry->name.at);
	return walk->count < sizeof(walk->entries) / sizeof(walk->entries[0]);
}

static void take_text(void *context, struct slice bytes)
{
	buf_append((struct buf *)context, bytes.at, bytes.len);
}

static void take_asset(void *context, const struct node_asset *asset)
{
	buf_printf(context, "<%.*s %lld>", SLICE_FMT(asset->url), (long long)asset->size);
}

static void append_directory(struct temp_store *temp, int64_t ino, const char *path, struct buf *out)
{
	CLEANUP(cleanup_free) struct walk *walk = calloc(1, sizeof(*walk));
	temp_must(walk ? reader_list(temp->reader, ino, 0, note_entry, walk) : -ENOMEM, NULL, "reader_list");
	for (size_t i = 0; i < walk->count; i++) {
		CLEANUP(buf_finish) struct buf name = BUF_INIT;
		buf_printf(&name, "%s%s", path, walk->entries[i].name);
		buf_printf(out, "%s%s%s", out->len ? " " : "", name.text, walk->entries[i].is_directory ? "/" : "=");
		if (walk->entries[i].is_directory) {
			buf_append_char(&name, '/');
			append_directory(temp, walk->entries[i].ino, name.text, out);
		} else if (walk->entries[i].is_remote) {
			temp_must(reader_asset(temp->reader, walk->entries[i].ino, take_asset, out), NULL, name.text);
		} else {
			temp_must(reader_text(temp->reader, walk->entries[i].ino, 0, 1 << 20, NULL, take_text, out),
				  NULL, name.text);
		}
	}
}

const char *temp_store_tree(struct temp_store *temp)
{
	buf_reset(&temp->answer);
	append_directory(temp, STORE_INO_ROOT, "", &temp->answer);
	return buf_text(&temp->answer);
}

int64_t temp_store_ino(struct temp_store *temp, const char *path)
{
	int64_t ino = STORE_INO_ROOT;
	while (*path) {
		struct node_attr attr;
		size_t len = strcspn(path, "/");
		int rc = reader_lookup(temp->reader, ino, slice_make(path, len), &attr);
		if (rc == -ENOENT)
			return 0;
		temp_must(rc, NULL, path);
		ino = attr.ino;
		path += len + (path[len] == '/');
	}
	return ino;
}

/* --- writing to it ------------------------------------------------------------------------------------------------ */

struct store_key temp_entry(const char *content_type, const char *locale, const char *uid)
{
	return (struct store_key){NODE_ENTRY, slice_of(content_type), slice_of(locale), slice_of(uid)};
}

struct store_key temp_asset(const char *locale, const char *uid)
{
	return (struct store_key){.kind = NODE_ASSET, .locale = slice_of(locale), .uid = slice_of(uid)};
}

struct store_key temp_schema(const char *uid)
{
	return (struct store_key){.kind = NODE_SCHEMA, .uid = slice_of(uid)};
}

struct store_item temp_item(struct store_key key, int64_t event_at, const char *text)
{
	return (struct store_item){
		.key = key,
		.stream = 1,
		.event_at = event_at,
		.published_at = event_at,
		.number = 1,
		.updated_at = slice_of("2026-01-02T03:04:05.678Z"),
		.title = slice_of("A title"),
		.text = slice_of(text),
	};
}

void temp_store_place(struct temp_store *temp, struct store_key key, int64_t event_at, const char *text)
{
	const struct store_item item = temp_item(key, event_at, text);
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(store_place(temp->store, &item, &err), &err, "store_place");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

void temp_store_quarantine(struct temp_store *temp, const char *source)
{
	const struct store_suspect suspect = {.stream = 1, .source = slice_of(source), .reason = "because"};
	struct err err = {0};
	temp_must(store_quarantine(temp->store, &suspect, &err), &err, "store_quarantine");
}

void temp_store_unplace(struct temp_store *temp, struct store_key key, int64_t event_at)
{
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(store_unplace(temp->store, &key, event_at, &err), &err, "store_unplace");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}
