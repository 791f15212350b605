/* Folders of the program's own, and who else could put something in their place. */
#ifndef CONTENTFS_UTIL_FOLDER_H
#define CONTENTFS_UTIL_FOLDER_H

#include "util/err.h"

/*
 * Looks at every folder and symbolic link on the way to an absolute path, as far as it exists. All must belong to root or to
 * the user of this process, and nobody else may be able to write to a folder, but where the sticky bit keeps what is in
 * it, or for the process's own group. So nobody else can lead the way to another place, now or later. 0; or -EINVAL that
 * names the folder; or what the system said.
 */
int folder_check(const char *path, struct err *err);

/* The same, then makes what is missing (0700). -EPERM if it may not. */
int folder_make(const char *path, struct err *err);

#endif
