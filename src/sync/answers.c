/*
 * What comes of an answer: a page is stored, with where the stream is then; anything else is tried again, ends the stream's
 * part in the run, or the run.
 */
#include "sync/apply.h"
#include "sync/internal.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>

/* --- failures ----------------------------------------------------------------------------------------------------- */

/* The first failure is the one that is told of. `err` may be run->err itself, which a retry may have left filled. */
void run_fail(struct run *run, int rc, const struct err *err)
{
	if (run->rc < 0)
		return;
	run->rc = rc;
	*run->err = *err;
}

/* The store or the memory is the trouble: what is not committed is lost, and asked for again by the next run. */
void run_break_off(struct run *run, int rc, const struct err *err)
{
	run_fail(run, rc, err);
	run->broken = true;
	run->lost = true;
	batch_rollback(&run->sync->batch);
}

static void give_up(struct run *run, struct conversation *conversation, int rc, const struct err *err)
{
	run_fail(run, rc, err);
	conversation->state = GIVEN_UP;
}

/* Begins the stream's listing again, in a transaction of its own. */
static int restart(struct run *run, struct conversation *conversation, enum stream_run from, struct err *err)
{
	struct sync *sync = run->sync;
	int rc = batch_begin(&sync->batch, err);
	conversation_restart(conversation, from);
	if (rc == 0 && (from == RUN_REBUILD || from == RUN_DELTA)) /* it brings all of it again */
		rc = store_forget_run(sync->store, conversation->stream.id, err);
	if (rc == 0 && from == RUN_REBUILD)
		rc = store_quarantine_forget(sync->store, conversation->stream.id, err);
	if (rc == 0)
		rc = store_stream_save(sync->store, &conversation->stream, err);
	return rc < 0 ? rc : batch_commit(&sync->batch, err);
}

/* A part that cannot be listed is no reason to fail: the stack can be listed as a whole. */
static bool abandon_parts(struct run *run, struct conversation *part, const struct err *why)
{
	struct err err = {0};
	struct conversation *whole = split_whole(run, part);
	if (!whole)
		return false;
	log_notice("%s: listing the stack as a whole instead of in parts", why->text);
	int rc = batch_begin(&run->sync->batch, &err);
	if (rc == 0)
		rc = split_abandon(run, whole, &err);
	if (rc == 0)
		rc = batch_commit(&run->sync->batch, &err);
	if (rc < 0)
		run_break_off(run, rc, &err);
	return true;
}

/* A part's listing begins again where it is; a stream's as a whole, beside the content. Once a run: a service that refuses
 * every token would be asked without end. What was listed by then is shown. */
static void relist(struct run *run, struct conversation *conversation, int rc_if_again, const struct err *why)
{
	struct err err = {0};
	bool part = conversation->stream.part_of != 0;
	if (conversation->relisted && abandon_parts(run, conversation, why))
		return;
	if (conversation->relisted) {
		if (conversation->stream.run == RUN_REBUILD_DELTA && !conversation->stream.page_token)
			conversation->stream.run = RUN_REBUILD_READY; /* whole but for the news since */
		err_set(&err, 0, "the stack was listed anew, and yet: %s", why->text);
		give_up(run, conversation, rc_if_again, &err);
		return;
	}
	log_warning("%s: listing %s anew beside the content that is there", why->text,
		    part ? "a part of the stack" : "the stack");
	conversation->relisted = true;
	conversation->idle = false;
	int rc = restart(run, conversation, part ? RUN_FIRST : RUN_REBUILD, &err);
	if (rc < 0)
		run_break_off(run, rc, &err);
}

static bool is_gone(const struct conversation *conversation, enum delivery_outcome outcome)
{
	const struct stream *stream = &conversation->stream;
	return outcome == DELIVERY_TYPE_UNKNOWN && stream->content_type && !stream->page_token &&
	       (stream->run == RUN_REBUILD || stream->run == RUN_GONE);
}

/* The stream's content type was deleted: a listing of it would have nothing in it. */
static void let_go(struct run *run, struct conversation *conversation)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	conversation->state = DONE;
	if (conversation->stream.run == RUN_GONE)
		return;
	log_notice("the content type %s was deleted", conversation->stream.content_type);
	conversation->stream.run = RUN_GONE;
	int rc = batch_begin(&sync->batch, &err);
	if (rc == 0)
		rc = store_publish(sync->store, conversation->stream.id, true, &err);
	if (rc == 0)
		rc = store_forget_run(sync->store, conversation->stream.id, &err);
	if (rc == 0)
		rc = store_stream_save(sync->store, &conversation->stream, &err);
	if (rc == 0)
		rc = batch_commit(&sync->batch, &err);
	sync->schemas_due = true;
	if (rc < 0)
		run_break_off(run, rc, &err);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void refused(struct run *run, struct conversation *conversation, enum delivery_outcome outcome,
		    const struct delivery_advice *advice, const struct err *err)
{
	bool token = conversation_query(conversation, NULL, NULL).token != NULL;
	if (outcome == DELIVERY_TOKEN_REFUSED && !token)
		outcome = DELIVERY_NONSENSE; /* none was sent */
	int rc = delivery_outcome_errno(outcome);
	if (outcome == DELIVERY_TYPE_UNKNOWN && token && conversation->stream.content_type)
		outcome = DELIVERY_TOKEN_REFUSED; /* a listing will tell whether the type is gone */
	run->result->retry_after_ms = advice->retry_after_ms;
	if (retry_later(outcome, advice, &conversation->failures, run->now, &conversation->due)) {
		log_debug("%s (trying again in %lld ms)", err->text, (long long)(conversation->due - run->now));
		err_set(&run->retried, 0, "another try, after: %s", err->text);
		return;
	}
	if (is_gone(conversation, outcome)) {
		let_go(run, conversation);
		return;
	}
	if (conversation->seed.tries && reaction_to(outcome)->end != REACTION_FAIL_RUN) {
		split_forget_seed(run, conversation);
		return;
	}
	switch (reaction_to(outcome)->end) {
	case REACTION_RELIST:
		relist(run, conversation, rc, err);
		return;
	case REACTION_FAIL_STREAM:
		if (!abandon_parts(run, conversation, err))
			give_up(run, conversation, rc, err);
		return;
	case REACTION_FAIL_RUN:
		run_fail(run, rc, err);
		run->broken = true;
	}
}

/* Where a run begins again. What a first listing has shown may be gone by the time of a second one, which has to be compared
 * with it then; of a part the delta of the whole tells. */
static enum stream_run again(const struct stream *stream)
{
	bool shown = stream->run == RUN_FIRST || stream->run == RUN_SEED;
	return shown && !stream->part_of ? RUN_REBUILD : stream->run;
}

/* The answer may be another next time; else what led there is asked for again, once. */
static void went_round(struct run *run, struct conversation *conversation, const struct delivery_advice *advice)
{
	struct err err = {0};
	if (retry_later(DELIVERY_NONSENSE, advice, &conversation->failures, run->now, &conversation->due))
		return;
	err_set(&err, 0, "the service gave a page token that was there before: the listing would not end");
	if (conversation->relisted) {
		if (!abandon_parts(run, conversation, &err))
			give_up(run, conversation, -EPROTO, &err);
		return;
	}
	conversation->relisted = true;
	int rc = restart(run, conversation, again(&conversation->stream), &err);
	if (rc < 0)
		run_break_off(run, rc, &err);
}

/* What the page changes, and where the stream is afterwards, within the transaction that is open. */
static int store_page(struct run *run, size_t index, const struct page *page, enum stream_run run_of_page, bool shows,
		      struct err *err)
{
	struct sync *sync = run->sync;
	struct conversation *conversation = &run->conversations[index];
	struct apply apply = {
		.store = sync->store,
		.stream = &conversation->stream,
		.owner = conversation_owner(conversation),
		.now = shows,
		.rebuild = run_of_page == RUN_REBUILD || run_of_page == RUN_REBUILD_DELTA,
		.text = &sync->text,
	};
	int rc = apply_page(&apply, page, err);
	sync->schemas_due |= apply.schemas_doubtful;
	if (rc == 0 && stream_is_ready(&conversation->stream) && sync->streams == 1)
		rc = stream_end(run, conversation, !shows, err);
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
		pages += conversation->stream.pages;
		items += conversation->stream.items;
		if (!conversation->stream.part_of && conversation->stream.total > 0)
			whole += (uint64_t)conversation->stream.total;
		known = add_left(conversation, &left) && known;
	}
	uint64_t total = whole ? whole : known ? items + left : 0;
	if (run->sync->hooks.progress)
		run->sync->hooks.progress(run->sync->hooks.context, pages, items, total >= items ? total : 0);
}

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

static void take_page(struct run *run, size_t index, struct page *page, const struct delivery_advice *advice)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	struct conversation *conversation = &run->conversations[index];
	enum stream_run run_of_page = conversation->stream.run;
	log_debug("a page of %zu items in stream %d%s", page->count, conversation->stream.id,
		  page->more ? "" : ", the last of its listing");
	bool shows = conversation_shows(conversation, page, sync->streams == 1);
	if (split_begins(run, conversation, page, advice))
		return;
	if (conversation->seed.tries && !split_takes_seed(run, conversation, page))
		return;
	conversation->idle = false;
	conversation->staged |= !shows;
	conversation_advance(conversation, page);
	catch_up(conversation);
	settle_state(conversation);
	run_ask(run); /* the service works on the next page while this one is stored */
	int rc = batch_begin(&sync->batch, &err);
	if (rc == 0)
		rc = store_page(run, index, page, run_of_page, shows, &err);
	if (rc == 0)
		rc = batch_stored(&sync->batch, page->count, &err);
	if (rc < 0) {
		run_break_off(run, rc, &err);
		return;
	}
	run->result->pages++;
	if (run_of_page == RUN_FIRST || run_of_page == RUN_SEED)
		tell_progress(run);
}

void run_take_answer(struct run *run, struct delivery_call *call)
{
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	struct delivery_advice advice = DELIVERY_NO_ADVICE;
	struct err err = {0};
	size_t index = 0;
	while (run->conversations[index].call != call)
		index++;
	struct conversation *conversation = &run->conversations[index];
	conversation->call = NULL;
	run->in_flight--;
	enum delivery_outcome outcome = delivery_take(call, &page, &advice, &err);
	pace_heard(&run->sync->pace, &advice, outcome == DELIVERY_RATE_LIMITED, run->in_flight, run->now);
	if (conversation->state != TALKING)
		return; /* nobody waits for it any more */
	if (outcome != DELIVERY_OK) {
		refused(run, conversation, outcome, &advice, &err);
		return;
	}
	run->result->retry_after_ms = -1;
	int circles = conversation_circles(conversation, &page);
	if (circles > 0) {
		went_round(run, conversation, &advice);
		return;
	}
	conversation->failures = 0;
	if (conversation->stream.run == RUN_GONE)
		conversation_restart(conversation, RUN_FIRST); /* and is there again */
	if (circles < 0)
		run_break_off(run, err_oom(&err), &err);
	else if (conversation->idle && conversation_is_empty_delta(conversation, &page))
		conversation->state = DONE;
	else
		take_page(run, index, &page, &advice);
}
