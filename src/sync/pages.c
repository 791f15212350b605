/*
 * A page from its coming to the store. The stream goes on as soon as the page has come, so that the service works on the next
 * one, and on those of the other streams, while this one is stored. Then it is stored with where it leads to, in the order of
 * coming. A stream has one such page at most: its next answer is not looked at before.
 */
#include "sync/apply.h"
#include "sync/internal.h"
#include "util/log.h"

#include <limits.h>

/* --- to the store ------------------------------------------------------------------------------------------------- */

/* What the page changes, and where the stream is afterwards, within the transaction that is open. */
static int store_page(struct run *run, size_t index, const struct pending_page *pending, struct err *err)
{
	struct sync *sync = run->sync;
	struct conversation *conversation = &run->conversations[index];
	struct apply apply = {
		.store = sync->store,
		.stream = &conversation->stream,
		.owner = conversation_owner(conversation),
		.now = pending->shows,
		.rebuild = pending->run == RUN_REBUILD || pending->run == RUN_REBUILD_DELTA,
		.text = &sync->text,
	};
	int rc = apply_page(&apply, &pending->page, err);
	sync->schemas_due |= apply.schemas_doubtful;
	if (rc == 0 && stream_is_ready(&conversation->stream) && pending->shows)
		rc = stream_end(run, conversation, err);
	if (rc == 0)
		rc = store_stream_save(sync->store, &conversation->stream, err);
	if (rc == 0 && conversation->stream.run == RUN_PARTS)
		rc = split_make_parts(run, index, err);
	else if (rc == 0 && conversation->stream.part_of)
		rc = split_settle(run, conversation, err);
	return rc;
}

/* Adds what a first listing has still to come. False if the service has not said it, or there is more than it said. */
static bool add_left(const struct conversation *conversation, uint64_t *total)
{
	bool listing = conversation->stream.run == RUN_FIRST;
	if (listing)
		*total += (uint64_t)conversation->left;
	return !listing || (conversation->left > 0 && conversation->left < INT64_MAX);
}

static void tell_progress(const struct run *run)
{
	uint64_t pages = 0;
	uint64_t items = 0;
	uint64_t left = 0;
	uint64_t whole = 0; /* of listings in parts: not all of them may have begun */
	bool known = true;
	for (size_t i = 0; i < run->count; i++) {
		const struct conversation *conversation = &run->conversations[i];
		bool pending = conversation->pending.number != 0;
		pages += conversation->stream.pages - pending;
		items += conversation->stream.items - conversation->pending.page.count;
		left += conversation->pending.page.count;
		if (!conversation->stream.part_of && conversation->stream.total > 0)
			whole += (uint64_t)conversation->stream.total;
		known = add_left(conversation, &left) && known;
	}
	uint64_t total = whole ? whole : known ? items + left : 0;
	if (run->sync->hooks.progress)
		run->sync->hooks.progress(run->sync->hooks.context, pages, items, total >= items ? total : 0);
}

/* Stores the page of a conversation, and where it leads to. */
static void store(struct run *run, size_t index)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	struct pending_page page = run->conversations[index].pending;
	run->conversations[index].pending = (struct pending_page)PENDING_PAGE_NONE;
	run_work(run);
	int rc = batch_begin(&sync->batch, &err);
	if (rc == 0)
		rc = store_page(run, index, &page, &err);
	run_worked(run);
	if (rc == 0)
		rc = batch_stored(&sync->batch, page.page.count, &err);
	if (rc < 0)
		run_break_off(run, rc, &err);
	else
		run->result->pages++;
	run_turn(run);
	if (rc == 0 && (page.run == RUN_FIRST || page.run == RUN_SEED))
		tell_progress(run);
	page_finish(&page.page);
	if (!page.shows)
		run_rest(run);
}

void pages_store_of(struct run *run, size_t index)
{
	if (run->conversations[index].pending.number)
		store(run, index);
}

bool pages_store_oldest(struct run *run)
{
	size_t oldest = run->count;
	unsigned lowest = UINT_MAX;
	for (size_t i = 0; i < run->count; i++) {
		unsigned number = run->conversations[i].pending.number;
		if (number == 0 || number > lowest)
			continue;
		oldest = i;
		lowest = number;
	}
	if (oldest < run->count)
		store(run, oldest);
	return oldest < run->count;
}

unsigned pages_pending(const struct run *run)
{
	unsigned count = 0;
	for (size_t i = 0; i < run->count; i++)
		count += run->conversations[i].pending.number != 0;
	return count;
}

/* --- from the service --------------------------------------------------------------------------------------------- */

/* A delta that is taken up again ends where the news ended when it began; what came since is a delta of its own, and part
 * of the same step where the step is not done yet. */
static void catch_up(struct conversation *conversation)
{
	struct stream *stream = &conversation->stream;
	if (!conversation->stale || !stream_is_ready(stream))
		return;
	conversation->stale = false;
	stream->run = stream->run == RUN_READY ? RUN_DELTA : RUN_REBUILD_DELTA;
}

static void settle_state(struct conversation *conversation)
{
	if (conversation->stream.run == RUN_NONE || stream_is_ready(&conversation->stream))
		conversation->state = DONE;
	else if (conversation->stream.run == RUN_PARTS)
		conversation->state = PAUSED;
}

void pages_take(struct run *run, struct conversation *conversation, struct page *page,
		const struct delivery_advice *advice)
{
	log_debug("a page of %zu items in stream %d%s", page->count, conversation->stream.id,
		  page->more ? "" : ", the last of its listing");
	if (split_begins(run, conversation, page, advice))
		return;
	if (conversation->seed.tries && !split_takes_seed(run, conversation, page))
		return;
	const bool shows = conversation_shows(conversation, page, run->sync->streams == 1);
	const enum stream_run run_of_page = conversation->stream.run;
	conversation->idle = false;
	conversation->staged |= !shows;
	conversation_advance(conversation, page);
	catch_up(conversation);
	settle_state(conversation);
	conversation->pending = (struct pending_page){++run->pages, *page, run_of_page, shows};
	*page = (struct page)PAGE_INIT;
}
