/* How fast to ask: against services that count requests in different ways, simulated. */
#include "sync/pace.h"
#include "tap.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER_MS 10

/* A service that takes `limit` requests a second, by the clock's seconds. */
struct service {
	int limit;
	bool says_left;  /* how many are left */
	bool says_retry; /* how long to wait after one too many */
	int64_t second;
	int taken;
	int64_t closed_until; /* as it told with a 429 */
	int refused;
	int needless; /* sent while it had told to wait */
};

static bool serve(struct service *service, int64_t now, struct delivery_advice *advice)
{
	int64_t left_ms = 1000 - now % 1000;
	*advice = (struct delivery_advice)DELIVERY_NO_ADVICE;
	service->needless += now < service->closed_until;
	if (now / 1000 != service->second)
		service->taken = 0;
	service->second = now / 1000;
	bool taken = service->taken < service->limit;
	service->taken += taken;
	service->refused += !taken;
	if (service->says_left) {
		advice->remaining = service->limit - service->taken;
		advice->reset_ms = left_ms;
	}
	if (!taken && service->says_retry) {
		advice->retry_after_ms = left_ms;
		service->closed_until = now + left_ms;
	}
	return taken;
}

/* `pages` answers, one question after the other; the time it took. */
static int64_t fetch(struct service *service, int pages)
{
	struct pace pace = PACE_INIT;
	int64_t began = 1000000;
	int64_t now = began;
	for (int got = 0; got < pages;) {
		struct delivery_advice advice;
		now = pace_next(&pace, 0, now);
		pace_sent(&pace, now);
		bool taken = serve(service, now, &advice);
		now += ANSWER_MS;
		pace_heard(&pace, &advice, !taken, 0, now);
		got += taken;
	}
	return now - began;
}

static void test_services(void)
{
	static const struct {
		const char *name;
		struct service service;
		int refused_max;
		int64_t ms_max; /* for 100 pages */
	} rows[] = {
		{"without a limit", {.limit = 1 << 30}, 0, 100 * ANSWER_MS},
		{"that says how many are left", {.limit = 10, .says_left = true}, 0, 11000},
		{"that says how long to wait", {.limit = 10, .says_retry = true}, 3, 20000},
		{"that says both", {.limit = 10, .says_left = true, .says_retry = true}, 0, 11000},
		{"that says nothing", {.limit = 10}, 3, 20000},
		{"of one request a second", {.limit = 1, .says_retry = true}, 20, 160000},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct service service = rows[i].service;
		int64_t ms = fetch(&service, 100);
		is_int(service.needless, 0, "a service %s: nothing is sent while it said to wait", rows[i].name);
		ok(service.refused <= rows[i].refused_max, "a service %s: %d refused, of %d at most", rows[i].name,
		   service.refused, rows[i].refused_max);
		ok(ms <= rows[i].ms_max, "a service %s: 100 pages in %lld ms, of %lld at most", rows[i].name,
		   (long long)ms, (long long)rows[i].ms_max);
	}
}

static void test_in_flight(void)
{
	struct pace pace = PACE_INIT;
	const struct delivery_advice two = {-1, -1, 2, -1};
	const struct delivery_advice one = {-1, 400, 1, -1};
	const struct delivery_advice none = {-1, -1, 0, -1};
	const struct delivery_advice silent = DELIVERY_NO_ADVICE;
	is_int(pace_next(&pace, 3, 100), 100, "at first nothing is known");
	pace_heard(&pace, &two, false, 0, 100);
	is_int(pace_next(&pace, 0, 100), 100, "of two that are left the first is sent");
	pace_sent(&pace, 100);
	pace_sent(&pace, 100);
	ok(pace_next(&pace, 2, 100) == INT64_MAX, "after the second an answer is waited for");
	pace_heard(&pace, &one, false, 1, 110);
	is_int(pace_next(&pace, 0, 110), 510, "one that is left is the one under way: until the limit counts anew");
	pace_heard(&pace, &none, false, 0, 600);
	is_int(pace_next(&pace, 0, 600), 1600, "without a time, a second");
	pace_heard(&pace, &silent, false, 0, 1600);
	is_int(pace_next(&pace, 0, 1600), 1600, "an answer that says nothing lifts the limit");
}

static void test_bounds(void)
{
	struct pace pace = PACE_INIT;
	const struct delivery_advice day = {86400000, -1, -1, -1};
	const struct delivery_advice far = {-1, 86400000, 0, -1};
	const struct delivery_advice silent = DELIVERY_NO_ADVICE;
	pace_heard(&pace, &far, false, 0, 0);
	is_int(pace_next(&pace, 0, 0), PACE_WAIT_MAX_MS, "a limit that was not met is not waited for long");
	pace_heard(&pace, &day, true, 0, 0);
	is_int(pace_next(&pace, 0, 0), PACE_ASKED_MAX_MS, "nor one that was, for more than an hour");
	pace = (struct pace)PACE_INIT;
	for (int64_t i = 0; i < 1000; i++) {
		pace_sent(&pace, i * 20000);
		pace_heard(&pace, &silent, true, 0, i * 20000);
	}
	is_int(pace.spacing_ms, 0, "a refusal now and then does not slow it down");
	for (int64_t i = 0; i < 1000; i++) {
		pace_sent(&pace, i * 1000);
		pace_heard(&pace, &silent, true, 0, 30000000 + i * 1000);
	}
	is_int(pace.spacing_ms, PACE_SPACING_MAX_MS, "after a thousand one after the other it asks every few seconds");
	for (int64_t i = 0; i < 20; i++)
		pace_heard(&pace, &silent, false, 0, 40000000 + i * PACE_MEMORY_MS);
	is_int(pace.spacing_ms, 0, "and as fast as it can again, after some minutes without");
}

int main(void)
{
	test_services();
	test_in_flight();
	test_bounds();
	return tap_done();
}
