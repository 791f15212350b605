/*
 * Random numbers for property tests: the same ones in each run, unless CONTENTFS_TEST_SEED says otherwise.
 * CONTENTFS_TEST_ROUNDS=20 makes the tests that use them go twenty times as far.
 */
#ifndef CONTENTFS_TESTS_RANDOM_H
#define CONTENTFS_TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* Prints the seed as a diagnostic, so that a failure can be repeated. */
struct rng rng_create(void);

/* Rounds to go, of which `usual` are enough for every day. */
long rng_rounds(long usual);

uint64_t rng_next(struct rng *rng);

/* 0 to count - 1; count is not 0. */
size_t rng_below(struct rng *rng, size_t count);

/* True once in `count` times. */
bool rng_once_in(struct rng *rng, size_t count);

char rng_byte(struct rng *rng);

#endif
