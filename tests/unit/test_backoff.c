/* How long a retry waits. */
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

int main(void)
{
	test_rows();
	return tap_done();
}
