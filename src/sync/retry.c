/* How long a question that failed has to wait. */
#include "sync/internal.h"
#include "util/clock.h"

#include <sys/random.h>

bool retry_later(enum delivery_outcome outcome, const struct delivery_advice *advice, struct failures *failures,
		 int64_t now, int64_t *due)
{
	const struct reaction *reaction = reaction_to(outcome);
	uint32_t random = 0x80000000;
	if (failures->of[outcome] >= reaction->tries || advice->retry_after_ms > REACTION_WAIT_MAX_MS) {
		*failures = (struct failures){0};
		return false;
	}
	unsigned attempt = 0;
	for (size_t i = 0; i < DELIVERY_OUTCOMES; i++)
		attempt += failures->of[i];
	failures->of[outcome]++;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)clock_wall_ns();
	int64_t at = backoff_until(&reaction->backoff, attempt, now, random);
	int64_t asked = now + advice->retry_after_ms;
	*due = at > asked ? at : asked + reaction->backoff.floor_ms;
	return true;
}
