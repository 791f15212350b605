/*
 * .contentfs: the one part of the tree that is not content. It is there for whoever names it and in no listing, so that
 * find, tar, rsync and git see the content only and a pass over the tree stays without requests. status.json is the one
 * file whose text depends on when it is asked for: nothing about it is remembered by the kernel.
 *
 * Also the refresh that a program can ask for: it is answered by the thread that syncs, or taken back by whoever asked.
 */
#include "fs/internal.h"
#include "fs/protocol.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct fuse_entry_param control_entry(struct fs *fs, int64_t ino)
{
	struct node_attr attr = {.ino = ino, .kind = NODE_DIRECTORY, .links = 2};
	pthread_mutex_lock(&fs->lock);
	attr.mtime = fs->status_time;
	if (ino == INO_STATUS) {
		attr.kind = NODE_SCHEMA; /* any kind of file */
		attr.links = 1;
		attr.size = (int64_t)fs->status.len;
	}
	pthread_mutex_unlock(&fs->lock);
	struct fuse_entry_param entry = {.ino = (fuse_ino_t)ino};
	fs_stat(fs, &attr, &entry.attr);
	return entry;
}

static int renew_status(struct fs *fs)
{
	struct buf text = BUF_INIT;
	int rc = fs->hooks.status(fs->hooks.context, &text);
	if (rc < 0) {
		buf_finish(&text);
		return rc;
	}
	pthread_mutex_lock(&fs->lock);
	struct buf old = fs->status;
	fs->status = text;
	int64_t now = clock_wall_ns();
	fs->status_time = now > fs->status_time ? now : fs->status_time + 1;
	pthread_mutex_unlock(&fs->lock);
	buf_finish(&old);
	return 0;
}

void control_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	int64_t ino = INO_CONTROL;
	if (parent == INO_CONTROL) {
		if (strcmp(name, FS_STATUS_FILE) != 0) {
			fuse_reply_err(req, ENOENT);
			return;
		}
		if (renew_status(fs) < 0) {
			fuse_reply_err(req, EIO);
			return;
		}
		ino = INO_STATUS;
	}
	struct fuse_entry_param entry = control_entry(fs, ino);
	if (ino == INO_CONTROL)
		entry.entry_timeout = entry.attr_timeout = FOREVER;
	fuse_reply_entry(req, &entry);
}

void control_getattr(fuse_req_t req, fuse_ino_t ino)
{
	struct fuse_entry_param entry = control_entry(fs_of(req), (int64_t)ino);
	fuse_reply_attr(req, &entry.attr, ino == INO_CONTROL ? FOREVER : 0);
}

void control_read(fuse_req_t req, size_t size, off_t offset)
{
	struct fs *fs = fs_of(req);
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	pthread_mutex_lock(&fs->lock);
	buf_append(&text, fs->status.text, fs->status.len);
	pthread_mutex_unlock(&fs->lock);
	size_t from = offset < (off_t)text.len ? (size_t)offset : text.len;
	size_t len = text.len - from < size ? text.len - from : size;
	if (text.failed)
		fuse_reply_err(req, ENOMEM);
	else
		fuse_reply_buf(req, text.text + from, len);
}

void control_readdir(fuse_req_t req, size_t size, off_t offset, bool plus)
{
	static const struct {
		const char *name;
		int64_t ino;
	} entries[] = {{".", INO_CONTROL}, {"..", STORE_INO_ROOT}, {FS_STATUS_FILE, INO_STATUS}};
	CLEANUP(cleanup_free) char *bytes = malloc(size);
	size_t used = 0;
	for (size_t i = (size_t)offset; bytes && i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct fuse_entry_param entry = control_entry(fs_of(req), entries[i].ino);
		off_t next = (off_t)i + 1;
		size_t need =
			plus ? fuse_add_direntry_plus(req, bytes + used, size - used, entries[i].name, &entry, next)
			     : fuse_add_direntry(req, bytes + used, size - used, entries[i].name, &entry.attr, next);
		if (need > size - used)
			break;
		used += need;
	}
	if (bytes)
		fuse_reply_buf(req, bytes, used);
	else
		fuse_reply_err(req, ENOMEM);
}

/* --- refresh ------------------------------------------------------------------------------------------------------ */

static void reply_refresh(fuse_req_t req, int status, const char *message)
{
	struct fs_refresh_reply reply = {.status = status};
	strncpy(reply.message, message, sizeof(reply.message) - 1);
	fuse_reply_ioctl(req, 0, &reply, sizeof(reply));
}

static void wait_for_refresh(fuse_req_t req)
{
	struct fs *fs = fs_of(req);
	struct waiter *waiter = malloc(sizeof(*waiter));
	if (!waiter) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	const struct pending pending = {.kind = PENDING_REFRESH}; /* Ctrl-C ends the wait, not the run */
	*waiter = (struct waiter){.id = pending_add(req, &pending)};
	if (!waiter->id) {
		free(waiter);
		return;
	}
	/* Once it is in the list it may be answered, and gone, at any moment. */
	pthread_mutex_lock(&fs->lock);
	waiter->next = fs->waiters;
	waiter->number = ++fs->refreshes_wanted;
	fs->waiters = waiter;
	pthread_mutex_unlock(&fs->lock);
	fs->hooks.refresh(fs->hooks.context);
}

void control_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg, struct fuse_file_info *fi,
		   unsigned flags, const void *in, size_t in_size, size_t out_size)
{
	(void)ino, (void)arg, (void)fi, (void)flags, (void)in, (void)in_size;
	if (cmd != FS_IOC_REFRESH || out_size < sizeof(struct fs_refresh_reply)) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	uid_t asking = fuse_req_ctx(req)->uid;
	if (asking != 0 && asking != getuid()) {
		fuse_reply_err(req, EPERM);
		return;
	}
	wait_for_refresh(req);
}

/* One that was asked for before a run, out of the list; NULL if there is none. */
static struct waiter *take_waiter(struct fs *fs, uint64_t wanted)
{
	pthread_mutex_lock(&fs->lock);
	struct waiter **at = &fs->waiters;
	while (*at && (*at)->number > wanted)
		at = &(*at)->next;
	struct waiter *waiter = *at;
	if (waiter)
		*at = waiter->next;
	pthread_mutex_unlock(&fs->lock);
	return waiter;
}

void control_answer(struct fs *fs, uint64_t wanted, int status, const char *message)
{
	struct waiter *waiter;
	while ((waiter = take_waiter(fs, wanted))) {
		struct pending pending;
		if (pending_take(fs, waiter->id, &pending))
			reply_refresh(pending.req, status, message);
		free(waiter);
	}
}

uint64_t fs_refreshes_wanted(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	uint64_t wanted = fs->refreshes_wanted;
	pthread_mutex_unlock(&fs->lock);
	return wanted;
}

void fs_refreshed(struct fs *fs, uint64_t wanted, int status, const char *message)
{
	control_answer(fs, wanted, status, message);
}
