/*
 * What the kernel asks and how it is answered: thin shells around one read of the store each. Failures of the store become
 * EIO here; the thread that syncs is the one that reports them.
 */
#include "fs/internal.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define BACKGROUND_MAX 16384 /* the kernel allows whoever is not root less on a small machine */

struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

struct store_reader *fs_reader(fuse_req_t req, fuse_ino_t ino)
{
	const struct worker *worker = pthread_getspecific(fs_of(req)->worker_key);
	bool old = ino > STORE_INO_RESERVED && (int64_t)ino <= worker->fs->numbered_after;
	return old && worker->previous ? worker->previous : worker->reader;
}

void fs_note_failure(fuse_req_t req, fuse_ino_t ino, int rc)
{
	const struct worker *worker = pthread_getspecific(fs_of(req)->worker_key);
	if (rc == -EUCLEAN && fs_reader(req, ino) == worker->reader)
		worker->fs->hooks.damaged(worker->fs->hooks.context);
}

void fs_reply_failure(fuse_req_t req, fuse_ino_t ino, int rc)
{
	fs_note_failure(req, ino, rc);
	switch (rc) {
	case -ENOENT:
	case -ESTALE:
	case -ENOMEM:
		fuse_reply_err(req, -rc);
		return;
	default:
		log_debug("a request failed: %s", strerror(-rc));
		fuse_reply_err(req, EIO);
	}
}

void fs_stat(const struct fs *fs, const struct node_attr *attr, struct stat *st)
{
	const int64_t ns = (attr->mtime % 1000000000 + 1000000000) % 1000000000; /* before 1970 too */
	const struct timespec time = {.tv_sec = (attr->mtime - ns) / 1000000000, .tv_nsec = ns};
	const bool directory = attr->kind == NODE_DIRECTORY || attr->kind == NODE_FOLDER;
	const int64_t size = attr->size > 0 ? attr->size : 0;
	mode_t mode = directory ? S_IFDIR | 0555 : S_IFREG | 0444;
	*st = (struct stat){
		.st_ino = (ino_t)attr->ino,
		.st_mode = mode & ~fs->config.umask,
		.st_nlink = (nlink_t)attr->links,
		.st_uid = fs->config.uid,
		.st_gid = fs->config.gid,
		.st_size = size,
		.st_blksize = 4096,
		.st_blocks = (size + 511) / 512,
		.st_atim = time,
		.st_mtim = time,
		.st_ctim = time,
	};
}

/* A size that is not known is nothing to remember. */
static double attr_timeout(const struct node_attr *attr)
{
	return attr->size < 0 ? 0 : FOREVER;
}

static void correct_size(struct fs *fs, struct node_attr *attr)
{
	if (attr->kind == NODE_FILE)
		attr->size = remote_size(fs, attr->ino, attr->size);
}

struct fuse_entry_param fs_entry(struct fs *fs, const struct node_attr *stored)
{
	struct node_attr attr = *stored;
	correct_size(fs, &attr);
	struct fuse_entry_param entry = {
		.ino = (fuse_ino_t)attr.ino,
		.attr_timeout = attr_timeout(&attr),
		.entry_timeout = FOREVER,
	};
	fs_stat(fs, &attr, &entry.attr);
	return entry;
}

void fs_reply_entry(fuse_req_t req, const struct node_attr *attr)
{
	const struct fuse_entry_param entry = fs_entry(fs_of(req), attr);
	fuse_reply_entry(req, &entry);
}

void fs_reply_attr(fuse_req_t req, const struct node_attr *attr)
{
	struct stat st;
	fs_stat(fs_of(req), attr, &st);
	fuse_reply_attr(req, &st, attr_timeout(attr));
}

static bool is_control(fuse_ino_t ino)
{
	return ino == INO_CONTROL || ino == INO_STATUS;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	conn->want |= conn->capable & FUSE_CAP_READDIRPLUS;
	conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
	conn->want |= conn->capable & FUSE_CAP_SPLICE_WRITE; /* what is in a file goes to the kernel uncopied */
	conn->want &= ~(unsigned)FUSE_CAP_ASYNC_DIO; /* the kernel would wait for O_DIRECT reads beyond any signal */
	conn->time_gran = 1;
	/* Reads ahead of a reader are limited together. Those of assets may take long, and the texts' must not wait behind
	 * them. */
	conn->max_background = BACKGROUND_MAX;
	conn->congestion_threshold = BACKGROUND_MAX;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	if (parent == INO_CONTROL || (parent == FUSE_ROOT_ID && strcmp(name, ".contentfs") == 0)) {
		control_lookup(req, parent, name);
		return;
	}
	fs_count(fs, OP_LOOKUP);
	struct node_attr attr;
	int rc = reader_lookup(fs_reader(req, parent), (int64_t)parent, slice_make(name, strlen(name)), &attr);
	if (rc == -ENOENT) {
		const struct fuse_entry_param none = {.entry_timeout = FOREVER}; /* remembered as not there */
		fuse_reply_entry(req, &none);
	} else if (rc < 0) {
		fs_reply_failure(req, parent, rc);
	} else {
		correct_size(fs, &attr);
		if (attr.kind != NODE_FILE || attr.size >= 0 || !remote_measure(req, &attr, PENDING_LOOKUP))
			fs_reply_entry(req, &attr);
	}
}

/* With fi it is somebody who has the file open: the kernel asks so when a read comes to the end as it knows it. */
static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (is_control(ino)) {
		control_getattr(req, ino);
		return;
	}
	struct fs *fs = fs_of(req);
	fs_count(fs, OP_GETATTR);
	struct node_attr attr;
	int rc = reader_attr(fs_reader(req, ino), (int64_t)ino, &attr);
	if (rc < 0) {
		fs_reply_failure(req, ino, rc);
		return;
	}
	correct_size(fs, &attr);
	if (attr.kind != NODE_FILE || attr.size >= 0 || !remote_measure(req, &attr, fi ? PENDING_SIZE : PENDING_STAT))
		fs_reply_attr(req, &attr);
}

/* Neither exists: the kernel hears so once and never asks again. */
static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino, (void)fi;
	fs_count(fs_of(req), OP_OPEN);
	fuse_reply_err(req, ENOSYS);
}

struct read_reply {
	fuse_req_t req;
	bool sent;
};

static void reply_text(void *context, struct slice bytes)
{
	struct read_reply *reply = context;
	reply->sent = true;
	fuse_reply_buf(reply->req, bytes.at, bytes.len);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)fi;
	if (is_control(ino)) {
		control_read(req, size, offset);
		return;
	}
	fs_count(fs_of(req), OP_READ);
	struct fs *fs = fs_of(req);
	struct read_reply reply = {.req = req};
	int64_t directory = 0;
	pid_t thread = fuse_req_ctx(req)->pid; /* the answer ends the request */
	int rc = reader_text(fs_reader(req, ino), (int64_t)ino, offset, size, &directory, reply_text, &reply);
	if (rc == -EREMOTE)
		remote_read(req, ino, size, offset);
	else if (!reply.sent)
		fs_reply_failure(req, ino, rc < 0 ? rc : -EIO);
	else if (offset == 0)
		ahead_note(fs, thread, directory, (int64_t)ino);
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool plus)
{
	if (is_control(ino)) {
		control_readdir(req, size, offset, plus);
		return;
	}
	fs_count(fs_of(req), OP_READDIR);
	fs_list(req, ino, size, offset, plus);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, offset, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, offset, true);
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	(void)count;
	watch_forget(fs_of(req), (int64_t)ino);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		watch_forget(fs_of(req), (int64_t)forgets[i].ino);
	fuse_reply_none(req);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	fs_count(fs_of(req), OP_STATFS);
	struct store_totals totals;
	int rc = reader_totals(fs_reader(req, FUSE_ROOT_ID), &totals, NULL);
	if (rc < 0) {
		fs_reply_failure(req, ino, rc);
		return;
	}
	const struct statvfs st = {
		.f_bsize = 4096,
		.f_frsize = 4096,
		.f_blocks = (fsblkcnt_t)((totals.bytes + totals.asset_bytes + 4095) / 4096),
		.f_files = (fsfilcnt_t)(totals.content_types + totals.entries + totals.assets + totals.asset_files +
					totals.directories),
		.f_flag = ST_RDONLY,
		.f_namemax = 255,
	};
	fuse_reply_statfs(req, &st);
}

const struct fuse_lowlevel_ops fs_operations = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.open = op_open,
	.opendir = op_open,
	.read = op_read,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.statfs = op_statfs,
	.getxattr = fs_getxattr,
	.listxattr = fs_listxattr,
	.ioctl = control_ioctl,
};
