/* How long a retry waits, and which retries there are at all. */
#include "sync/reaction.h"
#include "tap.h"
#include "util/backoff.h"

#include <limits.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOWEST 0u
#define MIDDLE 0x80000000u
#define HIGHEST 0xffffffffu
#define NOW 1000000

static const struct {
	const char *name;
	struct backoff backoff;
	unsigned attempt;
	uint32_t random;
	int64_t want; /* after now */
} rows[] = {
	{"chance may add nothing", {50, 250, 4000}, 0, LOWEST, 50},
	{"half of the base", {50, 250, 4000}, 0, MIDDLE, 175},
	{"nearly all of it", {50, 250, 4000}, 0, HIGHEST, 299},
	{"twice as much after a second failure", {50, 250, 4000}, 1, MIDDLE, 300},
	{"four times as much after a third", {50, 250, 4000}, 2, MIDDLE, 550},
	{"the ceiling", {50, 250, 4000}, 4, HIGHEST, 4049},
	{"is never passed", {50, 250, 4000}, 5, HIGHEST, 4049},
	{"however often it failed", {50, 250, 4000}, UINT_MAX, HIGHEST, 4049},
	{"a ceiling below the base counts", {0, 250, 100}, 0, HIGHEST, 99},
	{"no backoff at all", {0, 0, 0}, 3, HIGHEST, 0},
};

static void test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		is_int(backoff_until(&rows[i].backoff, rows[i].attempt, NOW, rows[i].random) - NOW, rows[i].want, "%s",
		       rows[i].name);
		is_int(backoff_until(&rows[i].backoff, rows[i].attempt, -NOW, rows[i].random) + NOW, rows[i].want,
		       "%s, by another clock", rows[i].name);
	}
}

static void test_reactions(void)
{
	static const struct {
		const char *name;
		enum delivery_outcome outcome;
		bool again;
		enum reaction_end end;
	} reactions[] = {
		{"a refused token", DELIVERY_TOKEN_REFUSED, true, REACTION_RELIST},
		{"refused credentials", DELIVERY_CREDENTIALS_REFUSED, false, REACTION_FAIL_RUN},
		{"a refused query", DELIVERY_QUERY_REFUSED, false, REACTION_FAIL_STREAM},
		{"a rate limit", DELIVERY_RATE_LIMITED, true, REACTION_FAIL_RUN},
		{"a service that is not there", DELIVERY_UNAVAILABLE, true, REACTION_FAIL_RUN},
		{"nonsense", DELIVERY_NONSENSE, true, REACTION_FAIL_STREAM},
		{"a stop", DELIVERY_STOPPED, false, REACTION_FAIL_RUN},
		{"a failure of this machine", DELIVERY_FAILED, false, REACTION_FAIL_RUN},
	};
	for (size_t i = 0; i < COUNT(reactions); i++) {
		const struct reaction *reaction = reaction_to(reactions[i].outcome);
		ok((reaction->tries > 0) == reactions[i].again, "%s is tried %s", reactions[i].name,
		   reactions[i].again ? "again" : "once");
		is_int(reaction->end, reactions[i].end, "%s: what comes then", reactions[i].name);
		ok(!reactions[i].again || reaction->backoff.base_ms > 0, "%s: with a wait", reactions[i].name);
	}
}

int main(void)
{
	test_rows();
	test_reactions();
	return tap_done();
}
