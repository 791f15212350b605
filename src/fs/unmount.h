/* Unmounting from outside: what umount(8) does, for whoever may. */
#ifndef CONTENTFS_FS_UNMOUNT_H
#define CONTENTFS_FS_UNMOUNT_H

#include "util/err.h"

#include <stdbool.h>

/* Whether a mount is there whose program is gone. Asks the kernel for something that it never remembers. */
bool mount_is_dead(const char *mountpoint);

/* Unmounts; `lazily` even where it is in use. -EBUSY if it is in use, and not only for a moment. Blocks until it is done. */
int unmount(const char *mountpoint, bool lazily, struct err *err);

#endif
