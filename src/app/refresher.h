/*
 * The refresh thread: runs the engine when it is due or wanted, and says what came of it. It owns the writing side of the
 * store while it runs.
 */
#ifndef CONTENTFS_APP_REFRESHER_H
#define CONTENTFS_APP_REFRESHER_H

#include "app/engine.h"
#include "app/lessons.h"
#include "fs/fs.h"
#include "sync/schedule.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* How the first runs went; what a mount waits for. */
enum refresher_state {
	REFRESHER_WORKING, /* no whole content yet, and trying */
	REFRESHER_READY,   /* the tree is whole */
	REFRESHER_FAILED,  /* no whole content, and no hope without a person */
};

struct refresher {
	struct engine *engine;
	struct fs *fs;
	int event_fd;             /* written when `state` or the outcome of the runs changes */
	struct schedule schedule; /* the thread's own, as are the next two */
	uint64_t answered;        /* refreshes that were asked for before the last run */
	int64_t announced;        /* what the store has been told of it */
	int64_t begun_anew;       /* monotonic ms; 0 if the store was not damaged */
	struct lessons lessons;   /* taken over from `noted` */
	pthread_t thread;
	bool started;
	_Atomic uint64_t turns; /* moves on as long as the thread does */

	pthread_mutex_t lock; /* guards what follows; taken before nothing */
	pthread_cond_t wake;
	bool stopping;
	bool wanted;
	bool lesson; /* readers learned something that the store is to know */
	struct lessons noted;
	bool damaged;    /* the store, as a reader has found */
	unsigned stores; /* how often it was replaced */
	bool resting;    /* it waits for something to do */
	bool syncing;
	int64_t next_at; /* monotonic ms of the next poll */
	bool ran;
	int last_rc;
	struct err last_error;
	enum refresher_state state;
	struct err waiting_for; /* what the run under way waits for; empty if for nothing */
	int64_t waits_until;    /* monotonic ms */
};

/* All is borrowed as long as the refresher lives; event_fd is an eventfd. `complete`: the store is whole already. */
int refresher_init(struct refresher *refresher, struct engine *engine, const struct config *config, int event_fd,
		   bool complete, struct err *err);
void refresher_finish(struct refresher *refresher);

/* Starts the thread, with a run at once. */
int refresher_start(struct refresher *refresher, struct fs *fs, struct err *err);

/* A run soon: now, or right after the one under way. Any thread; never blocks. */
void refresher_want(struct refresher *refresher);

/* Somebody who read the store found it damaged. Any thread; never blocks. */
void refresher_note_damage(struct refresher *refresher);

/* There is something for fs_look_measured. Any thread; never blocks. */
void refresher_note_lesson(struct refresher *refresher);

/* The bytes behind the URL of an asset have changed: see struct assets_config. Any thread; never blocks. */
void refresher_note_changed(struct refresher *refresher, struct slice url, int64_t generation);

/* The run under way waits: see sync_hooks. Of the refresh thread. */
void refresher_note_wait(struct refresher *refresher, const char *what, int64_t ms);

/* Blocks for so long, but not while the thread has something to do after the run: to stop, to learn, or another run. Of the
 * refresh thread. */
void refresher_rest(struct refresher *refresher, int64_t ms);

/* Stops the thread: a run under way ends at the next page. Blocks until it has. */
void refresher_stop(struct refresher *refresher);

/* What status.json says of it; a copy. Any thread. */
struct refresher_view {
	unsigned stores; /* how often the store was replaced by another one: its readers are to be opened again */
	bool syncing;
	int64_t next_poll_ms;
	bool ran;
	int last_rc;
	struct err last_error;
	enum refresher_state state;
	struct err waiting_for; /* empty for nothing */
	int64_t wait_ms;        /* for how long yet */
};

/*
 * Whether the thread gets on: false with *turns where it was asked before, until it has done something. Resting counts as
 * getting on. `turns` is the caller's, 0 to begin with. Any thread.
 */
bool refresher_gets_on(struct refresher *refresher, uint64_t *turns);

/* Something was done that may be one of many in a run. Of the refresh thread. */
void refresher_note_turn(struct refresher *refresher);

void refresher_look(struct refresher *refresher, struct refresher_view *view);

#endif
