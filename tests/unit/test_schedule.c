/* When the next run is due. */
#include "sync/schedule.h"
#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOWEST 0u
#define MIDDLE 0x80000000u
#define HIGHEST 0xffffffffu
#define MINUTE 60000

static const struct {
	const char *name;
	struct schedule before;
	struct schedule_event event;
	uint32_t random;
	int64_t want;
	unsigned failures, echoes; /* afterwards */
} rows[] = {
	{"a quiet success waits nine tenths of the interval at least",
	 {30000, 0, 0},
	 {0, false, -1},
	 LOWEST,
	 27000,
	 0,
	 0},
	{"a quiet success waits the interval in the middle", {30000, 0, 0}, {0, false, -1}, MIDDLE, 30000, 0, 0},
	{"a quiet success waits eleven tenths of the interval at most",
	 {30000, 0, 0},
	 {0, false, -1},
	 HIGHEST,
	 32999,
	 0,
	 0},
	{"a success forgets the failures before it", {30000, 7, 0}, {0, false, -1}, LOWEST, 27000, 0, 0},
	{"an interval of a millisecond is never 0", {1, 0, 0}, {0, false, -1}, LOWEST, 1, 0, 0},
	{"an interval of a day", {86400000, 0, 0}, {0, false, -1}, HIGHEST, 95039999, 0, 0},
	{"a success with news asks again after a second", {30000, 0, 0}, {0, true, -1}, MIDDLE, 1000, 0, 2},
	{"the second echo comes after two seconds", {30000, 0, 2}, {0, false, -1}, MIDDLE, 2000, 0, 1},
	{"the third echo comes after four seconds", {30000, 0, 1}, {0, false, -1}, MIDDLE, 4000, 0, 0},
	{"news among the echoes begins them anew", {30000, 0, 1}, {0, true, -1}, MIDDLE, 1000, 0, 2},
	{"an interval shorter than an echo stays", {500, 0, 0}, {0, true, -1}, LOWEST, 450, 0, 2},
	{"the first failure waits half a second at least",
	 {30000, 0, 0},
	 {-EHOSTUNREACH, false, -1},
	 LOWEST,
	 500,
	 1,
	 0},
	{"the first failure waits one and a half at most",
	 {30000, 0, 0},
	 {-EHOSTUNREACH, false, -1},
	 HIGHEST,
	 1499,
	 1,
	 0},
	{"the second failure waits two seconds more at most", {30000, 1, 0}, {-EPROTO, false, -1}, HIGHEST, 2499, 2, 0},
	{"the ninth failure is still below the ceiling", {30000, 8, 0}, {-EIO, false, -1}, HIGHEST, 256499, 9, 0},
	{"the tenth failure is at the ceiling", {30000, 9, 0}, {-EIO, false, -1}, HIGHEST, 300499, 10, 0},
	{"so is one after very many", {30000, 1000000, 0}, {-EIO, false, -1}, HIGHEST, 300499, 1000001, 0},
	{"the count of failures stops before it overflows",
	 {30000, UINT_MAX, 0},
	 {-EIO, false, -1},
	 LOWEST,
	 500,
	 UINT_MAX,
	 0},
	{"a failure ends the echoes", {30000, 0, 3}, {-EHOSTUNREACH, false, -1}, LOWEST, 500, 1, 0},
	{"a failure with news does not begin echoes", {30000, 0, 0}, {-EHOSTUNREACH, true, -1}, LOWEST, 500, 1, 0},
	{"the service is not asked before it said", {30000, 0, 0}, {-EHOSTUNREACH, false, 7000}, LOWEST, 7000, 1, 0},
	{"and within a second after it said", {30000, 0, 0}, {-EHOSTUNREACH, false, 7000}, HIGHEST, 7999, 1, 0},
	{"a backoff longer than what the service said counts",
	 {30000, 9, 0},
	 {-EHOSTUNREACH, false, 7000},
	 HIGHEST,
	 300499,
	 10,
	 0},
	{"asked to wait for no time", {30000, 0, 0}, {-EHOSTUNREACH, false, 0}, LOWEST, 500, 1, 0},
	{"an hour is the most that is waited for the service",
	 {30000, 0, 0},
	 {-EHOSTUNREACH, false, INT64_MAX},
	 LOWEST,
	 60 * MINUTE,
	 1,
	 0},
	{"refused credentials wait five minutes at least",
	 {30000, 0, 0},
	 {-EACCES, false, -1},
	 LOWEST,
	 5 * MINUTE,
	 1,
	 0},
	{"refused credentials wait ten minutes at most",
	 {30000, 0, 0},
	 {-EACCES, false, -1},
	 HIGHEST,
	 10 * MINUTE - 1,
	 1,
	 0},
	{"refused credentials with a time to wait do not ask before it",
	 {30000, 0, 0},
	 {-EACCES, false, 30 * MINUTE},
	 LOWEST,
	 30 * MINUTE,
	 1,
	 0},
	{"refused credentials with a shorter time to wait",
	 {30000, 0, 0},
	 {-EACCES, false, 1000},
	 LOWEST,
	 5 * MINUTE,
	 1,
	 0},
};

static void test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct schedule schedule = rows[i].before;
		is_int(schedule_next(&schedule, &rows[i].event, rows[i].random), rows[i].want, "%s", rows[i].name);
		is_int(schedule.failures, rows[i].failures, "%s: failures", rows[i].name);
		is_int(schedule.echoes, rows[i].echoes, "%s: echoes to come", rows[i].name);
		is_int(schedule.interval_ms, rows[i].before.interval_ms, "%s: the interval stays", rows[i].name);
	}
}

/* One of `count` choices, taken off a number that stands for several of them. */
static size_t pick(size_t *choices, size_t count)
{
	size_t one = *choices % count;
	*choices /= count;
	return one;
}

static void test_bounds(void)
{
	static const int64_t intervals[] = {1, 2, 9, 10, 11, 100, 999, 30000, 86400000};
	static const unsigned failures[] = {0, 1, 5, 19, 20, 21, 63, 64, INT_MAX, UINT_MAX};
	static const int results[] = {0, -EHOSTUNREACH, -EACCES, -EPROTO};
	static const int64_t asked[] = {-1, 0, 1, 1000, 3600000, 3600001, INT64_MAX};
	static const uint32_t randoms[] = {LOWEST, 1, MIDDLE, HIGHEST};
	const size_t all = COUNT(intervals) * COUNT(failures) * COUNT(results) * COUNT(asked) * COUNT(randoms) * 2;
	size_t outside = 0;
	for (size_t i = 0; i < all; i++) {
		size_t rest = i;
		struct schedule schedule = {intervals[pick(&rest, COUNT(intervals))],
					    failures[pick(&rest, COUNT(failures))], 0};
		const struct schedule_event event = {results[pick(&rest, COUNT(results))], pick(&rest, 2) == 1,
						     asked[pick(&rest, COUNT(asked))]};
		int64_t wait = schedule_next(&schedule, &event, randoms[pick(&rest, COUNT(randoms))]);
		int64_t most = event.rc < 0 ? 60 * MINUTE + 1000 : schedule.interval_ms * 11 / 10 + 1;
		outside += wait < 1 || wait > most;
	}
	is_int((long long)outside, 0, "each of %zu waits is a millisecond at least and no longer than it can be", all);
}

/* News, then quiet: soon, less soon, and then as always. */
static void test_echoes(void)
{
	static const int64_t want[] = {1000, 2000, 4000, 30000, 30000};
	struct schedule schedule = {.interval_ms = 30000};
	for (size_t i = 0; i < COUNT(want); i++) {
		const struct schedule_event event = {0, i == 0, -1};
		is_int(schedule_next(&schedule, &event, MIDDLE), want[i], "poll %zu after news", i + 1);
	}
}

int main(void)
{
	test_rows();
	test_bounds();
	test_echoes();
	return tap_done();
}
