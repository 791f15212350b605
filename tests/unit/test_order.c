/*
 * Which event counts: the rule, and that what a run comes to does not depend on the order in which its items arrive. The
 * second part applies every permutation of random events through the real store and compares with a model of three lines.
 */
#include "random.h"
#include "sync/apply.h"
#include "sync/order.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE                                                                                                           \
	{                                                                                                              \
		0, NO_EVENT, 0                                                                                         \
	}

static const struct {
	const char *name;
	int64_t event_at;
	long long version;
	struct store_known known;
	enum order_verdict want;
} rows[] = {
	{"an item that is not known counts", 5, 1, {NONE, NONE, NO_EVENT}, ORDER_APPLY},
	{"the earliest event of all counts where nothing is known",
	 INT64_MIN + 1,
	 1,
	 {NONE, NONE, NO_EVENT},
	 ORDER_APPLY},
	{"an event newer than the visible one counts", 5, 1, {{9, 4, 9}, NONE, NO_EVENT}, ORDER_APPLY},
	{"an event older than the visible one does not", 5, 9, {{9, 6, 1}, NONE, NO_EVENT}, ORDER_IGNORE},
	{"of the same time the higher version counts", 5, 2, {{9, 5, 1}, NONE, NO_EVENT}, ORDER_APPLY},
	{"of the same time the lower version does not", 5, 1, {{9, 5, 2}, NONE, NO_EVENT}, ORDER_IGNORE},
	{"of the same time and version the later to come counts", 5, 2, {{9, 5, 2}, NONE, NO_EVENT}, ORDER_APPLY},
	{"a lower version counts if its event is newer", 6, 1, {{9, 5, 2}, NONE, NO_EVENT}, ORDER_APPLY},
	{"versions below zero are numbers too", 5, -2, {{9, 5, -1}, NONE, NO_EVENT}, ORDER_IGNORE},
	{"an event newer than the staged one counts", 5, 1, {NONE, {9, 4, 1}, NO_EVENT}, ORDER_APPLY},
	{"an event older than the staged one does not", 3, 1, {NONE, {9, 4, 1}, NO_EVENT}, ORDER_IGNORE},
	{"what is staged stands before what is visible", 5, 1, {{8, 3, 1}, {9, 6, 1}, NO_EVENT}, ORDER_IGNORE},
	{"even where what is visible is newer", 5, 1, {{8, 7, 1}, {9, 4, 1}, NO_EVENT}, ORDER_APPLY},
	{"an event older than a removal does not count", 5, 1, {NONE, NONE, 6}, ORDER_IGNORE},
	{"an event of the time of a removal does not count", 5, 9, {NONE, NONE, 5}, ORDER_IGNORE},
	{"an event newer than a removal counts", 5, 1, {NONE, NONE, 4}, ORDER_APPLY},
	{"a removal stands before a visible version that is older", 5, 1, {{9, 4, 1}, NONE, 6}, ORDER_IGNORE},
	{"an event newer than both counts", 7, 1, {{9, 4, 1}, NONE, 6}, ORDER_APPLY},
	{"an event between a removal and a newer version does not", 5, 1, {{9, 6, 1}, NONE, 4}, ORDER_IGNORE},
	{"a removal at the earliest time is one", INT64_MIN + 1, 1, {NONE, NONE, INT64_MIN + 1}, ORDER_IGNORE},
};

static void test_rule(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(order_publication(rows[i].event_at, rows[i].version, &rows[i].known), rows[i].want, "%s",
		       rows[i].name);
}

/* Every small case against the rule said in other words. */
static void test_all_small_cases(void)
{
	int wrong = 0;
	for (int i = 0; i < 3 * 3 * 4 * 4 * 4 * 3; i++) {
		int event = 1 + i % 3, version = 1 + i / 3 % 3, live = i / 9 % 4, staged = i / 36 % 4,
		    removed = i / 144 % 4;
		int number = 1 + i / 576;
		struct store_known known = {NONE, NONE, removed ? removed : NO_EVENT};
		if (live)
			known.live = (struct store_version){7, live, number};
		if (staged)
			known.staged = (struct store_version){8, staged, number};
		int beaten = staged ? staged : live;
		bool wins = event > removed && (event > beaten || (event == beaten && version >= number));
		wrong += order_publication(event, version, &known) != (wins ? ORDER_APPLY : ORDER_IGNORE);
		wrong += order_incumbent(&known) != (staged ? &known.staged : &known.live);
	}
	is_int(wrong, 0, "1728 small cases follow the rule");
}

/* --- any order of arrival ----------------------------------------------------------------------------------------- */

#define EVENTS_MAX 5

enum event_kind { PUBLISH, UNPUBLISH, DELETE, DELETE_ALL_LOCALES, DELETE_TYPE, EVENT_KINDS };

struct event {
	enum event_kind kind;
	int at;
	int version;
};

/* How a run makes its items visible. */
static const struct mode {
	const char *name;
	bool now, rebuild;
} modes[] = {{"a first run", true, false}, {"a delta", false, false}, {"a rebuild", false, true}};

struct story {
	const struct mode *mode;
	struct event before; /* visible already; version 0 for nothing */
	struct event events[EVENTS_MAX];
	size_t count;
};

/* What is visible in the end: "AT.VERSION", or "gone". */
static char *model(const struct story *story, char out[32])
{
	struct event best = story->before;
	int removed = 0, published = 0;
	for (size_t i = 0; i < story->count; i++) {
		const struct event *event = &story->events[i];
		if (event->kind != PUBLISH) {
			removed = event->at > removed ? event->at : removed;
			continue;
		}
		published++;
		if (event->at > best.at || (event->at == best.at && event->version > best.version))
			best = *event;
	}
	bool swept = story->mode->rebuild && published == 0;
	if (best.version == 0 || best.at <= removed || swept)
		snprintf(out, 32, "gone");
	else
		snprintf(out, 32, "%d.%d", best.at, best.version);
	return out;
}

static void append_event(struct buf *body, const struct event *event, size_t type)
{
	static const char *const names[] = {"entry_published", "entry_unpublished", "entry_deleted", "entry_deleted",
					    "content_type_deleted"};
	buf_printf(
		body,
		"{\"type\":\"%s\",\"event_at\":\"2026-01-01T00:00:00.%03dZ\",\"content_type_uid\":\"t%zu\",\"data\":",
		names[event->kind], event->at, type);
	if (event->kind == PUBLISH)
		buf_printf(body, "{\"uid\":\"a\",\"_version\":%d,\"publish_details\":{\"locale\":\"en\"}}}",
			   event->version);
	else if (event->kind == DELETE_TYPE)
		buf_append_text(body, "{}}");
	else
		buf_printf(body, "{\"uid\":\"a\"%s}}", event->kind == DELETE_ALL_LOCALES ? "" : ",\"locale\":\"en\"");
}

static void apply_events(struct store *store, const struct mode *mode, const struct event *events, const size_t *order,
			 size_t count, size_t type)
{
	static struct buf text;
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	struct buf body = BUF_INIT;
	struct err err = {0};
	const struct stream stream = {.id = (int)type + 1};
	struct apply apply = {.store = store,
			      .stream = &stream,
			      .owner = stream.id,
			      .now = mode->now,
			      .rebuild = mode->rebuild,
			      .text = &text};
	buf_append_text(&body, "{\"items\":[");
	for (size_t i = 0; i < count; i++) {
		buf_append_text(&body, i ? "," : "");
		append_event(&body, &events[order[i]], type);
	}
	buf_append_text(&body, "],\"sync_token\":\"s\"}");
	temp_must(page_parse(&body, &page, &err), &err, "page_parse");
	temp_must(apply_page(&apply, &page, &err), &err, "apply_page");
	buf_finish(&text);
}

/* The whole run with one order of arrival, in a content type and a stream of its own. */
static char *run(struct store *store, const struct story *story, const size_t *order, size_t type, char out[32])
{
	static const size_t only[] = {0};
	struct err err = {0};
	char name[24];
	if (story->before.version)
		apply_events(store, &modes[0], &story->before, only, 1, type);
	apply_events(store, story->mode, story->events, order, story->count, type);
	if (!story->mode->now)
		temp_must(store_publish(store, (int)type + 1, story->mode->rebuild, NULL, &err), &err, "store_publish");
	temp_must(store_forget_run(store, (int)type + 1, &err), &err, "store_forget_run");

	struct store_known known;
	snprintf(name, sizeof(name), "t%zu", type);
	const struct store_key key = temp_entry(name, "en", "a");
	temp_must(store_find(store, &key, &known, &err), &err, "store_find");
	if (known.live.ino)
		snprintf(out, 32, "%d.%d", (int)(known.live.event_at % 1000), (int)known.live.number);
	else
		snprintf(out, 32, "gone");
	if (known.staged.ino || known.removed_at != NO_EVENT)
		snprintf(out, 32, "something is left of the run");
	return out;
}

static void swap(size_t *a, size_t *b)
{
	size_t kept = *a;
	*a = *b;
	*b = kept;
}

/* The next permutation in the order of dictionaries; false after the last. */
static bool next_order(size_t *order, size_t count)
{
	size_t head = count - 1, up = count - 1;
	while (head > 0 && order[head - 1] > order[head])
		head--;
	if (head == 0)
		return false;
	while (order[up] < order[head - 1])
		up--;
	swap(&order[head - 1], &order[up]);
	for (size_t last = count - 1; head < last; head++, last--)
		swap(&order[head], &order[last]);
	return true;
}

static void diag_story(const struct story *story, const size_t *order)
{
	static const char *const names[] = {"publish", "unpublish", "delete", "delete in all locales",
					    "delete the type"};
	diag("%s; visible before: %d.%d; then", story->mode->name, story->before.at, story->before.version);
	for (size_t i = 0; i < story->count; i++)
		diag("  %s at %d version %d", names[story->events[order[i]].kind], story->events[order[i]].at,
		     story->events[order[i]].version);
}

/* All permutations of one story; false at the first that comes to something else than the model says. */
static bool check_story(struct temp_store *temp, const struct story *story)
{
	size_t order[EVENTS_MAX] = {0, 1, 2, 3, 4};
	struct err err = {0};
	char got[32], want[32];
	bool same = true;
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	size_t type = 0;
	do {
		run(temp->store, story, order, type++, got);
		same = strcmp(got, model(story, want)) == 0;
	} while (same && next_order(order, story->count));
	store_rollback(temp->store);
	if (!same) {
		diag_story(story, order);
		diag("  got: %s\n want: %s", got, want);
	}
	return same;
}

static struct story random_story(struct rng *rng)
{
	struct story story = {.mode = &modes[rng_below(rng, COUNT(modes))], .count = 1 + rng_below(rng, EVENTS_MAX)};
	if (rng_once_in(rng, 4))
		story.count = 3;
	if (!rng_once_in(rng, 3)) /* times of 1 to 5, so that there are ties */
		story.before = (struct event){PUBLISH, 1 + (int)rng_below(rng, 5), 1 + (int)rng_below(rng, 3)};
	for (size_t i = 0; i < story.count; i++) {
		enum event_kind kind = rng_once_in(rng, 2) ? PUBLISH : (enum event_kind)rng_below(rng, EVENT_KINDS);
		story.events[i] = (struct event){kind, 1 + (int)rng_below(rng, 5), 1 + (int)rng_below(rng, 3)};
	}
	return story;
}

static void test_any_order(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct rng rng = rng_create();
	long rounds = rng_rounds(120), different = 0;
	temp_store_open(&temp);
	for (long i = 0; i < rounds && different < 3; i++) {
		struct story story = random_story(&rng);
		different += !check_story(&temp, &story);
	}
	is_int(different, 0, "whatever the order of arrival, %ld stories come to what their events say", rounds);
	is_str(temp_store_tree(&temp), "content_types/ entries/ assets/", "and rolled back, they leave no trace");
}

/* What the property found or might have found, by name. */
static const struct {
	const char *name;
	struct story story;
} stories[] = {
	{"a publication older than a removal of the same run does not come back",
	 {&modes[0], {0}, {{DELETE, 3, 0}, {PUBLISH, 2, 1}}, 2}},
	{"a publication of the time of its removal stays away",
	 {&modes[0], {0}, {{PUBLISH, 3, 1}, {UNPUBLISH, 3, 0}}, 2}},
	{"a publication after the removal of the type shows",
	 {&modes[1], {PUBLISH, 1, 1}, {{DELETE_TYPE, 3, 0}, {PUBLISH, 4, 2}}, 2}},
	{"a publication of the text that is visible outlives the removal before it",
	 {&modes[1], {PUBLISH, 1, 1}, {{PUBLISH, 4, 1}, {UNPUBLISH, 3, 0}, {PUBLISH, 2, 2}}, 3}},
	{"a visible version newer than the whole new listing stays",
	 {&modes[2], {PUBLISH, 5, 3}, {{PUBLISH, 2, 1}, {UNPUBLISH, 3, 0}}, 2}},
	{"what a new listing only removes goes", {&modes[2], {PUBLISH, 5, 3}, {{UNPUBLISH, 3, 0}}, 1}},
};

static void test_stories(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (size_t i = 0; i < COUNT(stories); i++)
		ok(check_story(&temp, &stories[i].story), "%s", stories[i].name);
}

int main(void)
{
	test_rule();
	test_all_small_cases();
	test_stories();
	test_any_order();
	return tap_done();
}
