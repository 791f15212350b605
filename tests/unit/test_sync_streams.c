/* The engine with filters, which make several conversations with the service, and with the content types beside them. */
#include "sync_fixture.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_complete(struct sync_fixture *fixture)
{
	struct store_sync_state state;
	temp_must(reader_sync_state(fixture->temp.reader, &state, NULL), NULL, "reader_sync_state");
	return state.complete;
}

/* --- filters ------------------------------------------------------------------------------------------------------ */

static const char *const types[] = {"blog", "page", NULL};
static const char *const locales[] = {"en", "fr", NULL};
static const char *const one_type[] = {"blog", NULL};
static const char *const one_locale[] = {"en", NULL};
static const char *const none[] = {NULL};

static void test_identity(void)
{
	static const struct {
		struct sync_filter filter;
		const char *want;
	} rows[] = {
		{{0}, ""},
		{{none, none, NULL, NULL}, ""},
		{{one_type, NULL, NULL, NULL}, "content-type=blog"},
		{{types, locales, "2026-01-01", "entry_published"},
		 "content-type=blog content-type=page locale=en locale=fr start-from=2026-01-01 type=entry_published"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_finish) struct buf text = BUF_INIT;
		is_int(sync_filter_identity(&rows[i].filter, &text), 0, "filters can be written");
		is_str(buf_text(&text), rows[i].want, "as one line: '%s'", rows[i].want);
	}
}

static void test_queries(void)
{
	static const struct {
		struct sync_filter filter;
		const char *want;
	} rows[] = {
		{{0}, "init, delta s"},
		{{none, none, NULL, NULL}, "init, delta s"},
		{{one_type, NULL, NULL, NULL}, "init content_type=blog, delta s"},
		{{NULL, one_locale, NULL, NULL}, "init locale=en, delta s"},
		{{NULL, NULL, "2026-01-01", "entry_published"},
		 "init start_from=2026-01-01 type=entry_published, delta s"},
		{{types, locales, "2026-01-01", NULL},
		 "init content_type=blog locale=en start_from=2026-01-01, delta s, init content_type=blog locale=fr"
		 " start_from=2026-01-01, delta s, init content_type=page locale=en start_from=2026-01-01, delta s,"
		 " init content_type=page locale=fr start_from=2026-01-01, delta s"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
		struct fake_answer answers[8];
		struct sync_result result;
		char questions[8][128];
		size_t count = 0;
		const char *at = rows[i].want;
		for (; *at && count < COUNT(answers); at += strspn(at, ", ")) {
			snprintf(questions[count], sizeof(questions[count]), "%.*s", (int)strcspn(at, ","), at);
			answers[count] = (struct fake_answer){.question = questions[count], .body = LAST("", "s")};
			at += strcspn(at, ",");
			count++;
		}
		sync_fixture_open(&fixture, &rows[i].filter);
		fake_expect(&fixture.fake, answers, count);
		is_int(sync_fixture_run(&fixture, &result), 0, "a first run with filters %zu", i);
		is_str(fake_fault(&fixture.fake), "", "asks what its filters say, each combination for itself");
		is_int(result.complete && is_complete(&fixture), true, "and is whole");
	}
}

static void test_several_streams(void)
{
	static const struct sync_filter filter = {types, NULL, NULL, NULL};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, &filter);
	EXPECT(&fixture, "the second of two streams fails", -EHOSTUNREACH, "a@1",
	       {"init content_type=blog", .body = LAST(ENTRY("a", 1, "01"), "b1")},
	       {"delta b1", .body = LAST("", "b1")}, {"init content_type=page", DELIVERY_UNAVAILABLE, .times = 5});
	ok(!is_complete(&fixture), "then the content is not whole, nor does the store say so");
	sync_fixture_restart(&fixture);
	ok(!is_complete(&fixture), "even after a restart");
	EXPECT(&fixture, "each goes on from where it is", 0, "a@2 x@1 y@1",
	       {"delta b1", .body = LAST(ENTRY("a", 2, "05"), "b2")},
	       {"init content_type=page", .body = MORE(ENTRY_OF("page", "x", "en", 1, "01"), "p1")},
	       {"page p1", .body = LAST(ENTRY_OF("page", "y", "en", 1, "01"), "p2")},
	       {"delta p2", .body = LAST("", "p2")});
	ok(is_complete(&fixture), "and now it is whole");
	EXPECT(&fixture, "one is listed anew, which the other does not wait for", 0, "a@2 x@2",
	       {"delta p2", DELIVERY_TOKEN_REFUSED}, {"delta b2", .body = LAST("", "b2")},
	       {"delta p2", DELIVERY_TOKEN_REFUSED, .times = 3},
	       {"init content_type=page", .body = LAST(ENTRY_OF("page", "x", "en", 2, "07"), "p3")},
	       {"delta p3", .body = LAST("", "p3")});
	EXPECT(&fixture, "and the other keeps its own", 0, "a@2 x@2", {"delta b2", .body = LAST("", "b2")},
	       {"delta p3", .body = LAST("", "p3")});
}

/* A content type that is deleted has no token that is of use, and nothing to list. */
static void test_type_that_goes(void)
{
	static const struct sync_filter filter = {types, NULL, NULL, NULL};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, &filter);
	EXPECT(&fixture, "two types", 0, "a@1 x@1", {"init content_type=blog", .body = LAST(ENTRY("a", 1, "01"), "b1")},
	       {"delta b1", .body = LAST("", "b1")},
	       {"init content_type=page", .body = LAST(ENTRY_OF("page", "x", "en", 1, "01"), "p1")},
	       {"delta p1", .body = LAST("", "p1")});
	EXPECT(&fixture, "one of which is not known any more", 0, "a@1", {"delta p1", DELIVERY_TOKEN_REFUSED},
	       {"delta b1", .body = LAST("", "b1")}, {"delta p1", DELIVERY_TOKEN_REFUSED, .times = 3},
	       {"init content_type=page", DELIVERY_TYPE_UNKNOWN});
	ok(is_complete(&fixture), "are whole without it");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "it is asked for again", 0, "a@1", {"delta b1", .body = LAST("", "b1")},
	       {"init content_type=page", DELIVERY_TYPE_UNKNOWN});
	EXPECT(&fixture, "until it is there again", 0, "a@1 y@1",
	       {"init content_type=page", .body = LAST(ENTRY_OF("page", "y", "en", 1, "03"), "p2")},
	       {"delta p2", .body = LAST("", "p2")}, {"delta b1", .body = LAST("", "b1")});
}

static void test_type_unknown_to_its_token(void)
{
	static const struct sync_filter filter = {one_type, NULL, NULL, NULL};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, &filter);
	EXPECT(&fixture, "a type", 0, "a@1", {"init content_type=blog", .body = LAST(ENTRY("a", 1, "01"), "b1")},
	       {"delta b1", .body = LAST("", "b1")});
	EXPECT(&fixture, "that is not known to its token any more", 0, "",
	       {"delta b1", DELIVERY_TYPE_UNKNOWN, .times = 4}, {"init content_type=blog", DELIVERY_TYPE_UNKNOWN});
}

/* Whatever it means there: a stream of everything is not about a content type. */
static void test_type_unknown_to_everything(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "everything", 0, "a@1", {"init", .body = LAST(ENTRY("a", 1, "01"), "s1")},
	       {"delta s1", .body = LAST("", "s1")});
	EXPECT(&fixture, "of which a type is not known", -EINVAL, "a@1", {"delta s1", DELIVERY_TYPE_UNKNOWN});
	EXPECT(&fixture, "nor is it in a new listing", -EINVAL, "a@1", {"delta s1", DELIVERY_TOKEN_REFUSED, .times = 4},
	       {"init", DELIVERY_TYPE_UNKNOWN});
}

static void test_type_that_never_was(void)
{
	static const struct sync_filter filter = {one_type, NULL, NULL, NULL};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, &filter);
	EXPECT(&fixture, "a content type that never was is a mistake", -EINVAL, "",
	       {"init content_type=blog", DELIVERY_TYPE_UNKNOWN});
}

/* The service filters; should it not, the tree does not hold what was not asked for. */
static void test_what_was_not_asked_for(void)
{
	static const struct sync_filter filter = {one_type, one_locale, NULL, NULL};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, &filter);
	EXPECT(&fixture, "items of other types and locales", 0, "a@1",
	       {"init content_type=blog locale=en",
		.body = LAST(ENTRY("a", 1, "01") "," ENTRY_IN("b", "fr", 1, "01") "," ENTRY_OF(
				     "page", "c", "en", 1,
				     "01") "," EVENT("asset_published", "01", "sys_assets",
						     "\"uid\":\"f\",\"publish_details\":{\"locale\":\"en\"}"),
			     "s1")},
	       {"delta s1", .body = LAST("", "s1")});
	is_str(temp_store_ask(&fixture.temp, "SELECT count(*) FROM assets"), "0", "nor are there assets");
	EXPECT(&fixture, "removals of other types and locales", 0, "a@1",
	       {"delta s1", .body = LAST(TYPE_DELETED("page", "05") "," EVENT(
						 "entry_deleted", "05", "blog",
						 "\"uid\":\"a\",\"locale\":\"fr\"") "," EVENT("asset_deleted", "05", "",
											      "\"uid\":\"a\""),
					 "s2")});
	EXPECT(&fixture, "one without a locale counts", 0, "",
	       {"delta s2", .body = LAST(EVENT("entry_deleted", "06", "blog", "\"uid\":\"a\""), "s3")});
}

static void test_assets(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "assets and an entry of the same uid", 0, "f@1",
	       {"init",
		.body = LAST(
			EVENT("asset_published", "01", "sys_assets", "\"uid\":\"f\",\"_version\":3,\"publish_details\":{\"locale\":\"en\"}") "," EVENT(
				"asset_published", "01", "sys_assets",
				"\"uid\":\"f\",\"_version\":3,\"publish_details\":{\"locale\":\"fr\"}") "," EVENT("asset_published",
														  "01",
														  "Blog",
														  "\"uid\":\"g\",\"locale\":\"en\"") "," ENTRY("f",
																			       1,
																			       "01"),
			"s1")},
	       {"delta s1", .body = LAST("", "s1")});
	is_str(temp_store_ask(&fixture.temp, "SELECT path, version FROM assets ORDER BY path"),
	       "assets/en/f.json|3 assets/en/g.json|0 assets/fr/f.json|3", "are each in their place");
	EXPECT(&fixture, "removals of assets", 0, "f@1",
	       {"delta s1",
		.body = LAST(EVENT("asset_unpublished", "05", "", "\"uid\":\"f\",\"locale\":\"fr\"") "," EVENT(
				     "asset_deleted", "05", "sys_assets", "\"uid\":\"g\""),
			     "s2")});
	is_str(temp_store_ask(&fixture.temp, "SELECT path FROM assets ORDER BY path"), "assets/en/f.json",
	       "take those and no other");
}

/* --- content types ------------------------------------------------------------------------------------------------ */

static const char *schemas_of(struct sync_fixture *fixture)
{
	return temp_store_ask(&fixture->temp, "SELECT name FROM dirent WHERE parent = 2 ORDER BY name");
}

#define FIRST(items)                                                                                                   \
	{"init", .body = LAST(items, "s1")},                                                                           \
	{                                                                                                              \
		"delta s1", .body = LAST("", "s1")                                                                     \
	}
#define QUIET                                                                                                          \
	{                                                                                                              \
		"delta s1", .body = LAST("", "s1")                                                                     \
	}

static void test_schemas(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	fixture.fake.schemas = "blog a/b";
	EXPECT(&fixture, "a first run", 0, "a@1", FIRST(ENTRY("a", 1, "01")));
	is_str(schemas_of(&fixture), "a%2Fb.json blog.json", "fetches the content types");
	is_int(fixture.fake.schemas_asked, 1, "once");
	int64_t blog = temp_store_ino(&fixture.temp, "content_types/blog.json");

	fixture.fake.schemas_text = "changed";
	EXPECT(&fixture, "a run soon after it", 0, "a@1", QUIET);
	is_int(fixture.fake.schemas_asked, 0, "does not ask for them");
	sync_want_schemas(fixture.sync);
	EXPECT(&fixture, "unless it is told to", 0, "a@1", QUIET);
	is_int(fixture.fake.schemas_asked, 1, "then it does");
	ok(temp_store_ino(&fixture.temp, "content_types/blog.json") > blog, "and a schema that changed is a new file");

	EXPECT(&fixture, "an entry of a type that has no schema", 0, "a@1 p@1",
	       {"delta s1", .body = LAST(ENTRY_OF("page", "p", "en", 1, "05"), "s1")});
	is_int(fixture.fake.schemas_asked, 1, "makes it ask too");
	fixture.fake.schemas = "page";
	EXPECT(&fixture, "and again with the next news while there is none", 0, "a@1 p@2",
	       {"delta s1", .body = LAST(ENTRY_OF("page", "p", "en", 2, "06"), "s1")});
	is_str(schemas_of(&fixture), "blog.json page.json",
	       "a schema that is not listed any more goes if it has no entries");

	fixture.fake.schemas = "page";
	EXPECT(&fixture, "a type that is deleted", 0, "p@2",
	       {"delta s1", .body = LAST(TYPE_DELETED("blog", "09"), "s1")});
	is_int(fixture.fake.schemas_asked, 1, "makes it ask too");
	is_str(schemas_of(&fixture), "page.json", "and its schema goes with its entries");
}

static void test_schemas_that_fail(void)
{
	static const struct {
		const char *name;
		enum delivery_outcome outcome;
		int times; /* that it is asked for in a run */
	} rows[] = {{"unavailable", DELIVERY_UNAVAILABLE, 5},
		    {"limited", DELIVERY_RATE_LIMITED, 6},
		    {"nonsense", DELIVERY_NONSENSE, 3},
		    {"refused as a query", DELIVERY_QUERY_REFUSED, 1}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
		sync_fixture_open(&fixture, NULL);
		EXPECT(&fixture, "a first run", 0, "a@1", FIRST(ENTRY("a", 1, "01")));
		fixture.fake.schemas_outcome = rows[i].outcome;
		sync_want_schemas(fixture.sync);
		EXPECT(&fixture, "a run whose content types fail does not", 0, "a@2",
		       {"delta s1", .body = LAST(ENTRY("a", 2, "05"), "s1")});
		is_int(fixture.fake.schemas_asked, rows[i].times, "with content types that are %s", rows[i].name);
		is_str(schemas_of(&fixture), "blog.json page.json", "%s: the old ones stay", rows[i].name);
		EXPECT(&fixture, "nor the next one", 0, "a@2", QUIET);
		is_int(fixture.fake.schemas_asked, rows[i].times, "%s: which asks again", rows[i].name);
		EXPECT(&fixture, "nor one soon after", 0, "a@2", QUIET);
		is_int(fixture.fake.schemas_asked, 0, "%s: which leaves them for later", rows[i].name);
		fixture.fake.schemas_outcome = DELIVERY_OK;
		fixture.fake.schemas = "blog";
		sync_want_schemas(fixture.sync);
		EXPECT(&fixture, "nor the one in which they are back", 0, "a@2", QUIET);
		is_str(schemas_of(&fixture), "blog.json", "%s: which has them", rows[i].name);
	}
}

static void test_schemas_without_end(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1", FIRST(ENTRY("a", 1, "01")));
	fixture.fake.schemas_endless = true;
	sync_want_schemas(fixture.sync);
	EXPECT(&fixture, "a run whose list of content types does not end has the entries", 0, "a@2",
	       {"delta s1", .body = LAST(ENTRY("a", 2, "05"), "s1")});
	is_int(fixture.fake.schemas_parts, 1000, "it is given up");
	is_str(schemas_of(&fixture), "blog.json page.json", "the old ones stay");
}

/* Before the first run has the content types there is nothing else that could say so. */
static void test_schemas_not_now(void)
{
	static const struct {
		const char *name;
		int64_t away_ms;
		enum delivery_outcome outcome;
		bool stopped;
		int rc;
		const char *says;
	} rows[] = {
		{"a service that asked to be left alone for long", 3600000, DELIVERY_OK, false, -EHOSTUNREACH,
		 "left alone"},
		{"an end while it is left alone", 5000, DELIVERY_OK, true, -ECANCELED, "told to stop"},
		{"an end before another try", 0, DELIVERY_UNAVAILABLE, true, -ECANCELED, "told to stop"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
		struct sync_result result;
		static const struct fake_answer answers[] = {FIRST(ENTRY("a", 1, "01"))};
		sync_fixture_open(&fixture, NULL);
		fixture.fake.schemas_outcome = rows[i].outcome;
		fixture.fake.stopped = rows[i].stopped;
		if (rows[i].away_ms)
			sync_keep_away(fixture.sync, rows[i].away_ms);
		fake_expect(&fixture.fake, answers, COUNT(answers));
		is_int(sync_fixture_run(&fixture, &result), rows[i].rc, "%s", rows[i].name);
		ok(strstr(fixture.err.text, rows[i].says), "%s: the message: %s", rows[i].name, fixture.err.text);
		is_int(fixture.fake.schemas_asked, rows[i].away_ms ? 0 : 1, "%s: asked for", rows[i].name);
		is_str(buf_text(&fixture.fake.asked_for), "", "%s: and nothing else", rows[i].name);
	}
}

/* A service that has entries but no content types to give must not keep a first run from ever beginning. */
static void test_schemas_that_fail_at_first(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	struct sync_result result;
	static const struct fake_answer answers[] = {FIRST(ENTRY("a", 1, "01"))};
	sync_fixture_open(&fixture, NULL);
	fixture.fake.schemas_outcome = DELIVERY_UNAVAILABLE;
	fake_expect(&fixture.fake, answers, COUNT(answers));
	int rc = sync_fixture_run(&fixture, &result);
	if (rc == -EHOSTUNREACH) /* the whole service may be down: once is no harm */
		rc = sync_fixture_run(&fixture, &result);
	is_int(rc, 0,
	       "with content types that are unavailable from the beginning, the second run at the latest has the entries");
	is_str(sync_fixture_shown(&fixture), "a@1", "as they are");
}

static void test_schemas_with_filters(void)
{
	static const struct sync_filter filter = {one_type, NULL, NULL, NULL};
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, &filter);
	EXPECT(&fixture, "a first run of one type", 0, "a@1",
	       {"init content_type=blog", .body = LAST(ENTRY("a", 1, "01"), "s1")},
	       {"delta s1", .body = LAST("", "s1")});
	is_str(schemas_of(&fixture), "blog.json", "keeps the schema of that type only");
}

int main(void)
{
	test_identity();
	test_queries();
	test_several_streams();
	test_type_that_goes();
	test_type_unknown_to_its_token();
	test_type_unknown_to_everything();
	test_type_that_never_was();
	test_what_was_not_asked_for();
	test_assets();
	test_schemas();
	test_schemas_that_fail();
	test_schemas_without_end();
	test_schemas_not_now();
	test_schemas_that_fail_at_first();
	test_schemas_with_filters();
	return tap_done();
}
