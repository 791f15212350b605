/*
 * What comes of an answer: a page is taken (pages.c); anything else is tried again, ends the stream's part in the run, or
 * the run.
 */
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
	if (rc == 0 && from == RUN_REBUILD) /* it brings all of it again; a delta brings what came since its token */
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
 * every token would be asked without end. The token that a new listing ended with is no reason for another one, whichever
 * run it was listed in: what was listed is shown. */
static void relist(struct run *run, struct conversation *conversation, int rc_if_again, const struct err *why)
{
	struct err err = {0};
	bool part = conversation->stream.part_of != 0;
	bool listed = conversation->stream.run == RUN_REBUILD_DELTA && !conversation->stream.page_token;
	if (conversation->relisted && abandon_parts(run, conversation, why))
		return;
	if (listed)
		conversation->stream.run = RUN_REBUILD_READY; /* whole but for the news since */
	if (listed || conversation->relisted) {
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
	conversation->stream.listed = true; /* nothing */
	int rc = batch_begin(&sync->batch, &err);
	if (rc == 0)
		rc = store_publish(sync->store, conversation->stream.id, true, NULL, &err);
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
	if (conversation->seed.tries &&
	    (reaction_to(outcome)->end != REACTION_FAIL_RUN || outcome == DELIVERY_UNAVAILABLE)) {
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
	err_set(&err, 0, "the service leads round in a circle of pages: the listing would not end");
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

void run_take_answer(struct run *run, struct delivery_call *call)
{
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	struct delivery_advice advice = DELIVERY_NO_ADVICE;
	struct err err = {0};
	size_t index = 0;
	while (run->conversations[index].call != call)
		index++;
	pages_store_of(run, index); /* what comes of the answer may be stored, too */
	if (run->lost)
		return;
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
	conversation->failures = (struct failures){0};
	if (conversation->stream.run == RUN_GONE)
		conversation_restart(conversation, RUN_FIRST); /* and is there again */
	if (circles < 0)
		run_break_off(run, err_oom(&err), &err);
	else if (conversation->idle && conversation_is_empty_delta(conversation, &page))
		conversation->state = DONE;
	else
		pages_take(run, conversation, &page, &advice);
}
