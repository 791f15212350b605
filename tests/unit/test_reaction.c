/* Which failures are tried again, and what comes when that does not help. */
#include "sync/reaction.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
	test_reactions();
	return tap_done();
}
