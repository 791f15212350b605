/*
 * The sync engine: brings the store up to date with the stack. One call is one run: from where the store is, however that
 * came about (nothing yet, interrupted, up to date yesterday, token refused), to the service's newest sync token.
 *
 * What pages change is committed together with the token that follows them, so a run can be killed anywhere and goes on
 * from there. The first run shows pages as they come; a delta of several pages and a listing that replaces a refused token become
 * visible in one step at their end. One thread at a time; blocks for the network and the disk.
 */
#ifndef CONTENTFS_SYNC_SYNC_H
#define CONTENTFS_SYNC_SYNC_H

#include "delivery/delivery.h"
#include "store/store.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct sync;

/* What to keep. Lists are NULL-terminated, sorted and without repeats; NULL or empty keeps everything. All is borrowed as
 * long as the engine lives. */
struct sync_filter {
	const char *const *content_types;
	const char *const *locales;
	const char *start_from; /* NULL for none */
	const char *types;      /* NULL for none */
};

struct sync_hooks {
	void *context;
	void (*committed)(void *context); /* something became visible; NULL if nobody wants to know */
	/* Of the first run, after each page: what was stored of it, and how many items there are in all as the service says,
	 * 0 if it does not. A hint, for people. Or NULL. */
	void (*progress)(void *context, uint64_t pages, uint64_t items, uint64_t total);
	/* The run does nothing for about `ms` because of `what`, some words (borrowed); NULL when it goes on. Or NULL. */
	void (*waiting)(void *context, const char *what, int64_t ms);
	/* Others want the processors, and what the run does becomes visible later in one step: a time to do nothing for `ms`,
	 * 200 at most and 30,000 in one run. NULL for who wants it done as soon as possible. */
	void (*rest)(void *context, int64_t ms);
	/* The run gets on: called after each page, and now and then while what is staged is made visible. Or NULL. */
	void (*turn)(void *context);
};

/*
 * Store, delivery and what the filter points to are borrowed as long as the engine lives. `jobs` is how many
 * questions are under way at once, of several streams and of a large first listing, which is split into parts; 0 leaves it
 * to the engine.
 */
int sync_create(struct sync **out, struct store *store, struct delivery *delivery, const struct sync_filter *filter,
		unsigned jobs, const struct sync_hooks *hooks, struct err *err);
void sync_destroy(struct sync *sync); /* NULL is fine */

struct sync_result {
	bool news;              /* the tree changed */
	bool complete;          /* a listing of all of it was visible as a whole by now */
	uint64_t pages;         /* that were stored */
	int64_t retry_after_ms; /* how long the service asked to wait, or -1 */
};

/*
 * One run. 0, or a negative errno as util/err.h has it, with the reason; what was committed until then stays and the
 * next run goes on from there. `result` is filled either way.
 */
int sync_run(struct sync *sync, struct sync_result *result, struct err *err);

/* Makes the next run fetch the content types too, which it does of itself only now and then. */
void sync_want_schemas(struct sync *sync);

/* The service asked, before this engine was made, to be left alone for another `ms`. */
void sync_keep_away(struct sync *sync, int64_t ms);

/* The filters as one line, part of a store's identity. "" without any. 0 or -ENOMEM. */
int sync_filter_identity(const struct sync_filter *filter, struct buf *out);

#endif
