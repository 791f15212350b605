/*
 * The loop of a run: questions out, answers in, as many under way at once as there are jobs, each stream's next page asked
 * for before the last one is stored. Where a stream stands is in its row, committed together with what the pages until
 * there changed; what is in memory is ahead of that, so any failure of the store ends the run, and the next one starts from
 * the rows.
 */
#include "sync/apply.h"
#include "sync/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREVER_MS 3600000 /* as a wait: something else ends it */

/* --- the conversations -------------------------------------------------------------------------------------------- */

struct conversation *run_add(struct run *run)
{
	if (run->count == run->cap) {
		size_t cap = run->cap ? run->cap * 2 : 8;
		struct conversation *grown = realloc(run->conversations, cap * sizeof(*grown));
		if (!grown)
			return NULL;
		run->conversations = grown;
		run->cap = cap;
	}
	struct conversation *added = &run->conversations[run->count++];
	*added = (struct conversation){.left = INT64_MAX};
	return added;
}

static int set_text(char **field, const char *value, struct err *err)
{
	if (!value || *field)
		return 0;
	*field = strdup(value);
	return *field ? 0 : err_oom(err);
}

static int load_stream(const struct sync *sync, size_t index, struct stream *stream, struct err *err)
{
	int rc = store_stream_load(sync->store, (int)index + 1, stream, err);
	if (rc < 0)
		return rc;
	const char *const *types = sync->filter.content_types;
	size_t across = sync->locales ? sync->locales : 1;
	rc = set_text(&stream->content_type, types && types[0] ? types[index / across] : NULL, err);
	if (rc == 0)
		rc = set_text(&stream->locale, sync->locales ? sync->filter.locales[index % across] : NULL, err);
	return rc;
}

static int load(struct run *run, size_t index, struct err *err)
{
	struct conversation *conversation = run_add(run);
	if (!conversation)
		return err_oom(err);
	struct stream *stream = &conversation->stream;
	int rc = load_stream(run->sync, index, stream, err);
	conversation->staged = stream->run != RUN_NONE && stream->page_token;
	conversation->stale = stream->page_token && (stream->run == RUN_DELTA || stream->run == RUN_REBUILD_DELTA);
	return rc;
}

/* Every stream has its row before the first of them ends: else the store would pass for whole with some of them missing. */
static int note_streams(struct sync *sync, struct err *err)
{
	int rc = batch_begin(&sync->batch, err);
	for (size_t i = 0; rc == 0 && i < sync->streams; i++) {
		CLEANUP(stream_finish) struct stream stream = {0};
		rc = load_stream(sync, i, &stream, err);
		if (rc == 0 && stream.run == RUN_FIRST && !stream.page_token)
			rc = store_stream_save(sync->store, &stream, err);
	}
	if (rc == 0)
		rc = batch_commit(&sync->batch, err);
	batch_rollback(&sync->batch);
	sync->streams_noted = rc == 0;
	return rc;
}

static int load_all(struct run *run, struct err *err)
{
	struct sync *sync = run->sync;
	int rc = sync->streams_noted ? 0 : note_streams(sync, err);
	for (size_t i = 0; rc == 0 && i < sync->streams; i++)
		rc = load(run, (sync->first + i) % sync->streams, err);
	for (size_t i = 0; rc == 0 && i < sync->streams; i++)
		if (run->conversations[i].stream.run == RUN_PARTS)
			rc = split_load_parts(run, i, err);
	sync->first = (sync->first + 1) % sync->streams; /* a limit that ends the run is not always met by the same */
	return rc;
}

/* A stream goes on with the run that it is in, or begins a delta. */
static void begin_all(struct run *run)
{
	for (size_t i = 0; i < run->sync->streams; i++) {
		struct conversation *conversation = &run->conversations[i];
		if (conversation->stream.run == RUN_PARTS && run->count == run->sync->streams)
			conversation_restart(conversation, RUN_FIRST); /* should it have none */
		conversation->state = conversation->stream.run == RUN_PARTS ? PAUSED : TALKING;
		conversation->idle = conversation->stream.run == RUN_NONE;
		if (conversation->idle)
			conversation->stream.run = RUN_DELTA;
	}
}

static void finish_all(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct conversation *conversation = &run->conversations[i];
		struct page none = PAGE_INIT;
		struct delivery_advice advice;
		if (conversation->call)
			delivery_take(conversation->call, &none, &advice, NULL);
		page_finish(&none);
		conversation_finish(conversation);
	}
	free(run->conversations);
}

/* --- failures ----------------------------------------------------------------------------------------------------- */

/* The first failure is the one that is told of. `err` may be run->err itself, which a retry may have left filled. */
static void note_failure(struct run *run, int rc, const struct err *err)
{
	if (run->rc < 0)
		return;
	run->rc = rc;
	*run->err = *err;
}

/* The store or the memory is the trouble: what is not committed is lost, and asked for again by the next run. */
static void break_off(struct run *run, int rc, const struct err *err)
{
	note_failure(run, rc, err);
	run->broken = true;
	run->lost = true;
	batch_rollback(&run->sync->batch);
}

static void give_up(struct run *run, struct conversation *conversation, int rc, const struct err *err)
{
	note_failure(run, rc, err);
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

/* A part's listing begins again where it is; a stream's as a whole, beside the content. Once a run: a service that refuses
 * every token would be asked without end. */
static void relist(struct run *run, struct conversation *conversation, const struct err *why)
{
	struct err err = {0};
	bool part = conversation->stream.part_of != 0;
	if (conversation->relisted) {
		err_set(&err, 0, "the stack was listed anew, and yet: %s", why->text);
		give_up(run, conversation, -EPROTO, &err);
		return;
	}
	log_warning("%s: listing %s anew beside the content that is there", why->text,
		    part ? "a part of the stack" : "the stack");
	conversation->relisted = true;
	conversation->idle = false;
	int rc = restart(run, conversation, part ? RUN_FIRST : RUN_REBUILD, &err);
	if (rc < 0)
		break_off(run, rc, &err);
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
		break_off(run, rc, &err);
	return true;
}

static bool is_gone(const struct conversation *conversation, enum delivery_outcome outcome)
{
	const struct stream *stream = &conversation->stream;
	return outcome == DELIVERY_TYPE_UNKNOWN && !stream->page_token &&
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
		break_off(run, rc, &err);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void refused(struct run *run, struct conversation *conversation, enum delivery_outcome outcome,
		    const struct delivery_advice *advice, const struct err *err)
{
	bool token = conversation_query(conversation, NULL, NULL).token != NULL;
	if (outcome == DELIVERY_TOKEN_REFUSED && !token)
		outcome = DELIVERY_NONSENSE; /* none was sent */
	run->result->retry_after_ms = advice->retry_after_ms;
	if (retry_later(outcome, advice, &conversation->failures, run->now, &conversation->due)) {
		log_debug("%s (trying again in %lld ms)", err->text, (long long)(conversation->due - run->now));
		return;
	}
	int rc = delivery_outcome_errno(outcome);
	if (is_gone(conversation, outcome)) {
		let_go(run, conversation);
		return;
	}
	if (conversation->seed && reaction_to(outcome)->end != REACTION_FAIL_RUN) {
		conversation->seed = 0; /* goes on as it began */
		conversation->stream.total = 0;
		run->sync->whole_only = true;
		return;
	}
	switch (reaction_to(outcome)->end) {
	case REACTION_RELIST:
		relist(run, conversation, err);
		return;
	case REACTION_FAIL_STREAM:
		if (!abandon_parts(run, conversation, err))
			give_up(run, conversation, rc, err);
		return;
	case REACTION_FAIL_RUN:
		note_failure(run, rc, err);
		run->broken = true;
	}
}

/* The answer may be another next time; else what led there is asked for again, once. */
static void went_round(struct run *run, struct conversation *conversation, const struct delivery_advice *advice)
{
	struct err err = {0};
	if (retry_later(DELIVERY_NONSENSE, advice, &conversation->failures, run->now, &conversation->due))
		return;
	err_set(&err, 0, "the service gave a page token that was there before: the listing would not end");
	if (conversation->relisted) {
		give_up(run, conversation, -EPROTO, &err);
		return;
	}
	conversation->relisted = true;
	int rc = restart(run, conversation, conversation->stream.run, &err);
	if (rc < 0)
		break_off(run, rc, &err);
}

/* The stream's run has come to its end, with this page: makes visible what is not, unless others are waited for. */
static int end_alone(struct run *run, struct conversation *conversation, bool staged, struct err *err)
{
	struct stream *stream = &conversation->stream;
	bool listed = stream->run == RUN_REBUILD_READY;
	int rc = staged ? store_publish(run->sync->store, stream->id, listed, err) : 0;
	stream->run = RUN_NONE;
	stream->pages = 0;
	stream->items = 0;
	return rc < 0 ? rc : store_forget_run(run->sync->store, stream->id, err);
}

static bool is_ready(const struct stream *stream)
{
	return stream->run == RUN_READY || stream->run == RUN_REBUILD_READY;
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
	if (rc == 0 && is_ready(&conversation->stream) && sync->streams == 1)
		rc = end_alone(run, conversation, !shows, err);
	if (rc == 0)
		rc = store_stream_save(sync->store, &conversation->stream, err);
	if (rc == 0 && conversation->stream.run == RUN_PARTS)
		rc = split_make_parts(run, index, err);
	else if (rc == 0 && conversation->stream.part_of)
		rc = split_settle(run, conversation, err);
	return rc;
}

static void tell_progress(const struct run *run)
{
	uint64_t pages = 0;
	uint64_t items = 0;
	for (size_t i = 0; i < run->count; i++) {
		pages += run->conversations[i].stream.pages;
		items += run->conversations[i].stream.items;
	}
	if (run->sync->hooks.progress)
		run->sync->hooks.progress(run->sync->hooks.context, pages, items);
}

/* A delta that is taken up again ends where the news ended when it began; what came since is a delta of its own, and part
 * of the same step where the step is not done yet. */
static void catch_up(struct conversation *conversation)
{
	struct stream *stream = &conversation->stream;
	if (!conversation->stale || !is_ready(stream))
		return;
	conversation->stale = false;
	stream->run = stream->run == RUN_READY ? RUN_DELTA : RUN_REBUILD_DELTA;
}

static void settle_state(struct conversation *conversation)
{
	if (conversation->stream.run == RUN_NONE || is_ready(&conversation->stream))
		conversation->state = DONE;
	else if (conversation->stream.run == RUN_PARTS)
		conversation->state = PAUSED;
}

static void ask_due(struct run *run);

static void take_page(struct run *run, size_t index, struct page *page, const struct delivery_advice *advice)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	struct conversation *conversation = &run->conversations[index];
	enum stream_run run_of_page = conversation->stream.run;
	bool shows = conversation_shows(conversation, page, sync->streams == 1);
	bool splits = split_begins(run, conversation, page, advice);
	if (conversation->seed && !splits) {
		if (split_seed_again(conversation, page))
			return;
		conversation_restart(conversation, RUN_SEED);
	}
	conversation->idle = false;
	conversation->staged |= !shows;
	conversation_advance(conversation, page);
	if (!splits)
		conversation->seed = 0;
	catch_up(conversation);
	settle_state(conversation);
	ask_due(run); /* the service works on the next page while this one is stored */
	int rc = batch_begin(&sync->batch, &err);
	if (rc == 0)
		rc = store_page(run, index, page, run_of_page, shows, &err);
	if (rc == 0)
		rc = batch_commit_if_due(&sync->batch, &err);
	if (rc < 0) {
		break_off(run, rc, &err);
		return;
	}
	run->result->pages++;
	if (run_of_page == RUN_FIRST || run_of_page == RUN_SEED)
		tell_progress(run);
}

static void take_answer(struct run *run, struct delivery_call *call)
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
		break_off(run, err_oom(&err), &err);
	else if (conversation->idle && conversation_is_empty_delta(conversation, &page))
		conversation->state = DONE;
	else
		take_page(run, index, &page, &advice);
}

/* --- questions ---------------------------------------------------------------------------------------------------- */

/* Of the streams whose turn it is, the one with the longest way to go. */
static struct conversation *next_to_ask(const struct run *run)
{
	struct conversation *next = NULL;
	for (size_t i = 0; i < run->count; i++) {
		struct conversation *conversation = &run->conversations[i];
		if (conversation->state != TALKING || conversation->call || conversation->due > run->now)
			continue;
		if (!next || conversation->left > next->left)
			next = conversation;
	}
	return next;
}

static void ask(struct run *run, struct conversation *conversation)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	const struct sync_query query = conversation_query(conversation, sync->filter.start_from, sync->filter.types);
	enum delivery_outcome outcome = delivery_ask(sync->delivery, &query, &conversation->call, &err);
	if (outcome != DELIVERY_OK) {
		note_failure(run, delivery_outcome_errno(outcome), &err);
		run->broken = true;
		return;
	}
	run->in_flight++;
	pace_sent(&sync->pace, run->now);
}

static void ask_due(struct run *run)
{
	struct conversation *next;
	while (!run->broken && run->in_flight < run->sync->jobs &&
	       pace_next(&run->sync->pace, run->in_flight, run->now) <= run->now && (next = next_to_ask(run)))
		ask(run, next);
}

/* When something can be asked that cannot be asked now; INT64_MAX if it is an answer that is waited for. */
static int64_t next_due(const struct run *run)
{
	int64_t due = INT64_MAX;
	if (run->in_flight >= run->sync->jobs)
		return due;
	for (size_t i = 0; i < run->count; i++) {
		const struct conversation *conversation = &run->conversations[i];
		if (conversation->state == TALKING && !conversation->call && conversation->due < due)
			due = conversation->due;
	}
	int64_t pace = pace_next(&run->sync->pace, run->in_flight, run->now);
	return due == INT64_MAX || due > pace ? due : pace;
}

static bool is_over(const struct run *run)
{
	if (run->broken)
		return true;
	for (size_t i = 0; i < run->count; i++)
		if (run->conversations[i].state == TALKING)
			return false;
	return true;
}

/* Somebody may want to know why nothing happens. */
static void tell_wait(struct run *run, int64_t due)
{
	const struct sync_hooks *hooks = &run->sync->hooks;
	bool waiting = run->in_flight == 0 && due - run->now >= BATCH_PATIENCE_MS;
	if (!hooks->waiting || (!waiting && !run->waiting))
		return;
	bool limited = pace_next(&run->sync->pace, 0, run->now) > run->now;
	hooks->waiting(hooks->context,
		       !waiting  ? NULL
		       : limited ? "the rate limit of the service"
				 : "another try after a failure",
		       waiting ? due - run->now : 0);
	run->waiting = waiting;
}

/* Waits for an answer, or until something can be asked. What is stored is committed before a wait of any length. */
static void wait(struct run *run)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	struct delivery_call *answered;
	int64_t due = next_due(run);
	int64_t until = due < run->now + FOREVER_MS ? due : run->now + FOREVER_MS;
	if (sync->batch.open && until > run->now + BATCH_PATIENCE_MS)
		until = run->now + BATCH_PATIENCE_MS;
	tell_wait(run, due);
	int rc = delivery_await(sync->delivery, until - run->now, &answered);
	int64_t clock = clock_monotonic_ms();
	if (rc == 0 && clock < until)
		clock = until;
	run->now = clock > run->now ? clock : run->now;
	if (rc > 0) {
		take_answer(run, answered);
	} else if (rc < 0) {
		err_set(&err, rc, rc == -ECANCELED ? "told to stop" : "libcurl failed");
		note_failure(run, rc, &err);
		run->broken = true;
	} else {
		rc = batch_commit(&sync->batch, &err);
		if (rc < 0)
			break_off(run, rc, &err);
	}
}

/* --- a run -------------------------------------------------------------------------------------------------------- */

/* What several streams brought becomes visible in one step. */
static int publish_ready(struct run *run, struct err *err)
{
	struct sync *sync = run->sync;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < run->count; i++) {
		struct conversation *conversation = &run->conversations[i];
		if (!is_ready(&conversation->stream))
			continue;
		rc = batch_begin(&sync->batch, err);
		if (rc == 0)
			rc = end_alone(run, conversation, true, err);
		if (rc == 0)
			rc = store_stream_save(sync->store, &conversation->stream, err);
	}
	if (rc == 0)
		rc = batch_commit(&sync->batch, err);
	batch_rollback(&sync->batch);
	return rc;
}

static bool is_whole(const struct run *run)
{
	for (size_t i = 0; i < run->sync->streams; i++) {
		const struct stream *stream = &run->conversations[i].stream;
		if (!stream->sync_token || stream->run == RUN_SEED || stream->run == RUN_PARTS)
			return false;
	}
	return true;
}

/* The last run was told to come back later than this one did. */
static int keep_away(const struct sync *sync, struct sync_result *result, int64_t now, struct err *err)
{
	int64_t wait = pace_next(&sync->pace, 0, now) - now;
	if (wait <= REACTION_WAIT_MAX_MS)
		return 0;
	result->retry_after_ms = wait;
	return err_set(err, -EHOSTUNREACH, "the service asked to be left alone for another %lld s",
		       (long long)(wait / 1000));
}

static void talk(struct run *run)
{
	struct err err = {0};
	begin_all(run);
	for (ask_due(run); !is_over(run); ask_due(run))
		wait(run);
	tell_wait(run, run->now);
	int rc = batch_commit(&run->sync->batch, &err);
	if (rc < 0)
		break_off(run, rc, &err);
}

int run_streams(struct sync *sync, struct sync_result *result, struct err *err)
{
	int64_t clock = clock_monotonic_ms();
	struct run run = {.sync = sync, .result = result, .err = err, .now = clock > sync->now ? clock : sync->now};
	struct err failure = {0};
	int rc = keep_away(sync, result, run.now, &failure);
	if (rc == 0)
		rc = load_all(&run, &failure);
	if (rc == 0)
		rc = publish_ready(&run, &failure);
	if (rc == 0)
		talk(&run);
	if (rc == 0 && !run.lost)
		rc = publish_ready(&run, &failure);
	if (rc < 0)
		break_off(&run, rc, &failure);
	result->complete = run.count >= sync->streams && is_whole(&run);
	sync->now = run.now;
	finish_all(&run);
	return run.rc;
}
