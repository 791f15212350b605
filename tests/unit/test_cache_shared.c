/*
 * A cache that several processes share, and in which they are killed. Each byte that object_has vouches for is compared,
 * and the folder is never larger than the limit.
 */
#include "random.h"
#include "tap.h"
#include "temp_cache.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define LIMIT (INT64_C(10) << 20)
#define NAMES 40
#define OPEN 3 /* at a time */
#define TEST_MS 3000
#define DEADLINE_MS 120000

enum verdict { WELL, WRONG_BYTE, OVER_LIMIT, UNEXPECTED };

static const char *name_of(size_t number, char name[16])
{
	snprintf(name, 16, "asset %zu", number);
	return name;
}

static int64_t size_of(size_t number)
{
	struct rng rng = {number};
	return (int64_t)rng_below(&rng, number % 10 ? 1 << 20 : 6 << 20);
}

/* Nobody writes meanwhile: else what goes here and comes there would count twice. */
static int64_t du_at_rest(const char *folder)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/contentfs.tally", folder);
	CLEANUP(cleanup_close) int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		flock(fd, LOCK_EX);
	return temp_cache_du(folder);
}

/* --- a process that uses the cache -------------------------------------------------------------------------------- */

struct worker {
	const char *folder;
	struct cache *cache;
	struct rng rng;
	struct object *open[OPEN];
	size_t number[OPEN];
	int64_t written;
};

static enum verdict open_one(struct worker *worker, size_t slot)
{
	char name[16];
	size_t number = rng_below(&worker->rng, NAMES);
	struct cache_key key = temp_cache_key(name_of(number, name));
	struct object *object = NULL;
	int rc = cache_make(worker->cache, &key, size_of(number), NULL, &object);
	worker->open[slot] = object;
	worker->number[slot] = number;
	return rc == 0 || rc == -ENOSPC ? WELL : UNEXPECTED;
}

static enum verdict write_one(struct worker *worker, size_t slot)
{
	char name[16];
	struct object *object = worker->open[slot];
	if (object_size(object) == 0)
		return WELL;
	int64_t piece = (int64_t)rng_below(&worker->rng, (size_t)((object_size(object) - 1) / PIECE_BYTES + 1));
	int rc = temp_cache_write(object, name_of(worker->number[slot], name), piece);
	worker->written += rc == 0;
	return rc == 0 || rc == -ENOSPC ? WELL : UNEXPECTED;
}

static enum verdict step(struct worker *worker)
{
	char name[16];
	size_t slot = rng_below(&worker->rng, OPEN);
	size_t dice = rng_below(&worker->rng, 20);
	struct object *object = worker->open[slot];
	if (!object)
		return open_one(worker, slot);
	if (dice < 12)
		return write_one(worker, slot);
	if (dice < 15)
		return temp_cache_count(object, name_of(worker->number[slot], name)) < 0 ? WRONG_BYTE : WELL;
	if (dice == 15)
		object_remove(object);
	object_use(object);
	object_unref(object);
	worker->open[slot] = NULL;
	return WELL;
}

static enum verdict work(const char *folder, uint64_t seed, bool measures, int64_t until_ms)
{
	struct worker worker = {folder, temp_cache_open(folder, LIMIT), {seed}, {0}, {0}, 0};
	enum verdict verdict = WELL;
	while (verdict == WELL && clock_monotonic_ms() < until_ms) {
		verdict = step(&worker);
		if (verdict == WELL && measures && du_at_rest(folder) > LIMIT)
			verdict = OVER_LIMIT;
	}
	for (size_t i = 0; i < OPEN; i++)
		object_unref(worker.open[i]);
	cache_close(worker.cache);
	return worker.written == 0 ? UNEXPECTED : verdict;
}

static pid_t start(const char *folder, uint64_t seed, bool measures, int64_t ms)
{
	fflush(stdout);
	int64_t until_ms = clock_monotonic_ms() + ms;
	pid_t pid = fork();
	temp_must(pid < 0 ? -errno : 0, NULL, "fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit((int)work(folder, seed, measures, until_ms));
}

/* Its verdict, or -1 if it did not end by itself. */
static int verdict_of(pid_t pid)
{
	int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
	int status = 0;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_monotonic_ms() > deadline)
			kill(pid, SIGKILL);
		usleep(10000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

/* How many pieces are in the cache; -1 if one is wrong. */
static int64_t count_all(const char *folder)
{
	int64_t sum = 0;
	struct cache *cache = temp_cache_open(folder, LIMIT);
	for (size_t number = 0; sum >= 0 && number < NAMES; number++) {
		char name[16];
		struct object *object = temp_cache_find(cache, name_of(number, name));
		int64_t count = object ? temp_cache_count(object, name) : 0;
		sum = count < 0 ? -1 : sum + count;
		object_unref(object);
	}
	cache_close(cache);
	return sum;
}

static void test_writers(size_t writers, bool measure)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	struct rng rng = rng_create();
	pid_t pids[4];
	temp_cache_init(&temp, LIMIT);
	for (size_t i = 0; i < writers; i++)
		pids[i] = start(temp.folder, rng_next(&rng), measure, TEST_MS * rng_rounds(1));
	for (size_t i = 0; i < writers; i++)
		is_int(verdict_of(pids[i]), WELL, "one of %zu processes%s finds all well", writers,
		       measure ? " that measure" : "");
	ok(count_all(temp.folder) >= 0, "what they left is right");
	ok(du_at_rest(temp.folder) <= LIMIT, "and within the limit");
	ok(cache_bytes(temp.cache) >= temp_cache_du(temp.folder), "the count is no less than what is there");
}

static void test_killed(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	struct rng rng = rng_create();
	temp_cache_init(&temp, LIMIT);
	long rounds = 0;
	int64_t wrong = 0;
	int64_t over = 0;
	int64_t most = 0;
	int64_t end = clock_monotonic_ms() + TEST_MS * rng_rounds(1);
	for (; clock_monotonic_ms() < end; rounds++) {
		pid_t pid = start(temp.folder, rng_next(&rng), false, DEADLINE_MS);
		usleep((useconds_t)rng_below(&rng, 60000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		int64_t count = count_all(temp.folder);
		wrong += count < 0;
		most = count > most ? count : most;
		over += du_at_rest(temp.folder) > LIMIT;
	}
	diag("%ld kills, up to %lld pieces", rounds, (long long)most);
	is_int(wrong, 0, "after a kill nothing that is there is wrong");
	is_int(over, 0, "and the limit holds");
	ok(most > 0, "and something is there");
	is_int(temp_cache_keep(temp.cache, "another", 1000), 0, "and the cache goes on");
}

/* One that was stopped while it has the right to write. */
static void test_stopped(void)
{
	CLEANUP(temp_cache_finish) struct temp_cache temp;
	char path[PATH_MAX];
	temp_cache_init(&temp, LIMIT);
	temp_cache_keep(temp.cache, "a", 1000);
	snprintf(path, sizeof(path), "%s/contentfs.tally", temp.folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	temp_must(flock(fd, LOCK_EX), NULL, "flock");
	is_int(temp_cache_keep(temp.cache, "b", 1000), -EBUSY, "who waits for it gives up");
	struct object *object = temp_cache_find(temp.cache, "a");
	is_int(object ? temp_cache_count(object, "a") : -1, 1, "what is there can be read meanwhile");
	object_unref(object);
	close(fd);
	is_int(temp_cache_keep(temp.cache, "b", 1000), 0, "then it goes on");
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	test_writers(1, true);
	test_writers(2, true);
	test_writers(4, false);
	test_killed();
	test_stopped();
	return tap_done();
}
