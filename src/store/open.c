/*
 * Opening and closing a store.
 *
 * SQLite's own locks are not enough to keep two contentfs apart, since they are free between transactions: a lock file
 * beside the store is held as long as the store is open. It is never deleted, for a deleted lock file can be locked twice.
 */
#include "store/damage.h"
#include "store/internal.h"
#include "store/schema.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/folder.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

int store_local_errno(int rc)
{
	return rc == -EACCES ? -EPERM : rc;
}

/* What to do about it, to be put behind the reason. */
static const char *advice(int rc)
{
	switch (rc) {
	case -EROFS:
		return ": make the disk writable, or name another file with --store";
	case -ENOSPC:
	case -EDQUOT:
		return ": make room there, or name another file with --store";
	case -EACCES:
	case -EPERM:
		return ": run contentfs as the user that it belongs to, or name another file with --store";
	default:
		return "";
	}
}

/* The folder that the store is in: nobody else may be able to put something in the store's place. */
static int make_folder(const char *path, struct err *err)
{
	CLEANUP(cleanup_free) char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	if (!folder)
		return err_oom(err);
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	int rc = folder_make(folder, err);
	if (rc == 0)
		return 0;
	struct err why = *err;
	return err_set(err, rc, "%s%s", why.text, advice(rc));
}

static int holder_of(int fd)
{
	char holder[16] = "";
	return pread(fd, holder, sizeof(holder) - 1, 0) > 0 ? atoi(holder) : 0;
}

/* `used`: a store was opened under this lock before. */
static int take_lock(const char *path, int *out, bool *used, struct err *err)
{
	CLEANUP(buf_finish) struct buf name = BUF_INIT;
	if (buf_printf(&name, "%s.lock", path) < 0)
		return err_oom(err);
	int fd = open(name.text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int rc = -errno;
		return err_set(err, store_local_errno(rc), "cannot open %s: %s%s", name.text, strerror(-rc),
			       advice(rc));
	}
	int holder = holder_of(fd);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return err_set(
			err, -EBUSY,
			"the store %s is in use by another contentfs (process %d): if it is mounted, use contentfs "
			"refresh, or name another file with --store",
			path, holder);
	}
	*used = holder != 0;
	*out = fd;
	return 0;
}

/* For the message above, and to tell from now on that there was a store. */
static void note_holder(int fd)
{
	char pid[16];
	int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) < 0)
		pid[0] = '\0';
}

/* https://www.sqlite.org/fileformat.html#application_id */
static bool is_ours(int fd)
{
	unsigned char id[4];
	return pread(fd, id, sizeof(id), 68) == sizeof(id) &&
	       ((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]) == SCHEMA_APPLICATION_ID;
}

/* SQLite would make the file with the umask's mode; its journal files get the mode of the file. `ours` is set if the file
 * says so itself. Before SQLite opens it: closing a file gives up the locks that this process has on it. */
static int make_file(const char *path, bool *ours, struct err *err)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int rc = -errno;
		return err_set(err, store_local_errno(rc), "cannot open the store %s: %s%s", path, strerror(-rc),
			       advice(rc));
	}
	*ours |= is_ours(fd);
	return 0;
}

/* Once it is known to be a store. */
static int keep_private(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		CLEANUP(buf_finish) struct buf name = BUF_INIT;
		struct stat st;
		if (buf_printf(&name, "%s%s", path, suffixes[i]) < 0)
			return err_oom(err);
		if (stat(name.text, &st) == 0 && (st.st_mode & 077) != 0 && chmod(name.text, 0600) < 0)
			return err_set(err, -EPERM,
				       "others may read the store, and that cannot be changed (%s): chown it to the "
				       "user that contentfs runs as, or name another file with --store",
				       strerror(errno));
	}
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

/* Not a byte of what is refused or set aside is to change, not even by SQLite's taking its journal in when it is closed.
 * (It may take an empty one away.) */
static void leave_journal(struct store *store, bool leave)
{
	if (store->db)
		sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave && damage_has_journal(store->path),
				  NULL);
}

static int open_database(struct store *store, struct err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	errno = 0;
	if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
		return store->db ? db_error(store->db, err) : err_oom(err);
	sqlite3_busy_timeout(store->db, 10000);
	leave_journal(store, true);
	int rc = schema_accept(store->db, err);
	if (rc > 0)
		rc = damage_check(store->db, store->path, err);
	if (rc == 0)
		rc = keep_private(store->path, err);
	if (rc == 0)
		rc = db_exec(store->db,
			     "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			     "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;"
			     "PRAGMA cache_size = -24576; PRAGMA wal_autocheckpoint = 2000",
			     err);
	if (rc == 0)
		rc = schema_migrate(store->db, err);
	if (rc == 0)
		rc = db_prepare_all(store->db, statement_sql, store->statements, ST_COUNT, err);
	return rc;
}

void store_close_file(struct store *store)
{
	db_finalize_all(store->statements, ST_COUNT);
	dirent_forget(store);
	sqlite3_close(store->db);
	store->db = NULL;
}

int store_open_file(struct store *store, const struct store_identity *identity, int64_t after, bool *ours,
		    struct err *err)
{
	int rc = make_file(store->path, ours, err);
	if (rc < 0)
		return rc;
	rc = damage_left_journal_only(store->path)
		     ? err_set(err, -EUCLEAN, "the store is damaged: it is empty, and its journal is not")
		     : open_database(store, err);
	if (rc == 0 && after > 0)
		rc = schema_number_from(store->db, after, err);
	if (rc == 0)
		rc = store_claim(store, identity, err);
	if (rc == 0)
		rc = read_state(store, err);
	if (rc < 0)
		return err_prefix(err, rc, "%s", store->path);
	leave_journal(store, false);
	return 0;
}

static int begin_anew(struct store *store, const struct store_identity *identity, struct err *err)
{
	CLEANUP(buf_finish) struct buf aside = BUF_INIT;
	struct err damage = *err;
	int64_t after = damage_numbers_after(store->db);
	leave_journal(store, true);
	store_close_file(store);
	int rc = damage_set_aside(store->path, false, &aside, err);
	if (rc < 0) {
		struct err why = *err;
		return err_set(err, rc, "%s; %s", damage.text, why.text);
	}
	log_warning("%s: it was set aside as %s, and the content is fetched anew", damage.text, aside.text);
	bool ours = false;
	return store_open_file(store, identity, after, &ours, err);
}

static int open_or_begin_anew(struct store *store, const struct store_identity *identity, bool used, struct err *err)
{
	bool ours = used;
	int rc = store_open_file(store, identity, 0, &ours, err);
	if (rc != -EUCLEAN)
		return rc;
	if (!ours)
		return err_set(err, -EINVAL,
			       "%s: the file is damaged, or no store of contentfs: name another file with --store, or "
			       "move this one away",
			       store->path);
	return begin_anew(store, identity, err);
}

int store_open(struct store **out, const char *path, const struct store_identity *identity, struct err *err)
{
	struct err local = {0};
	if (!err)
		err = &local;
	struct store *store = calloc(1, sizeof(*store));
	if (!store)
		return err_oom(err);
	store->lock_fd = -1;
	store->path = strdup(path);
	bool used = false;
	int rc = store->path ? make_folder(path, err) : err_oom(err);
	if (rc == 0)
		rc = take_lock(path, &store->lock_fd, &used, err);
	if (rc == 0)
		rc = store_finish_exchange(path, err);
	if (rc == 0) {
		store_remove_unfinished(path);
		rc = open_or_begin_anew(store, identity, used, err);
	}
	if (rc < 0) {
		store_close(store);
		return rc;
	}
	note_holder(store->lock_fd);
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_rollback(store);
	store_close_file(store);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->path);
	free(store);
}
