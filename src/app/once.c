#include "app/once.h"

#include "app/confine.h"
#include "app/engine.h"
#include "app/progress.h"
#include "app/signals.h"
#include "sync/schedule.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#define TRIES 3           /* runs; each tries again within itself */
#define WAIT_MAX_MS 60000 /* a service that asks for more is not waited for */

/* What ends the run when a signal says so. */
struct watch {
	struct engine *engine;
	int signal_fd;
	int over_fd; /* there is nothing to end any more */
	pthread_t thread;
	bool started;
};

static void on_progress(void *context, uint64_t pages, uint64_t items, uint64_t total)
{
	(void)pages;
	progress_draw(context, items, total);
}

static void on_waiting(void *context, const char *what, int64_t ms)
{
	(void)ms;
	progress_wait(context, what);
}

static void *watch_main(void *argument)
{
	const struct watch *watch = argument;
	struct pollfd fds[] = {
		{.fd = watch->signal_fd, .events = POLLIN},
		{.fd = watch->over_fd, .events = POLLIN},
	};
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (fds[0].revents)
		delivery_stop(watch->engine->delivery);
	return NULL;
}

static int watch_start(struct watch *watch, struct err *err)
{
	watch->over_fd = eventfd(0, EFD_CLOEXEC);
	int rc = watch->over_fd < 0 ? -errno : -pthread_create(&watch->thread, NULL, watch_main, watch);
	watch->started = rc == 0;
	return rc < 0 ? err_set(err, rc, "cannot start a thread: %s", strerror(-rc)) : 0;
}

static void watch_end(struct watch *watch)
{
	const uint64_t one = 1;
	if (watch->started && write(watch->over_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(watch->thread, NULL);
	cleanup_close(&watch->over_fd);
	cleanup_close(&watch->signal_fd);
}

/* -ECANCELED if a signal ends it. */
static int sleep_ms(struct engine *engine, int64_t ms)
{
	struct delivery_call *none;
	return delivery_await(engine->delivery, ms, &none);
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
		rc = sleep_ms(engine, wait);
		if (rc < 0)
			return rc;
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
	progress_start(&progress, "first sync", "items", config->quiet);
	const struct sync_hooks hooks = {.context = &progress, .progress = on_progress, .waiting = on_waiting};
	CLEANUP(engine_close) struct engine engine = {0};
	CLEANUP(watch_end) struct watch watch = {.engine = &engine, .signal_fd = -1, .over_fd = -1};
	int rc = signals_take(&watch.signal_fd, err);
	if (rc == 0)
		rc = engine_open(&engine, config, &hooks, err);
	if (rc == 0)
		rc = confine(config, err);
	if (rc == 0)
		rc = watch_start(&watch, err);
	if (rc == 0)
		rc = run_until_done(&engine, err);
	progress_end(&progress);
	if (rc == -ECANCELED)
		return err_set(err, rc, "ended before the sync did; the next one goes on from there");
	return rc < 0 ? rc : tidy(&engine, err);
}
