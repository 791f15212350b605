/*
 * The announcer: reads the journal behind the writer and tells the kernel what to forget, in the order that fs.h gives
 * reasons for. It alone tells of changes (ahead.c hands the kernel texts, which never change), and it holds no lock while
 * it does: the kernel may make it wait for a lookup that a worker has yet to answer.
 */
#include "fs/internal.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_MAX 1024
#define AGAIN_MS 1000 /* after a failure */

struct notice {
	int64_t id;
	int64_t parent;
	int64_t old;
	size_t name; /* offset into names */
	size_t name_len;
};

struct batch {
	struct notice notices[BATCH_MAX];
	int64_t parents[BATCH_MAX]; /* scratch */
	size_t count;
	struct buf names;
};

static bool add_notice(void *context, const struct change *change)
{
	struct batch *batch = context;
	struct notice *notice = &batch->notices[batch->count];
	*notice = (struct notice){change->id, change->parent, change->old, batch->names.len, change->name.len};
	if (buf_append(&batch->names, change->name.at, change->name.len) < 0)
		return false;
	return ++batch->count < BATCH_MAX;
}

void let_answers_pass(struct fs *fs)
{
	pthread_rwlock_wrlock(&fs->answering);
	listings_drop(fs);
	pthread_rwlock_unlock(&fs->answering);
}

static void check_notified(int rc, const char *what)
{
	/* Not cached, or the mount is going away: nothing to forget. */
	if (rc < 0 && rc != -ENOENT && rc != -ENOTCONN && rc != -ENODEV && rc != -ENOTDIR)
		log_warning("the kernel was not told of a change (%s): %s", what, strerror(-rc));
}

static int compare_parents(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static void notify_directories(struct fs *fs, struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		batch->parents[i] = batch->notices[i].parent;
	qsort(batch->parents, batch->count, sizeof(batch->parents[0]), compare_parents);
	for (size_t i = 0; i < batch->count; i++)
		if (i == 0 || batch->parents[i] != batch->parents[i - 1])
			check_notified(
				fuse_lowlevel_notify_inval_inode(fs->session, (fuse_ino_t)batch->parents[i], 0, 0),
				"a directory");
}

static void notify(struct fs *fs, struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct notice *notice = &batch->notices[i];
		check_notified(fuse_lowlevel_notify_inval_entry(fs->session, (fuse_ino_t)notice->parent,
								batch->names.text + notice->name, notice->name_len),
			       "a name");
	}
	notify_directories(fs, batch);
}

static int watch_superseded(struct fs *fs, const struct batch *batch)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < batch->count; i++)
		if (batch->notices[i].old != 0)
			rc = watch_add(fs, batch->notices[i].old);
	return rc;
}

void set_announced(struct fs *fs, int64_t id)
{
	pthread_mutex_lock(&fs->lock);
	fs->announced = id;
	pthread_cond_broadcast(&fs->changed);
	pthread_mutex_unlock(&fs->lock);
}

/* Announces one batch: 1 if there was one, 0 if there is nothing new, or a negative errno. */
static int announce_batch(struct fs *fs, struct store_reader *reader, struct batch *batch, struct err *err)
{
	batch->count = 0;
	buf_reset(&batch->names);
	int rc = reader_changes(reader, fs_announced(fs), add_notice, batch, err);
	if (rc < 0)
		return rc;
	if (batch->names.failed)
		return err_oom(err);
	if (batch->count == 0)
		return 0;
	if (watch_superseded(fs, batch) < 0)
		return err_oom(err);
	let_answers_pass(fs);
	notify(fs, batch);
	set_announced(fs, batch->notices[batch->count - 1].id);
	return 1;
}

/* Waits for fs_changed, or a while if something was left to do; false when it is time to go. */
static bool wait_for_changes(struct fs *fs, bool again)
{
	struct timespec until = clock_monotonic_in(AGAIN_MS);
	int rc = 0;
	pthread_mutex_lock(&fs->lock);
	while (!fs->change_pending && !atomic_load(&fs->announcer_stopping) && rc == 0)
		rc = again ? pthread_cond_timedwait(&fs->changed, &fs->lock, &until)
			   : pthread_cond_wait(&fs->changed, &fs->lock);
	fs->change_pending = false;
	pthread_mutex_unlock(&fs->lock);
	return !atomic_load(&fs->announcer_stopping);
}

static bool is_replaced(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	bool replaced = fs->store_replaced;
	pthread_mutex_unlock(&fs->lock);
	return replaced;
}

static int follow_store(struct fs *fs, struct store_reader **reader, struct err *err)
{
	if (!is_replaced(fs))
		return 0;
	int rc = switch_store(fs, reader, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&fs->lock);
	fs->store_replaced = false;
	pthread_mutex_unlock(&fs->lock);
	return 0;
}

/* Everything that is there to announce. What fails stays to be done. */
static int announce(struct fs *fs, struct store_reader **reader, struct batch *batch, struct err *err)
{
	remote_tell_sizes(fs);
	int rc = follow_store(fs, reader, err);
	if (rc < 0)
		return rc;
	do
		rc = announce_batch(fs, *reader, batch, err);
	while (rc > 0 && !atomic_load(&fs->announcer_stopping));
	if (rc == -EUCLEAN && !is_replaced(fs))
		fs->hooks.damaged(fs->hooks.context);
	return rc;
}

/* What the thread works with: its own from its start to its end. */
struct announcer {
	struct fs *fs;
	struct store_reader *reader;
	struct batch batch;
};

static void announcer_destroy(struct announcer *announcer)
{
	reader_close(announcer->reader);
	buf_finish(&announcer->batch.names);
	free(announcer);
}

static void *announcer_main(void *argument)
{
	struct announcer *announcer = argument;
	struct fs *fs = announcer->fs;
	struct err err = {0};
	bool failed = false;
	while (wait_for_changes(fs, failed)) {
		int rc = announce(fs, &announcer->reader, &announcer->batch, &err);
		if (rc < 0 && !failed) /* said once */
			log_error("changes could not be announced: %s (trying again)", err.text);
		failed = rc < 0;
	}
	announcer_destroy(announcer);
	return NULL;
}

/* A mount that cannot tell the kernel of changes would show what was once there for ever: it does not begin. */
int announcer_start(struct fs *fs, struct err *err)
{
	struct announcer *announcer = calloc(1, sizeof(*announcer));
	if (!announcer)
		return err_oom(err);
	announcer->fs = fs;
	fs->change_pending = true; /* what an earlier life left unannounced */
	int rc = reader_open(&announcer->reader, fs->store_path, err);
	if (rc == 0)
		rc = thread_start(&fs->announcer, 0, announcer_main, announcer, err);
	fs->announcer_started = rc == 0;
	if (rc < 0)
		announcer_destroy(announcer);
	return rc;
}

void announcer_stop(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	atomic_store(&fs->announcer_stopping, true);
	pthread_cond_broadcast(&fs->changed);
	pthread_mutex_unlock(&fs->lock);
	if (fs->announcer_started)
		pthread_join(fs->announcer, NULL);
	fs->announcer_started = false;
}

void fs_changed(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	fs->change_pending = true;
	pthread_cond_broadcast(&fs->changed);
	pthread_mutex_unlock(&fs->lock);
}

void fs_store_replaced(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	fs->store_replaced = true;
	pthread_mutex_unlock(&fs->lock);
	fs_changed(fs);
}

int64_t fs_announced(struct fs *fs)
{
	pthread_mutex_lock(&fs->lock);
	int64_t announced = fs->announced;
	pthread_mutex_unlock(&fs->lock);
	return announced;
}

bool fs_wait_announced(struct fs *fs, int64_t change, int64_t timeout_ms)
{
	struct timespec until = clock_monotonic_in(timeout_ms);
	pthread_mutex_lock(&fs->lock);
	int rc = 0;
	while (fs->announced < change && rc == 0 && !atomic_load(&fs->announcer_stopping) && !atomic_load(&fs->ended))
		rc = pthread_cond_timedwait(&fs->changed, &fs->lock, &until);
	bool done = fs->announced >= change;
	pthread_mutex_unlock(&fs->lock);
	return done;
}
