#include "util/backoff.h"

#define DOUBLINGS_MAX 30 /* keeps the shift in range; every ceiling is reached long before */

int64_t backoff_jitter(int64_t ms, uint32_t random)
{
	return (int64_t)((double)ms * ((double)random / 4294967296.0));
}

int64_t backoff_until(const struct backoff *backoff, unsigned attempt, int64_t now_ms, uint32_t random)
{
	unsigned doublings = attempt < DOUBLINGS_MAX ? attempt : DOUBLINGS_MAX;
	int64_t span = backoff->base_ms << doublings;
	if (span > backoff->ceiling_ms)
		span = backoff->ceiling_ms;
	return now_ms + backoff->floor_ms + backoff_jitter(span, random);
}
