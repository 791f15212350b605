/*
 * Opening a store, its transactions, and what is left to keep in order.
 *
 * SQLite's own locks are not enough to keep two contentfs apart, since they are free between transactions: a lock file
 * beside the store is held as long as the store is open. It is never deleted, for a deleted lock file can be locked twice.
 */
#include "store/store.h"

#include "store/internal.h"
#include "store/schema.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#define JOURNAL_MAX 100000 /* changes */
#define SUPERSEDED_AGE_MAX_MS (24 * 3600 * 1000LL)
#define SUPERSEDED_SIZE_MAX (256LL << 20) /* bytes of text */

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* EACCES is for what the service refuses. */
static int local_errno(int rc)
{
	return rc == -EACCES ? -EPERM : rc;
}

static int make_folders(const char *path, struct err *err)
{
	CLEANUP(buf_finish) struct buf folder = BUF_INIT;
	if (buf_append_text(&folder, path) < 0)
		return err_oom(err);
	for (char *slash = strchr(folder.text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder.text, 0700) < 0 && errno != EEXIST) {
			int rc = -errno;
			return err_set(err, local_errno(rc), "cannot make the folder %s: %s", folder.text,
				       strerror(-rc));
		}
		*slash = '/';
	}
	return 0;
}

static int take_lock(const char *path, int *out, struct err *err)
{
	CLEANUP(buf_finish) struct buf name = BUF_INIT;
	if (buf_printf(&name, "%s.lock", path) < 0)
		return err_oom(err);
	int fd = open(name.text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int rc = -errno;
		return err_set(err, local_errno(rc), "cannot open %s: %s", name.text, strerror(-rc));
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		char holder[16] = "";
		if (pread(fd, holder, sizeof(holder) - 1, 0) < 0)
			holder[0] = '\0';
		close(fd);
		return err_set(
			err, -EBUSY,
			"the store %s is in use by another contentfs (process %d): if it is mounted, use contentfs "
			"refresh, or name another file with --store",
			path, atoi(holder));
	}
	char pid[16];
	int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) < 0)
		pid[0] = '\0'; /* the number is only for the message above */
	*out = fd;
	return 0;
}

/* SQLite would make the file with the umask's mode; its journal files get the mode of the file. */
static int make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int rc = -errno;
		return err_set(err, local_errno(rc), "cannot open the store %s: %s", path, strerror(-rc));
	}
	struct stat st;
	bool open_to_others = fstat(fd, &st) == 0 && (st.st_mode & 077) != 0;
	int rc = open_to_others && fchmod(fd, 0600) < 0 ? -errno : 0;
	close(fd);
	return rc < 0 ? err_set(err, -EPERM, "others may read the store %s, and that cannot be changed: %s", path,
				strerror(-rc))
		      : 0;
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

int store_note(struct store *store, const char *key, const char *value, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_META_SET];
	db_bind_text(stmt, 1, slice_of(key));
	db_bind_text(stmt, 2, slice_of(value));
	return db_run(stmt, err);
}

struct identity_part {
	const char *key;
	const char *value;
	const char *name; /* for people */
};

static int compare_identity(struct store *store, const struct identity_part *parts, size_t count, struct err *err)
{
	CLEANUP(buf_finish) struct buf differ = BUF_INIT;
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_finish) struct buf stored = BUF_INIT;
		int rc = store_note_get(store, parts[i].key, &stored, err);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			rc = store_note(store, parts[i].key, parts[i].value, err);
			if (rc < 0)
				return rc;
		} else if (!slice_is(buf_slice(&stored), parts[i].value)) {
			buf_printf(&differ, "%s%s ('%s' in the store, '%s' now)", differ.len ? ", " : "", parts[i].name,
				   buf_text(&stored), parts[i].value);
		}
	}
	if (differ.failed)
		return err_oom(err);
	if (differ.len > 0)
		return err_set(
			err, -EINVAL,
			"the store belongs to other settings, which differ in: %s. Name another file with --store, or "
			"use the settings it was made with",
			differ.text);
	return 0;
}

static int claim(struct store *store, const struct store_identity *identity, struct err *err)
{
	const struct identity_part parts[] = {
		{"host", identity->host, "host"},
		{"api_key", identity->api_key, "API key"},
		{"environment", identity->environment, "environment"},
		{"branch", identity->branch, "branch"},
		{"filters", identity->filters, "filters"},
	};
	int rc = store_begin(store, err);
	if (rc < 0)
		return rc;
	rc = compare_identity(store, parts, sizeof(parts) / sizeof(parts[0]), err);
	if (rc < 0) {
		store_rollback(store);
		return rc;
	}
	return store_commit(store, err);
}

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

static int read_state(struct store *store, struct err *err)
{
	sqlite3_stmt *stmt = store->statements[ST_CHANGE_END];
	int rc = db_row(stmt, err);
	if (rc < 0)
		return rc;
	store->journal_end = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	rc = store_count_removals(store, err);
	return rc < 0 ? rc : quarantine_count(store, err);
}

static int open_database(struct store *store, const char *path, struct err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK)
		return store->db ? db_error(store->db, err) : err_oom(err);
	sqlite3_busy_timeout(store->db, 10000);
	int rc = schema_accept(store->db, err);
	if (rc == 0)
		rc = db_exec(store->db,
			     "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			     "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864",
			     err);
	if (rc == 0)
		rc = schema_migrate(store->db, err);
	if (rc == 0)
		rc = db_prepare_all(store->db, statement_sql, store->statements, ST_COUNT, err);
	return rc;
}

int store_open(struct store **out, const char *path, const struct store_identity *identity, struct err *err)
{
	struct store *store = calloc(1, sizeof(*store));
	if (!store)
		return err_oom(err);
	store->lock_fd = -1;
	int rc = make_folders(path, err);
	if (rc == 0)
		rc = take_lock(path, &store->lock_fd, err);
	if (rc == 0)
		rc = make_file(path, err);
	if (rc == 0) {
		rc = open_database(store, path, err);
		if (rc == 0)
			rc = claim(store, identity, err);
		if (rc == 0)
			rc = read_state(store, err);
		if (rc < 0)
			err_prefix(err, rc, "%s", path);
	}
	if (rc < 0) {
		store_close(store);
		return rc;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_rollback(store);
	db_finalize_all(store->statements, ST_COUNT);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store);
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
	store->in_transaction = false;
	store->removals_noted = true; /* not known any more; looking costs little */
	store->quarantine_rows++;     /* nor is this */
}

/* --- housekeeping ------------------------------------------------------------------------------------------------- */

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
