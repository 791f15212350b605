#include "sync/schemas.h"

#include "sync/internal.h"
#include "tree/render.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>

#define LISTS_MAX 1000 /* answers; 100 content types each */

static bool wanted(const struct sync_filter *filter, struct slice uid)
{
	if (!filter->content_types || !filter->content_types[0])
		return true;
	for (size_t i = 0; filter->content_types[i]; i++)
		if (slice_is(uid, filter->content_types[i]))
			return true;
	return false;
}

static int apply_schema(struct store *store, const struct content_type *type, int64_t fetched_at, struct buf *text,
			struct err *err)
{
	const struct store_key key = {.kind = NODE_SCHEMA, .uid = type->uid};
	struct store_known known;
	int rc = store_find(store, &key, &known, err);
	if (rc < 0)
		return rc;
	buf_reset(text);
	rc = render_json(type->data, text);
	if (rc < 0)
		return err_set(err, rc, "the schema of a content type cannot be rendered: %s", strerror(-rc));
	const struct store_item item = {
		.key = key,
		.event_at = fetched_at,
		.published_at = type->updated_ms,
		.number = type->version,
		.updated_at = type->updated_at,
		.title = type->title,
		.text = buf_slice(text),
	};
	rc = known.live.ino ? store_is_same(store, known.live.ino, &item, err) : 0;
	if (rc > 0)
		return store_touch(store, known.live.ino, fetched_at, err);
	return rc < 0 ? rc : store_place(store, &item, err);
}

static int apply_list(struct store *store, const struct content_type_list *list, const struct sync_filter *filter,
		      int64_t fetched_at, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < list->count; i++)
		if (wanted(filter, list->types[i].uid))
			rc = apply_schema(store, &list->types[i], fetched_at, &text, err);
	return rc;
}

/* Whether the answer begins as the one before: a server that knows no `skip` would go on for ever. */
static bool repeats(const struct content_type_list *list, struct buf *first)
{
	if (list->count == 0)
		return false;
	struct slice uid = list->types[0].uid;
	bool same = slice_eq(uid, buf_slice(first));
	buf_reset(first);
	buf_append(first, uid.at, uid.len);
	return same;
}

/* The answers, kept until all are there: no transaction waits for the network. */
struct answers {
	struct content_type_list *lists;
	size_t count;
};

static void answers_finish(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		content_type_list_finish(&answers->lists[i]);
	free(answers->lists);
}

/* Sleeps until `due`, and makes that known if it is long. */
static int sleep_until(struct sync *sync, int64_t due, const char *why)
{
	struct delivery_call *none;
	int64_t ms = due - clock_monotonic_ms();
	if (ms <= 0)
		return 0;
	if (sync->hooks.waiting)
		sync->hooks.waiting(sync->hooks.context, why, ms);
	int rc = delivery_await(sync->delivery, ms, &none);
	if (sync->hooks.waiting)
		sync->hooks.waiting(sync->hooks.context, NULL, 0);
	return rc;
}

/* One list, tried again as often as its failures are worth it. */
static int fetch_list(struct sync *sync, unsigned skip, struct content_type_list *list, int64_t *retry_after_ms,
		      struct err *err)
{
	struct failures failures = {0};
	for (;;) {
		struct delivery_advice advice = DELIVERY_NO_ADVICE;
		int64_t now = clock_monotonic_ms();
		int64_t due = pace_next(&sync->pace, 0, now);
		if (due > now + REACTION_WAIT_MAX_MS) {
			*retry_after_ms = due - now;
			return err_set(err, -EHOSTUNREACH, "the service asked to be left alone for another %lld s",
				       (long long)((due - now) / 1000));
		}
		if (sleep_until(sync, due, "the rate limit of the service") < 0)
			return err_set(err, -ECANCELED, "told to stop");
		pace_sent(&sync->pace, clock_monotonic_ms());
		enum delivery_outcome outcome = delivery_content_types(sync->delivery, skip, list, &advice, err);
		now = clock_monotonic_ms();
		pace_heard(&sync->pace, &advice, outcome == DELIVERY_RATE_LIMITED, 0, now);
		*retry_after_ms = advice.retry_after_ms;
		if (outcome == DELIVERY_OK)
			return 0;
		if (!retry_later(outcome, &advice, &failures, now, &due))
			return delivery_outcome_errno(outcome);
		if (sleep_until(sync, due, err ? err->text : "another try") < 0)
			return err_set(err, -ECANCELED, "told to stop");
	}
}

static int fetch(struct sync *sync, struct answers *answers, int64_t *retry_after_ms, struct err *err)
{
	CLEANUP(buf_finish) struct buf first = BUF_INIT;
	unsigned skip = 0;
	while (answers->count < LISTS_MAX) {
		struct content_type_list *lists = realloc(answers->lists, (answers->count + 1) * sizeof(*lists));
		if (!lists)
			return err_oom(err);
		answers->lists = lists;
		struct content_type_list *list = &lists[answers->count];
		*list = (struct content_type_list)CONTENT_TYPE_LIST_INIT;
		int rc = fetch_list(sync, skip, list, retry_after_ms, err);
		if (rc < 0)
			return rc;
		answers->count++;
		if (list->count + list->skipped == 0 || repeats(list, &first))
			return 0;
		skip += (unsigned)(list->count + list->skipped);
		if (list->total >= 0 && skip >= list->total)
			return 0;
	}
	return err_set(err, -EPROTO, "the list of content types does not end");
}

static int apply_all(struct store *store, const struct answers *answers, const struct sync_filter *filter,
		     struct err *err)
{
	int64_t newest = 0;
	int64_t fetched_at = clock_wall_ms();
	int rc = store_schemas_newest(store, &newest, err);
	if (fetched_at <= newest)
		fetched_at = newest + 1; /* the clock was put back: a later fetch counts more all the same */
	for (size_t i = 0; rc == 0 && i < answers->count; i++)
		rc = apply_list(store, &answers->lists[i], filter, fetched_at, err);
	return rc < 0 ? rc : store_remove_stale_schemas(store, fetched_at, err);
}

int schemas_fetch(struct sync *sync, int64_t *retry_after_ms, struct err *err)
{
	CLEANUP(answers_finish) struct answers answers = {0};
	int rc = fetch(sync, &answers, retry_after_ms, err);
	if (rc < 0)
		return rc;
	rc = batch_begin(&sync->batch, err);
	if (rc == 0)
		rc = apply_all(sync->store, &answers, &sync->filter, err);
	if (rc == 0)
		rc = batch_commit(&sync->batch, err);
	batch_rollback(&sync->batch);
	return rc;
}

static void note_found(void *context, struct slice uid)
{
	(void)uid;
	*(bool *)context = true;
}

int schemas_missing(struct store *store, struct err *err)
{
	bool found = false;
	int rc = store_missing_schemas(store, note_found, &found, err);
	return rc < 0 ? rc : found;
}
