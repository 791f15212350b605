/*
 * What a directory holds, in the order of its cookies, a buffer of it at a time. Whoever asks for one asks for the next,
 * which is made while the kernel takes the one before in; that takes about as long.
 */
#include "fs/internal.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* "." and ".." come first in a listing; a stored cookie starts behind them. */
#define OFFSET_DOT 1
#define OFFSET_DOTDOT 2

#define PREPARED 4 /* at once; the oldest makes room */

#define PREPARED_MAX (128 << 10) /* bytes */

/* One buffer, and what it answers. */
struct listing {
	struct fs *fs;
	int64_t directory;
	off_t offset;
	size_t size;
	bool plus;
	char *bytes;
	size_t used;
	int64_t first; /* ino of the first text; 0: there is none */
	off_t next;    /* where it goes on */
	bool more;
};

struct prepared {
	struct listing listing;
	enum { EMPTY, BEING_MADE, READY } state;
	uint64_t number; /* the higher, the newer */
};

struct listings {
	pthread_mutex_t lock; /* guards what follows; taken after fs->answering only, and held for moments */
	pthread_cond_t made;
	struct prepared prepared[PREPARED];
	uint64_t last;
};

/* --- one buffer --------------------------------------------------------------------------------------------------- */

/* libfuse is given no request, which it has no use for here: the one that this comes of may have been answered. */
static bool add_entry(struct listing *listing, const char *name, const struct node_attr *attr, off_t offset)
{
	char *at = listing->bytes + listing->used;
	size_t left = listing->size - listing->used;
	size_t need;
	if (listing->plus) {
		struct fuse_entry_param entry = fs_entry(listing->fs, attr);
		if (entry.attr_timeout == 0)
			entry.ino = 0; /* no attributes at all: see remote.c */
		need = fuse_add_direntry_plus(NULL, at, left, name, &entry, offset);
	} else {
		struct stat st;
		fs_stat(listing->fs, attr, &st);
		need = fuse_add_direntry(NULL, at, left, name, &st, offset);
	}
	listing->more = need > left;
	if (listing->more)
		return false;
	listing->used += need;
	listing->next = offset;
	return true;
}

static bool add_stored(void *context, const struct dir_entry *entry)
{
	struct listing *listing = context;
	const enum node_kind kind = entry->attr.kind;
	if (listing->first == 0 && (kind == NODE_ENTRY || kind == NODE_ASSET || kind == NODE_SCHEMA))
		listing->first = entry->attr.ino;
	return add_entry(listing, entry->name.at, &entry->attr, entry->cookie + OFFSET_DOTDOT);
}

/* The dots carry no inode to look up: the kernel takes only their number and type. */
static int add_dots(struct listing *listing, struct store_reader *reader)
{
	struct node_attr attr = {.ino = listing->directory, .kind = NODE_DIRECTORY, .links = 2};
	if (listing->offset < OFFSET_DOT && !add_entry(listing, ".", &attr, OFFSET_DOT))
		return 0;
	int rc = listing->offset < OFFSET_DOTDOT ? reader_parent(reader, listing->directory, &attr.ino) : 0;
	if (rc == 0 && listing->offset < OFFSET_DOTDOT)
		add_entry(listing, "..", &attr, OFFSET_DOTDOT);
	return rc;
}

static int64_t cookie_at(off_t offset)
{
	return offset > OFFSET_DOTDOT ? offset - OFFSET_DOTDOT : 0;
}

/* Its bytes are to be freed by the caller. */
static int fill(struct listing *listing, struct store_reader *reader)
{
	listing->bytes = malloc(listing->size);
	if (!listing->bytes)
		return -ENOMEM;
	int rc = add_dots(listing, reader);
	return rc < 0 ? rc : reader_list(reader, listing->directory, cookie_at(listing->offset), add_stored, listing);
}

/* --- beforehand --------------------------------------------------------------------------------------------------- */

static struct prepared *find(struct listings *listings, const struct listing *wanted)
{
	for (int i = 0; i < PREPARED; i++) {
		const struct listing *listing = &listings->prepared[i].listing;
		if (listings->prepared[i].state != EMPTY && listing->directory == wanted->directory &&
		    listing->offset == wanted->offset && listing->size == wanted->size && listing->plus == wanted->plus)
			return &listings->prepared[i];
	}
	return NULL;
}

/* Takes it over if it was made, or is being made. */
static bool take(struct listings *listings, struct listing *wanted)
{
	struct prepared *prepared;
	pthread_mutex_lock(&listings->lock);
	while ((prepared = find(listings, wanted)) && prepared->state == BEING_MADE)
		pthread_cond_wait(&listings->made, &listings->lock);
	if (prepared) {
		*wanted = prepared->listing;
		*prepared = (struct prepared){.state = EMPTY};
	}
	pthread_mutex_unlock(&listings->lock);
	return prepared != NULL;
}

/* Where one is to be made; NULL if that is done already. */
static struct prepared *make_room(struct listings *listings, const struct listing *listing)
{
	struct prepared *room = NULL;
	pthread_mutex_lock(&listings->lock);
	bool known = find(listings, listing) != NULL;
	for (int i = 0; i < PREPARED && !known; i++) {
		struct prepared *prepared = &listings->prepared[i];
		if (prepared->state != BEING_MADE && (!room || prepared->number < room->number))
			room = prepared;
	}
	if (room) {
		free(room->listing.bytes);
		*room = (struct prepared){.listing = *listing, .state = BEING_MADE, .number = ++listings->last};
	}
	pthread_mutex_unlock(&listings->lock);
	return room;
}

static void prepare_next(const struct listing *before, struct store_reader *reader)
{
	struct listings *listings = before->fs->listings;
	struct listing next = {
		.fs = before->fs,
		.directory = before->directory,
		.offset = before->next,
		.size = before->size,
		.plus = before->plus,
	};
	struct prepared *room = make_room(listings, &next);
	if (!room)
		return;
	if (fill(&next, reader) < 0) { /* whoever asks for it finds out why */
		free(next.bytes);
		next = (struct listing){.bytes = NULL};
	}
	pthread_mutex_lock(&listings->lock);
	room->listing = next;
	room->state = next.bytes ? READY : EMPTY;
	pthread_cond_broadcast(&listings->made);
	pthread_mutex_unlock(&listings->lock);
}

/* A page is what the kernel asks for at least; it may have no room to pass all of it on, and come back for the rest. */
static bool is_worth_it(size_t size)
{
	return size > (size_t)sysconf(_SC_PAGESIZE) && size <= PREPARED_MAX;
}

/* --- from outside ------------------------------------------------------------------------------------------------- */

void fs_list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool plus)
{
	struct fs *fs = fs_of(req);
	struct store_reader *reader = fs_reader(req, ino);
	struct listing listing = {.fs = fs, .directory = (int64_t)ino, .offset = offset, .size = size, .plus = plus};
	pid_t thread = fuse_req_ctx(req)->pid;
	int rc = take(fs->listings, &listing) ? 0 : fill(&listing, reader);
	CLEANUP(cleanup_free) char *bytes = listing.bytes;
	if (rc < 0) {
		fs_reply_failure(req, ino, rc);
		return;
	}
	fuse_reply_buf(req, bytes, listing.used);
	if (plus)
		ahead_listed(fs, thread, listing.directory, cookie_at(offset), listing.first);
	if (listing.more && is_worth_it(size))
		prepare_next(&listing, reader);
}

int listings_init(struct fs *fs)
{
	fs->listings = calloc(1, sizeof(*fs->listings));
	if (!fs->listings)
		return -ENOMEM;
	pthread_mutex_init(&fs->listings->lock, NULL);
	pthread_cond_init(&fs->listings->made, NULL);
	return 0;
}

void listings_drop(struct fs *fs)
{
	struct listings *listings = fs->listings;
	for (int i = 0; i < PREPARED; i++) {
		free(listings->prepared[i].listing.bytes);
		listings->prepared[i] = (struct prepared){.state = EMPTY};
	}
}

void listings_finish(struct fs *fs)
{
	if (!fs->listings)
		return;
	listings_drop(fs);
	pthread_mutex_destroy(&fs->listings->lock);
	pthread_cond_destroy(&fs->listings->made);
	free(fs->listings);
}
