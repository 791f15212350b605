/* What the engine does when the service does not know its token any more: tries again, then lists the stack anew beside the
 * content that is there. */
#include "sync_fixture.h"
#include "tap.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TRIES 4 /* of one token, the first included */

static const struct fake_answer first_run[] = {
	{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "01") "," ENTRY("c", 1, "01"), "s1")},
	{"delta s1", .body = LAST("", "s1")},
};

/* A store with a, b and c in it, and nothing under way. */
static void open_filled(struct sync_fixture *fixture)
{
	struct sync_result result;
	sync_fixture_open(fixture, NULL);
	fake_expect(&fixture->fake, first_run, COUNT(first_run));
	temp_must(sync_fixture_run(fixture, &result), &fixture->err, "the first run");
	fixture->commits = 0;
}

/* --- trying again ------------------------------------------------------------------------------------------------- */

static void test_refusals_that_pass(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	EXPECT(&fixture, "a sync token that is refused three times and then taken", 0, "a@2 b@1 c@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES - 1},
	       {"delta s1", .body = LAST(ENTRY("a", 2, "05"), "s2")});
	is_int(fixture.fake.waits, TRIES - 1, "is waited for each time");
	ok(fixture.fake.waited_ms >= 500 && fixture.fake.waited_ms <= 10000, "some seconds at most: %lld ms",
	   (long long)fixture.fake.waited_ms);
	EXPECT(&fixture, "a page token likewise", 0, "a@3 b@1 c@1",
	       {"delta s2", .body = MORE(ENTRY("a", 3, "06"), "p1")},
	       {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES - 1}, {"page p1", .body = LAST("", "s3")});
	EXPECT(&fixture, "refusals count in a row", 0, "a@3 b@1 c@1",
	       {"delta s3", DELIVERY_TOKEN_REFUSED, .times = TRIES - 1}, {"delta s3", .body = MORE("", "p2")},
	       {"page p2", DELIVERY_TOKEN_REFUSED, .times = TRIES - 1}, {"page p2", .body = LAST("", "s4")});
}

/* --- listing anew ------------------------------------------------------------------------------------------------- */

static void note_shown(void *context, const char *question)
{
	struct sync_fixture *fixture = context;
	buf_printf(&fixture->seen, "%s%s: %s", fixture->seen.len ? "; " : "", question, sync_fixture_shown(fixture));
}

static void test_rebuild(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	int64_t a = temp_store_ino(&fixture.temp, "entries/blog/en/a.json");
	fixture.fake.asked = note_shown;
	fixture.fake.context = &fixture;
	EXPECT(&fixture, "a sync token that is refused for good", 0, "a@1 b@2 d@1 e@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
	       {"init", .body = MORE(ENTRY("a", 1, "01") "," ENTRY("d", 1, "05"), "p1")},
	       {"page p1", .body = LAST(ENTRY("b", 2, "06"), "t1")},
	       {"delta t1", .body = LAST(ENTRY("e", 1, "07"), "t2")});
	is_str(fixture.seen.text,
	       "delta s1: a@1 b@1 c@1; delta s1: a@1 b@1 c@1; delta s1: a@1 b@1 c@1; delta s1: a@1 b@1 c@1;"
	       " init: a@1 b@1 c@1; page p1: a@1 b@1 c@1; delta t1: a@1 b@1 c@1",
	       "a reader has the old content until the end of the new listing");
	is_int(fixture.commits, 1, "and gets the new one in one step");
	is_int(temp_store_ino(&fixture.temp, "entries/blog/en/a.json"), a, "what did not change keeps its number");
	is_str(temp_store_ask(&fixture.temp, "SELECT (SELECT count(*) FROM listed) + (SELECT count(*) FROM staged) +"
					     " (SELECT count(*) FROM removal)"),
	       "0", "nothing of the run is left behind");
	EXPECT(&fixture, "the next run", 0, "a@1 b@2 d@1 e@1", {"delta t2", .body = LAST("", "t2")});
}

static void test_rebuild_of_an_empty_stack(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	EXPECT(&fixture, "a new listing of nothing", 0, "", {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
	       {"init", .body = LAST("", "t1")}, {"delta t1", .body = LAST("", "t1")});
}

static void test_removals_in_a_rebuild(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	EXPECT(&fixture, "removals between listing and news", 0, "c@1 d@2",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
	       {"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 2, "05") "," ENTRY("c", 1, "01") "," ENTRY(
					     "d", 1, "03"),
				     "t1")},
	       {"delta t1",
		.body = MORE(UNPUBLISHED("a", "06") "," UNPUBLISHED("b", "06") "," ENTRY("d", 2, "08"), "q1")},
	       {"page q1",
		.body = LAST(ENTRY("b", 3, "04") "," UNPUBLISHED("d", "07") "," UNPUBLISHED("x", "07"), "t2")});
}

static void test_interrupted_rebuild(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	EXPECT(&fixture, "a new listing that is cut off", -EHOSTUNREACH, "a@1 b@1 c@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES}, {"init", .body = MORE(ENTRY("a", 1, "01"), "p1")},
	       {"page p1", DELIVERY_UNAVAILABLE, .times = 5});
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "goes on at its page after a restart", -EHOSTUNREACH, "a@1 b@1 c@1",
	       {"page p1", .body = LAST(ENTRY("b", 2, "02"), "t1")}, {"delta t1", DELIVERY_UNAVAILABLE, .times = 5});
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "and at its news", 0, "a@1 b@2", {"delta t1", .body = LAST("", "t2")});
}

static void test_rebuild_of_a_rebuild(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	EXPECT(&fixture, "a new listing that is cut off", -EHOSTUNREACH, "a@1 b@1 c@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
	       {"init", .body = MORE(ENTRY("a", 1, "01") "," ENTRY("x", 1, "01") "," UNPUBLISHED("c", "09"), "p1")},
	       {"page p1", DELIVERY_UNAVAILABLE, .times = 5});
	EXPECT(&fixture, "and whose page token is refused in the next run begins once more", 0, "b@1 c@1",
	       {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
	       {"init", .body = LAST(ENTRY("b", 1, "01") "," ENTRY("c", 1, "01"), "t1")},
	       {"delta t1", .body = LAST("", "t2")});
}

static void test_first_run_whose_page_is_refused(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a page token of the first run that is refused for good", 0, "b@1 c@1",
	       {"init", .body = MORE(ENTRY("a", 1, "01") "," ENTRY("b", 1, "01"), "p1")},
	       {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES}, {"init", .body = MORE(ENTRY("b", 1, "01"), "p2")},
	       {"page p2", .body = LAST(ENTRY("c", 1, "01"), "s1")}, {"delta s1", .body = LAST("", "s1")});
}

/* A service that refuses each page token that it gave must not be asked without end in one run. */
static void test_page_tokens_that_are_refused_for_ever(void)
{
	static const struct fake_answer endless[] = {
		{"init", .body = MORE(ENTRY("a", 1, "01"), "p1")}, {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
		{"init", .body = MORE(ENTRY("a", 1, "01"), "p1")}, {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
		{"init", .body = MORE(ENTRY("a", 1, "01"), "p1")}, {"page p1", DELIVERY_STOPPED},
	};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	fake_expect(&fixture.fake, endless, COUNT(endless));
	int rc = sync_fixture_run(&fixture, &result);
	is_int(rc, -EPROTO, "page tokens that are all refused end the run");
	ok(fixture.fake.next <= 4, "after one new listing: %s", buf_text(&fixture.fake.asked_for));
	is_int(result.complete, false, "which is not whole");
	is_str(sync_fixture_shown(&fixture), "a@1", "and shows what it has");
	EXPECT(&fixture, "the next run goes on", 0, "b@1", {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
	       {"init", .body = LAST(ENTRY("b", 1, "01"), "s1")}, {"delta s1", .body = LAST("", "s1")});
}

/* The same of a delta: the token that a new listing ended with is refused as the one before it. What was listed is whole all
 * the same, and newer than what is there. */
static void test_sync_tokens_that_are_refused_for_ever(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	for (int turn = 0; turn < 2; turn++) {
		EXPECT(&fixture, "sync tokens that are all refused end the run after one new listing", -EPROTO,
		       "a@2 d@1", {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
		       {"init", .body = LAST(ENTRY("a", 2, "05") "," ENTRY("d", 1, "05"), "s1")},
		       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES});
		is_int(fixture.commits, 1, "which becomes visible in one step, once");
		is_str(temp_store_ask(&fixture.temp, "SELECT (SELECT count(*) FROM listed) + (SELECT count(*) FROM"
						     " staged) + (SELECT count(*) FROM removal)"),
		       "0", "and leaves nothing behind");
	}
	EXPECT(&fixture, "a delta that breaks off there", -EPROTO, "a@2 d@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES}, {"init", .body = LAST(ENTRY("a", 3, "06"), "s1")},
	       {"delta s1", .body = MORE(ENTRY("d", 2, "07"), "p1")},
	       {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES});
	EXPECT(&fixture, "until one is taken", 0, "a@4", {"page p1", DELIVERY_TOKEN_REFUSED, .times = TRIES},
	       {"init", .body = LAST(ENTRY("a", 3, "06"), "t1")},
	       {"delta t1", .body = LAST(ENTRY("a", 4, "08"), "t2")});
}

/* A new listing that was interrupted is as good as one that was not. */
static void test_refused_in_a_later_run(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_filled(&fixture);
	EXPECT(&fixture, "a new listing that is cut off", -EACCES, "a@1 b@1 c@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = TRIES}, {"init", .body = MORE(ENTRY("a", 2, "05"), "p1")},
	       {"page p1", DELIVERY_CREDENTIALS_REFUSED});
	EXPECT(&fixture, "is shown where the token that it ends with is refused as well, not fetched again", -EPROTO,
	       "a@2 d@1", {"page p1", .body = LAST(ENTRY("d", 1, "05"), "t1")},
	       {"delta t1", DELIVERY_TOKEN_REFUSED, .times = TRIES});
}

int main(void)
{
	test_refusals_that_pass();
	test_rebuild();
	test_rebuild_of_an_empty_stack();
	test_removals_in_a_rebuild();
	test_interrupted_rebuild();
	test_rebuild_of_a_rebuild();
	test_first_run_whose_page_is_refused();
	test_page_tokens_that_are_refused_for_ever();
	test_sync_tokens_that_are_refused_for_ever();
	test_refused_in_a_later_run();
	return tap_done();
}
