#include "random.h"

#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>

#define USUAL_SEED 20240229

static long long number_from(const char *variable, long long otherwise)
{
	const char *text = getenv(variable);
	return text && *text ? strtoll(text, NULL, 10) : otherwise;
}

struct rng rng_create(void)
{
	struct rng rng = {(uint64_t)number_from("CONTENTFS_TEST_SEED", USUAL_SEED)};
	diag("CONTENTFS_TEST_SEED=%" PRIu64, rng.state);
	return rng;
}

long rng_rounds(long usual)
{
	return usual * (long)number_from("CONTENTFS_TEST_ROUNDS", 1);
}

/* SplitMix64, by Sebastiano Vigna: any seed will do. */
uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

size_t rng_below(struct rng *rng, size_t count)
{
	return (size_t)(rng_next(rng) % count);
}

bool rng_once_in(struct rng *rng, size_t count)
{
	return rng_below(rng, count) == 0;
}

char rng_byte(struct rng *rng)
{
	return (char)(rng_next(rng) & 0xff);
}
