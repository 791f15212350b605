/*
 * Requests that are answered later, by another thread than the worker that took them. Whoever sent one may take it back
 * (Ctrl-C): whoever takes it out of the table here is the one that answers it, so each is answered once.
 *
 * They are told apart by a number that is never used twice, since their memory is.
 */
#include "fs/internal.h"
#include "util/clock.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct pending *)a)->id;
	uint64_t y = ((const struct pending *)b)->id;
	return x < y ? -1 : x > y;
}

/* With the lock held. */
static struct pending *find(struct fs *fs, uint64_t id)
{
	const struct pending key = {.id = id};
	struct pending **found = tfind(&key, &fs->pending, compare);
	return found ? *found : NULL;
}

static void take_out(struct fs *fs, struct pending *pending)
{
	tdelete(pending, &fs->pending, compare);
	fs->pending_count--;
}

/* libfuse calls it with the request's lock held, from another worker, or from within fuse_req_interrupt_func itself. In
 * there the request must not be answered: answering frees what libfuse still holds. */
static void interrupted(fuse_req_t req, void *argument)
{
	struct fs *fs = fs_of(req);
	uint64_t id = (uintptr_t)argument;
	pthread_mutex_lock(&fs->lock);
	struct pending *pending = find(fs, id);
	if (pending && pending->arming) {
		pending->interrupted = true;
		pending = NULL;
	}
	if (pending)
		take_out(fs, pending);
	pthread_mutex_unlock(&fs->lock);
	if (!pending)
		return;
	if (pending->cancel)
		pending->cancel(fs, id);
	free(pending);
	fuse_reply_err(req, EINTR);
}

static struct pending *add(struct fs *fs, fuse_req_t req, const struct pending *template)
{
	struct pending *pending = malloc(sizeof(*pending));
	if (!pending)
		return NULL;
	*pending = *template;
	pending->req = req;
	pending->since = clock_monotonic_ms();
	pending->arming = true;
	pthread_mutex_lock(&fs->lock);
	pending->id = ++fs->pending_last;
	bool added = tsearch(pending, &fs->pending, compare) != NULL;
	fs->pending_count += added;
	pthread_mutex_unlock(&fs->lock);
	if (added)
		return pending;
	free(pending);
	return NULL;
}

uint64_t pending_add(fuse_req_t req, const struct pending *template)
{
	struct fs *fs = fs_of(req);
	struct pending *pending = add(fs, req, template);
	if (!pending) {
		fuse_reply_err(req, ENOMEM);
		return 0;
	}
	uint64_t id = pending->id;
	fuse_req_interrupt_func(req, interrupted, (void *)(uintptr_t)id);
	pthread_mutex_lock(&fs->lock);
	pending->arming = false;
	bool gone = pending->interrupted;
	if (gone)
		take_out(fs, pending);
	pthread_mutex_unlock(&fs->lock);
	if (!gone)
		return id;
	free(pending);
	fuse_reply_err(req, EINTR);
	return 0;
}

bool pending_take(struct fs *fs, uint64_t id, struct pending *out)
{
	pthread_mutex_lock(&fs->lock);
	struct pending *pending = find(fs, id);
	if (pending)
		take_out(fs, pending);
	pthread_mutex_unlock(&fs->lock);
	if (!pending)
		return false;
	*out = *pending;
	free(pending);
	return true;
}
