/* The engine in the ordinary course: first runs, deltas, pages, errors in between, filters. */
#include "fake_delivery.h"
#include "sync_fixture.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Each story is a row of runs over one store, from an empty one on. The content types are always there: news in the first. */
#define RUNS_MAX 5
#define ANSWERS_MAX 12

static const struct {
	const char *name;
	struct run {
		const char *what;
		struct fake_answer answers[ANSWERS_MAX];
		int rc;
		const char *shown; /* afterwards: uid@version of the entries, in the order of their paths */
		bool news, complete;
		uint64_t pages;
	} runs[RUNS_MAX];
} stories[] = {
	{"a small stack",
	 {{"the first run asks for the news since it began",
	   {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "02"), "s1")},
	    {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1 b@1",
	   true,
	   true,
	   2},
	  {"an empty delta changes nothing", {{"delta s1", .body = LAST("", "s1")}}, 0, "a@1 b@1", false, true, 0},
	  {"a delta replaces, adds and removes",
	   {{"delta s1", .body = LAST(ENTRY("c", 1, "10") "," ENTRY("a", 2, "11") "," UNPUBLISHED("b", "12"), "s2")}},
	   0,
	   "a@2 c@1",
	   true,
	   true,
	   1},
	  {"the next one goes on from its token",
	   {{"delta s2", .body = LAST("", "s2")}},
	   0,
	   "a@2 c@1",
	   false,
	   true,
	   0}}},

	{"an empty stack",
	 {{"the first run",
	   {{"init", .body = LAST("", "s1")}, {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "",
	   true,
	   true,
	   2},
	  {"a delta", {{"delta s1", .body = LAST("", "s1")}}, 0, "", false, true, 0}}},

	{"several pages",
	 {{"the first run goes over all of them",
	   {{"init", .body = MORE(ENTRY("a", 1, "05"), "p1")},
	    {"page p1", .body = MORE("", "p2")},
	    {"page p2", .body = MORE(ENTRY("b", 1, "04"), "p3")},
	    {"page p3", .body = LAST(ENTRY("c", 1, "03"), "s1")},
	    {"delta s1", .body = LAST(ENTRY("d", 1, "06"), "s2")}},
	   0,
	   "a@1 b@1 c@1 d@1",
	   true,
	   true,
	   5},
	  {"and so does a delta",
	   {{"delta s2", .body = MORE(ENTRY("e", 1, "11"), "q1")},
	    {"page q1", .body = MORE(UNPUBLISHED("a", "12"), "q2")},
	    {"page q2", .body = LAST("", "s3")}},
	   0,
	   "b@1 c@1 d@1 e@1",
	   true,
	   true,
	   3},
	  {"which leaves nothing behind",
	   {{"delta s3", .body = LAST("", "s3")}},
	   0,
	   "b@1 c@1 d@1 e@1",
	   false,
	   true,
	   0}}},

	{"a service that fails between pages",
	 {{"the first run keeps what it has",
	   {{"init", .body = MORE(ENTRY("a", 1, "05"), "p1")}, {"page p1", DELIVERY_UNAVAILABLE, .times = 5}},
	   -EHOSTUNREACH,
	   "a@1",
	   true,
	   false,
	   1},
	  {"the next one goes on at that page, and may fail too",
	   {{"page p1", DELIVERY_RATE_LIMITED, .times = 6}},
	   -EHOSTUNREACH,
	   "a@1",
	   false,
	   false,
	   0},
	  {"until it is there",
	   {{"page p1", .body = LAST(ENTRY("b", 1, "04"), "s1")}, {"delta s1", DELIVERY_UNAVAILABLE, .times = 5}},
	   -EHOSTUNREACH,
	   "a@1 b@1",
	   true,
	   false,
	   1},
	  {"the news since are still asked for",
	   {{"delta s1", .body = LAST(ENTRY("c", 1, "06"), "s2")}},
	   0,
	   "a@1 b@1 c@1",
	   true,
	   true,
	   1},
	  {"and then all is quiet", {{"delta s2", .body = LAST("", "s2")}}, 0, "a@1 b@1 c@1", false, true, 0}}},

	{"a delta that is cut off",
	 {{"the first run",
	   {{"init", .body = LAST(ENTRY("a", 1, "01"), "s1")}, {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1",
	   true,
	   true,
	   2},
	  {"shows nothing of itself",
	   {{"delta s1", .body = MORE(ENTRY("a", 2, "11") "," ENTRY("b", 1, "11"), "p1")},
	    {"page p1", DELIVERY_UNAVAILABLE, .times = 5}},
	   -EHOSTUNREACH,
	   "a@1",
	   false,
	   false,
	   1},
	  {"until it has ended, and goes on to what came since it began",
	   {{"page p1", .body = LAST(ENTRY("c", 1, "10"), "s2")},
	    {"delta s2", .body = LAST(ENTRY("d", 1, "12"), "s3")}},
	   0,
	   "a@2 b@1 c@1 d@1",
	   true,
	   true,
	   2},
	  {"once", {{"delta s3", .body = LAST("", "s3")}}, 0, "a@2 b@1 c@1 d@1", false, true, 0}}},

	{"failures of several kinds",
	 {{"the first run",
	   {{"init", .body = LAST(ENTRY("a", 1, "01"), "s1")}, {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1",
	   true,
	   true,
	   2},
	  {"have their tries each: a token that is refused once after an outage is no reason to list anew",
	   {{"delta s1", DELIVERY_UNAVAILABLE, .times = 4},
	    {"delta s1", DELIVERY_TOKEN_REFUSED},
	    {"delta s1", .body = "<html>", .times = 2},
	    {"delta s1", DELIVERY_TOKEN_REFUSED, .times = 2},
	    {"delta s1", DELIVERY_RATE_LIMITED, .times = 5},
	    {"delta s1", .body = LAST(ENTRY("a", 2, "02"), "s2")}},
	   0,
	   "a@2",
	   true,
	   true,
	   1},
	  {"but no more by turns than one after the other",
	   {{"delta s2", DELIVERY_UNAVAILABLE, .times = 2},
	    {"delta s2", DELIVERY_RATE_LIMITED, .times = 5},
	    {"delta s2", DELIVERY_UNAVAILABLE, .times = 3}},
	   -EHOSTUNREACH,
	   "a@2",
	   false,
	   false,
	   0}}},

	{"a delta that is cut off twice",
	 {{"the first run",
	   {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("x", 1, "01"), "s1")},
	    {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1 x@1",
	   true,
	   true,
	   2},
	  {"before its end",
	   {{"delta s1", .body = MORE(ENTRY("a", 2, "11") "," UNPUBLISHED("x", "11"), "p1")},
	    {"page p1", DELIVERY_UNAVAILABLE, .times = 5}},
	   -EHOSTUNREACH,
	   "a@1 x@1",
	   false,
	   false,
	   1},
	  {"and before what came since it began",
	   {{"page p1", .body = LAST(ENTRY("c", 1, "10"), "s2")}, {"delta s2", DELIVERY_UNAVAILABLE, .times = 5}},
	   -EHOSTUNREACH,
	   "a@1 x@1",
	   false,
	   false,
	   1},
	  {"is shown with that, also if it is nothing",
	   {{"delta s2", .body = LAST("", "s2")}},
	   0,
	   "a@2 c@1",
	   true,
	   true,
	   1},
	  {"once", {{"delta s2", .body = LAST("", "s2")}}, 0, "a@2 c@1", false, true, 0}}},

	{"a delta that is cut off, and followed by one that goes round",
	 {{"the first run",
	   {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("x", 1, "01"), "s1")},
	    {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1 x@1",
	   true,
	   true,
	   2},
	  {"before its end",
	   {{"delta s1", .body = MORE(ENTRY("a", 2, "11") "," UNPUBLISHED("x", "11"), "p1")},
	    {"page p1", DELIVERY_UNAVAILABLE, .times = 5}},
	   -EHOSTUNREACH,
	   "a@1 x@1",
	   false,
	   false,
	   1},
	  {"loses nothing when the other is asked for again",
	   {{"page p1", .body = LAST(ENTRY("c", 1, "10"), "s2")},
	    {"delta s2", .body = MORE(ENTRY("d", 1, "12"), "q1")},
	    {"page q1", .body = MORE("", "q1"), .times = 3},
	    {"delta s2", .body = LAST(ENTRY("d", 1, "12"), "s3")}},
	   0,
	   "a@2 c@1 d@1",
	   true,
	   true,
	   3}}},

	{"older events after newer ones",
	 {{"a removal is remembered until the run and its delta end",
	   {{"init", .body = MORE(UNPUBLISHED("a", "05") "," ENTRY("b", 3, "05"), "p1")},
	    {"page p1", .body = LAST(ENTRY("a", 1, "04") "," ENTRY("b", 2, "04"), "s1")},
	    {"delta s1", .body = LAST(ENTRY("a", 1, "04"), "s2")}},
	   0,
	   "b@3",
	   true,
	   true,
	   3},
	  {"and forgotten by the next one",
	   {{"delta s2", .body = LAST(ENTRY("a", 1, "04"), "s3")}},
	   0,
	   "a@1 b@3",
	   true,
	   true,
	   1},
	  {"a delta of several pages has it too",
	   {{"delta s3", .body = MORE(UNPUBLISHED("a", "09") "," ENTRY("c", 2, "09"), "p2")},
	    {"page p2", .body = LAST(ENTRY("a", 2, "08") "," ENTRY("c", 1, "08"), "s4")}},
	   0,
	   "b@3 c@2",
	   true,
	   true,
	   2},
	  {"and one of a single page",
	   {{"delta s4", .body = LAST(UNPUBLISHED("c", "12") "," ENTRY("c", 3, "11"), "s5")}},
	   0,
	   "b@3",
	   true,
	   true,
	   1}}},

	{"the same again",
	 {{"the first run",
	   {{"init", .body = LAST(ENTRY("a", 1, "01"), "s1")}, {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1",
	   true,
	   true,
	   2},
	  {"an event that is repeated is no news",
	   {{"delta s1", .body = LAST(ENTRY("a", 1, "01"), "s2")}},
	   0,
	   "a@1",
	   false,
	   true,
	   1},
	  {"nor is a newer event of the same content",
	   {{"delta s2", .body = LAST(ENTRY("a", 1, "09"), "s3")}},
	   0,
	   "a@1",
	   false,
	   true,
	   1},
	  {"which counts when an older one comes",
	   {{"delta s3", .body = LAST(UNPUBLISHED("a", "08"), "s4")}},
	   0,
	   "a@1",
	   false,
	   true,
	   1},
	  {"nor is the removal of what is not there",
	   {{"delta s4", .body = LAST(UNPUBLISHED("x", "09"), "s5")}},
	   0,
	   "a@1",
	   false,
	   true,
	   1}}},

	{"removals of more than one item",
	 {{"the first run",
	   {{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY_IN("a", "fr", 2, "01") "," ENTRY(
					  "b", 1, "01") "," ENTRY_IN("b", "fr", 2, "01"),
				  "s1")},
	    {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1 b@1 a@2 b@2",
	   true,
	   true,
	   2},
	  {"a deletion without a locale counts in every locale",
	   {{"delta s1",
	     .body = LAST(
		     "{\"type\":\"entry_deleted\",\"event_at\":\"2026-01-01T00:00:05Z\",\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"a\"}}",
		     "s2")}},
	   0,
	   "b@1 b@2",
	   true,
	   true,
	   1},
	  {"the deletion of a type takes all of it",
	   {{"delta s2", .body = LAST(TYPE_DELETED("blog", "06") "," ENTRY("c", 1, "05"), "s3")}},
	   0,
	   "",
	   true,
	   true,
	   1},
	  {"unless it is newer",
	   {{"delta s3", .body = LAST(ENTRY("d", 1, "08") "," TYPE_DELETED("blog", "07"), "s4")}},
	   0,
	   "d@1",
	   true,
	   true,
	   1}}},

	{"items that cannot be applied",
	 {{"do not stop the others",
	   {{"init", .body = LAST(ENTRY("a", 1, "01") ",{\"type\":\"entry_renamed\"},7," ENTRY("", 1, "01") "," ENTRY(
					  "b", 1, "02"),
				  "s1")},
	    {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1 b@1",
	   true,
	   true,
	   2}}},

	{"answers that make no sense",
	 {{"the page token that was sent ends the run",
	   {{"init", .body = MORE(ENTRY("a", 1, "01"), "p1")},
	    {"page p1", .body = MORE(ENTRY("b", 1, "01"), "p1"), .times = 3},
	    {"init", .body = MORE(ENTRY("a", 1, "01"), "p1")},
	    {"page p1", .body = MORE(ENTRY("b", 1, "01"), "p1"), .times = 3}},
	   -EPROTO,
	   "a@1",
	   true,
	   false,
	   2},
	  {"and so does a round of them",
	   {{"page p1", .body = MORE("", "p2")},
	    {"page p2", .body = MORE("", "p1")},
	    {"page p1", .body = MORE("", "p2")},
	    {"page p2", .body = MORE("", "p1"), .times = 3},
	    {"init", .body = MORE(ENTRY("a", 1, "01"), "p1")},
	    {"page p1", .body = MORE("", "p2")},
	    {"page p2", .body = MORE("", "p1")},
	    {"page p1", .body = MORE("", "p2"), .times = 3}},
	   -EPROTO,
	   "a@1",
	   false,
	   false,
	   6},
	  {"in which the service is found at last",
	   {{"page p1", .body = LAST(ENTRY("b", 1, "01"), "s1")}, {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "a@1 b@1",
	   true,
	   true,
	   2},
	  {"so does what is no page",
	   {{"delta s1", .body = "<html>", .times = 3}},
	   -EPROTO,
	   "a@1 b@1",
	   false,
	   false,
	   0},
	  {"which does no harm",
	   {{"delta s1", .body = LAST(ENTRY("c", 1, "05"), "s2")}},
	   0,
	   "a@1 b@1 c@1",
	   true,
	   true,
	   1}}},

	{"refused credentials",
	 {{"end the run", {{"init", DELIVERY_CREDENTIALS_REFUSED}}, -EACCES, "", true, false, 0},
	  {"as a query that is refused does", {{"init", DELIVERY_QUERY_REFUSED}}, -EINVAL, "", false, false, 0},
	  {"and a stop", {{"init", DELIVERY_STOPPED}}, -ECANCELED, "", false, false, 0},
	  {"and a token that is refused though none was sent",
	   {{"init", DELIVERY_TOKEN_REFUSED, .times = 3}},
	   -EPROTO,
	   "",
	   false,
	   false,
	   0},
	  {"the next one begins at the beginning",
	   {{"init", .body = LAST("", "s1")}, {"delta s1", .body = LAST("", "s1")}},
	   0,
	   "",
	   false,
	   true,
	   2}}},
};

static size_t answer_count(const struct fake_answer *answers)
{
	size_t count = 0;
	while (count < ANSWERS_MAX && answers[count].question)
		count++;
	return count;
}

static void test_stories(bool restarting)
{
	for (size_t i = 0; i < COUNT(stories); i++) {
		CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
		sync_fixture_open(&fixture, NULL);
		for (const struct run *run = stories[i].runs; run < stories[i].runs + RUNS_MAX && run->what; run++) {
			struct sync_result result;
			if (restarting)
				sync_fixture_restart(&fixture);
			fake_expect(&fixture.fake, run->answers, answer_count(run->answers));
			int rc = sync_fixture_run(&fixture, &result);
			is_int(rc, run->rc, "%s: %s", stories[i].name, run->what);
			is_str(fake_fault(&fixture.fake), "", "%s: the questions", run->what);
			is_str(sync_fixture_shown(&fixture), run->shown, "%s: the entries", run->what);
			is_int(result.news, run->news, "%s: news", run->what);
			is_int(result.complete, run->complete, "%s: whole", run->what);
			is_int((long long)result.pages, (long long)run->pages, "%s: pages", run->what);
			ok((rc < 0) == (fixture.err.text[0] != '\0'), "%s: a message if it failed, and only then: '%s'",
			   run->what, fixture.err.text);
			is_str(temp_store_fault(&fixture.temp), "", "%s: the store is sound", run->what);
		}
	}
}

/* --- what a reader sees while a run goes on ----------------------------------------------------------------------- */

/* Notes what is shown whenever a question is asked. */
static void note_shown(void *context, const char *question)
{
	struct sync_fixture *fixture = context;
	buf_printf(&fixture->seen, "%s%s: %s", fixture->seen.len ? "; " : "", question, sync_fixture_shown(fixture));
}

static void test_delta_is_one_step(void)
{
	static const struct fake_answer first[] = {
		{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "01"), "s1")},
		{"delta s1", .body = LAST("", "s1")}};
	static const struct fake_answer delta[] = {
		{"delta s1", .body = MORE(ENTRY("a", 2, "11") "," UNPUBLISHED("b", "11"), "p1")},
		{"page p1", .body = MORE(ENTRY("c", 1, "11") "," TYPE_DELETED("page", "11"), "p2")},
		{"page p2", .body = MORE(ENTRY("a", 3, "12"), "p3")},
		{"page p3", .body = LAST("", "s2")}};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	fake_expect(&fixture.fake, first, COUNT(first));
	temp_must(sync_fixture_run(&fixture, &result), &fixture.err, "the first run");
	fixture.commits = 0;
	fixture.fake.asked = note_shown;
	fixture.fake.context = &fixture;
	fake_expect(&fixture.fake, delta, COUNT(delta));
	is_int(sync_fixture_run(&fixture, &result), 0, "a delta of four pages");
	is_str(fake_fault(&fixture.fake), "", "is asked for");
	is_str(fixture.seen.text, "delta s1: a@1 b@1; page p1: a@1 b@1; page p2: a@1 b@1; page p3: a@1 b@1",
	       "a reader sees nothing of it before its end");
	is_str(sync_fixture_shown(&fixture), "a@3 c@1", "and then all of it");
	is_int(fixture.commits, 1, "which is announced once");
	is_str(temp_store_ask(&fixture.temp, "SELECT count(*) FROM change WHERE uid = 'a'"), "2",
	       "a version that was overtaken in the run never was");
}

/* The first page comes alone; how many of the others share a commit is a matter of time. */
static void test_first_run_shows_as_it_comes(void)
{
	static const struct fake_answer answers[] = {{"init", .body = MORE(ENTRY("a", 1, "05"), "p1")},
						     {"page p1", DELIVERY_CREDENTIALS_REFUSED}};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	fixture.fake.slow = true;
	fixture.fake.asked = note_shown;
	fixture.fake.context = &fixture;
	fake_expect(&fixture.fake, answers, COUNT(answers));
	is_int(sync_fixture_run(&fixture, &result), -EACCES, "a first run that is cut off");
	is_str(fixture.seen.text, "init: ; page p1: a@1", "shows its first page while it asks for the second");
	is_str(fixture.progress.text, "1/1", "and says how far it is");
	struct store_sync_state state;
	temp_must(reader_sync_state(fixture.temp.reader, &state, NULL), NULL, "reader_sync_state");
	ok(!state.complete && state.pages == 1 && state.items == 1, "as the store does");
}

static void test_progress(void)
{
	static const struct fake_answer answers[] = {
		{"init", .body = MORE(ENTRY("a", 1, "05") "," ENTRY("b", 1, "05"), "p1")},
		{"page p1", .body = LAST(ENTRY("c", 1, "05"), "s1")},
		{"delta s1", .body = LAST(ENTRY("d", 1, "05"), "s2")}};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	fake_expect(&fixture.fake, answers, COUNT(answers));
	is_int(sync_fixture_run(&fixture, &result), 0, "a first run of two pages");
	is_str(fixture.progress.text, "1/2 2/3", "tells of each, and not of the delta after it");
}

#define OF(total) "{\"total_count\":" #total ","

/* How many items there are is for people, and never believed against what has come. */
static void test_total(void)
{
	static const struct {
		const char *name;
		const char *body;
		uint64_t want;
	} rows[] = {
		{"said", OF(7) "\"items\":[" ENTRY("a", 1, "05") "],\"pagination_token\":\"p1\"}", 7},
		{"not said", MORE(ENTRY("a", 1, "05"), "p1"), 0},
		{"less than there is", OF(1) "\"items\":[" ENTRY("a", 1, "05") "],\"pagination_token\":\"p1\"}", 0},
		{"negative", OF(-3) "\"items\":[" ENTRY("a", 1, "05") "],\"pagination_token\":\"p1\"}", 0},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fake_answer answers[] = {{"init", .body = rows[i].body},
						      {"page p1", DELIVERY_CREDENTIALS_REFUSED}};
		CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
		struct sync_result result;
		sync_fixture_open(&fixture, NULL);
		fake_expect(&fixture.fake, answers, COUNT(answers));
		is_int(sync_fixture_run(&fixture, &result), -EACCES, "a first run, its total %s", rows[i].name);
		is_int((long long)fixture.total, (long long)rows[i].want, "tells of it or not");
	}
}

/* Polls that bring nothing cost no writing: the file and its log stay as they are. */
static void test_empty_delta_writes_nothing(void)
{
	static const struct fake_answer first[] = {{"init", .body = LAST(ENTRY("a", 1, "01"), "s1")},
						   {"delta s1", .body = LAST("", "s1")}};
	static const struct fake_answer delta[] = {{"delta s1", .body = LAST("", "s1"), .times = 3}};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	fake_expect(&fixture.fake, first, COUNT(first));
	temp_must(sync_fixture_run(&fixture, &result), &fixture.err, "the first run");
	fixture.commits = 0;
	char path[TEMP_PATH_SIZE + 32];
	snprintf(path, sizeof(path), "%s-wal", fixture.temp.path);
	CLEANUP(buf_finish) struct buf before = BUF_INIT;
	CLEANUP(buf_finish) struct buf after = BUF_INIT;
	temp_file_read(path, &before);
	fake_expect(&fixture.fake, delta, COUNT(delta));
	for (int i = 0; i < 3; i++)
		is_int(sync_fixture_run(&fixture, &result), 0, "an empty delta");
	temp_file_read(path, &after);
	ok(before.len > 0 && slice_eq(buf_slice(&before), buf_slice(&after)), "three of them write nothing");
	is_int(fixture.commits, 0, "and announce nothing");
}

static void test_retry_after(void)
{
	static const struct fake_answer answers[] = {{"init", DELIVERY_RATE_LIMITED, .retry_after_ms = 70000}};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	fake_expect(&fixture.fake, answers, COUNT(answers));
	is_int(sync_fixture_run(&fixture, &result), -EHOSTUNREACH, "a service that wants to be left alone");
	is_int(result.retry_after_ms, 70000, "can say for how long");
	fake_expect(&fixture.fake, NULL, 0);
	is_int(sync_fixture_run(&fixture, &result), -EHOSTUNREACH, "and the next run leaves it alone");
	is_str(fake_fault(&fixture.fake), "", "without a question");
	ok(result.retry_after_ms > 60000 && result.retry_after_ms <= 70000, "for as long as is left");
	sync_fixture_restart(&fixture);
	sync_keep_away(fixture.sync, 50000);
	is_int(sync_fixture_run(&fixture, &result), -EHOSTUNREACH, "and so does another process that knows of it");
	is_str(fake_fault(&fixture.fake), "", "without a question either");
}

int main(void)
{
	test_stories(false);
	test_stories(true);
	test_delta_is_one_step();
	test_first_run_shows_as_it_comes();
	test_progress();
	test_total();
	test_empty_delta_writes_nothing();
	test_retry_after();
	return tap_done();
}
