/*
 * A new store beside one that was found damaged while it is in use. The damaged one keeps its name, and so its readers,
 * until the new one is whole: then it is set aside and the new one takes its name and its lock.
 */
#include "store/damage.h"
#include "store/internal.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* No names that somebody would give to a store. With the second it is whole: whatever stops this process from then on, the
 * next one gives it the name of the damaged one, which may have lost its journal to another name by then. */
#define UNFINISHED ".being-rebuilt"
#define WHOLE UNFINISHED "-whole"

static int remove_files(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		CLEANUP(buf_finish) struct buf name = BUF_INIT;
		if (buf_printf(&name, "%s%s", path, suffixes[i]) < 0)
			return err_oom(err);
		if (unlink(name.text) < 0 && errno != ENOENT) {
			int rc = -errno;
			return err_set(err, rc, "cannot remove %s: %s", name.text, strerror(-rc));
		}
	}
	return 0;
}

void store_remove_unfinished(const char *path)
{
	CLEANUP(buf_finish) struct buf name = BUF_INIT;
	if (buf_printf(&name, "%s" UNFINISHED, path) == 0)
		remove_files(name.text, NULL);
}

int store_open_beside(struct store **out, struct store *damaged, const struct store_identity *identity, struct err *err)
{
	struct store *store = calloc(1, sizeof(*store));
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	if (!store || buf_printf(&path, "%s" UNFINISHED, damaged->path) < 0) {
		free(store);
		return err_oom(err);
	}
	store->lock_fd = -1; /* who may come here holds the lock of the damaged one */
	store->path = strdup(path.text);
	bool ours = false;
	int rc = store->path ? remove_files(store->path, err) : err_oom(err);
	if (rc == 0)
		rc = store_open_file(store, identity, damage_numbers_after(damaged->db), &ours, err);
	if (rc < 0) {
		store_close(store);
		return rc;
	}
	*out = store;
	return 0;
}

/* A name is for certain only when its folder is on the disk. */
static void sync_folder(const char *path)
{
	CLEANUP(cleanup_free) char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	if (slash)
		*slash = '\0';
	CLEANUP(cleanup_close) int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

static int rename_to(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) == 0)
		return 0;
	int rc = -errno;
	return err_set(err, store_local_errno(rc), "cannot rename %s: %s", from, strerror(-rc));
}

/* Gives the name of the damaged store at path to the whole one. Both are files without a journal, or with one that nobody
 * writes to. `aside` is NULL if the damaged one has another name by now. */
static int exchange(const char *whole, const char *path, struct buf *aside, struct err *err)
{
	int rc = aside ? damage_set_aside(path, true, aside, err) : 0;
	if (rc < 0)
		return rc;
	rc = rename_to(whole, path, err);
	if (rc < 0 && aside)
		damage_put_back(path, buf_text(aside));
	sync_folder(path);
	return rc;
}

static int give_name(const struct store *fresh, const struct store *damaged, struct buf *aside, struct err *err)
{
	CLEANUP(buf_finish) struct buf whole = BUF_INIT;
	if (buf_printf(&whole, "%s" WHOLE, damaged->path) < 0)
		return err_oom(err);
	int rc = rename_to(fresh->path, whole.text, err);
	if (rc < 0)
		return rc;
	sync_folder(whole.text);
	rc = exchange(whole.text, damaged->path, aside, err);
	if (rc < 0) /* should the way back fail, another is begun, or it is found at the next start */
		rename_to(whole.text, fresh->path, NULL);
	return rc;
}

/* Of a moment: INT64_MIN of what is not there. */
static int64_t changed_at(const struct stat *st)
{
	return st->st_nlink ? st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec : INT64_MIN;
}

/* 0, with st_nlink 0 if there is no such file. */
static int look_at(const char *path, const char *suffix, struct stat *st, struct err *err)
{
	CLEANUP(buf_finish) struct buf name = BUF_INIT;
	if (buf_printf(&name, "%s%s", path, suffix) < 0)
		return err_oom(err);
	if (stat(name.text, st) == 0)
		return 0;
	int rc = -errno;
	*st = (struct stat){0};
	return rc == -ENOENT ? 0
			     : err_set(err, store_local_errno(rc), "cannot look at %s: %s", name.text, strerror(-rc));
}

int store_finish_exchange(const char *path, struct err *err)
{
	CLEANUP(buf_finish) struct buf whole = BUF_INIT;
	CLEANUP(buf_finish) struct buf aside = BUF_INIT;
	struct stat fresh;
	struct stat damaged;
	struct stat journal;
	if (buf_printf(&whole, "%s" WHOLE, path) < 0)
		return err_oom(err);
	int rc = look_at(whole.text, "", &fresh, err);
	if (rc < 0 || fresh.st_nlink == 0)
		return rc;
	rc = look_at(path, "", &damaged, err);
	if (rc == 0)
		rc = look_at(path, "-wal", &journal, err);
	if (rc < 0)
		return rc;
	if (changed_at(&damaged) > changed_at(&fresh) || changed_at(&journal) > changed_at(&fresh))
		return remove_files(whole.text, err); /* another went on with what was there */
	bool aside_already = damaged.st_nlink != 1 && journal.st_nlink == 0;
	rc = exchange(whole.text, path, aside_already ? NULL : &aside, err);
	if (rc < 0)
		return err_prefix(err, rc, "%s is damaged, and %s cannot take its place", path, whole.text);
	log_warning("the damaged store %s was set aside%s%s, and the new one, which was whole, has taken its place",
		    path, aside_already ? "" : " as ", buf_text(&aside));
	return 0;
}

int store_reopen(struct store *store, const struct store_identity *identity, struct err *err)
{
	bool ours = false;
	if (store->db)
		return 0;
	if (access(store->path, F_OK) < 0) /* an empty one would begin with numbers of the damaged one */
		return err_set(err, -EUCLEAN, "the new store %s is gone: %s", store->path, strerror(errno));
	int rc = store_open_file(store, identity, 0, &ours, err);
	if (rc < 0)
		store_close_file(store);
	return rc;
}

int store_take_place(struct store *fresh, struct store *damaged, const struct store_identity *identity,
		     struct buf *aside, struct err *err)
{
	int rc = db_exec(fresh->db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
	if (rc < 0)
		return rc;
	store_close_file(fresh);
	rc = damage_has_journal(fresh->path)
		     ? err_set(err, -EIO, "the journal of %s could not be taken in", fresh->path)
		     : give_name(fresh, damaged, aside, err);
	if (rc < 0) {
		store_reopen(fresh, identity, NULL);
		return rc;
	}
	/* Its connection is on files that bear other names now, and must not remove any by the old ones. */
	sqlite3_db_config(damaged->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	char *path = fresh->path;
	fresh->path = damaged->path;
	damaged->path = path;
	fresh->lock_fd = damaged->lock_fd;
	damaged->lock_fd = -1;
	store_reopen(fresh, identity, NULL); /* if not now, then before the next run */
	return 0;
}
