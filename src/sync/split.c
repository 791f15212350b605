/*
 * A first listing in parts. A listing is a chain of pages, each asked for with the token of the one before, so a stack of
 * thousands of pages costs as many round trips one after the other. Where jobs allow, a large stack is listed by content
 * type instead, all types side by side, and its assets beside them. It ends with one token all the same:
 *
 *   whole   the first page of the listing of everything says how much there is (total_count). It is not stored: what is
 *           withdrawn between it and the seed, neither the parts nor the delta would tell of
 *   seed    a listing of what was published lately (start_from), for the sync token that it ends with: seed.h
 *   parts   one listing for each content type, one for the assets; their tokens are dropped
 *   delta   with the token of the seed: whatever happened since then, also to what the parts had listed before. That the
 *           filter of the seed lets all later events through follows from what the API says of it: start_from is about
 *           when an event was, not about when an entry was published first (D, I)
 *
 * What the parts miss nobody would ever see, so they are trusted only if they have as many items together as the whole;
 * else, and when one of them cannot be listed, the stack is listed as a whole.
 */
#include "sync/internal.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORTH_PAGES 50   /* a shorter listing is over before parts pay, */
#define WORTH_ITEMS 5000 /* or is one of very small pages; where jobs were asked for, two pages a job are enough */
#define TRIES_SHARE 4    /* one question for a seed for so many pages of the whole is worth it, */
#define TRIES_MIN 3      /* and these in any case */
#define PARTS_MAX 1000   /* content types */
#define ASSETS "asset_published"

static bool may_split(const struct sync *sync, const struct conversation *whole)
{
	const struct stream *stream = &whole->stream;
	return sync->jobs > 1 && !sync->whole_only && stream->run == RUN_FIRST && !stream->part_of &&
	       !stream->page_token && !whole->seed.tries && !stream->content_type && !sync->filter.types &&
	       !sync->filter.start_from;
}

static int64_t pages_of(const struct page *page)
{
	return page->count > 0 ? page->total / (int64_t)page->count : 0;
}

static bool is_worth_it(const struct sync *sync, const struct page *page)
{
	if (sync->jobs_asked_for)
		return pages_of(page) >= 2 * (int64_t)sync->jobs;
	return pages_of(page) >= WORTH_PAGES && page->total >= WORTH_ITEMS;
}

bool split_begins(struct run *run, struct conversation *whole, const struct page *page,
		  const struct delivery_advice *advice)
{
	if (!may_split(run->sync, whole) || !page->more || advice->date_ms < 0 || !is_worth_it(run->sync, page))
		return false;
	int64_t tries = pages_of(page) / TRIES_SHARE;
	conversation_restart(whole, RUN_FIRST); /* it may have to be listed from here after all */
	whole->stream.total = page->total;
	seed_begin(&whole->seed, page, advice->date_ms, tries > TRIES_MIN ? tries : TRIES_MIN);
	/* A type that was added since an earlier run would have no part, and what was published meanwhile would make up for
	 * it in the sum. */
	run->asks_types |= !run->sync->schemas_fresh;
	return true;
}

void split_fetch_types(struct run *run)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	run->asks_types = false;
	int rc = batch_commit(&sync->batch, &err);
	if (rc == 0)
		rc = sync_fetch_schemas(sync, run->result, &err);
	if (rc == 0)
		return;
	if (!sync_schemas_refused(rc)) {
		run_break_off(run, rc, &err);
		return;
	}
	log_notice("the content types could not be fetched, so the stack is listed as a whole: %s", err.text);
	for (size_t i = 0; i < run->count; i++)
		if (run->conversations[i].seed.tries)
			split_forget_seed(run, &run->conversations[i]);
}

void split_forget_seed(struct run *run, struct conversation *whole)
{
	whole->seed = (struct seed){0};
	whole->stream.total = 0;
	run->sync->whole_only = true;
}

bool split_takes_seed(struct run *run, struct conversation *whole, const struct page *page)
{
	switch (seed_look(&whole->seed, page)) {
	case SEED_TAKEN:
		conversation_restart(whole, RUN_SEED);
		return true;
	case SEED_NONE:
		split_forget_seed(run, whole);
		break;
	case SEED_AGAIN:
		break;
	}
	return false;
}

/* --- parts -------------------------------------------------------------------------------------------------------- */

struct making {
	struct run *run;
	size_t whole;
	int rc;
};

/* A part of one content type, or of certain item types. */
static void make_part(struct making *making, struct slice content_type, const char *types)
{
	struct conversation *part = making->rc == 0 ? run_add(making->run) : NULL;
	if (!part) {
		making->rc = -ENOMEM;
		return;
	}
	const struct stream *whole = &making->run->conversations[making->whole].stream;
	part->stream = (struct stream){.part_of = whole->id, .run = RUN_FIRST};
	char **filter = types ? &part->stream.types : &part->stream.content_type;
	*filter = types ? strdup(types) : strndup(content_type.at, content_type.len);
	part->stream.locale = whole->locale ? strdup(whole->locale) : NULL;
	if (!*filter || !part->stream.locale != !whole->locale)
		making->rc = -ENOMEM;
}

static void found_type(void *context, struct slice uid)
{
	make_part(context, uid, NULL);
}

int split_make_parts(struct run *run, size_t whole, struct err *err)
{
	struct making making = {.run = run, .whole = whole};
	size_t before = run->count;
	make_part(&making, (struct slice){0}, ASSETS);
	int rc = store_schemas(run->sync->store, found_type, &making, err);
	if (rc == 0 && making.rc < 0)
		rc = err_oom(err);
	if (rc == 0 && run->count - before > PARTS_MAX)
		return split_abandon(run, &run->conversations[whole], err);
	for (size_t i = before; rc == 0 && i < run->count; i++)
		rc = store_part_add(run->sync->store, &run->conversations[i].stream, err);
	return rc;
}

static int load_part(void *context, struct stream *stream, struct err *err)
{
	struct conversation *part = run_add(context);
	if (!part) {
		stream_finish(stream);
		return err_oom(err);
	}
	part->stream = *stream;
	part->state = stream->run == RUN_NONE ? DONE : TALKING;
	return 0;
}

int split_load_parts(struct run *run, size_t whole, struct err *err)
{
	return store_parts_each(run->sync->store, run->conversations[whole].stream.id, load_part, run, err);
}

struct conversation *split_whole(const struct run *run, const struct conversation *part)
{
	if (!part->stream.part_of)
		return NULL;
	for (size_t i = 0; i < run->count; i++)
		if (run->conversations[i].stream.id == part->stream.part_of)
			return &run->conversations[i];
	return NULL;
}

/* The stream goes on without its parts: their rows go, what has come of them is not stored, and an answer that is under way
 * is not waited for. */
static int leave_parts(struct run *run, struct conversation *whole, enum stream_run next, struct err *err)
{
	for (size_t i = 0; i < run->count; i++) {
		struct conversation *part = &run->conversations[i];
		if (part->stream.part_of != whole->stream.id)
			continue;
		part->state = DONE;
		conversation_drop_pending(part);
	}
	whole->state = TALKING;
	whole->stream.total = 0;
	conversation_restart(whole, next);
	int rc = store_parts_forget(run->sync->store, whole->stream.id, err);
	return rc < 0 ? rc : store_stream_save(run->sync->store, &whole->stream, err);
}

/* What the parts have shown may be gone by the time of the new listing, which is compared with it. */
int split_abandon(struct run *run, struct conversation *whole, struct err *err)
{
	run->sync->whole_only = true;
	free(whole->stream.sync_token);
	whole->stream.sync_token = NULL;
	int rc = store_quarantine_forget(run->sync->store, whole->stream.id, err); /* it brings all of it again */
	return rc < 0 ? rc : leave_parts(run, whole, RUN_REBUILD, err);
}

/* What the parts of a stream have come to. */
struct sum {
	int64_t items;    /* that they have together, as the service says */
	bool all_begun;   /* each has a page */
	bool all_counted; /* and each of these said how many items there are */
	bool all_listed;  /* and all of it is stored */
};

static struct sum sum_up(const struct run *run, const struct conversation *whole)
{
	struct sum sum = {0, true, true, true};
	for (size_t i = 0; i < run->count; i++) {
		const struct stream *part = &run->conversations[i].stream;
		bool pending = run->conversations[i].pending.number != 0;
		if (part->part_of != whole->stream.id)
			continue;
		sum.items += part->total;
		sum.all_begun &= part->pages > 0;
		sum.all_counted &= part->total >= 0;
		sum.all_listed &= part->run == RUN_NONE && !pending;
	}
	return sum;
}

/* Once for each listing: later a total may shrink because something was unpublished. */
static int check_sum(struct run *run, struct conversation *whole, const struct sum *sum, struct err *err)
{
	if (!sum->all_counted || sum->items < whole->stream.total) {
		log_notice("the listings by content type do not add up to the stack: listing it as a whole");
		return split_abandon(run, whole, err);
	}
	whole->stream.total = 0;
	return store_stream_save(run->sync->store, &whole->stream, err);
}

static int end_parts(struct run *run, struct conversation *whole, struct err *err)
{
	whole->stream.listed = true;
	return leave_parts(run, whole, RUN_DELTA, err);
}

int split_settle(struct run *run, struct conversation *part, struct err *err)
{
	int rc = 0;
	struct conversation *whole = split_whole(run, part);
	if (!whole || whole->stream.run != RUN_PARTS)
		return 0;
	const struct sum sum = sum_up(run, whole);
	if (whole->stream.total > 0 && (sum.all_begun || !sum.all_counted))
		rc = check_sum(run, whole, &sum, err);
	if (rc == 0 && whole->stream.run == RUN_PARTS && sum.all_listed)
		rc = end_parts(run, whole, err); /* the news since the seed, and it is as any other */
	return rc;
}
