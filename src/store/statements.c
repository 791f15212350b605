#include "store/statements.h"

#define NAMED "parent = ?1 AND hash = ?2 AND name = ?3"
#define STREAM_COLUMNS                                                                                                 \
	"id, part_of, run, pages, items, total, content_type, locale, types, sync_token, page_token, listed"

const char *const statement_sql[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",

	[ST_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[ST_META_SET] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
			" ON CONFLICT (key) DO UPDATE SET value = excluded.value",

	[ST_DIRENT_GET] = "SELECT ino FROM dirent INDEXED BY dirent_name WHERE " NAMED,
	[ST_DIRENT_ADD] = "INSERT INTO dirent (parent, hash, name, cookie, ino) VALUES (?1, ?2, ?3, ?4, ?4)",
	[ST_DIRENT_SET] = "UPDATE dirent INDEXED BY dirent_name SET ino = ?4 WHERE " NAMED,
	[ST_DIRENT_REMOVE] = "DELETE FROM dirent INDEXED BY dirent_name WHERE " NAMED,
	[ST_DIRENT_FILES] = "SELECT d.ino FROM dirent d JOIN node n ON n.ino = d.ino"
			    " WHERE d.parent = ?1 AND n.kind IN (1, 2, 3) AND n.event_at <= ?2",
	[ST_DIRENT_DIRECTORIES] = "SELECT d.ino FROM dirent d JOIN node n ON n.ino = d.ino"
				  " WHERE d.parent = ?1 AND n.kind = 0",

	[ST_NODE_ADD] =
		"INSERT INTO node (kind, parent, size, mtime, event_at, stream) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[ST_NODE_GET] = "SELECT kind, parent, size, event_at FROM node WHERE ino = ?1",
	[ST_NODE_ADOPT] = "UPDATE node SET parent = ?2 WHERE ino = ?1",
	[ST_NODE_TOUCH] = "UPDATE node SET event_at = ?2 WHERE ino = ?1",
	[ST_NODE_REMOVE] = "DELETE FROM node WHERE ino = ?1",
	/* What the journal says of a file that is losing its name. */
	[ST_NODE_FACTS] = "SELECT n.kind, n.parent, n.size, n.event_at, v.uid, l.uid, t.uid, v.title FROM node n"
			  " JOIN version v ON v.ino = n.ino JOIN directory l ON l.ino = n.parent"
			  " JOIN node ln ON ln.ino = n.parent JOIN directory t ON t.ino = ln.parent WHERE n.ino = ?1",

	[ST_VERSION_ADD] = "INSERT INTO version (ino, uid, number, published_at, updated_at, title, text)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ST_VERSION_NUMBER] = "SELECT number FROM version WHERE ino = ?1",
	[ST_VERSION_TEXT] = "SELECT text FROM version WHERE ino = ?1",
	[ST_VERSION_REMOVE] = "DELETE FROM version WHERE ino = ?1",

	[ST_ASSET_ADD] = "INSERT INTO asset (ino, name, url, media_type, generation, file_size)"
			 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[ST_ASSET_CATCH_UP] = "WITH known AS (SELECT max(b.generation) AS latest FROM asset a JOIN asset b"
			      " ON b.url = a.url AND b.generation > 0 WHERE a.ino = ?1)"
			      " UPDATE asset SET generation = (SELECT latest FROM known)"
			      " WHERE ino = ?1 AND generation < (SELECT latest FROM known)",
	[ST_ASSET_GET] = "SELECT name, url, media_type FROM asset WHERE ino = ?1",
	[ST_ASSET_REMOVE] = "DELETE FROM asset WHERE ino = ?1",
	/* A file that stands in the tree, the directory that counts it, and how large it was held to be. */
	[ST_ASSET_PLACE] = "SELECT f.parent, n.size FROM node n JOIN node f ON f.ino = n.parent"
			   " JOIN dirent d ON d.parent = n.parent AND d.ino = n.ino WHERE n.ino = ?1 AND n.kind = 4",
	[ST_ASSET_MEASURE] = "UPDATE node SET size = ?2 WHERE ino = ?1 AND kind = 4",
	[ST_ASSET_OF_URL] = "SELECT d.ino FROM asset a JOIN node n ON n.ino = a.ino"
			    " JOIN dirent d ON d.parent = n.parent AND d.ino = a.ino"
			    " WHERE a.url = ?1 AND a.generation <= ?2",
	[ST_ASSET_RECORD] =
		"SELECT n.event_at, n.stream, v.uid, v.number, v.published_at, v.updated_at, v.title, v.text,"
		" l.uid, a.name, a.url, a.media_type FROM node n JOIN version v ON v.ino = n.ino"
		" JOIN directory l ON l.ino = n.parent JOIN asset a ON a.ino = n.ino + 1 WHERE n.ino = ?1",

	[ST_DIRECTORY_ADD] = "INSERT INTO directory (ino, name, uid) VALUES (?1, ?2, ?3)",
	[ST_DIRECTORY_UPDATE] = "UPDATE directory SET subdirs = subdirs + ?2, files = files + ?3, bytes = bytes + ?4,"
				" file_bytes = file_bytes + ?5 WHERE ino = ?1",
	[ST_DIRECTORY_MTIME] = "UPDATE node SET mtime = max(mtime + 1, ?2) WHERE ino = ?1",
	[ST_DIRECTORY_EMPTY] = "SELECT d.ino, d.name, n.parent FROM directory d JOIN node n ON n.ino = d.ino"
			       " WHERE d.subdirs = 0 AND d.files = 0 AND d.ino > 15 LIMIT 1",
	[ST_DIRECTORY_REMOVE] = "DELETE FROM directory WHERE ino = ?1",

	[ST_SUPERSEDE] = "INSERT INTO superseded (ino, at, size) VALUES (?1, ?2, ?3)",
	[ST_SUPERSEDED_IS] = "SELECT 1 FROM superseded WHERE ino = ?1",
	[ST_SUPERSEDED_REMOVE] = "DELETE FROM superseded WHERE ino = ?1",
	[ST_SUPERSEDED_ALL] = "SELECT ino FROM superseded",
	[ST_SUPERSEDED_OLD] = "SELECT ino, at, size FROM superseded ORDER BY at, ino",
	[ST_SUPERSEDED_SIZE] = "SELECT ifnull(sum(size), 0) FROM superseded",

	[ST_CHANGE_ADD] = "INSERT INTO change (at, op, kind, parent, name, old, event_at, content_type, locale, uid)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[ST_CHANGE_DATE] = "UPDATE change SET at = ?2 WHERE id > ?1",
	[ST_CHANGE_DATE_PLACES] =
		"UPDATE node SET mtime = max(mtime, ?2) WHERE ino IN (SELECT parent FROM change WHERE id > ?1)",
	[ST_CHANGE_TITLE] = "UPDATE change SET title = ?2 WHERE id = ?1",
	[ST_CHANGE_END] = "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)",
	[ST_CHANGE_TRIM] = "DELETE FROM change WHERE id <= ?1",

	[ST_STAGED_GET] = "SELECT s.ino, n.event_at, v.number FROM staged s JOIN node n ON n.ino = s.ino"
			  " JOIN version v ON v.ino = s.ino"
			  " WHERE s.kind = ?1 AND s.content_type = ?2 AND s.locale = ?3 AND s.uid = ?4",
	[ST_STAGED_SET] = "INSERT INTO staged (kind, content_type, locale, uid, stream, ino)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			  " ON CONFLICT DO UPDATE SET stream = excluded.stream, ino = excluded.ino",
	[ST_STAGED_EACH] = "SELECT kind, content_type, locale, uid, ino FROM staged WHERE stream = ?1",
	[ST_STAGED_INOS] = "SELECT ino FROM staged WHERE stream = ?1",
	[ST_STAGED_COVERED] = "SELECT s.locale, s.uid FROM staged s JOIN node n ON n.ino = s.ino"
			      " WHERE s.kind = ?1 AND s.content_type = ?2 AND (?3 = '' OR s.locale = ?3)"
			      " AND (?4 = '' OR s.uid = ?4) AND n.event_at <= ?5 LIMIT 1",
	[ST_STAGED_REMOVE] = "DELETE FROM staged WHERE kind = ?1 AND content_type = ?2 AND locale = ?3 AND uid = ?4",
	[ST_STAGED_FORGET] = "DELETE FROM staged WHERE stream = ?1",

	[ST_REMOVAL_COUNT] = "SELECT count(*) FROM removal",
	[ST_REMOVAL_NOTE] = "INSERT INTO removal (kind, content_type, locale, uid, stream, event_at)"
			    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			    " ON CONFLICT DO UPDATE SET event_at = max(event_at, excluded.event_at)",
	[ST_REMOVAL_NEWEST] = "SELECT max(event_at) FROM removal WHERE kind = ?1 AND content_type = ?2"
			      " AND locale IN (?3, '') AND uid IN (?4, '')",
	[ST_REMOVAL_EACH] = "SELECT kind, content_type, locale, uid, event_at FROM removal WHERE stream = ?1",
	[ST_REMOVAL_FORGET] = "DELETE FROM removal WHERE stream = ?1",

	[ST_GATHERED] = "SELECT EXISTS (SELECT 1 FROM staged WHERE stream = ?1)"
			" OR EXISTS (SELECT 1 FROM removal WHERE stream = ?1)",

	[ST_LISTED_ADD] = "INSERT OR IGNORE INTO listed (stream, ino) VALUES (?1, ?2)",
	[ST_LISTED_FOLLOW] = "INSERT OR IGNORE INTO listed (stream, ino) SELECT n.stream, ?2 FROM node n"
			     " JOIN listed l ON l.stream = n.stream AND l.ino = n.ino WHERE n.ino = ?1",
	[ST_LISTED_NOT] = "SELECT d.ino FROM dirent d JOIN node n ON n.ino = d.ino"
			  " WHERE n.stream = ?1 AND n.kind IN (1, 2)"
			  " AND NOT EXISTS (SELECT 1 FROM listed WHERE listed.stream = ?1 AND listed.ino = d.ino)",
	[ST_LISTED_FORGET] = "DELETE FROM listed WHERE stream = ?1",

	[ST_QUARANTINE_ADD] =
		"INSERT INTO quarantine_item (kind, content_type, locale, uid, about, event_at, stream, at,"
		" reason, program, whole, source)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT DO UPDATE SET event_at = excluded.event_at, stream = excluded.stream,"
		" at = excluded.at, reason = excluded.reason, program = excluded.program,"
		" whole = excluded.whole, source = excluded.source"
		" WHERE quarantine_item.event_at <= excluded.event_at",
	[ST_QUARANTINE_COUNT] = "SELECT count(*) FROM quarantine_item",
	[ST_QUARANTINE_SETTLE] = "DELETE FROM quarantine_item WHERE kind = ?1 AND content_type = ?2"
				 " AND (?3 = '' OR locale = ?3) AND (?4 = '' OR uid = ?4) AND event_at <= ?5",
	[ST_QUARANTINE_FORGET] = "DELETE FROM quarantine_item WHERE stream = ?1",
	[ST_QUARANTINE_NEXT] = "SELECT id, stream, whole, source, about = '' FROM quarantine_item WHERE id > ?1"
			       " AND program <> ?2 ORDER BY id LIMIT 1",
	[ST_QUARANTINE_REMOVE] = "DELETE FROM quarantine_item WHERE id = ?1",
	[ST_QUARANTINE_LOST] = "SELECT ifnull(sum(1), 0) FROM (SELECT id FROM quarantine_item ORDER BY id DESC"
			       " LIMIT -1 OFFSET ?1)",
	[ST_QUARANTINE_TRIM] = "DELETE FROM quarantine_item WHERE id IN (SELECT id FROM quarantine_item"
			       " ORDER BY id DESC LIMIT -1 OFFSET ?1)",
	[ST_QUARANTINE_SIZE] = "SELECT ifnull(sum(length(CAST(source AS BLOB))), 0) FROM quarantine_item",
	[ST_QUARANTINE_CUT] = "UPDATE quarantine_item SET whole = 0, source = substr(source, 1, 1024) WHERE whole"
			      " AND id IN (SELECT id FROM quarantine_item ORDER BY id LIMIT ?1)",

	[ST_STREAM_GET] = "SELECT " STREAM_COLUMNS " FROM stream WHERE id = ?1",
	[ST_STREAM_SET] = "INSERT OR REPLACE INTO stream (" STREAM_COLUMNS ")"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[ST_STREAM_PARTS] = "SELECT " STREAM_COLUMNS " FROM stream WHERE part_of = ?1 ORDER BY id",
	[ST_STREAM_FORGET_PARTS] = "DELETE FROM stream WHERE part_of = ?1",

	[ST_SCHEMA_EACH] = "SELECT v.uid FROM dirent c JOIN version v ON v.ino = c.ino WHERE c.parent = 2",
	[ST_SCHEMA_NEWEST] = "SELECT ifnull(max(n.event_at), 0) FROM dirent c JOIN node n ON n.ino = c.ino"
			     " WHERE c.parent = 2",
	[ST_SCHEMA_MISSING] = "SELECT d.uid FROM directory d JOIN node n ON n.ino = d.ino WHERE n.parent = 3"
			      " AND NOT EXISTS (SELECT 1 FROM dirent c JOIN version v ON v.ino = c.ino"
			      " WHERE c.parent = 2 AND v.uid = d.uid)",
	[ST_SCHEMA_STALE] = "SELECT c.ino FROM dirent c JOIN node n ON n.ino = c.ino JOIN version v ON v.ino = c.ino"
			    " WHERE c.parent = 2 AND n.event_at < ?1"
			    " AND NOT EXISTS (SELECT 1 FROM directory d JOIN node dn ON dn.ino = d.ino"
			    " WHERE dn.parent = 3 AND d.uid = v.uid)",
};
