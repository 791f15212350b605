/*
 * Opening and closing a store.
 *
 * SQLite's own locks are not enough to keep two contentfs apart, since they are free between transactions: a lock file
 * beside the store is held as long as the store is open. It is never deleted, for a deleted lock file can be locked twice.
 */
#include "store/internal.h"
#include "store/schema.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

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
			rc = store_claim(store, identity, err);
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
