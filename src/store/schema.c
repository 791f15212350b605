/*
 * How the store is laid out. `PRAGMA user_version` counts the migrations that were applied; a new one is appended to the
 * list and never changed once it was released.
 *
 * Attributes (node), names (dirent) and texts (version) are apart so that stat and listings never touch a page that holds
 * text. A file's node row never changes; a directory's does, at the end of the transaction that changes what is in it.
 */
#include "store/schema.h"

#include "store/db.h"
#include "store/types.h"
#include "tree/name.h"

#include <errno.h>

/* Milliseconds since the epoch as the service writes times. */
#define ISO(ms) "strftime('%Y-%m-%dT%H:%M:%fZ', " ms " / 1000.0, 'unixepoch')"

static const char *const migrations[] = {
	/* Names of dirents come first in their key for lookups; cookies give listings their order. A cookie is the first
	 * inode number that the name had, so it grows, stays when the name gets a new version, and never comes back. */
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE node ("
	" ino INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind INTEGER NOT NULL,"   /* enum node_kind */
	" parent INTEGER NOT NULL," /* the directory's ino; 0 while staged */
	" size INTEGER NOT NULL,"
	" mtime INTEGER NOT NULL,"    /* ns since the epoch */
	" event_at INTEGER NOT NULL," /* ms since the epoch; 0 for directories */
	" stream INTEGER NOT NULL);"

	"CREATE TABLE version ("
	" ino INTEGER PRIMARY KEY,"
	" uid TEXT NOT NULL,"
	" number INTEGER NOT NULL,"
	" published_at INTEGER NOT NULL," /* ms since the epoch */
	" updated_at TEXT NOT NULL,"
	" title TEXT NOT NULL,"
	" text TEXT NOT NULL);"

	"CREATE TABLE directory ("
	" ino INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" uid TEXT NOT NULL," /* the name before it was encoded */
	" subdirs INTEGER NOT NULL DEFAULT 0,"
	" files INTEGER NOT NULL DEFAULT 0,"
	" bytes INTEGER NOT NULL DEFAULT 0);" /* of the files directly in it */

	"CREATE TABLE dirent ("
	" parent INTEGER NOT NULL, name TEXT NOT NULL, cookie INTEGER NOT NULL, ino INTEGER NOT NULL,"
	" PRIMARY KEY (parent, name)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX dirent_order ON dirent (parent, cookie, ino);"

	/* Nodes that lost their name and may still be open somewhere. `at` is of the monotonic clock: all go at the next
	 * start. */
	"CREATE TABLE superseded (ino INTEGER PRIMARY KEY, at INTEGER NOT NULL, size INTEGER NOT NULL);"

	/* The journal of the tree: what the kernel has to be told and what `changes` shows. */
	"CREATE TABLE change ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" at INTEGER NOT NULL," /* ms since the epoch */
	" op INTEGER NOT NULL," /* enum change_op */
	" kind INTEGER NOT NULL,"
	" parent INTEGER NOT NULL, name TEXT NOT NULL,"
	" old INTEGER NOT NULL," /* the ino that lost the name; 0 if none */
	" event_at INTEGER NOT NULL,"
	" content_type TEXT NOT NULL, locale TEXT NOT NULL, uid TEXT NOT NULL);"

	/* One conversation with the Sync API each: its filters, its tokens, and the run that is under way. */
	"CREATE TABLE stream ("
	" id INTEGER PRIMARY KEY,"
	" content_type TEXT, locale TEXT,"
	" sync_token TEXT, page_token TEXT,"
	" run INTEGER NOT NULL DEFAULT 0,"
	" pages INTEGER NOT NULL DEFAULT 0, items INTEGER NOT NULL DEFAULT 0);"

	/* What a run that becomes visible at its end has gathered; removals are remembered by every run until it ends.
	 * An empty locale or uid in a removal stands for all of them. */
	"CREATE TABLE staged ("
	" kind INTEGER NOT NULL, content_type TEXT NOT NULL, locale TEXT NOT NULL, uid TEXT NOT NULL,"
	" stream INTEGER NOT NULL, ino INTEGER NOT NULL,"
	" PRIMARY KEY (kind, content_type, locale, uid)) WITHOUT ROWID;"
	"CREATE TABLE removal ("
	" kind INTEGER NOT NULL, content_type TEXT NOT NULL, locale TEXT NOT NULL, uid TEXT NOT NULL,"
	" stream INTEGER NOT NULL, event_at INTEGER NOT NULL,"
	" PRIMARY KEY (kind, content_type, locale, uid, stream)) WITHOUT ROWID;"
	"CREATE TABLE listed (stream INTEGER NOT NULL, ino INTEGER NOT NULL, PRIMARY KEY (stream, ino)) WITHOUT ROWID;"

	"CREATE TABLE quarantine_item ("
	" source TEXT PRIMARY KEY, at INTEGER NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;"

	"INSERT INTO node (ino, kind, parent, size, mtime, event_at, stream) VALUES"
	" (1, 0, 1, 0, 0, 0, 0), (2, 0, 1, 0, 0, 0, 0), (3, 0, 1, 0, 0, 0, 0), (4, 0, 1, 0, 0, 0, 0);"
	"UPDATE sqlite_sequence SET seq = 15 WHERE name = 'node';" /* 5 to 15 are for what is not in the store */
	"UPDATE node SET mtime = CAST(strftime('%s', 'now') AS INTEGER) * 1000000000;"
	"INSERT INTO directory (ino, name, uid, subdirs) VALUES"
	" (1, '', '', 3), (2, 'content_types', '', 0), (3, 'entries', '', 0), (4, 'assets', '', 0);"
	"INSERT INTO dirent (parent, name, cookie, ino) VALUES"
	" (1, 'content_types', 2, 2), (1, 'entries', 3, 3), (1, 'assets', 4, 4);"

	"CREATE VIEW entries (path, content_type, locale, uid, version, title, published_at, updated_at, ino, json) AS"
	" SELECT 'entries/' || t.name || '/' || l.name || '/' || d.name, t.uid, l.uid, v.uid, v.number, v.title,"
	"  " ISO(
		"v.published_at") ", v.updated_at, d.ino, v.text"
				  " FROM dirent d JOIN node n ON n.ino = d.ino AND n.kind = 1 JOIN version v ON v.ino = d.ino"
				  " JOIN directory l ON l.ino = d.parent JOIN node ln ON ln.ino = d.parent JOIN directory t ON t.ino = ln.parent;"

				  "CREATE VIEW assets (path, locale, uid, version, title, published_at, updated_at, ino, json) AS"
				  " SELECT 'assets/' || l.name || '/' || d.name, l.uid, v.uid, v.number, v.title,"
				  "  " ISO(
					  "v.published_at") ", v.updated_at, d.ino, v.text"
							    " FROM dirent d JOIN node n ON n.ino = d.ino AND n.kind = 2 JOIN version v ON v.ino = d.ino"
							    " JOIN directory l ON l.ino = d.parent;"

							    "CREATE VIEW changes (id, at, change, kind, content_type, locale, uid, event_at) AS"
							    " SELECT id, " ISO(
								    "at") ","
									  "  CASE op WHEN 1 THEN 'added' WHEN 2 THEN 'changed' ELSE 'removed' END,"
									  "  CASE kind WHEN 1 THEN 'entry' WHEN 2 THEN 'asset' ELSE 'content_type' END,"
									  "  content_type, locale, uid, " ISO(
										  "event_at") " FROM change WHERE kind > 0;"

											      "CREATE VIEW quarantine (at, reason, json) AS"
											      " SELECT " ISO(
												      "at") ", reason, source FROM quarantine_item;",

	/* First listings in parts; a quarantine that knows what its items are about. */
	"ALTER TABLE stream ADD COLUMN part_of INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stream ADD COLUMN types TEXT;"
	"ALTER TABLE stream ADD COLUMN total INTEGER NOT NULL DEFAULT 0;"

	"DROP VIEW quarantine;"
	"ALTER TABLE quarantine_item RENAME TO quarantine_before;"
	/* What is known of an item is its key, and `about` is empty; else `about` stands for its text. `program` is the
	 * version that could not apply it. `whole`: the text was not cut. */
	"CREATE TABLE quarantine_item ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
	" content_type TEXT NOT NULL, locale TEXT NOT NULL, uid TEXT NOT NULL, about TEXT NOT NULL,"
	" event_at INTEGER NOT NULL, stream INTEGER NOT NULL, at INTEGER NOT NULL,"
	" reason TEXT NOT NULL, program TEXT NOT NULL, whole INTEGER NOT NULL, source TEXT NOT NULL);"
	"CREATE UNIQUE INDEX quarantine_key ON quarantine_item (kind, content_type, locale, uid, about);"
	"INSERT INTO quarantine_item (kind, content_type, locale, uid, about, event_at, stream, at, reason, program, whole,"
	" source) SELECT 0, '', '', '', 'before ' || row_number() OVER (ORDER BY at), 0, 1, at, reason, '', 1, source"
	" FROM quarantine_before;"
	"DROP TABLE quarantine_before;"
	"CREATE VIEW quarantine (at, reason, json, kind, content_type, locale, uid) AS"
	" SELECT " ISO("at") ", reason, source,"
			     " CASE kind WHEN 1 THEN 'entry' WHEN 2 THEN 'asset' END, content_type, locale, uid"
			     " FROM quarantine_item;",

	/* Files of assets. `ino` is the file's node, the one after its record's. */
	"CREATE TABLE asset ("
	" ino INTEGER PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL, media_type TEXT NOT NULL,"
	" generation INTEGER NOT NULL);"
	"CREATE INDEX asset_changed ON asset (url) WHERE generation > 0;"
	"ALTER TABLE directory ADD COLUMN file_bytes INTEGER NOT NULL DEFAULT 0;" /* of the folders in it */

	"DROP VIEW assets;"
	"CREATE VIEW assets (path, locale, uid, version, title, published_at, updated_at, ino, json,"
	" file, file_ino, file_size, media_type, url) AS"
	" SELECT 'assets/' || l.name || '/' || d.name, l.uid, v.uid, v.number, v.title,"
	"  " ISO(
		"v.published_at") ", v.updated_at, d.ino, v.text,"
				  " 'assets/' || l.name || '/' || fo.name || '/' || fe.name, a.ino,"
				  " CASE WHEN f.size >= 0 THEN f.size END, a.media_type, a.url"
				  " FROM dirent d JOIN node n ON n.ino = d.ino AND n.kind = 2 JOIN version v ON v.ino = d.ino"
				  " JOIN directory l ON l.ino = d.parent"
				  " LEFT JOIN asset a ON a.ino = d.ino + 1 LEFT JOIN node f ON f.ino = a.ino"
				  " LEFT JOIN dirent fo ON fo.parent = d.parent AND fo.cookie = f.parent"
				  " LEFT JOIN dirent fe ON fe.parent = f.parent AND fe.ino = a.ino;"
				  "DROP VIEW changes;"
				  "CREATE VIEW changes (id, at, change, kind, content_type, locale, uid, event_at) AS"
				  " SELECT id, " ISO(
					  "at") ","
						"  CASE op WHEN 1 THEN 'added' WHEN 2 THEN 'changed' ELSE 'removed' END,"
						"  CASE kind WHEN 1 THEN 'entry' WHEN 2 THEN 'asset' ELSE 'content_type' END,"
						"  content_type, locale, uid, " ISO(
							"event_at") " FROM change WHERE kind IN (1, 2, 3);"

								    /* Where there are assets already, the stack is listed anew, beside what is there, to learn of their files. */
								    "CREATE TEMP TABLE again AS SELECT id FROM stream WHERE part_of = 0 AND run <> 9"
								    " AND EXISTS (SELECT 1 FROM node WHERE kind = 2);"
								    "DELETE FROM version WHERE ino IN (SELECT ino FROM staged WHERE stream IN (SELECT id FROM again));"
								    "DELETE FROM node WHERE ino IN (SELECT ino FROM staged WHERE stream IN (SELECT id FROM again));"
								    "DELETE FROM staged WHERE stream IN (SELECT id FROM again);"
								    "DELETE FROM removal WHERE stream IN (SELECT id FROM again);"
								    "DELETE FROM listed WHERE stream IN (SELECT id FROM again);"
								    "DELETE FROM stream WHERE part_of IN (SELECT id FROM again);"
								    "UPDATE stream SET sync_token = CASE WHEN run IN (7, 8) THEN NULL ELSE sync_token END,"
								    " page_token = NULL, run = 3, pages = 0, items = 0, total = 0 WHERE id IN (SELECT id FROM again);"
								    "DROP TABLE again;",

	/* Names stand in the order of listings, which is the order they come in; what has to be put in at random places is
	 * a short number for each. */
	"CREATE TABLE dirent_before AS SELECT parent, cookie, name, ino FROM dirent;"
	"DROP TABLE dirent;"
	"CREATE TABLE dirent ("
	" parent INTEGER NOT NULL, cookie INTEGER NOT NULL, hash INTEGER NOT NULL, name TEXT NOT NULL, ino INTEGER NOT NULL,"
	" PRIMARY KEY (parent, cookie)) WITHOUT ROWID;"
	"INSERT INTO dirent (parent, cookie, hash, name, ino)"
	" SELECT parent, cookie, name_hash(name), name, ino FROM dirent_before ORDER BY parent, cookie;"
	"DROP TABLE dirent_before;"
	"CREATE INDEX dirent_name ON dirent (parent, hash);",

	/* What a file that is gone was called; NULL of one that is there, whose version says it. */
	"ALTER TABLE change ADD COLUMN title TEXT;",

	/* The size as the record says it, -1 if it does not; a node's size may have been learnt since. */
	("ALTER TABLE asset ADD COLUMN file_size INTEGER NOT NULL DEFAULT -1;"
	 "UPDATE asset SET file_size = ifnull((SELECT n.size FROM node n WHERE n.ino = asset.ino), -1);"),

	/* Whether a listing of the stream was visible as a whole once, which its tokens do not say. */
	("ALTER TABLE stream ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE stream SET listed = sync_token IS NOT NULL AND run NOT IN (7, 8) OR run = 9;"),
};

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

static int pragma(sqlite3 *db, const char *sql, int *value, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = db_prepare(db, sql, &stmt, err);
	if (rc < 0)
		return rc;
	rc = db_row(stmt, err);
	if (rc > 0) {
		*value = sqlite3_column_int(stmt, 0);
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* How many migrations the file has; 0 for an empty file. */
static int version_of(sqlite3 *db, int *version, struct err *err)
{
	int id = 0;
	int tables = 0;
	int rc = pragma(db, "PRAGMA application_id", &id, err);
	if (rc == 0)
		rc = pragma(db, "PRAGMA user_version", version, err);
	if (rc == 0 && id != SCHEMA_APPLICATION_ID)
		rc = pragma(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (rc < 0)
		return rc;
	if (id == SCHEMA_APPLICATION_ID && *version > VERSION)
		return err_set(err, -EINVAL,
			       "the store was written by a newer contentfs (layout %d, this one knows %d): "
			       "upgrade contentfs, or name another file with --store",
			       *version, VERSION);
	if (id != SCHEMA_APPLICATION_ID && (tables > 0 || *version != 0))
		return err_set(err, -EINVAL,
			       "the file is a database of another program: name another file with --store");
	return 0;
}

int schema_accept(sqlite3 *db, struct err *err)
{
	int version = 0;
	int rc = version_of(db, &version, err);
	return rc < 0 ? rc : version == VERSION;
}

int schema_check(sqlite3 *db, struct err *err)
{
	int version = 0;
	int rc = version_of(db, &version, err);
	if (rc < 0)
		return rc;
	if (version < VERSION)
		return err_set(err, -EINVAL, "the store is empty or of an older contentfs: run contentfs sync");
	return 0;
}

/* name_hash(TEXT), for migrations alone: a store that is written has no use for it. */
static void hash_of(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	const char *name = (const char *)sqlite3_value_text(values[0]);
	sqlite3_result_int(context, name_hash(slice_of(name ? name : "")));
}

static int apply(sqlite3 *db, int version, struct err *err)
{
	if (sqlite3_create_function(db, "name_hash", 1, SQLITE_UTF8, NULL, hash_of, NULL, NULL) != SQLITE_OK)
		return db_error(db, err);
	for (; version < VERSION; version++) {
		int rc = db_exec(db, migrations[version], err);
		if (rc < 0)
			return rc;
	}
	char sql[96];
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA user_version = %d; PRAGMA application_id = %d", VERSION,
			 SCHEMA_APPLICATION_ID);
	return db_exec(db, sql, err);
}

int schema_migrate(sqlite3 *db, struct err *err)
{
	int version = 0;
	int rc = version_of(db, &version, err);
	if (rc < 0 || version == VERSION)
		return rc;
	rc = db_exec(db, "BEGIN IMMEDIATE", err);
	if (rc < 0)
		return rc;
	rc = apply(db, version, err);
	if (rc == 0)
		rc = db_exec(db, "COMMIT", err);
	if (rc < 0)
		db_exec(db, "ROLLBACK", NULL);
	return rc;
}

int schema_number_from(sqlite3 *db, int64_t after, struct err *err)
{
	char sql[512];
	/* The journal ends there, so that is how far it was announced. */
	sqlite3_snprintf(sizeof(sql), sql,
			 "BEGIN IMMEDIATE;"
			 "INSERT INTO sqlite_sequence (name, seq) SELECT 'change', 0"
			 " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'change');"
			 "UPDATE sqlite_sequence SET seq = max(seq, %lld) WHERE name IN ('node', 'change');"
			 "INSERT OR REPLACE INTO meta (key, value) SELECT 'announced', seq FROM sqlite_sequence"
			 " WHERE name = 'change';"
			 "INSERT OR REPLACE INTO meta (key, value) VALUES ('%s', %lld);"
			 "COMMIT",
			 (long long)after, NOTE_NUMBERED_AFTER, (long long)after);
	int rc = db_exec(db, sql, err);
	if (rc < 0)
		db_exec(db, "ROLLBACK", NULL);
	return rc;
}
