/* The mounts of contentfs that this process can see, from outside. */
#ifndef CONTENTFS_FS_MOUNTS_H
#define CONTENTFS_FS_MOUNTS_H

#include "util/err.h"

#include <stdint.h>

/* Calls `each` with every mount point, in the order of mounting; the path is borrowed for the call. */
int mounts_each(void (*each)(void *context, const char *mountpoint), void *context, struct err *err);

/* The mount point that a line of /proc/self/mountinfo has, decoded in place; NULL if it is no contentfs. Pure. */
char *mounts_parse(char *line);

/*
 * Whether the program behind a mount answers: 0; -ENOTCONN if it is gone, -ETIMEDOUT if it does not within `ms`, or what
 * else keeps us from asking it. -EINVAL if no contentfs is mounted there. Blocks no longer than that, whatever the program
 * does.
 */
int mounts_ask(const char *mountpoint, int64_t ms);

#endif
