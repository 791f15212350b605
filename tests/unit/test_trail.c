/* Who reads a directory through. */
#include "fs/trail.h"
#include "tap.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define A 100
#define B 200

struct step {
	int64_t directory;
	int64_t ino;
};

static void test_trails(void)
{
	static const struct {
		const char *what;
		struct step steps[16];
		int lean; /* of the last one's trail; 0 if there is none */
	} rows[] = {
		{"one file", {{A, 1000}}, 0},
		{"a few files", {{A, 1000}, {A, 1001}, {A, 1002}, {A, 1003}}, 0},
		{"files in order", {{A, 1000}, {A, 1001}, {A, 1005}, {A, 1006}, {A, 1010}}, TRAIL_STEPS},
		{"files against the order", {{A, 1000}, {A, 999}, {A, 990}, {A, 989}, {A, 980}}, -TRAIL_STEPS},
		{"one file again and again", {{A, 1000}, {A, 1000}, {A, 1000}, {A, 1000}, {A, 1000}, {A, 1000}}, 0},
		{"two directories in turn",
		 {{A, 1000}, {B, 1001}, {A, 1002}, {B, 1003}, {A, 1004}, {B, 1005}, {A, 1006}, {B, 1007}, {A, 1008}},
		 TRAIL_STEPS},
		{"a directory read from both ends",
		 {{A, 10},
		  {A, 90000},
		  {A, 11},
		  {A, 89999},
		  {A, 12},
		  {A, 89998},
		  {A, 13},
		  {A, 89997},
		  {A, 14},
		  {A, 89996}},
		 -TRAIL_STEPS},
		{"files a little out of order",
		 {{A, 1}, {A, 3}, {A, 2}, {A, 5}, {A, 4}, {A, 6}, {A, 8}, {A, 7}, {A, 9}, {A, 10}, {A, 11}, {A, 12}},
		 TRAIL_STEPS},
		{"files far apart", {{A, 1}, {A, 10000}, {A, 20000}, {A, 30000}, {A, 40000}, {A, 50000}}, 0},
		{"files as far apart as may be",
		 {{A, 1},
		  {A, 1 + TRAIL_NEAR},
		  {A, 1 + 2 * TRAIL_NEAR},
		  {A, 1 + 3 * TRAIL_NEAR},
		  {A, 1 + 4 * TRAIL_NEAR}},
		 TRAIL_STEPS},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct trails trails = {0};
		int place = -1;
		for (const struct step *step = rows[i].steps; step < &rows[i].steps[16] && step->directory; step++)
			place = trails_step(&trails, 7, step->directory, step->ino);
		is_int(place < 0 ? 0 : trails.trail[place].lean, rows[i].lean, "%s", rows[i].what);
	}
}

static int walk(struct trails *trails, int64_t directory, int64_t from, int64_t to)
{
	int place = -1;
	for (int64_t ino = from; ino <= to; ino++)
		place = trails_step(trails, 7, directory, ino);
	return place;
}

static void test_reach(void)
{
	struct trails trails = {0};
	int place = walk(&trails, A, 1, 5);
	trails_reach(&trails, trails.trail[place].id, 50000);
	is_int(trails_step(&trails, 7, A, 20000), place, "a trail goes on within what need not be asked for");
	is_int(trails_step(&trails, 7, A, 50000 + TRAIL_NEAR), place, "and behind it");
	is_int(trails_step(&trails, 7, A, 60000 + TRAIL_NEAR), -1, "beyond that another one may begin");
	trails_reach(&trails, 12345, 1);
}

static void test_list(void)
{
	struct trails trails = {0};
	int place = trails_list(&trails, A, 1000);
	is_int(trails_step(&trails, 7, A, 1003), place,
	       "where one lists who reads directories through, a step is enough");
	is_int(trails_list(&trails, A, 1200), place, "who lists on is on the same trail");
	ok(trails_list(&trails, B, 1200) != place, "not so in another directory");
	is_int(trails_step(&trails, 7, A, 1004), place, "which is still shown by each step");
	for (int64_t ino = 90000; ino > 89990; ino--)
		place = trails_step(&trails, 7, A, ino);
	is_int(trails_list(&trails, A, 89990), place, "a trail against the order may be listed");
	is_int(trails.trail[place].lean, -TRAIL_STEPS, "and stays one");
}

static void test_steps(void)
{
	struct trails trails = {0};
	const struct trail *trail = &trails.trail[walk(&trails, A, 1, TRAIL_STEPS + 1)];
	is_int(trail->steps, TRAIL_STEPS, "who has come along a trail has taken its steps");
	trails_step(&trails, 7, A, 10);
	is_int(trail->steps, TRAIL_STEPS, "and goes on");
	trails_step(&trails, 8, A, 11);
	is_int(trail->steps, 1, "somebody else has taken none but his own");
	trails_step(&trails, 7, A, 12);
	is_int(trail->steps, 1, "of which the first counts anew");
	trails_step(&trails, 7, A, 12);
	is_int(trail->steps, 1, "standing still is no step");
	trails_step(&trails, 7, A, 11);
	is_int(trail->steps, 0, "nor is one back");
}

static void test_room(void)
{
	struct trails trails = {0};
	int place = walk(&trails, A, 1, 5);
	uint64_t id = trails.trail[place].id;
	for (int i = 1; i < TRAILS; i++)
		trails_step(&trails, 7, B, i * 100000);
	is_int(trails_step(&trails, 7, A, 6), place, "a trail is remembered beside %d others", TRAILS - 1);
	for (int i = 1; i <= TRAILS; i++)
		trails_step(&trails, 7, B, i * 100000 + 50000);
	is_int(trails_step(&trails, 7, A, 7), -1, "one that was not followed for longest is forgotten");
	for (int i = 0; i < TRAILS; i++)
		ok(trails.trail[i].id != id, "its id is no other's (%d)", i);
}

int main(void)
{
	test_trails();
	test_reach();
	test_list();
	test_steps();
	test_room();
	return tap_done();
}
