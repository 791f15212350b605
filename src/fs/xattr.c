/* Extended attributes: what a program would otherwise parse a file for. */
#include "fs/internal.h"
#include "util/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAMESPACE "user."
#define PREFIX NAMESPACE "contentfs."
#define VALUE_MAX 65536 /* the kernel's limit */

static const char *const names[] = {"uid",          "content_type", "locale", "version",
				    "published_at", "updated_at",   "title",  "url"};

#define NAMES (sizeof(names) / sizeof(names[0]))

/* The value of one attribute; empty if the node has none. Numbers and times are written into `scratch`. */
static struct slice value_of(const struct node_facts *facts, size_t name, char scratch[TIME_ISO_SIZE])
{
	bool file = facts->kind != NODE_DIRECTORY && facts->kind != NODE_FOLDER;
	switch (name) {
	case 0:
		return facts->uid;
	case 1:
		return facts->content_type;
	case 2:
		return facts->locale;
	case 3:
		if (file)
			snprintf(scratch, TIME_ISO_SIZE, "%lld", facts->version);
		return slice_of(scratch);
	case 4:
		return file && facts->kind != NODE_SCHEMA ? slice_of(time_format_iso(facts->published_at, scratch))
							  : slice_of("");
	case 5:
		return facts->updated_at;
	case 6:
		return facts->title;
	default:
		return facts->url;
	}
}

struct xattr_reply {
	fuse_req_t req;
	size_t name;
	size_t size; /* of the caller's buffer; 0 to ask how much it takes */
};

static void reply_value(void *context, const struct node_facts *facts)
{
	const struct xattr_reply *reply = context;
	char scratch[TIME_ISO_SIZE] = "";
	struct slice value = value_of(facts, reply->name, scratch);
	if (value.len == 0)
		fuse_reply_err(reply->req, ENODATA);
	else if (value.len > VALUE_MAX)
		fuse_reply_err(reply->req, E2BIG);
	else if (reply->size == 0)
		fuse_reply_xattr(reply->req, value.len);
	else if (reply->size < value.len)
		fuse_reply_err(reply->req, ERANGE);
	else
		fuse_reply_buf(reply->req, value.at, value.len);
}

static void reply_list(void *context, const struct node_facts *facts)
{
	const struct xattr_reply *reply = context;
	char list[NAMES * 64];
	size_t len = 0;
	for (size_t i = 0; i < NAMES; i++) {
		char scratch[TIME_ISO_SIZE] = "";
		if (value_of(facts, i, scratch).len > 0)
			len += (size_t)snprintf(list + len, sizeof(list) - len, PREFIX "%s", names[i]) + 1;
	}
	if (reply->size == 0)
		fuse_reply_xattr(reply->req, len);
	else if (reply->size < len)
		fuse_reply_err(reply->req, ERANGE);
	else
		fuse_reply_buf(reply->req, list, len);
}

static void ask(struct xattr_reply *reply, fuse_ino_t ino, void (*take)(void *context, const struct node_facts *facts))
{
	int rc = reader_facts(fs_reader(reply->req, ino), (int64_t)ino, take, reply);
	if (rc >= 0)
		return;
	fs_note_failure(reply->req, ino, rc);
	fuse_reply_err(reply->req, rc == -ESTALE ? ESTALE : EIO);
}

/* There are no labels and no access control lists here. "No such attribute" would have `ls -l` ask each file for both. */
void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	fs_count(fs_of(req), OP_XATTR);
	struct xattr_reply reply = {.req = req, .name = NAMES, .size = size};
	if (ino > STORE_INO_RESERVED && strncmp(name, PREFIX, strlen(PREFIX)) == 0)
		for (size_t i = 0; i < NAMES; i++)
			if (strcmp(name + strlen(PREFIX), names[i]) == 0)
				reply.name = i;
	if (reply.name < NAMES)
		ask(&reply, ino, reply_value);
	else
		fuse_reply_err(req, strncmp(name, NAMESPACE, strlen(NAMESPACE)) == 0 ? ENODATA : EOPNOTSUPP);
}

void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	fs_count(fs_of(req), OP_XATTR);
	struct xattr_reply reply = {.req = req, .size = size};
	if (ino > STORE_INO_RESERVED)
		ask(&reply, ino, reply_list);
	else if (size == 0)
		fuse_reply_xattr(req, 0);
	else
		fuse_reply_buf(req, NULL, 0);
}
