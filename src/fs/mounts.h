/* The mounts of contentfs that this process can see, from outside. */
#ifndef CONTENTFS_FS_MOUNTS_H
#define CONTENTFS_FS_MOUNTS_H

#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct mounts_entry {
	const char *mountpoint;
	const char *source; /* the profile, or "contentfs" without one */
};

/* Calls `each` with every mount, in the order of mounting; the entry is borrowed for the call. Touches none of them. */
int mounts_each(void (*each)(void *context, const struct mounts_entry *entry), void *context, struct err *err);

/* What a line of /proc/self/mountinfo (proc(5)) has, decoded in place; false if it is no contentfs. Pure. */
bool mounts_parse(char *line, struct mounts_entry *entry);

/* Whether one is on this absolute path, which has no symbolic links. */
bool mounts_have(const char *mountpoint);

/*
 * Whether the program behind a mount answers: 0; -ENOTCONN if it is gone, -ETIMEDOUT if it does not within `ms`, or what
 * else keeps us from asking it. -EINVAL if no contentfs is mounted there. Blocks no longer than that, whatever the program
 * does.
 */
int mounts_ask(const char *mountpoint, int64_t ms);

#endif
