#include "app/refresher.h"

#include "util/clock.h"
#include "util/log.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define HOPELESS_FAILURES 3 /* runs in a row, without any content, before a mount gives up */
#define ANNOUNCE_MS 60000   /* how long a refresh waits for the kernel to be told */
#define ANNOUNCE_FAILING_MS 2000
#define BEGIN_ANEW_EVERY_MS (10 * 60 * 1000)
#define FORGOTTEN_MAX 4096 /* nodes given up at once */

static uint32_t random_bits(void)
{
	uint32_t bits = 0x80000000;
	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) < 0)
		bits = (uint32_t)clock_wall_ns();
	return bits;
}

static void raise_event(const struct refresher *refresher)
{
	const uint64_t one = 1;
	if (write(refresher->event_fd, &one, sizeof(one)) < 0)
		log_error("cannot report the state of the sync: %s", strerror(errno));
}

static void set_state(struct refresher *refresher, enum refresher_state state)
{
	pthread_mutex_lock(&refresher->lock);
	bool changed = refresher->state != state;
	refresher->state = state;
	pthread_mutex_unlock(&refresher->lock);
	if (changed)
		raise_event(refresher);
}

/* A failure is said when it begins or becomes another, and so is its end: not once a poll. */
static void log_outcome(const struct refresher *refresher, int rc, const struct err *err, int64_t next_ms)
{
	bool was_failing = refresher->ran && refresher->last_rc < 0;
	if (rc < 0 && (!was_failing || strcmp(refresher->last_error.text, err->text) != 0))
		log_warning("%s (trying again in %.1f s%s)", err->text, (double)next_ms / 1000,
			    refresher->state == REFRESHER_READY ? "; the content that is there stays" : "");
	else if (rc == 0 && was_failing)
		log_notice("the content is up to date again");
}

/* `last`: there will be no other try, and the end says why. */
static void note_outcome(struct refresher *refresher, int rc, const struct err *err, int64_t next_ms, bool last)
{
	if (rc != -ECANCELED && !last)
		log_outcome(refresher, rc, err, next_ms);
	pthread_mutex_lock(&refresher->lock);
	refresher->syncing = false;
	refresher->next_at = clock_monotonic_ms() + next_ms;
	bool changed = rc != -ECANCELED && (!refresher->ran || refresher->last_rc != rc ||
					    strcmp(refresher->last_error.text, err->text) != 0);
	if (rc != -ECANCELED) {
		refresher->ran = true;
		refresher->last_rc = rc;
		refresher->last_error = *err;
	}
	pthread_mutex_unlock(&refresher->lock);
	if (changed)
		raise_event(refresher);
}

static bool is_stopping(struct refresher *refresher)
{
	pthread_mutex_lock(&refresher->lock);
	bool stopping = refresher->stopping;
	pthread_mutex_unlock(&refresher->lock);
	return stopping;
}

/* Waits until the kernel knows of everything that was committed. */
static bool let_announce(struct refresher *refresher, int64_t ms)
{
	if (engine_is_beside(refresher->engine))
		return true; /* what is committed there is nothing to tell */
	int64_t end = store_journal_end(refresher->engine->store);
	int64_t until = clock_monotonic_ms() + ms;
	while (!is_stopping(refresher) && clock_monotonic_ms() < until) {
		refresher_note_turn(refresher);
		if (fs_wait_announced(refresher->fs, end, 100))
			return true;
	}
	return fs_announced(refresher->fs) >= end;
}

/* While another store is filled, the one that is read is not to be written. */
static void take_lessons(struct refresher *refresher)
{
	struct err err = {0};
	pthread_mutex_lock(&refresher->lock);
	if (refresher->lessons.changed.len == 0) {
		struct lessons none = refresher->lessons;
		refresher->lessons = refresher->noted;
		refresher->noted = none;
	}
	pthread_mutex_unlock(&refresher->lock);
	if (engine_is_beside(refresher->engine) ||
	    lessons_keep(&refresher->lessons, refresher->fs, refresher->engine->store, &err) == 0)
		return;
	log_debug("what readers learned has to wait: %s", err.text);
}

static void keep_house(struct refresher *refresher)
{
	if (engine_is_beside(refresher->engine))
		return;
	static_assert(FORGOTTEN_MAX * sizeof(int64_t) <= 65536, "on the stack");
	int64_t forgotten[FORGOTTEN_MAX];
	struct err err = {0};
	size_t count;
	int rc;
	do { /* at least once, for the bounds on what nobody ever read */
		refresher_note_turn(refresher);
		count = fs_take_forgotten(refresher->fs, forgotten, FORGOTTEN_MAX);
		rc = store_reclaim(refresher->engine->store, forgotten, count, &err);
	} while (rc == 0 && count == FORGOTTEN_MAX);
	int64_t announced = fs_announced(refresher->fs);
	if (rc == 0 && announced != refresher->announced) {
		rc = store_set_announced(refresher->engine->store, announced, &err);
		refresher->announced = rc == 0 ? announced : refresher->announced;
	}
	if (rc == -EUCLEAN)
		refresher_note_damage(refresher);
	else if (rc < 0)
		log_debug("housekeeping has to wait: %s", err.text);
}

/* Without any content yet, some failures are for a person to hear of at once, and the others after a few tries that got
 * nowhere. */
static bool is_hopeless(struct refresher *refresher, int rc, uint64_t pages)
{
	if (rc == -ECANCELED)
		return false;
	if (rc != -EHOSTUNREACH && rc != -EPROTO)
		return true;
	if (pages > 0 && rc == -EHOSTUNREACH) /* pages that make no sense are no progress */
		refresher->schedule.failures = 1;
	return refresher->schedule.failures >= HOPELESS_FAILURES;
}

static void answer_refreshes(struct refresher *refresher, uint64_t wanted, int rc, const struct err *err)
{
	/* What made the run fail may keep the announcer from its work too. */
	bool told = let_announce(refresher, rc == 0 ? ANNOUNCE_MS : ANNOUNCE_FAILING_MS);
	if (rc == 0 && !told)
		fs_refreshed(refresher->fs, wanted, ETIMEDOUT, "the kernel was not told of all changes in time");
	else if (rc == -ECANCELED)
		fs_refreshed(refresher->fs, wanted, ECANCELED, "contentfs is ending");
	else
		fs_refreshed(refresher->fs, wanted, -rc, rc < 0 ? err->text : "");
}

static bool is_noted_damaged(struct refresher *refresher)
{
	pthread_mutex_lock(&refresher->lock);
	bool damaged = refresher->damaged;
	pthread_mutex_unlock(&refresher->lock);
	return damaged;
}

/* The status says what the matter is while a new store is filled, which may take long. */
static void note_rebuild(struct refresher *refresher, struct err *err)
{
	struct err whole = {0};
	err_set(&whole, -EUCLEAN,
		"%s: a new one is made beside it, and what can be read of the old one stays until then", err->text);
	log_warning("%s", whole.text);
	pthread_mutex_lock(&refresher->lock);
	refresher->ran = true;
	refresher->last_rc = -EUCLEAN;
	refresher->last_error = whole;
	pthread_mutex_unlock(&refresher->lock);
}

/* Each leaves a damaged store behind: a disk that damages them all must not be filled with them. */
static int begin_anew(struct refresher *refresher, struct err *err)
{
	int64_t now = clock_monotonic_ms();
	if (refresher->begun_anew && now - refresher->begun_anew < BEGIN_ANEW_EVERY_MS)
		return err_prefix(err, -EUCLEAN, "again, so the disk should be looked after");
	note_rebuild(refresher, err);
	int rc = engine_begin_anew(refresher->engine, err);
	if (rc == 0)
		refresher->begun_anew = now;
	return rc;
}

static int replace_store(struct refresher *refresher, struct err *err)
{
	int rc = engine_take_place(refresher->engine, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&refresher->lock);
	refresher->damaged = false;
	refresher->stores++;
	pthread_mutex_unlock(&refresher->lock);
	refresher->announced = 0;
	fs_store_replaced(refresher->fs);
	return 0;
}

/* One run. A store that is found damaged stays what the mount shows while another one is filled beside it. */
static int run_engine(struct refresher *refresher, struct sync_result *result, struct err *err)
{
	struct engine *engine = refresher->engine;
	int rc = engine_run(engine, result, err);
	if (rc == 0 && is_noted_damaged(refresher) && !engine_is_beside(engine))
		rc = err_set(err, -EUCLEAN, "the store is damaged: not all of the content can be read");
	if (rc == -EUCLEAN) {
		rc = begin_anew(refresher, err);
		if (rc == 0)
			rc = engine_run(engine, result, err);
	}
	if (rc == 0 && engine_is_beside(engine))
		rc = replace_store(refresher, err);
	if (rc < 0 && rc != -ECANCELED && engine_is_beside(engine))
		err_prefix(err, rc, "the store is damaged, and the new one is not ready yet");
	result->complete &= !engine_is_beside(engine);
	return rc;
}

static int64_t run_once(struct refresher *refresher)
{
	uint64_t wanted = fs_refreshes_wanted(refresher->fs);
	if (wanted != refresher->answered && refresher->engine->sync)
		sync_want_schemas(refresher->engine->sync); /* who asks wants to see everything */
	refresher->answered = wanted;
	struct sync_result result;
	struct err err = {0};
	int rc = run_engine(refresher, &result, &err);
	const struct schedule_event event = {rc, result.news, result.retry_after_ms};
	int64_t wait = schedule_next(&refresher->schedule, &event, random_bits());
	struct refresher_view view;
	refresher_look(refresher, &view);
	bool hopeless = rc < 0 && view.state == REFRESHER_WORKING && is_hopeless(refresher, rc, result.pages);
	note_outcome(refresher, rc, &err, wait, hopeless);
	if (result.complete)
		set_state(refresher, REFRESHER_READY);
	answer_refreshes(refresher, wanted, rc, &err);
	if (hopeless)
		set_state(refresher, REFRESHER_FAILED);
	take_lessons(refresher);
	keep_house(refresher);
	return wait;
}

enum wake { WAKE_TO_END, WAKE_TO_RUN, WAKE_TO_LEARN };

void refresher_rest(struct refresher *refresher, int64_t ms)
{
	struct timespec until = clock_monotonic_in(ms);
	int rc = 0;
	pthread_mutex_lock(&refresher->lock);
	while (!refresher->stopping && !refresher->wanted && !refresher->lesson && rc == 0)
		rc = pthread_cond_timedwait(&refresher->wake, &refresher->lock, &until);
	pthread_mutex_unlock(&refresher->lock);
}

/* Sleeps until the next run is due or wanted, or there is something to learn. */
static enum wake wait_for_next(struct refresher *refresher, int64_t due)
{
	int64_t left = due - clock_monotonic_ms();
	struct timespec until = clock_monotonic_in(left > 0 ? left : 0);
	pthread_mutex_lock(&refresher->lock);
	int rc = 0;
	refresher->resting = true;
	while (!refresher->stopping && !refresher->wanted && !refresher->lesson && rc == 0)
		rc = pthread_cond_timedwait(&refresher->wake, &refresher->lock, &until);
	enum wake wake = refresher->stopping                                  ? WAKE_TO_END
			 : refresher->lesson && !refresher->wanted && rc == 0 ? WAKE_TO_LEARN
									      : WAKE_TO_RUN;
	refresher->lesson = false; /* a run ends with learning too */
	refresher->wanted &= wake != WAKE_TO_RUN;
	refresher->syncing = wake == WAKE_TO_RUN;
	refresher->resting = false;
	pthread_mutex_unlock(&refresher->lock);
	return wake;
}

static void *refresher_main(void *argument)
{
	struct refresher *refresher = argument;
	struct err err = {0};
	if (store_reclaim(refresher->engine->store, NULL, SUPERSEDED_ALL, &err) < 0)
		log_warning("%s", err.text);
	int64_t due = clock_monotonic_ms();
	enum wake wake;
	while ((wake = wait_for_next(refresher, due)) != WAKE_TO_END) {
		refresher_note_turn(refresher);
		if (wake == WAKE_TO_LEARN)
			take_lessons(refresher);
		else
			due = run_once(refresher) + clock_monotonic_ms();
	}
	return NULL;
}

int refresher_init(struct refresher *refresher, struct engine *engine, const struct config *config, int event_fd,
		   bool complete, struct err *err)
{
	*refresher = (struct refresher){
		.engine = engine,
		.event_fd = event_fd,
		.schedule = {.interval_ms = config->interval_ms},
		.state = complete ? REFRESHER_READY : REFRESHER_WORKING,
	};
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	int rc = pthread_cond_init(&refresher->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (rc == 0)
		rc = pthread_mutex_init(&refresher->lock, NULL);
	return rc ? err_oom(err) : 0;
}

void refresher_finish(struct refresher *refresher)
{
	buf_finish(&refresher->noted.changed);
	buf_finish(&refresher->lessons.changed);
	pthread_mutex_destroy(&refresher->lock);
	pthread_cond_destroy(&refresher->wake);
}

int refresher_start(struct refresher *refresher, struct fs *fs, struct err *err)
{
	refresher->fs = fs;
	int rc = -pthread_create(&refresher->thread, NULL, refresher_main, refresher);
	if (rc < 0)
		return err_set(err, rc, "cannot start a thread: %s", strerror(-rc));
	refresher->started = true;
	return 0;
}

void refresher_want(struct refresher *refresher)
{
	pthread_mutex_lock(&refresher->lock);
	refresher->wanted = true;
	pthread_cond_signal(&refresher->wake);
	pthread_mutex_unlock(&refresher->lock);
}

void refresher_note_lesson(struct refresher *refresher)
{
	pthread_mutex_lock(&refresher->lock);
	refresher->lesson = true;
	pthread_cond_signal(&refresher->wake);
	pthread_mutex_unlock(&refresher->lock);
}

void refresher_note_changed(struct refresher *refresher, struct slice url, int64_t generation)
{
	pthread_mutex_lock(&refresher->lock);
	lessons_add(&refresher->noted, url, generation);
	pthread_mutex_unlock(&refresher->lock);
	refresher_note_lesson(refresher);
}

void refresher_note_wait(struct refresher *refresher, const char *what, int64_t ms)
{
	pthread_mutex_lock(&refresher->lock);
	err_set(&refresher->waiting_for, 0, "%s", what ? what : "");
	refresher->waits_until = clock_monotonic_ms() + ms;
	pthread_mutex_unlock(&refresher->lock);
}

void refresher_note_damage(struct refresher *refresher)
{
	pthread_mutex_lock(&refresher->lock);
	refresher->wanted |= !refresher->damaged; /* once: every failing read comes here */
	refresher->damaged = true;
	pthread_cond_signal(&refresher->wake);
	pthread_mutex_unlock(&refresher->lock);
}

void refresher_stop(struct refresher *refresher)
{
	pthread_mutex_lock(&refresher->lock);
	refresher->stopping = true;
	pthread_cond_signal(&refresher->wake);
	pthread_mutex_unlock(&refresher->lock);
	if (!refresher->started)
		return;
	delivery_stop(refresher->engine->delivery);
	pthread_join(refresher->thread, NULL);
	refresher->started = false;
}

void refresher_note_turn(struct refresher *refresher)
{
	atomic_fetch_add(&refresher->turns, 1);
}

bool refresher_gets_on(struct refresher *refresher, uint64_t *turns)
{
	uint64_t now = atomic_load(&refresher->turns) + delivery_turns(refresher->engine->delivery);
	pthread_mutex_lock(&refresher->lock);
	bool gets_on = refresher->resting || now != *turns;
	pthread_mutex_unlock(&refresher->lock);
	*turns = now;
	return gets_on;
}

void refresher_look(struct refresher *refresher, struct refresher_view *view)
{
	pthread_mutex_lock(&refresher->lock);
	int64_t now = clock_monotonic_ms();
	int64_t next = refresher->next_at - now;
	int64_t wait = refresher->waits_until - now;
	*view = (struct refresher_view){
		.stores = refresher->stores,
		.syncing = refresher->syncing,
		.next_poll_ms = next > 0 ? next : 0,
		.ran = refresher->ran,
		.last_rc = refresher->last_rc,
		.last_error = refresher->last_error,
		.state = refresher->state,
		.waiting_for = refresher->waiting_for,
		.wait_ms = wait > 0 ? wait : 0,
	};
	pthread_mutex_unlock(&refresher->lock);
}
