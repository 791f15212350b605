/*
 * What the service manager hears of a mount: that it is ready, what it does, that its threads get on, that it ends. Of the
 * thread that waits for signals. Without a manager all of it does nothing.
 */
#ifndef CONTENTFS_APP_SUPERVISOR_H
#define CONTENTFS_APP_SUPERVISOR_H

#include "app/refresher.h"
#include "fs/fs.h"
#include "util/notify.h"

#include <stdbool.h>
#include <stdint.h>

struct supervisor {
	struct notify notify;
	struct refresher *refresher;
	struct fs *fs;
	bool ready;
	char status[256];  /* as it was told last */
	uint64_t turns;    /* of the refresher */
	int64_t got_on_at; /* monotonic ms, when it was last seen to get on */
};

#define SUPERVISOR_NONE                                                                                                \
	{                                                                                                              \
		.notify = NOTIFY_NONE                                                                                  \
	}

/* Takes the manager's wishes out of the environment. While every socket can be reached. */
void supervisor_open(struct supervisor *supervisor);
void supervisor_close(struct supervisor *supervisor);

/* The parts are there; borrowed until supervisor_close. */
void supervisor_watch(struct supervisor *supervisor, struct refresher *refresher, struct fs *fs);

/*
 * Tells what is new: READY=1 when the tree is whole, STATUS= when it has changed, and WATCHDOG=1 unless a thread is stuck (no
 * step of the sync, or an answer to the kernel, takes as long as the watchdog's time). `items` of the run under way.
 */
void supervisor_tell(struct supervisor *supervisor, uint64_t items);

/* It ends. */
void supervisor_stopping(struct supervisor *supervisor);

/* When supervisor_tell is to be called again, in ms; -1: when something happens. */
int supervisor_wait_ms(const struct supervisor *supervisor);

#endif
