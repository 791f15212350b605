/* How long to wait before trying again: exponential backoff with full jitter. Pure. */
#ifndef CONTENTFS_UTIL_BACKOFF_H
#define CONTENTFS_UTIL_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t floor_ms;   /* waited in any case */
	int64_t base_ms;    /* the most that chance adds before the first retry; doubled before each further one */
	int64_t ceiling_ms; /* the most that it ever adds */
};

/* `random` (any 32 random bits) as a part of `ms`: from 0 to ms - 1. */
int64_t backoff_jitter(int64_t ms, uint32_t random);

/*
 * When to try again after failure number `attempt` in a row (the first is 0): the time `now_ms` of whatever clock, plus
 * the floor, plus anything from nothing to the doubled base, as `random` has it, so that clients that failed together do
 * not come back together.
 */
int64_t backoff_until(const struct backoff *backoff, unsigned attempt, int64_t now_ms, uint32_t random);

#endif
