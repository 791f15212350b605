/* A mount from beginning to end: the parts put together, the threads, the signals, the end. */
#ifndef CONTENTFS_APP_MOUNT_H
#define CONTENTFS_APP_MOUNT_H

#include "config/config.h"
#include "util/err.h"

#include <stdbool.h>

/*
 * Mounts the stack that the settings name. In the background, returns when the tree can be used: at once if the store is
 * whole, else when the first run has ended; *status is the exit status to leave with. In the foreground returns when it
 * was unmounted or told to end. `config` is complete; the token is wiped from it as soon as the parts have it.
 */
int mount_run(struct config *config, const char *mountpoint, bool foreground, int *status, struct err *err);

#endif
