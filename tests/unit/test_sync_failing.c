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
#define ANSWERS_MAX 8
#define N_MAX 100000

#define LONG_TEXT                                                                                                      \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LARGE(uid, version, second)                                                                                    \
	EVENT("entry_published", second, "blog",                                                                       \
	      "\"uid\":\"" uid "\",\"title\":\"\\u00e9\",\"text\":\"" LONG_TEXT "\",\"_version\":" #version            \
	      ",\"publish_details\":{\"locale\":\"en\"}")
#define FAULTY "{\"type\":\"entry_published\",\"data\":{}}"

static const struct {
	const char *name;
	struct fake_answer before[ANSWERS_MAX]; /* of a first run that nothing disturbs; none: an empty store */
	struct fake_answer answers[ANSWERS_MAX];
	const char *shown;
} stories[] = {
	{"a first run",
	 {{0}},
	 {{"init", .body = MORE(ENTRY("a", 1, "05") "," LARGE("b", 1, "05"), "p1")},
	  {"page p1", .body = MORE(FAULTY "," ENTRY_IN("a", "fr", 1, "05"), "p2")},
	  {"page p2", .body = LAST(ENTRY_OF("page", "c", "en", 1, "04"), "s1")},
	  {"delta s1", .body = LAST(UNPUBLISHED("b", "06"), "s2")},
	  {"delta s2", .body = LAST("", "s2")}},
	 "a@1 c@1 a@1"},
	{"a delta of several pages",
	 {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "02"), "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 {{"delta s1", .body = MORE(LARGE("a", 2, "05") "," ENTRY("c", 1, "05"), "p1")},
	  {"page p1", .body = MORE(UNPUBLISHED("b", "06"), "p2")},
	  {"page p2", .body = LAST(ENTRY("d", 1, "07"), "s2")},
	  {"delta s2", .body = LAST("", "s2")}},
	 "a@2 c@1 d@1"},
	{"a new listing",
	 {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "02"), "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 {{"delta s1", DELIVERY_TOKEN_REFUSED},
	  {"init", .body = MORE(LARGE("a", 2, "05"), "p1")},
	  {"page p1", .body = LAST(ENTRY("c", 1, "05"), "t1")},
	  {"delta t1", .body = LAST(TYPE_DELETED("page", "06"), "t2")},
	  {"delta t2", .body = LAST("", "t2")}},
	 "a@2 c@1"},
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

/* What went wrong, "" if nothing did. *hit: something was made to fail. */
static const char *disturb(size_t story, enum failing what, long n, bool on, bool *hit)
{
	static char fault[512];
	struct sync_fixture fixture;
	struct sync_result result;
	fault[0] = '\0';
	sync_fixture_open(&fixture, NULL);
	if (stories[story].before[0].question) {
		answer(&fixture, stories[story].before);
		temp_must(sync_fixture_run(&fixture, &result), &fixture.err, "the run before");
	}
	sync_fixture_restart(&fixture);
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
	if (!fault[0] && strcmp(sync_fixture_shown(&fixture), stories[story].shown) != 0)
		snprintf(fault, sizeof(fault), "it shows '%s'", sync_fixture_shown(&fixture));
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

static void test_one(size_t story, enum failing what, bool on)
{
	bool hit;
	long n = 1;
	long leaked = 0;
	const char *fault = disturb(story, what, N_MAX, on, &hit); /* undisturbed: libraries allocate what they keep */
	for (bool more = true; more && !fault[0] && leaked == 0 && n < N_MAX; n += stride()) {
		long before = failing_live();
		fault = disturb(story, what, n, on, &more);
		leaked = failing_live() - before;
	}
	if (!ok(!fault[0] && leaked == 0 && n > 2, "%s: %s %s of %ld fails", stories[story].name,
		on ? "from each" : "each", kinds[what], n - 1))
		diag("number %ld: %s; %ld allocations leaked", n - stride(), fault, leaked);
}

int main(void)
{
	for (size_t story = 0; story < COUNT(stories); story++) {
		for (int on = 0; on < 2; on++) {
			test_one(story, FAILING_ALLOCATION, on);
			test_one(story, FAILING_STEP, on);
			test_one(story, FAILING_READ, on);
		}
	}
	return tap_done();
}
