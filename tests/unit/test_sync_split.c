/* A first listing in parts: when it is, that it ends as a whole one would, and that it is given up when it must. */
#include "sync_fixture.h"
#include "tap.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DATE 1767225610000 /* 2026-01-01T00:00:10Z */
#define HOUR_BEFORE "2025-12-31T23:00:10.000Z"
#define MINUTE_BEFORE "2025-12-31T23:59:10.000Z"
#define SECONDS_BEFORE "2026-01-01T00:00:05.000Z"
#define AHEAD 1798761600000 /* 2027-01-01T00:00:00Z */
#define AHEAD_BEFORE "2026-12-31T23:59:00.000Z"
#define NEWEST_BEFORE "2026-01-01T00:00:08.999Z"
#define BETWEEN "2026-07-02T11:59:34.499Z" /* these two */

#define A ENTRY("a", 1, "09")
#define B ENTRY("b", 1, "08")
#define X ENTRY_OF("page", "x", "en", 1, "07")
#define FILE_F EVENT("asset_published", "01", "sys_assets", "\"uid\":\"f\",\"publish_details\":{\"locale\":\"en\"}")

#define WHOLE                                                                                                          \
	{                                                                                                              \
		"init", .body = MORE_OF(40, A, "w1"), .date_ms = DATE                                                  \
	}
#define WHOLE_AHEAD                                                                                                    \
	{                                                                                                              \
		"init", .body = MORE_OF(40, A, "w1"), .date_ms = AHEAD                                                 \
	}
#define SEED                                                                                                           \
	{                                                                                                              \
		"init start_from=" HOUR_BEFORE, .body = LAST(A, "g1")                                                  \
	}

static const struct {
	const char *name;
	struct fake_answer answers[12];
	const char *shown;
	const char *assets;
} rows[] = {
	{"a large stack",
	 {WHOLE,
	  SEED,
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = MORE_OF(10, A, "b1")},
	  {"init content_type=page", .body = LAST_OF(10, X, "t2")},
	  {"page b1", .body = LAST_OF(10, B, "t3")},
	  {"delta g1", .body = LAST(UNPUBLISHED("a", "10"), "g2")}},
	 "b@1 x@1",
	 "f"},
	{"one with much that is new",
	 {WHOLE,
	  {"init start_from=" HOUR_BEFORE, .body = MORE(A, "h1")},
	  {"init start_from=" MINUTE_BEFORE, .body = MORE(A, "m1")},
	  {"init start_from=" SECONDS_BEFORE, .body = MORE_OF(2, A, "s1")},
	  {"page s1", .body = LAST("", "g1")},
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, A "," B, "t2")},
	  {"init content_type=page", .body = LAST_OF(10, X, "t3")},
	  {"delta g1", .body = LAST("", "g1")}},
	 "a@1 b@1 x@1",
	 "f"},
	{"one that has more that is new than is worth it",
	 {WHOLE,
	  {"init start_from=" HOUR_BEFORE, .body = MORE(A, "h1")},
	  {"init start_from=" MINUTE_BEFORE, .body = MORE(A, "m1")},
	  {"init start_from=" SECONDS_BEFORE, .body = MORE_OF(3, A, "s1")},
	  WHOLE,
	  {"page w1", .body = LAST(B "," X, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 ""},
	{"one whose events have times from long before its clock's",
	 {WHOLE_AHEAD,
	  {"init start_from=" NEWEST_BEFORE, .body = LAST(A, "g1")},
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, A "," B, "t2")},
	  {"init content_type=page", .body = LAST_OF(10, X, "t3")},
	  {"delta g1", .body = LAST(UNPUBLISHED("a", "10"), "g2")}},
	 "b@1 x@1",
	 "f"},
	{"one whose events all have the same time",
	 {{"init", .body = MORE_OF(8, A, "w1"), .date_ms = AHEAD},
	  {"init start_from=" NEWEST_BEFORE, .body = MORE_OF(8, A, "n1")},
	  {"init start_from=" AHEAD_BEFORE, .body = LAST("", "n2")},
	  {"init start_from=" BETWEEN, .body = LAST("", "n3")},
	  {"init", .body = MORE_OF(8, A, "w1"), .date_ms = AHEAD},
	  {"page w1", .body = LAST(B "," X, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 ""},
	{"one of which something is withdrawn, and as much published, before the seed begins",
	 {WHOLE,
	  {"init start_from=" HOUR_BEFORE, .body = LAST(B, "g1")},
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, B, "t2")},
	  {"init content_type=page", .body = LAST_OF(10, X, "t3")},
	  {"delta g1", .body = LAST("", "g1")}},
	 "b@1 x@1",
	 "f"},
	{"one that comes oldest first",
	 {WHOLE_AHEAD,
	  {"init start_from=" NEWEST_BEFORE, .body = MORE_OF(40, A, "n1")},
	  {"init start_from=" AHEAD_BEFORE, .body = LAST("", "n2")},
	  {"init start_from=" BETWEEN, .body = LAST_OF(1, X, "g1")},
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, A "," B, "t2")},
	  {"init content_type=page", .body = LAST_OF(10, X, "t3")},
	  {"delta g1", .body = LAST(UNPUBLISHED("a", "10"), "g2")}},
	 "b@1 x@1",
	 "f"},
	{"a seed without an event, which might let none through later",
	 {WHOLE,
	  {"init start_from=" HOUR_BEFORE, .body = LAST("", "g1")},
	  WHOLE,
	  {"page w1", .body = LAST(B "," X, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 ""},
	{"parts that do not add up",
	 {WHOLE,
	  SEED,
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, A, "t2")},
	  {"init content_type=page", .body = LAST_OF(9, X, "t3")},
	  {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 "f"},
	{"a part without a total",
	 {WHOLE,
	  SEED,
	  {"init type=asset_published", .body = LAST(FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, A, "t2")},
	  {"init content_type=page", .body = LAST_OF(9, X, "t3")},
	  {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 "f"},
	{"a part that is refused",
	 {WHOLE,
	  SEED,
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", DELIVERY_QUERY_REFUSED},
	  {"init content_type=page", .body = LAST_OF(9, X, "t3")},
	  {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 "f"},
	{"parts that do not add up, and what they have shown went away",
	 {WHOLE,
	  SEED,
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = LAST_OF(10, A, "t2")},
	  {"init content_type=page", .body = LAST_OF(9, X, "t3")},
	  {"init", .body = LAST(B, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "b@1",
	 ""},
	{"a part whose tokens are refused",
	 {WHOLE,
	  SEED,
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = MORE_OF(10, A, "b1")},
	  {"init content_type=page", .body = LAST_OF(10, X, "t3")},
	  {"page b1", DELIVERY_TOKEN_REFUSED, .times = 4},
	  {"init content_type=blog", .body = MORE_OF(10, A, "b1")},
	  {"page b1", DELIVERY_TOKEN_REFUSED, .times = 4},
	  {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 "f"},
	{"a part that goes round",
	 {WHOLE,
	  SEED,
	  {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	  {"init content_type=blog", .body = MORE_OF(10, A, "b1")},
	  {"init content_type=page", .body = LAST_OF(10, X, "t3")},
	  {"page b1", .body = MORE_OF(10, A, "b1"), .times = 3},
	  {"init content_type=blog", .body = MORE_OF(10, A, "b1")},
	  {"page b1", .body = MORE_OF(10, A, "b1"), .times = 3},
	  {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 "f"},
	{"a seed that is refused",
	 {WHOLE,
	  {"init start_from=" HOUR_BEFORE, DELIVERY_QUERY_REFUSED},
	  WHOLE,
	  {"page w1", .body = LAST(B "," X, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 ""},
	{"a seed that is never answered",
	 {WHOLE,
	  {"init start_from=" HOUR_BEFORE, DELIVERY_UNAVAILABLE, .times = 5},
	  WHOLE,
	  {"page w1", .body = LAST(B "," X, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1 x@1",
	 ""},
	{"a small stack",
	 {{"init", .body = MORE_OF(7, A, "w1"), .date_ms = DATE},
	  {"page w1", .body = LAST(B, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1",
	 ""},
	{"one that does not say how large it is",
	 {{"init", .body = MORE(A, "w1"), .date_ms = DATE},
	  {"page w1", .body = LAST(B, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1",
	 ""},
	{"one that does not say what time it is",
	 {{"init", .body = MORE_OF(40, A, "w1")},
	  {"page w1", .body = LAST(B, "s1")},
	  {"delta s1", .body = LAST("", "s1")}},
	 "a@1 b@1",
	 ""},
};

static size_t count_answers(const struct fake_answer *answers, size_t most)
{
	size_t count = 0;
	while (count < most && answers[count].question)
		count++;
	return count;
}

static void test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
		sync_fixture_open_with(&fixture, NULL, 4);
		sync_fixture_expect(&fixture, rows[i].name, 0, rows[i].shown, rows[i].answers,
				    count_answers(rows[i].answers, COUNT(rows[i].answers)));
		is_str(temp_store_ask(&fixture.temp, "SELECT uid FROM assets"), rows[i].assets, "%s: the assets",
		       rows[i].name);
		is_str(temp_store_ask(&fixture.temp, "SELECT id, run, part_of, total FROM stream"), "1|0|0|0",
		       "%s: one stream is left", rows[i].name);
		is_str(temp_store_ask(&fixture.temp, "SELECT DISTINCT stream FROM node WHERE kind IN (1, 2)"), "1",
		       "%s: which has all of it", rows[i].name);
	}
}

static void test_side_by_side(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open_with(&fixture, NULL, 4);
	sync_fixture_expect(&fixture, "a large stack", 0, rows[0].shown, rows[0].answers, 7);
	is_int(fixture.fake.most_in_flight, 3, "its parts are listed side by side");
}

static bool is_complete(struct sync_fixture *fixture)
{
	struct store_sync_state state;
	temp_must(reader_sync_state(fixture->temp.reader, &state, NULL), NULL, "reader_sync_state");
	return state.complete;
}

/* Cut off among its parts, and again among them, each time with a new process. */
static void test_resumed(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open_with(&fixture, NULL, 4);
	EXPECT(&fixture, "a listing in parts that is cut off", -EACCES, "a@1", WHOLE, SEED,
	       {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	       {"init content_type=blog", .body = MORE_OF(10, A, "b1")},
	       {"init content_type=page", DELIVERY_CREDENTIALS_REFUSED}, {"page b1", .body = LAST_OF(10, B, "t2")});
	ok(!is_complete(&fixture), "is not whole, though it has a sync token");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "goes on where it was", -EACCES, "a@1 b@1", {"page b1", .body = LAST_OF(10, B, "t2")},
	       {"init content_type=page", DELIVERY_CREDENTIALS_REFUSED});
	ok(!is_complete(&fixture), "and still is not");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "until the last part is there", 0, "a@1 b@1 x@1",
	       {"init content_type=page", .body = LAST_OF(10, X, "t3")}, {"delta g1", .body = LAST("", "g1")});
	ok(is_complete(&fixture), "and the news since it began");
}

/* What is known of the whole is not kept: it is asked for again, and the listing is in parts all the same. */
static void test_interrupted_before_the_seed(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open_with(&fixture, NULL, 4);
	EXPECT(&fixture, "a listing in parts that is cut off before its seed", -EACCES, "", WHOLE,
	       {"init start_from=" HOUR_BEFORE, DELIVERY_CREDENTIALS_REFUSED});
	sync_fixture_restart(&fixture);
	sync_fixture_expect(&fixture, "begins again in parts", 0, rows[0].shown, rows[0].answers, 7);
}

static void test_resumed_and_abandoned(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open_with(&fixture, NULL, 4);
	EXPECT(&fixture, "a listing in parts that is cut off", -EACCES, "a@1", WHOLE, SEED,
	       {"init type=asset_published", .body = LAST_OF(19, FILE_F, "t1")},
	       {"init content_type=blog", .body = LAST_OF(10, A, "t2")},
	       {"init content_type=page", DELIVERY_CREDENTIALS_REFUSED});
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "and turns out not to add up", 0, "a@1 b@1 x@1",
	       {"init content_type=page", .body = LAST_OF(10, X, "t3")},
	       {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")}, {"delta s1", .body = LAST("", "s1")});
	ok(is_complete(&fixture), "is listed as a whole");
}

/* Between the first try and the next one a content type was added. */
static void test_types_of_an_earlier_run(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open_with(&fixture, NULL, 4);
	fixture.fake.schemas = "blog";
	EXPECT(&fixture, "a listing that is cut off before it began", -EACCES, "",
	       {"init", DELIVERY_CREDENTIALS_REFUSED});
	fixture.fake.schemas = "blog page";
	sync_fixture_restart(&fixture);
	sync_fixture_expect(&fixture, "is split by the types that there are by then", 0, rows[0].shown, rows[0].answers,
			    7);
}

/* What is visible of it by then is not the whole, whatever its tokens say. */
static void test_abandoned_and_cut_off(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open_with(&fixture, NULL, 4);
	EXPECT(&fixture, "parts that do not add up, and a new listing that is cut off before its delta", -EACCES, "a@1",
	       WHOLE, SEED, {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	       {"init content_type=blog", .body = LAST_OF(10, A, "t2")},
	       {"init content_type=page", .body = LAST_OF(9, X, "t3")},
	       {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")}, {"delta s1", DELIVERY_CREDENTIALS_REFUSED});
	ok(!is_complete(&fixture), "is not whole");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "goes on", 0, "a@1 b@1 x@1", {"delta s1", .body = LAST("", "s1")});
	ok(is_complete(&fixture), "until it is");
	EXPECT(&fixture, "a new listing of what was whole", -EACCES, "a@1 b@1 x@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = 4}, {"init", .body = MORE(A, "p1")},
	       {"page p1", DELIVERY_CREDENTIALS_REFUSED});
	ok(is_complete(&fixture), "takes nothing of that away");
}

/* What the new listing does not bring again is gone. */
static void test_abandoned_with_an_inmate(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open_with(&fixture, NULL, 4);
	EXPECT(&fixture, "parts that do not add up, with an item that cannot be applied", 0, "a@1 b@1 x@1", WHOLE, SEED,
	       {"init type=asset_published", .body = LAST_OF(20, FILE_F, "t1")},
	       {"init content_type=blog",
		.body = LAST_OF(10,
				A
				",{\"type\":\"entry_published\",\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"q\","
				"\"publish_details\":{\"locale\":\"en\"}}}",
				"t2")},
	       {"init content_type=page", .body = LAST_OF(9, X, "t3")},
	       {"init", .body = LAST(A "," B "," X "," FILE_F, "s1")}, {"delta s1", .body = LAST("", "s1")});
	is_str(temp_store_ask(&fixture.temp, "SELECT uid FROM quarantine"), "", "which the whole does not have");
}

/* Whatever comes of the answer, the run waits no longer than any other does. */
static void test_sent_away(void)
{
	static const struct {
		const char *name;
		struct fake_answer answers[3];
		size_t count;
	} ways[] = {
		{"a seed that is to be asked for later",
		 {WHOLE, {"init start_from=" HOUR_BEFORE, DELIVERY_UNAVAILABLE, .retry_after_ms = 90000}},
		 2},
		{"a page that is",
		 {WHOLE,
		  {"init start_from=" HOUR_BEFORE, .body = MORE_OF(2, A, "s1")},
		  {"page s1", DELIVERY_TOKEN_REFUSED, .retry_after_ms = 90000}},
		 3},
	};
	for (size_t i = 0; i < COUNT(ways); i++) {
		CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
		struct sync_result result;
		sync_fixture_open_with(&fixture, NULL, 4);
		fake_expect(&fixture.fake, ways[i].answers, ways[i].count);
		is_int(sync_fixture_run(&fixture, &result), -EHOSTUNREACH, "%s", ways[i].name);
		is_str(fake_fault(&fixture.fake), "", "%s: the questions", ways[i].name);
		is_int(fixture.fake.waited_ms, 0, "%s: the run does not wait", ways[i].name);
		ok(result.retry_after_ms > 60000 && result.retry_after_ms <= 90000,
		   "%s: but says how long the next one has to", ways[i].name);
		ok(strstr(fixture.err.text, "left alone"), "%s: %s", ways[i].name, fixture.err.text);
	}
}

#define EN(uid, second) ENTRY_IN(uid, "en", 1, second)
#define FR(uid, second) ENTRY_IN(uid, "fr", 1, second)

/* Two streams, the second of which is large enough for parts, so that the content types are fetched once more, while the
 * first has something that is not committed yet. */
static void open_two(struct sync_fixture *fixture)
{
	static const char *const locales[] = {"en", "fr", NULL};
	static const struct sync_filter filter = {.locales = locales};
	sync_fixture_open_with(fixture, &filter, 2);
	fixture->fake.slow = true;
	fixture->fake.schemas_outcome = DELIVERY_NONSENSE;
}

#define FIRST_OF_TWO                                                                                                   \
	{"init locale=en", .body = MORE_OF(2, EN("a", "09"), "p1")},                                                   \
		{"init locale=fr", .body = MORE_OF(40, FR("b", "08"), "w1"), .date_ms = DATE},                         \
	{                                                                                                              \
		"page p1", .body = LAST_OF(2, EN("c", "07"), "s1")                                                     \
	}

static void test_types_that_are_not_to_be_had(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	open_two(&fixture);
	EXPECT(&fixture, "a large stack beside another stream, without its content types", 0, "a@1 c@1 b@1",
	       FIRST_OF_TWO, {"delta s1", .body = LAST("", "s1")},
	       {"init locale=fr", .body = MORE_OF(40, FR("b", "08"), "w1")}, {"page w1", .body = LAST_OF(40, "", "s2")},
	       {"delta s2", .body = LAST("", "s2")});
	is_int(fixture.fake.schemas_beside, 0, "which are asked for when nothing else is");
	ok(is_complete(&fixture), "until all is there");
}

int main(void)
{
	test_rows();
	test_side_by_side();
	test_resumed();
	test_resumed_and_abandoned();
	test_interrupted_before_the_seed();
	test_abandoned_and_cut_off();
	test_abandoned_with_an_inmate();
	test_types_of_an_earlier_run();
	test_types_that_are_not_to_be_had();
	test_sent_away();
	return tap_done();
}
