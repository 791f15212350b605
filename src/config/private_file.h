/* Files that may have the delivery token in them: whose they are, who else may read them, and no copy left in memory. */
#ifndef CONTENTFS_CONFIG_PRIVATE_FILE_H
#define CONTENTFS_CONFIG_PRIVATE_FILE_H

#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Opens a file for reading, and says its permissions. -EINVAL if it is no file, or belongs to neither us nor root; else
 * what open(2) said. The caller closes *fd. */
int private_file_open(const char *path, int *fd, mode_t *mode, struct err *err);

struct private_text {
	char *text; /* NUL-terminated; wiped when it is finished */
	size_t len;
	bool others_read; /* group or others may read or write the file */
};

/* Reads a whole file of up to `max` bytes without a NUL. -EINVAL if it is larger or has one, or if others may change it;
 * -ENOENT if there is none; or what the system said. `text` is untouched on failure. */
int private_text_read(const char *path, size_t max, struct private_text *text, struct err *err);
void private_text_finish(struct private_text *text);

#endif
