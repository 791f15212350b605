/* When a run rests for others, and how it notices that there are others. */
#include "crowd.h"
#include "sync/courtesy.h"
#include "tap.h"

#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS ((int64_t)1000000)

/* After so much work more. */
static int64_t due(struct courtesy *courtesy, const struct work *more, bool full)
{
	courtesy->work.wall_ns += more->wall_ns;
	courtesy->work.cpu_ns += more->cpu_ns;
	courtesy->work.preempted += more->preempted;
	return courtesy_due(courtesy, full);
}

static void test_rests(void)
{
	static const struct {
		const char *name;
		struct work work; /* of one piece */
		int pieces;
		int64_t rest; /* in all */
		bool full;
	} rows[] = {
		{"little work", {30 * MS, 19 * MS, 5}, 1, 0},
		{"alone", {20 * MS, 20 * MS, 0}, 1, 0},
		{"waited for the disk", {200 * MS, 20 * MS, 0}, 1, 0},
		{"hardly in line", {21 * MS, 20 * MS, 1}, 1, 0},
		{"in line", {22 * MS, 20 * MS, 1}, 1, 120},
		{"in line for long", {200 * MS, 20 * MS, 9}, 1, 120},
		{"alone, but others are in line", {20 * MS, 20 * MS, 0}, 1, 120, true},
		{"little work, and others are in line", {19 * MS, 19 * MS, 0}, 1, 0, true},
		{"in small pieces", {12 * MS, 10 * MS, 1}, 2, 120},
		{"nothing is counted twice", {12 * MS, 10 * MS, 1}, 3, 120},
		{"in line once", {12 * MS, 10 * MS, 1}, 20, 1200},
		{"much at once", {1200 * MS, 1000 * MS, 100}, 1, COURTESY_REST_MS_MAX},
		{"much", {1200 * MS, 1000 * MS, 100}, 1000, COURTESY_ALL_MS_MAX},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct courtesy courtesy = {0};
		int64_t rest = 0;
		for (int k = 0; k < rows[i].pieces; k++)
			rest += due(&courtesy, &rows[i].work, rows[i].full);
		is_int(rest, rows[i].rest, "%s", rows[i].name);
	}
}

static int64_t cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 * MS + now.tv_nsec;
}

/* Of two threads that want one processor, one sees that it is not alone. */
static void test_crowd(void)
{
	struct crowd crowd;
	struct courtesy courtesy = {0};
	crowd_begin(&crowd);
	courtesy_begin(&courtesy);
	for (int64_t until = cpu_ns() + 200 * MS; cpu_ns() < until;)
		;
	courtesy_end(&courtesy);
	int64_t rest = courtesy_rest(&courtesy);
	crowd_end(&crowd);
	is_int(rest, COURTESY_REST_MS_MAX, "who is not alone has to rest");
}

int main(void)
{
	test_rests();
	test_crowd();
	return tap_done();
}
