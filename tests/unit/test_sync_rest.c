/* What a run does that takes long: it leaves the processor to others while nobody sees what it does, tells that it gets on, and
 * can be stopped. */
#include "crowd.h"
#include "sync_fixture.h"
#include "tap.h"

#include <errno.h>

#define ITEMS 6000 /* of a page: several times COURTESY_WORK_NS */

static const char *page(struct buf *page, int version, const char *end)
{
	buf_printf(page, "{\"items\":[");
	for (int i = 0; i < ITEMS; i++)
		buf_printf(
			page,
			"%s{\"type\":\"entry_published\",\"event_at\":\"2026-01-01T00:%02d:00Z\",\"content_type_uid\":\"blog\","
			"\"data\":{\"uid\":\"u%d\",\"_version\":%d,\"publish_details\":{\"locale\":\"en\"}}}",
			i ? "," : "", version, i, version);
	buf_printf(page, "],%s}", end);
	return buf_text(page);
}

static void test_rests(void)
{
	struct buf pages[4] = {BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT};
	const struct fake_answer first[] = {{"init", .body = page(&pages[0], 1, "\"sync_token\":\"s1\"")},
					    {"delta s1", .body = LAST("", "s1")}};
	const struct fake_answer news[] = {{"delta s1", .body = page(&pages[1], 2, "\"sync_token\":\"s2\"")}};
	const struct fake_answer delta[] = {{"delta s2", .body = page(&pages[2], 3, "\"pagination_token\":\"p\"")},
					    {"page p", .body = page(&pages[3], 4, "\"sync_token\":\"s3\"")}};
	struct sync_fixture fixture;
	struct sync_result result;
	struct crowd crowd;
	sync_fixture_open(&fixture, NULL);
	crowd_begin(&crowd);
	fake_expect(&fixture.fake, first, 2);
	is_int(sync_fixture_run(&fixture, &result), 0, "a first run");
	is_int(fixture.rests, 0, "shows its pages as soon as it can");
	fake_expect(&fixture.fake, news, 1);
	is_int(sync_fixture_run(&fixture, &result), 0, "a delta of one page");
	is_int(fixture.rests, 0, "too");
	fake_expect(&fixture.fake, delta, 2);
	is_int(sync_fixture_run(&fixture, &result), 0, "one of two pages");
	ok(fixture.rests > 0, "leaves the processor to others (%d times)", fixture.rests);
	is_str(fake_fault(&fixture.fake), "", "the questions were as they should be");
	crowd_end(&crowd);
	sync_fixture_finish(&fixture);
	for (int i = 0; i < 4; i++)
		buf_finish(&pages[i]);
}

/* A delta of two pages, stopped while it is made visible. */
static void test_stop(void)
{
	CLEANUP(buf_finish) struct buf first = BUF_INIT;
	CLEANUP(buf_finish) struct buf second = BUF_INIT;
	CLEANUP(sync_fixture_finish) struct sync_fixture fixture;
	const struct fake_answer listing[] = {{"init", .body = LAST(ENTRY("a", 1, "01"), "s1")},
					      {"delta s1", .body = LAST("", "s1")}};
	const struct fake_answer delta[] = {{"delta s1", .body = page(&first, 2, "\"pagination_token\":\"p\"")},
					    {"page p", .body = page(&second, 3, "\"sync_token\":\"s2\"")}};
	const struct fake_answer none[] = {{"delta s2", .body = LAST("", "s2")}};
	struct sync_result result;
	sync_fixture_open(&fixture, NULL);
	sync_fixture_expect(&fixture, "a first run", 0, "a@1", listing, 2);
	is_int(fixture.turns, 2, "tells of each page");
	fixture.turns = 0;
	fixture.stop_at_turn = 2 + ITEMS / 64 / 2; /* a turn each 64 items: not to be forgotten for long */
	sync_fixture_expect(&fixture, "a stop while a delta is made visible", -ECANCELED, "a@1", delta, 2);
	is_int(fixture.turns, fixture.stop_at_turn, "is heard at once");
	fixture.fake.stopped = false;
	sync_fixture_restart(&fixture);
	fake_expect(&fixture.fake, none, 1);
	is_int(sync_fixture_run(&fixture, &result), 0, "the next run");
	is_str(fake_fault(&fixture.fake), "", "fetches nothing of it again");
	is_str(temp_store_ask(&fixture.temp, "SELECT count(*), min(version), max(version) FROM entries"), "6001|1|3",
	       "and shows all of it");
}

int main(void)
{
	test_rests();
	test_stop();
	return tap_done();
}
