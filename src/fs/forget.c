/*
 * Superseded nodes that the kernel may still hold. The kernel's FORGETs come by the hundred thousand and nearly all are
 * for nodes that nobody superseded, so the common case looks at one counter. Only superseded nodes are in memory, and none
 * for longer than WATCH_MS: by then the store gives them up anyway.
 */
#include "fs/internal.h"
#include "util/clock.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

#define WATCH_MS (24 * 3600 * 1000LL)

static int compare(const void *a, const void *b)
{
	int64_t x = ((const struct watched *)a)->ino;
	int64_t y = ((const struct watched *)b)->ino;
	return x < y ? -1 : x > y;
}

int watch_add(struct fs *fs, int64_t ino)
{
	struct watched *watched = malloc(sizeof(*watched));
	if (!watched)
		return -ENOMEM;
	*watched = (struct watched){.ino = ino, .since = clock_monotonic_ms()};
	pthread_mutex_lock(&fs->lock);
	struct watched **found = tsearch(watched, &fs->watched, compare);
	bool added = found && *found == watched;
	if (added) {
		if (fs->newest)
			fs->newest->next = watched;
		else
			fs->oldest = watched;
		fs->newest = watched;
		atomic_fetch_add(&fs->watched_count, 1);
	}
	pthread_mutex_unlock(&fs->lock);
	if (!added)
		free(watched);
	return found ? 0 : -ENOMEM;
}

void watch_forget(struct fs *fs, int64_t ino)
{
	if (atomic_load(&fs->watched_count) == 0)
		return;
	const struct watched key = {.ino = ino};
	pthread_mutex_lock(&fs->lock);
	struct watched **found = tfind(&key, &fs->watched, compare);
	if (found)
		(*found)->forgotten = true;
	pthread_mutex_unlock(&fs->lock);
}

size_t fs_take_forgotten(struct fs *fs, int64_t *inos, size_t max)
{
	if (atomic_load(&fs->watched_count) == 0)
		return 0;
	size_t count = 0;
	int64_t now = clock_monotonic_ms();
	pthread_mutex_lock(&fs->lock);
	struct watched *last = NULL;
	for (struct watched **at = &fs->oldest; *at;) {
		struct watched *watched = *at;
		if (count == max || (!watched->forgotten && now - watched->since < WATCH_MS)) {
			last = watched;
			at = &watched->next;
			continue;
		}
		inos[count++] = watched->ino;
		*at = watched->next;
		tdelete(watched, &fs->watched, compare);
		atomic_fetch_sub(&fs->watched_count, 1);
		free(watched);
	}
	fs->newest = last;
	pthread_mutex_unlock(&fs->lock);
	return count;
}

void watch_finish(struct fs *fs)
{
	while (fs->oldest) {
		struct watched *watched = fs->oldest;
		fs->oldest = watched->next;
		tdelete(watched, &fs->watched, compare);
		free(watched);
	}
	fs->newest = NULL;
}
