#include "store/damage.h"

#include "store/db.h"
#include "store/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t file_size(const char *path, const char *suffix)
{
	CLEANUP(buf_finish) struct buf name = BUF_INIT;
	struct stat st;
	buf_printf(&name, "%s%s", path, suffix);
	return name.failed || stat(name.text, &st) < 0 ? 0 : st.st_size;
}

/* --- the file's length -------------------------------------------------------------------------------------------- */

/* https://www.sqlite.org/fileformat.html#the_write_ahead_log */
#define WAL_HEADER_SIZE 32
#define WAL_SALT 16 /* in the header; 8 in a frame's */
#define FRAME_HEADER_SIZE 24

static int64_t be32(const unsigned char *at)
{
	return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* How many different pages between `from` and `to` (both counted from 1 and included) the journal holds. Reading the file
 * besides SQLite is safe: no lock is on it. */
static int64_t pages_in_journal(const char *path, int64_t page_size, int64_t from, int64_t to)
{
	CLEANUP(buf_finish) struct buf name = BUF_INIT;
	buf_printf(&name, "%s-wal", path);
	CLEANUP(cleanup_close) int fd = name.failed ? -1 : open(name.text, O_RDONLY | O_CLOEXEC);
	CLEANUP(cleanup_free) unsigned char *seen = calloc(1, (size_t)(to - from) / 8 + 1);
	unsigned char header[WAL_HEADER_SIZE];
	if (fd < 0 || !seen || pread(fd, header, sizeof(header), 0) != sizeof(header))
		return 0;
	int64_t found = 0;
	unsigned char frame[FRAME_HEADER_SIZE];
	for (off_t at = WAL_HEADER_SIZE; pread(fd, frame, sizeof(frame), at) == sizeof(frame);
	     at += FRAME_HEADER_SIZE + page_size) {
		int64_t page = be32(frame);
		if (memcmp(frame + 8, header + WAL_SALT, 8) != 0)
			break;
		if (page < from || page > to || seen[(page - from) / 8] & 1 << (page - from) % 8)
			continue;
		seen[(page - from) / 8] |= (unsigned char)(1 << (page - from) % 8);
		found++;
	}
	return found;
}

static int number(sqlite3 *db, const char *sql, int64_t *value, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = db_prepare(db, sql, &stmt, err);
	if (rc == 0)
		rc = db_row(stmt, err);
	if (rc > 0) {
		*value = sqlite3_column_int64(stmt, 0);
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

int damage_check_whole(sqlite3 *db, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = db_prepare(db, "SELECT quick_check FROM pragma_quick_check(1) WHERE quick_check <> 'ok'", &stmt, err);
	if (rc == 0)
		rc = db_row(stmt, err);
	if (rc > 0)
		rc = err_set(err, -EUCLEAN, "the store is damaged: %s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return rc;
}

/* After a kill the file may be shorter than the store, and the rest stand in the journal. SQLite itself compares the two
 * only where there is no journal. */
static int check_length(sqlite3 *db, const char *path, struct err *err)
{
	int64_t pages = 0;
	int64_t page_size = 0;
	int rc = number(db, "PRAGMA page_count", &pages, err);
	if (rc == 0)
		rc = number(db, "PRAGMA page_size", &page_size, err);
	if (rc < 0 || page_size == 0) /* SQLite knows of no such pages */
		return rc;
	int64_t size = file_size(path, "");
	int64_t there = size / page_size;
	if (there >= pages || pages_in_journal(path, page_size, there + 1, pages) == pages - there)
		return 0;
	if (size % page_size != 0)
		return err_set(err, -EUCLEAN, "the store is damaged: it is cut short");
	return damage_check_whole(db, err); /* what is missing may never have been used */
}

/* --- the trees in it ---------------------------------------------------------------------------------------------- */

/* A question for each end of each table, in the order of its key: answered by following its tree down one side. */
static const char probes_sql[] =
	"SELECT 'SELECT 1 FROM ' || t.name || ' ORDER BY ' || ifnull((SELECT group_concat(c.name || way.word, ', ')"
	"  FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk) c), 'rowid' || way.word) || ' LIMIT 1'"
	" FROM pragma_table_list t, (SELECT ' ASC' AS word UNION ALL SELECT ' DESC') way"
	" WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~'"
	" UNION ALL SELECT 'SELECT 1 FROM dirent INDEXED BY dirent_name ORDER BY parent, hash LIMIT 1'"
	" UNION ALL SELECT 'SELECT 1 FROM dirent INDEXED BY dirent_name"
	"  ORDER BY parent DESC, hash DESC LIMIT 1'";

/* What is always so. */
static const char facts_sql[] =
	"SELECT (SELECT count(*) FROM dirent d JOIN node n ON n.ino = d.ino WHERE d.parent = 1) = 3"
	" AND (SELECT seq FROM sqlite_sequence WHERE name = 'node') >= (SELECT max(ino) FROM node)";

static int check_trees(sqlite3 *db, struct err *err)
{
	sqlite3_stmt *probes = NULL;
	int64_t value = 0;
	int rc = db_prepare(db, probes_sql, &probes, err);
	while (rc == 0 && (rc = db_row(probes, err)) > 0)
		rc = number(db, (const char *)sqlite3_column_text(probes, 0), &value, err);
	sqlite3_finalize(probes);
	if (rc < 0)
		return rc;
	value = 0;
	rc = number(db, facts_sql, &value, err);
	if (rc == 0 && value != 1)
		rc = err_set(err, -EUCLEAN, "the store is damaged: its first directories are not there");
	return rc;
}

int damage_check(sqlite3 *db, const char *path, struct err *err)
{
	int rc = check_length(db, path, err);
	return rc < 0 ? rc : check_trees(db, err);
}

/* --- setting aside ------------------------------------------------------------------------------------------------ */

static const char *const files[] = {"", "-wal", "-shm"}; /* that a store is made of */
#define FILES (sizeof(files) / sizeof(files[0]))

bool damage_has_journal(const char *path)
{
	return file_size(path, "-wal") > 0;
}

bool damage_left_journal_only(const char *path)
{
	return file_size(path, "") == 0 && damage_has_journal(path);
}

static int rename_new(const char *path, const char *suffix, const char *target)
{
	CLEANUP(buf_finish) struct buf from = BUF_INIT;
	CLEANUP(buf_finish) struct buf to = BUF_INIT;
	buf_printf(&from, "%s%s", path, suffix);
	buf_printf(&to, "%s%s", target, suffix);
	if (from.failed || to.failed)
		return -ENOMEM;
	if (renameat2(AT_FDCWD, from.text, AT_FDCWD, to.text, RENAME_NOREPLACE) == 0 || errno == ENOENT)
		return 0;
	if (errno != EINVAL) /* else a file system that does not know the flag */
		return -errno;
	if (access(to.text, F_OK) == 0)
		return -EEXIST;
	return rename(from.text, to.text) < 0 ? -errno : 0;
}

/* 0; 1 where the disk does not do that. */
static int link_new(const char *path, const char *target)
{
	if (link(path, target) == 0)
		return 0;
	return errno == EEXIST || errno == ENOMEM ? -errno : 1;
}

/* "20260131T235959Z": no colons, which some file systems and programs do not take. */
static void time_for_name(char *out)
{
	char iso[TIME_ISO_SIZE];
	time_format_iso(clock_wall_ms(), iso);
	for (const char *at = iso; *at && *at != '.'; at++)
		if (*at != '-' && *at != ':')
			*out++ = *at;
	*out++ = 'Z';
	*out = '\0';
}

/* The file first: killed after that, the journal is found alone at the next start. */
static int rename_all(const char *path, bool keep, const char *target)
{
	int rc = keep ? link_new(path, target) : 1;
	size_t first = rc == 0; /* the file has the name already */
	rc = rc < 0 ? rc : 0;
	for (size_t i = first; rc == 0 && i < FILES; i++)
		rc = rename_new(path, files[i], target);
	return rc;
}

int damage_set_aside(const char *path, bool keep, struct buf *name, struct err *err)
{
	char now[TIME_ISO_SIZE];
	time_for_name(now);
	CLEANUP(buf_finish) struct buf target = BUF_INIT;
	int rc = -EEXIST;
	for (int i = 1; rc == -EEXIST && i < 100; i++) {
		buf_reset(&target);
		buf_printf(&target, "%s.damaged-%s", path, now);
		if (i > 1)
			buf_printf(&target, ".%d", i);
		rc = target.failed ? -ENOMEM : rename_all(path, keep, target.text);
	}
	bool named = rc == 0 && buf_append_text(name, target.text) == 0;
	if (!named && rc != -EEXIST && !target.failed)
		damage_put_back(path, target.text);
	if (rc < 0)
		return err_set(err, store_local_errno(rc),
			       "it cannot be set aside as %s (%s): take it away, or let its folder be written",
			       buf_text(&target), strerror(-rc));
	return named ? 0 : err_oom(err);
}

void damage_put_back(const char *path, const char *name)
{
	int rc = 0;
	for (size_t i = FILES; i-- > 0;) /* the journal before the file it belongs to */
		rc = rename_new(name, files[i], path);
	if (rc == -EEXIST) /* it has both names */
		unlink(name);
}

int64_t damage_numbers_after(sqlite3 *db)
{
	int64_t readable = 0;
	int64_t now = clock_wall_ns() / 1000; /* no store gives a million numbers a second for years */
	if (!db || number(db, "SELECT max(seq) FROM sqlite_sequence", &readable, NULL) < 0 || readable > INT64_MAX / 2)
		return now;
	return readable > now ? readable : now;
}
