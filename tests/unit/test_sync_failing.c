/*
 * The nth allocation, SQL step or read of a sync fails, for every n until none is left to fail: each time there is an error
 * with a reason or the sync gets over it, nothing leaks, the store is sound, and the next sync of the same process ends
 * where it would have ended anyway. CONTENTFS_TEST_STRIDE takes only every so many n.
 */
#include "failing.h"
#include "sync_fixture.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWERS_MAX 10
#define N_MAX 100000

#define LONG_TEXT                                                                                                      \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LARGE(uid, version, second)                                                                                    \
	EVENT("entry_published", second, "blog",                                                                       \
	      "\"uid\":\"" uid "\",\"title\":\"\\u00e9\",\"text\":\"" LONG_TEXT "\",\"_version\":" #version            \
	      ",\"publish_details\":{\"locale\":\"en\"}")
#define FILE_F EVENT("asset_published", "01", "sys_assets", "\"uid\":\"f\",\"publish_details\":{\"locale\":\"en\"}")
#define DATE 1767225610000 /* 2026-01-01T00:00:10Z */
#define HOUR_BEFORE "2025-12-31T23:00:10.000Z"
#define FAULTY "{\"type\":\"entry_published\",\"data\":{}}"

static const struct {
	const char *name;
	unsigned jobs;
	struct fake_answer before[ANSWERS_MAX]; /* of a first run that nothing disturbs; none: an empty store */
	struct fake_answer answers[ANSWERS_MAX];
	const char *shown;
} stories[] = {
	{"a first run",
	 1,
	 {{0}},
	 {{"init", .body = MORE(ENTRY("a", 1, "05") "," LARGE("b", 1, "05"), "p1")},
	  {"page p1", .body = MORE(FAULTY "," ENTRY_IN("a", "fr", 1, "05"), "p2")},
	  {"page p2", .body = LAST(ENTRY_OF("page", "c", "en", 1, "04"), "s1")},
	  {"delta s1", .body = LAST(UNPUBLISHED("b", "06"), "s2")},
	  {"delta s2", .body = LAST("", "s2")}},
	 "a@1 c@1 a@1"},
	{"a delta of several pages",
	 1,
	 {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "02"), "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 {{"delta s1", .body = MORE(LARGE("a", 2, "05") "," ENTRY("c", 1, "05"), "p1")},
	  {"page p1", .body = MORE(UNPUBLISHED("b", "06"), "p2")},
	  {"page p2", .body = LAST(ENTRY("d", 1, "07"), "s2")},
	  {"delta s2", .body = LAST("", "s2")}},
	 "a@2 c@1 d@1"},
	{"a new listing",
	 1,
	 {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "02"), "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 {{"delta s1", DELIVERY_TOKEN_REFUSED},
	  {"init", .body = MORE(LARGE("a", 2, "05"), "p1")},
	  {"page p1", .body = LAST(ENTRY("c", 1, "05"), "t1")},
	  {"delta t1", .body = LAST(TYPE_DELETED("page", "06"), "t2")},
	  {"delta t2", .body = LAST("", "t2")}},
	 "a@2 c@1"},
	{"a first run in parts",
	 4,
	 {{0}},
	 {{"init", .body = MORE_OF(40, ENTRY("a", 1, "09"), "w1"), .date_ms = DATE},
	  {"init start_from=" HOUR_BEFORE, .body = MORE_OF(2, ENTRY("a", 1, "09"), "g1")},
	  {"page g1", .body = LAST(ENTRY("b", 1, "08"), "s1")},
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = MORE_OF(10, LARGE("a", 1, "09"), "b1")},
	  {"page b1", .body = LAST_OF(10, FAULTY "," ENTRY("b", 1, "08"), "t2")},
	  {"init content_type=page", .body = LAST_OF(10, ENTRY_OF("page", "x", "en", 1, "07"), "t3")},
	  {"delta s1", .body = LAST(UNPUBLISHED("a", "10"), "s2")},
	  {"delta s2", .body = LAST("", "s2")}},
	 "b@1 x@1 f"},
	{"one whose parts do not add up",
	 4,
	 {{0}},
	 {{"init", .body = MORE_OF(40, ENTRY("a", 1, "09"), "w1"), .date_ms = DATE},
	  {"init start_from=" HOUR_BEFORE, .body = LAST(ENTRY("a", 1, "09"), "s1")},
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, ENTRY("a", 1, "09") "," ENTRY("b", 1, "08"), "t2")},
	  {"init content_type=page", .body = LAST_OF(9, ENTRY_OF("page", "x", "en", 1, "07"), "t3")},
	  {"page w1", .body = LAST(ENTRY_OF("page", "x", "en", 1, "07") "," FILE_F, "u1")},
	  {"delta u1", .body = LAST(UNPUBLISHED("a", "10"), "u2")},
	  {"delta u2", .body = LAST("", "u2")}},
	 "x@1 f"},
};

static const char *const kinds[] = {
	[FAILING_ALLOCATION] = "allocation",
	[FAILING_STEP] = "SQL step",
	[FAILING_READ] = "read",
};

static size_t count_answers(const struct fake_answer *answers)
{
	size_t count = 0;
	while (count < ANSWERS_MAX && answers[count].question)
		count++;
	return count;
}

static void answer(struct sync_fixture *fixture, const struct fake_answer *answers)
{
	fake_expect(&fixture->fake, answers, count_answers(answers));
	fixture->fake.any_order = true;
}

/* Entries, then assets. */
static const char *shown(struct sync_fixture *fixture)
{
	return temp_store_ask(&fixture->temp,
			      "SELECT uid || '@' || version FROM entries ORDER BY locale, content_type, uid;"
			      "SELECT uid FROM assets ORDER BY locale, uid");
}

/* The file of a store as the story begins. */
static void prepare(size_t story, struct buf *file)
{
	struct sync_fixture fixture;
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	if (stories[story].before[0].question) {
		answer(&fixture, stories[story].before);
		temp_must(sync_fixture_run(&fixture, &result), &fixture.err, "the run before");
	}
	temp_store_stop(&fixture.temp);
	temp_file_read(fixture.temp.path, file);
	sync_fixture_finish(&fixture);
}

/* What went wrong, "" if nothing did. *hit: something was made to fail. */
static const char *disturb(size_t story, struct slice file, enum failing what, long n, bool on, bool *hit)
{
	static char fault[512];
	struct sync_fixture fixture;
	struct sync_result result;
	fault[0] = '\0';
	sync_fixture_open_copy(&fixture, file, stories[story].jobs);
	/* What another connection writes makes the store forget the pages that it has read. */
	temp_store_ask(&fixture.temp, "INSERT OR REPLACE INTO meta (key, value) VALUES ('touched', '1')");
	answer(&fixture, stories[story].answers);
	failing_arm(what, n, on);
	int rc = sync_fixture_run(&fixture, &result);
	*hit = failing_disarm();
	if (rc < 0 && !fixture.err.text[0])
		snprintf(fault, sizeof(fault), "a failure (%d) without a reason", rc);
	if (!fault[0] && temp_store_fault(&fixture.temp)[0])
		snprintf(fault, sizeof(fault), "afterwards: %s", temp_store_fault(&fixture.temp));
	if (!fault[0] && sync_fixture_run(&fixture, &result) < 0)
		snprintf(fault, sizeof(fault), "the next run: %.300s", fixture.err.text);
	if (!fault[0] && strcmp(shown(&fixture), stories[story].shown) != 0)
		snprintf(fault, sizeof(fault), "it shows '%s'", shown(&fixture));
	const char *streams = temp_store_ask(&fixture.temp, "SELECT id, run, part_of, total FROM stream");
	if (!fault[0] && strcmp(streams, "1|0|0|0") != 0)
		snprintf(fault, sizeof(fault), "its streams are '%s'", streams);
	if (!fault[0] && temp_store_fault(&fixture.temp)[0])
		snprintf(fault, sizeof(fault), "in the end: %s", temp_store_fault(&fixture.temp));
	sync_fixture_finish(&fixture);
	return fault;
}

static long stride(void)
{
	const char *text = getenv("CONTENTFS_TEST_STRIDE");
	long stride = text ? atol(text) : 1;
	return stride > 0 ? stride : 1;
}

static void test_one(size_t story, struct slice file, enum failing what, bool on)
{
	bool hit;
	long n = 1;
	long leaked = 0;
	const char *fault =
		disturb(story, file, what, N_MAX, on, &hit); /* undisturbed: libraries allocate what they keep */
	for (bool more = true; more && !fault[0] && leaked == 0 && n < N_MAX; n += stride()) {
		long before = failing_live();
		fault = disturb(story, file, what, n, on, &more);
		leaked = failing_live() - before;
	}
	if (!ok(!fault[0] && leaked == 0 && n > 2, "%s: %s %s of %ld fails", stories[story].name,
		on ? "from each" : "each", kinds[what], n - 1))
		diag("number %ld: %s; %ld allocations leaked", n - stride(), fault, leaked);
}

int main(void)
{
	for (size_t story = 0; story < COUNT(stories); story++) {
		CLEANUP(buf_finish) struct buf file = BUF_INIT;
		prepare(story, &file);
		for (int on = 0; on < 2; on++) {
			test_one(story, buf_slice(&file), FAILING_ALLOCATION, on);
			test_one(story, buf_slice(&file), FAILING_STEP, on);
			test_one(story, buf_slice(&file), FAILING_READ, on);
		}
	}
	return tap_done();
}
