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

/* No names that somebody would give to a store. With the second it is whole, and whatever stops this process, the next one
 * gives it its name: the journal of the damaged one has its new name before its file has lost the old one. */
#define UNFINISHED ".being-rebuilt"
#define WHOLE ".rebuilt"

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
	return err_set(err, rc, "cannot rename %s: %s", from, strerror(-rc));
}

/* Gives the name of the damaged store at path to the whole one. Both are files without a journal, or with one that nobody
 * writes to. */
static int exchange(const char *whole, const char *path, struct buf *aside, struct err *err)
{
	int rc = damage_set_aside(path, true, aside, err);
	if (rc < 0)
		return rc;
	rc = rename_to(whole, path, err);
	if (rc < 0) {
		damage_put_back(path, buf_text(aside));
		return rc;
	}
	sync_folder(path);
	return 0;
}

static int give_name(const struct store *fresh, const struct store *damaged, struct buf *aside, struct err *err)
{
	CLEANUP(buf_finish) struct buf whole = BUF_INIT;
	if (buf_printf(&whole, "%s" WHOLE, damaged->path) < 0)
		return err_oom(err);
	int rc = rename_to(fresh->path, whole.text, err);
	if (rc < 0)
		return rc;
	rc = exchange(whole.text, damaged->path, aside, err);
	if (rc < 0)
		rename_to(whole.text, fresh->path, NULL); /* should that fail, the content is fetched once more */
	return rc;
}

int store_finish_exchange(const char *path, struct err *err)
{
	CLEANUP(buf_finish) struct buf whole = BUF_INIT;
	CLEANUP(buf_finish) struct buf aside = BUF_INIT;
	if (buf_printf(&whole, "%s" WHOLE, path) < 0)
		return err_oom(err);
	if (access(whole.text, F_OK) < 0)
		return 0;
	int rc = exchange(whole.text, path, &aside, err);
	if (rc < 0)
		return err_prefix(err, rc, "%s is damaged, and %s cannot take its place", path, whole.text);
	log_warning("the damaged store %s was set aside as %s, and the new one, which was whole, has taken its place",
		    path, aside.text);
	return 0;
}

int store_reopen(struct store *store, const struct store_identity *identity, struct err *err)
{
	bool ours = false;
	if (store->db)
		return 0;
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
