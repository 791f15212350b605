/*
 * What the cache may take on the disk, and who may write to it. Measuring and removing is for walk.c.
 *
 * FOLDER/contentfs.tally is kept by all processes together: who writes locks the file, adds what the writing may take at
 * most, writes, and unlocks. So the tally is never less than what is there, however many write, and the limit holds for all
 * of them together. It may be more, by estimates, and by what people delete: when it reaches the limit, the folder
 * is measured, and only what that shows to be too much is removed. Who writes first after a start of the machine measures
 * too: a power loss can leave a tally that is older than the files.
 *
 * A flock excludes the threads of one process like others, since each opens the file for itself. No other lock is held.
 */
#include "assets/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <xxhash.h>

#define PATIENCE_MS 5000               /* with another process that measures, or was stopped in the middle */
#define LOCK_STEP_US 2000              /* between looks whether the lock is free */
#define ATTEMPTS 10                    /* at what others may undo in the middle */
#define MEASURE_MS (60 * 60 * 1000)    /* how old a measurement gets */
#define TALLY_NAME "contentfs.tally"   /* not a word that others name their files by */
#define TALLY_MAGIC 0x32796c6c61746663 /* "cftally2" */

/* --- the tally ---------------------------------------------------------------------------------------------------- */

struct tally {
	uint64_t magic;
	uint64_t boot;
	int64_t bytes;
	int64_t measured_ms; /* wall time */
	uint64_t check;
};

/* A number for this run of the machine; 0 if it does not tell. */
static uint64_t this_boot(void)
{
	char id[64];
	CLEANUP(cleanup_close) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, id, sizeof(id));
	return len > 0 ? XXH3_64bits(id, (size_t)len) : 0;
}

static uint64_t tally_check(const struct tally *tally)
{
	return XXH3_64bits(tally, offsetof(struct tally, check));
}

/* False if there is none, or none to be relied on. */
static bool tally_read(int fd, struct tally *tally)
{
	return read_all(fd, tally, sizeof(*tally), 0) == 0 && tally->magic == TALLY_MAGIC &&
	       tally->check == tally_check(tally) && tally->bytes >= 0;
}

static int tally_write(const struct room *room)
{
	struct tally tally = {TALLY_MAGIC, room->cache->boot, room->bytes, room->measured_ms, 0};
	tally.check = tally_check(&tally);
	return write_all(room->fd, &tally, sizeof(tally), 0);
}

static int lock_within(int fd, int64_t ms)
{
	int64_t end = clock_monotonic_ms() + ms;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_monotonic_ms() >= end)
			return -EBUSY;
		usleep(LOCK_STEP_US);
	}
	return 0;
}

static int open_tally(const struct cache *cache)
{
	char path[PATH_MAX];
	cache_path(cache, path, TALLY_NAME);
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* Whoever finds that nobody gives the lock back does not wait again until it was free once. */
static int lock_tally(struct cache *cache, int *locked)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		CLEANUP(cleanup_close) int fd = open_tally(cache);
		int rc = fd;
		if (fd >= 0)
			rc = lock_within(fd, cache->impatient ? 0 : PATIENCE_MS);
		else if (fd == -ENOENT && (rc = cache_make_folders(cache)) == 0)
			continue;
		if (fd >= 0)
			cache->impatient = rc == -EBUSY;
		if (rc < 0)
			return rc;
		struct stat st;
		if (fstat(fd, &st) == 0 && st.st_nlink > 0) {
			*locked = take_fd(&fd);
			return 0;
		}
	}
	return -ENOENT;
}

/* --- the right to write ------------------------------------------------------------------------------------------- */

static int64_t at_most(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* So much is removed at once that there is no need to measure again soon. */
static int measure(struct room *room, int64_t wanted)
{
	struct cache *cache = room->cache;
	CLEANUP(walk_finish) struct walk walk = {.cache = cache};
	int rc = cache_make_folders(cache);
	if (rc == 0)
		rc = walk_measure(&walk);
	if (rc < 0)
		return rc;
	if (walk.total + wanted > cache->limit - cache->limit / 16)
		walk_evict(&walk, at_most(cache->limit / 10 * 9, cache->limit - wanted));
	room->bytes = walk.total;
	room->measured_ms = clock_wall_ms();
	return 0;
}

int room_enter(struct cache *cache, int64_t bytes, struct room *room)
{
	if (bytes > cache->limit)
		return -ENOSPC;
	int rc = lock_tally(cache, &room->fd);
	if (rc < 0)
		return rc;
	room->cache = cache;
	struct tally tally;
	bool known = tally_read(room->fd, &tally) && tally.boot == cache->boot && cache->boot != 0;
	if (known) {
		room->bytes = tally.bytes;
		room->measured_ms = tally.measured_ms;
	}
	int64_t age_ms = known ? clock_wall_ms() - room->measured_ms : 0;
	if (!known || room->bytes + bytes > cache->limit || age_ms < 0 || age_ms > MEASURE_MS)
		rc = measure(room, bytes);
	bool fits = rc == 0 && room->bytes + bytes <= cache->limit;
	if (fits)
		room->bytes += bytes;
	if (rc == 0)
		rc = tally_write(room);
	return rc == 0 && !fits ? -ENOSPC : rc;
}

int room_squeeze(struct room *room, int64_t bytes)
{
	CLEANUP(walk_finish) struct walk walk = {.cache = room->cache};
	int rc = walk_measure(&walk);
	if (rc < 0)
		return rc;
	int64_t before = walk.total;
	walk_evict(&walk, before - 2 * bytes);
	room->bytes = walk.total + bytes;
	rc = tally_write(room);
	return rc == 0 && walk.total == before ? -ENOSPC : rc;
}

void room_leave(struct room *room)
{
	if (room->fd >= 0)
		close(room->fd);
	room->fd = -1;
}

void room_open(struct cache *cache)
{
	cache->boot = this_boot();
}

/* Read without the lock: torn, it does not pass its check, and counts for nothing until the next time. */
int64_t cache_bytes(struct cache *cache)
{
	char path[PATH_MAX];
	struct tally tally;
	cache_path(cache, path, TALLY_NAME);
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && tally_read(fd, &tally) ? tally.bytes : 0;
}
