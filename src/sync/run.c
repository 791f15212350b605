/*
 * The loop of a run: questions out, answers in, as many under way at once as there are jobs. What has come is looked at
 * before anything is stored, so that no question waits for the store (pages.c). Where a stream stands is in its row,
 * committed together with what the pages until there changed; what is in memory is ahead of that, so any failure of the
 * store ends the run, and the next one starts from the rows.
 */
#include "sync/internal.h"
#include "util/clock.h"

#include <errno.h>

#define FOREVER_MS 3600000 /* as a wait: something else ends it */

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
		run_fail(run, delivery_outcome_errno(outcome), &err);
		run->broken = true;
		return;
	}
	run->in_flight++;
	pace_sent(&sync->pace, run->now);
}

void run_ask(struct run *run)
{
	struct conversation *next;
	int64_t clock = clock_monotonic_ms();
	run->now = clock > run->now ? clock : run->now; /* something may have been stored meanwhile */
	while (!run->broken && !run->asks_types && run->in_flight < run->sync->jobs &&
	       pace_next(&run->sync->pace, run->in_flight, run->now) <= run->now && (next = next_to_ask(run)))
		ask(run, next);
}

void run_turn(struct run *run)
{
	const struct sync_hooks *hooks = &run->sync->hooks;
	if (hooks->turn)
		hooks->turn(hooks->context);
}

void run_work(struct run *run)
{
	if (run->sync->hooks.rest)
		courtesy_begin(&run->courtesy);
}

void run_worked(struct run *run)
{
	if (run->sync->hooks.rest)
		courtesy_end(&run->courtesy);
}

/* Whose first listing is under way sees each page of it. */
static bool is_seen(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		enum stream_run now = run->conversations[i].stream.run;
		if (now == RUN_FIRST || now == RUN_SEED || now == RUN_PARTS)
			return true;
	}
	return false;
}

void run_rest(struct run *run)
{
	struct sync *sync = run->sync;
	if (!sync->hooks.rest)
		return;
	run_worked(run);
	int64_t ms = is_seen(run) ? 0 : courtesy_rest(&run->courtesy);
	if (ms > 0)
		sync->hooks.rest(sync->hooks.context, ms);
	run_work(run);
}

/* When something can be asked that cannot be asked now; INT64_MAX if it is an answer that is waited for. */
static int64_t next_due(const struct run *run)
{
	int64_t due = INT64_MAX;
	if (run->in_flight >= run->sync->jobs || run->asks_types)
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
		if (run->conversations[i].state == TALKING || run->conversations[i].pending.number)
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
	const char *what = limited || !run->retried.text[0] ? "the rate limit of the service" : run->retried.text;
	hooks->waiting(hooks->context, waiting ? what : NULL, waiting ? due - run->now : 0);
	run->waiting = waiting;
}

/* Waits for an answer at most until then, and takes it. Whether something came of it: an answer, or the end. */
static bool take_until(struct run *run, int64_t until)
{
	struct err err = {0};
	struct delivery_call *answered;
	int rc = delivery_await(run->sync->delivery, until - run->now, &answered);
	int64_t clock = clock_monotonic_ms();
	if (rc == 0 && clock < until)
		clock = until;
	run->now = clock > run->now ? clock : run->now;
	if (rc > 0) {
		run_take_answer(run, answered);
	} else if (rc < 0) {
		err_set(&err, rc, "told to stop");
		run_fail(run, rc, &err);
		run->broken = true;
	}
	return rc != 0;
}

/* Waits for an answer, or until something can be asked. What is stored is committed when it is due. */
static void wait(struct run *run)
{
	struct sync *sync = run->sync;
	struct err err = {0};
	int64_t due = next_due(run);
	int64_t until = due < run->now + FOREVER_MS ? due : run->now + FOREVER_MS;
	int64_t commit = batch_due(&sync->batch, run->now);
	if (until > commit)
		until = commit;
	tell_wait(run, due);
	if (take_until(run, until) || run->now < commit)
		return;
	int rc = batch_commit(&sync->batch, &err);
	if (rc < 0)
		run_break_off(run, rc, &err);
}

/* --- a run -------------------------------------------------------------------------------------------------------- */

/* The service was told to be left alone for longer than a run waits: by this run, or by the one before. */
static int keep_away(const struct run *run, struct err *err)
{
	int64_t wait = pace_next(&run->sync->pace, 0, run->now) - run->now;
	if (wait <= REACTION_WAIT_MAX_MS)
		return 0;
	run->result->retry_after_ms = wait;
	return err_set(err, -EHOSTUNREACH, "the service asked to be left alone for another %lld s",
		       (long long)(wait / 1000));
}

/* Nothing is under way, and nothing pending. */
static void go_on_at_rest(struct run *run)
{
	struct err err = {0};
	if (run->asks_types) {
		split_fetch_types(run);
		return;
	}
	int rc = keep_away(run, &err);
	if (rc == 0) {
		wait(run);
		return;
	}
	run_fail(run, rc, &err);
	run->broken = true;
}

/* Takes an answer that is there, else stores a page, else waits. No more pages are pending than there are jobs, and as
 * many answers may have come beside them: that is all that is in memory. */
static void go_on(struct run *run)
{
	unsigned pending = pages_pending(run);
	if (pending > 0 && (pending >= run->sync->jobs || !take_until(run, run->now)))
		pages_store_oldest(run);
	else if (pending == 0 && run->in_flight > 0)
		wait(run);
	else if (pending == 0)
		go_on_at_rest(run);
}

static void talk(struct run *run)
{
	struct err err = {0};
	streams_begin(run);
	for (run_ask(run); !is_over(run); run_ask(run))
		go_on(run);
	while (!run->lost && pages_store_oldest(run))
		;
	tell_wait(run, run->now);
	int rc = batch_commit(&run->sync->batch, &err);
	if (rc < 0)
		run_break_off(run, rc, &err);
}

int run_streams(struct sync *sync, struct sync_result *result, struct err *err)
{
	int64_t clock = clock_monotonic_ms();
	struct run run = {.sync = sync, .result = result, .err = err, .now = clock > sync->now ? clock : sync->now};
	struct err failure = {0};
	int rc = keep_away(&run, &failure);
	if (rc == 0)
		rc = streams_load(&run, &failure);
	if (rc == 0)
		rc = streams_publish(&run, &failure);
	if (rc == 0)
		talk(&run);
	if (rc == 0 && !run.lost)
		rc = streams_publish(&run, &failure);
	if (rc < 0)
		run_break_off(&run, rc, &failure);
	result->complete = run.count >= sync->streams && streams_are_whole(&run);
	sync->now = run.now;
	streams_finish(&run);
	return run.rc;
}
