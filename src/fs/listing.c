/*
 * What a directory holds, in the order of its cookies, a buffer of it at a time.
 */
#include "fs/internal.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>

/* "." and ".." come first in a listing; a stored cookie starts behind them. */
#define OFFSET_DOT 1
#define OFFSET_DOTDOT 2

struct listing {
	fuse_req_t req;
	struct fs *fs;
	char *bytes;
	size_t size;
	size_t used;
	bool plus;
};

static bool add_entry(struct listing *listing, const char *name, const struct node_attr *attr, off_t offset)
{
	char *at = listing->bytes + listing->used;
	size_t left = listing->size - listing->used;
	size_t need;
	if (listing->plus) {
		struct fuse_entry_param entry = fs_entry(listing->fs, attr);
		if (entry.attr_timeout == 0)
			entry.ino = 0; /* no attributes at all: see remote.c */
		need = fuse_add_direntry_plus(listing->req, at, left, name, &entry, offset);
	} else {
		struct stat st;
		fs_stat(listing->fs, attr, &st);
		need = fuse_add_direntry(listing->req, at, left, name, &st, offset);
	}
	if (need > left)
		return false;
	listing->used += need;
	return true;
}

static bool add_stored(void *context, const struct dir_entry *entry)
{
	return add_entry(context, entry->name.at, &entry->attr, entry->cookie + OFFSET_DOTDOT);
}

/* The dots carry no inode to look up: the kernel takes only their number and type. */
static int add_dots(struct listing *listing, struct store_reader *reader, int64_t ino, off_t offset)
{
	struct node_attr attr = {.ino = ino, .kind = NODE_DIRECTORY, .links = 2};
	if (offset < OFFSET_DOT && !add_entry(listing, ".", &attr, OFFSET_DOT))
		return 0;
	int rc = offset < OFFSET_DOTDOT ? reader_parent(reader, ino, &attr.ino) : 0;
	if (rc == 0 && offset < OFFSET_DOTDOT)
		add_entry(listing, "..", &attr, OFFSET_DOTDOT);
	return rc;
}

void fs_list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool plus)
{
	struct fs *fs = fs_of(req);
	CLEANUP(cleanup_free) char *bytes = malloc(size);
	if (!bytes) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	struct listing listing = {.req = req, .fs = fs, .bytes = bytes, .size = size, .plus = plus};
	struct store_reader *reader = fs_reader(req, ino);
	int rc = add_dots(&listing, reader, (int64_t)ino, offset);
	int64_t cookie = offset > OFFSET_DOTDOT ? offset - OFFSET_DOTDOT : 0;
	if (rc == 0)
		rc = reader_list(reader, (int64_t)ino, cookie, add_stored, &listing);
	if (rc < 0)
		fs_reply_failure(req, ino, rc);
	else
		fuse_reply_buf(req, bytes, listing.used);
}
