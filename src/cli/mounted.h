/* Speaking with a contentfs that is mounted. */
#ifndef CONTENTFS_CLI_MOUNTED_H
#define CONTENTFS_CLI_MOUNTED_H

#include "config/config.h"
#include "util/buf.h"
#include "util/err.h"

/* Appends the mount's status.json. -EINVAL if no contentfs is mounted there, -EHOSTUNREACH if its program is gone. */
int mounted_status(const char *mountpoint, struct buf *json, struct err *err);

/* Takes from the mount what it is a mount of: store, cache, host and environment, as far as they are not set. Errors as
 * above. */
int mounted_adopt(struct config *config, const char *mountpoint, struct err *err);

#endif
