/*
 * The threads that answer the kernel. Each reads one request, answers it with a connection to the store of its own, and
 * holds fs->answering while it does.
 *
 * A worker sleeps in read(2) on the FUSE device. To stop it, it gets SIGUSR1, whose handler does nothing but end the read;
 * since the signal may come just before the read, it is sent until the worker has said that it is done.
 */
#include "fs/internal.h"
#include "util/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void wake(int signal)
{
	(void)signal;
}

static int install_wake_signal(struct err *err)
{
	struct sigaction action = {.sa_handler = wake};
	if (sigaction(SIGUSR1, &action, NULL) < 0)
		return err_set(err, -errno, "cannot set a signal handler: %s", strerror(errno));
	return 0;
}

static void serve(struct worker *worker)
{
	struct fs *fs = worker->fs;
	struct fuse_buf buf = {.mem = NULL};
	while (!atomic_load(&fs->stopping)) {
		int len = fuse_session_receive_buf(fs->session, &buf);
		if (len == -EINTR || len == -EAGAIN)
			continue;
		if (len <= 0)
			break;
		atomic_store_explicit(&worker->busy_since, clock_monotonic_ms(), memory_order_relaxed);
		pthread_rwlock_rdlock(&fs->answering);
		fuse_session_process_buf(fs->session, &buf);
		pthread_rwlock_unlock(&fs->answering);
		atomic_store_explicit(&worker->busy_since, 0, memory_order_relaxed);
	}
	free(buf.mem);
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct fs *fs = worker->fs;
	pthread_setspecific(fs->worker_key, worker);
	serve(worker);
	if (!atomic_load(&fs->stopping) && !atomic_exchange(&fs->ended, true))
		fs->hooks.ended(fs->hooks.context);
	atomic_store(&worker->done, true);
	return NULL;
}

/* Threads inherit the mask. */
int thread_start(pthread_t *thread, int signal, void *(*run)(void *argument), void *argument, struct err *err)
{
	sigset_t blocked;
	sigset_t before;
	sigfillset(&blocked);
	if (signal)
		sigdelset(&blocked, signal);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int rc = -pthread_create(thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc < 0 ? err_set(err, rc, "cannot start a thread: %s", strerror(-rc)) : 0;
}

int workers_start(struct fs *fs, struct err *err)
{
	int rc = install_wake_signal(err);
	for (int i = 0; rc == 0 && i < WORKERS; i++) {
		struct worker *worker = &fs->workers[i];
		worker->fs = fs;
		rc = reader_open(&worker->reader, fs->store_path, err);
		if (rc == 0)
			rc = thread_start(&worker->thread, SIGUSR1, worker_main, worker, err);
		if (rc < 0) {
			reader_close(worker->reader);
			worker->reader = NULL;
		} else {
			fs->workers_started++;
		}
	}
	return rc;
}

void workers_stop(struct fs *fs)
{
	atomic_store(&fs->stopping, true);
	for (int i = 0; i < fs->workers_started; i++) {
		struct worker *worker = &fs->workers[i];
		while (!atomic_load(&worker->done)) {
			pthread_kill(worker->thread, SIGUSR1);
			const struct timespec moment = {.tv_nsec = 1000000};
			nanosleep(&moment, NULL);
		}
		pthread_join(worker->thread, NULL);
		reader_close(worker->reader);
		reader_close(worker->previous);
	}
	fs->workers_started = 0;
}

int64_t fs_busy_ms(struct fs *fs)
{
	int64_t now = clock_monotonic_ms();
	int64_t longest = 0;
	for (int i = 0; i < fs->workers_started; i++) {
		int64_t since = atomic_load_explicit(&fs->workers[i].busy_since, memory_order_relaxed);
		if (since > 0 && now - since > longest)
			longest = now - since;
	}
	return longest;
}
