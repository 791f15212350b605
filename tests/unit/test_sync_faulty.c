/* Items that cannot be applied, from their page to the quarantine and out of it again. */
#include "sync_fixture.h"
#include "tap.h"

#include <errno.h>

/* Published, without a usable time anywhere: of a known item, and of one without a uid. */
#define FAULTY(uid, version)                                                                                           \
	"{\"type\":\"entry_published\",\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"" uid                         \
	"\",\"_version\":" #version ",\"publish_details\":{\"locale\":\"en\"}}}"
#define NAMELESS EVENT("entry_published", "03", "blog", "\"publish_details\":{\"locale\":\"en\"}")

#define KEPT "SELECT uid, reason FROM quarantine ORDER BY uid"
#define FIRST_RUN                                                                                                      \
	{"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "02"), "s1")},                                     \
	{                                                                                                              \
		"delta s1", .body = LAST("", "s1")                                                                     \
	}

static const char *kept(struct sync_fixture *fixture)
{
	return temp_store_ask(&fixture->temp, KEPT);
}

static void test_delta(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "items that cannot be applied do not stop the others", 0, "a@1 b@1 c@1",
	       {"delta s1", .body = LAST(FAULTY("a", 2) "," NAMELESS "," ENTRY("c", 1, "04"), "s2")});
	is_str(kept(&fixture), "|no uid a|no usable event time", "and are kept with the reason");
	EXPECT(&fixture, "a version that can be applied", 0, "a@3 b@1 c@1",
	       {"delta s2", .body = LAST(ENTRY("a", 3, "05"), "s3")});
	is_str(kept(&fixture), "|no uid", "takes its place");
}

static void test_removal(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "an item that cannot be applied", 0, "a@1 b@1",
	       {"delta s1", .body = LAST(FAULTY("a", 2), "s2")});
	EXPECT(&fixture, "and is removed then", 0, "b@1", {"delta s2", .body = LAST(UNPUBLISHED("a", "06"), "s3")});
	is_str(kept(&fixture), "", "is of no interest any more");
}

/* What is visible of an item stays, though its new listing cannot be applied. */
static void test_listed_anew(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "an item without a name", 0, "a@1 b@1", {"delta s1", .body = LAST(NAMELESS, "s2")});
	EXPECT(&fixture, "in a new listing", 0, "a@1", {"delta s2", DELIVERY_TOKEN_REFUSED, .times = 4},
	       {"init", .body = LAST(FAULTY("a", 2), "t1")}, {"delta t1", .body = LAST("", "t1")});
	is_str(kept(&fixture), "a|no usable event time", "the quarantine is what that listing left");
}

/* Of which locale it is cannot be read: it may be of any. */
static void test_listed_anew_without_locale(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 a@1 b@1",
	       {"init",
		.body = LAST(ENTRY("a", 1, "01") "," ENTRY_IN("a", "de", 1, "01") "," ENTRY("b", 1, "01"), "s1")},
	       {"delta s1", .body = LAST("", "s1")});
	EXPECT(&fixture, "an item without a locale in a new listing", 0, "a@1 a@1",
	       {"delta s1", DELIVERY_TOKEN_REFUSED, .times = 4},
	       {"init", .body = LAST(EVENT("entry_published", "05", "blog", "\"uid\":\"a\""), "t1")},
	       {"delta t1", .body = LAST("", "t1")});
}

/* A later version of the program, which can apply what this one left: the row is made to look so. */
static void test_later_version(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "items that cannot be applied", 0, "a@1 b@1",
	       {"delta s1", .body = LAST(FAULTY("a", 2) "," FAULTY("b", 2) "," FAULTY("c", 1), "s2")});
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1'");
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET source = replace(source, '{\"type\"',"
				      " '{\"event_at\":\"2026-01-01T00:00:09Z\",\"type\"') WHERE uid <> 'b'");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "are tried again by another version of the program", 0, "a@2 b@1 c@1",
	       {"delta s2", .body = LAST("", "s2")});
	is_str(kept(&fixture), "b|no usable event time", "and stay if that does not know better");
	is_str(temp_store_ask(&fixture.temp, "SELECT DISTINCT program = '0.0.1' FROM quarantine_item"), "0",
	       "as its own");
}

/* One that was too long to be kept. */
static void test_cut(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "an item that cannot be applied", 0, "a@1 b@1",
	       {"delta s1", .body = LAST(FAULTY("a", 2), "s2")});
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1', whole = 0, source = '{\"ty'");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "and was too long is listed again by another version", 0, "a@3",
	       {"init", .body = LAST(ENTRY("a", 3, "07"), "t1")}, {"delta t1", .body = LAST("", "t1")});
	is_str(kept(&fixture), "", "which leaves nothing behind");
}

/* A delta that was cut off is no listing. */
static void test_cut_amid_a_delta(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "a delta that is cut off behind an item that cannot be applied", -EACCES, "a@1 b@1",
	       {"delta s1", .body = MORE(FAULTY("a", 2) "," ENTRY("b", 2, "05"), "p1")},
	       {"page p1", DELIVERY_CREDENTIALS_REFUSED});
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1', whole = 0, source = '{\"ty'");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "which was too long: another version does not go on with it", 0, "a@3",
	       {"init", .body = LAST(ENTRY("a", 3, "07"), "t1")}, {"delta t1", .body = LAST("", "t1")});
	is_str(kept(&fixture), "", "nothing is left behind");
}

static void test_cut_amid_the_first_listing(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run that is cut off behind an item that cannot be applied", -EACCES, "b@1",
	       {"init", .body = MORE(FAULTY("a", 2) "," ENTRY("b", 1, "05"), "p1")},
	       {"page p1", DELIVERY_CREDENTIALS_REFUSED});
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1', whole = 0, source = '{\"ty'");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "which was too long: another version ends that run", 0, "b@1 c@1",
	       {"page p1", .body = LAST(ENTRY("c", 1, "05"), "s1")}, {"delta s1", .body = LAST("", "s1")});
	is_str(kept(&fixture), "a|no usable event time", "and keeps it in mind");
	EXPECT(&fixture, "and lists it again with the next", 0, "a@3 b@1",
	       {"init", .body = LAST(ENTRY("a", 3, "07") "," ENTRY("b", 1, "05"), "t1")},
	       {"delta t1", .body = LAST("", "t1")});
	is_str(kept(&fixture), "", "nothing is left behind");
}

/* Withdrawn in the same run: pages come newest first, and the item does not say when it was. */
static void test_withdrawn_before(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "an item that cannot be applied, behind its removal", 0, "b@1",
	       {"delta s1", .body = LAST(UNPUBLISHED("a", "06") "," FAULTY("a", 2), "s2")});
	is_str(kept(&fixture), "|no usable event time", "is kept");
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1',"
				      " source = replace(source, '{\"type\"',"
				      " '{\"event_at\":\"2026-01-01T00:00:05Z\",\"type\"')");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "another version does not bring back what was withdrawn", 0, "b@1",
	       {"init", .body = LAST(ENTRY("b", 1, "02"), "t1")}, {"delta t1", .body = LAST("", "t1")});
	is_str(kept(&fixture), "", "nothing is left behind");
}

/* The listing has ended by then, and the delta that follows it has not begun. */
static void test_later_version_before_the_first_delta(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first listing with an item that cannot be applied, cut off behind its end", -EACCES, "b@1",
	       {"init", .body = LAST(FAULTY("a", 2) "," ENTRY("b", 1, "05"), "s1")},
	       {"delta s1", DELIVERY_CREDENTIALS_REFUSED});
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1',"
				      " source = replace(source, '{\"type\"',"
				      " '{\"event_at\":\"2026-01-01T00:00:09Z\",\"type\"')");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "another version shows it with the delta, also if that is empty", 0, "a@2 b@1",
	       {"delta s1", .body = LAST("", "s1")});
	is_str(kept(&fixture), "", "nothing is left behind");
}

/* One of which it was not known that it is about "c", nor that "c" was withdrawn since. */
static void test_known_later(void)
{
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	sync_fixture_open(&fixture, NULL);
	EXPECT(&fixture, "a first run", 0, "a@1 b@1", FIRST_RUN);
	EXPECT(&fixture, "an item without a name", 0, "a@1 b@1",
	       {"delta s1", .body = LAST(NAMELESS "," UNPUBLISHED("c", "04"), "s2")});
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1'");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "stays where another version does not know it either", 0, "a@1 b@1",
	       {"delta s2", .body = LAST("", "s2")});
	is_str(kept(&fixture), "|no uid", "as before");
	temp_store_ask(&fixture.temp, "UPDATE quarantine_item SET program = '0.0.1',"
				      " source = replace(source, '\"data\":{', '\"data\":{\"uid\":\"c\",')");
	sync_fixture_restart(&fixture);
	EXPECT(&fixture, "is listed again by one that does, not shown as it was", 0, "a@1 b@1",
	       {"init", .body = LAST(ENTRY("a", 1, "01") "," ENTRY("b", 1, "02"), "t1")},
	       {"delta t1", .body = LAST("", "t1")});
	is_str(kept(&fixture), "", "nothing is left behind");
}

int main(void)
{
	test_delta();
	test_removal();
	test_listed_anew();
	test_listed_anew_without_locale();
	test_later_version();
	test_cut();
	test_cut_amid_a_delta();
	test_cut_amid_the_first_listing();
	test_later_version_before_the_first_delta();
	test_withdrawn_before();
	test_known_later();
	return tap_done();
}
