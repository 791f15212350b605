#include "app/once.h"

#include "app/engine.h"
#include "app/progress.h"
#include "sync/schedule.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

#define TRIES 3           /* runs; each tries again within itself */
#define WAIT_MAX_MS 60000 /* a service that asks for more is not waited for */

static void on_progress(void *context, uint64_t pages, uint64_t items)
{
	progress_draw(context, pages, items);
}

static void sleep_ms(int64_t ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&time, NULL);
}

static int run_until_done(struct engine *engine, struct err *err)
{
	struct schedule schedule = {.interval_ms = 1};
	for (;;) {
		struct sync_result result;
		int rc = engine_run(engine, &result, err);
		if (rc == -EUCLEAN && !engine_is_beside(engine)) {
			log_warning("%s: the content is fetched anew", err->text);
			rc = engine_begin_anew(engine, err);
			if (rc == 0)
				continue;
		}
		if (rc == 0 && engine_is_beside(engine))
			rc = engine_take_place(engine, err);
		if (rc != -EHOSTUNREACH && rc != -EPROTO)
			return rc;
		if (result.pages > 0 && rc == -EHOSTUNREACH) /* pages that make no sense are no progress */
			schedule.failures = 0;
		if (schedule.failures >= TRIES - 1 || result.retry_after_ms > WAIT_MAX_MS)
			return rc;
		uint32_t random = 0;
		getrandom(&random, sizeof(random), GRND_NONBLOCK);
		const struct schedule_event event = {rc, result.news, result.retry_after_ms};
		int64_t wait = schedule_next(&schedule, &event, random);
		log_warning("%s (trying again in %.1f s)", err->text, (double)wait / 1000);
		sleep_ms(wait);
	}
}

/* Nobody has the store mounted, so there is nobody to tell of its changes and nobody who could have an old node open. */
static int tidy(struct engine *engine, struct err *err)
{
	int rc = store_reclaim(engine->store, NULL, SUPERSEDED_ALL, err);
	return rc < 0 ? rc : store_set_announced(engine->store, store_journal_end(engine->store), err);
}

int once_run(const struct config *config, struct err *err)
{
	struct progress progress;
	progress_start(&progress);
	const struct sync_hooks hooks = {.context = &progress, .progress = on_progress};
	CLEANUP(engine_close) struct engine engine = {0};
	int rc = engine_open(&engine, config, &hooks, err);
	if (rc == 0)
		rc = run_until_done(&engine, err);
	progress_end(&progress);
	return rc < 0 ? rc : tidy(&engine, err);
}
