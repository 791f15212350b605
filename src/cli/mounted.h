/* Speaking with a contentfs that is mounted. */
#ifndef CONTENTFS_CLI_MOUNTED_H
#define CONTENTFS_CLI_MOUNTED_H

#include "util/buf.h"
#include "util/err.h"

/* Appends the mount's status.json. -EINVAL if no contentfs is mounted there, -EHOSTUNREACH if its program is gone. */
int mounted_status(const char *mountpoint, struct buf *json, struct err *err);

#endif
