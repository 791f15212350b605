#include "fs/trail.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_near(const struct trail *trail, int64_t ino)
{
	int64_t low = trail->last < trail->reach ? trail->last : trail->reach;
	int64_t high = trail->last < trail->reach ? trail->reach : trail->last;
	return ino >= low - TRAIL_NEAR && ino <= high + TRAIL_NEAR;
}

static int64_t distance(const struct trail *trail, int64_t ino)
{
	return ino > trail->last ? ino - trail->last : trail->last - ino;
}

static struct trail *find(struct trails *trails, int64_t directory, int64_t ino)
{
	struct trail *found = NULL;
	struct trail *oldest = &trails->trail[0];
	for (int i = 0; i < TRAILS; i++) {
		struct trail *trail = &trails->trail[i];
		bool fits = trail->id && trail->directory == directory && is_near(trail, ino);
		if (fits && (!found || distance(trail, ino) < distance(found, ino)))
			found = trail;
		if (trail->used < oldest->used)
			oldest = trail;
	}
	if (found)
		return found;
	*oldest = (struct trail){.id = trails->clock + 1, .directory = directory, .last = ino, .reach = ino};
	return oldest;
}

static int clamp(int lean)
{
	return lean > TRAIL_STEPS ? TRAIL_STEPS : lean < -TRAIL_STEPS ? -TRAIL_STEPS : lean;
}

static int steps_of(const struct trail *trail, pid_t thread, int64_t ino)
{
	int before = trail->thread == thread && ino >= trail->last ? trail->steps : 0;
	return before < TRAIL_STEPS ? before + (ino > trail->last) : before;
}

int trails_step(struct trails *trails, pid_t thread, int64_t directory, int64_t ino)
{
	struct trail *trail = find(trails, directory, ino);
	trail->steps = steps_of(trail, thread, ino);
	trail->thread = thread;
	trail->lean = clamp(trail->lean + (ino > trail->last) - (ino < trail->last));
	trail->last = ino;
	trail->used = ++trails->clock;
	return trail->lean == TRAIL_STEPS || trail->lean == -TRAIL_STEPS ? (int)(trail - trails->trail) : -1;
}

int trails_list(struct trails *trails, int64_t directory, int64_t ino)
{
	struct trail *trail = find(trails, directory, ino);
	if (trail->lean >= 0 && trail->lean < TRAIL_STEPS - 1)
		trail->lean = TRAIL_STEPS - 1;
	trail->used = ++trails->clock;
	return (int)(trail - trails->trail);
}

void trails_reach(struct trails *trails, uint64_t id, int64_t ino)
{
	for (int i = 0; i < TRAILS; i++)
		if (trails->trail[i].id == id)
			trails->trail[i].reach = ino;
}
