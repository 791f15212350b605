/*
 * Going to the background only once there is something to go to the background for: the child works, the parent waits for
 * its word and carries its exit status.
 */
#ifndef CONTENTFS_APP_DAEMON_H
#define CONTENTFS_APP_DAEMON_H

#include "util/err.h"

struct daemon {
	int ready_fd; /* the child's end; -1 in the foreground */
	int null_fd;  /* what is to stand for the terminal, had while there is room for it; or -1 */
};

#define DAEMON_NONE                                                                                                    \
	{                                                                                                              \
		.ready_fd = -1, .null_fd = -1                                                                          \
	}

/*
 * Forks. In the child returns 0 with a daemon to be told by daemon_ready. In the parent returns 1 when the child is ready
 * (*status 0) or has ended (*status its exit status). Before any thread is started.
 */
int daemon_start(struct daemon *daemon, int *status, struct err *err);

/* In the child: leaves the terminal, sends further messages to the system log, and lets the parent go. Does nothing for a
 * daemon that was not started. -ECANCELED: it would end with the parent, which waits still. */
int daemon_ready(struct daemon *daemon, struct err *err);

#endif
