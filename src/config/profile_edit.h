/* Changing a file of profiles as a person would: what it is not about stays as it is, comments and order included. */
#ifndef CONTENTFS_CONFIG_PROFILE_EDIT_H
#define CONTENTFS_CONFIG_PROFILE_EDIT_H

#include "util/buf.h"
#include "util/err.h"
#include "util/slice.h"

#include <stddef.h>

struct profile_value {
	const char *key;
	const char *value; /* NULL: the key is to go */
};

/* Whether "key = value" can be a line: no control characters, nothing that would be a comment or be cut off at the ends. */
int profile_check_value(const char *key, const char *value, struct err *err);

/*
 * Appends to `out` the text of a file in which the profile has these values: in the place of those it had, else behind its
 * last line; a profile that is not there is added at the end. Keys that are not named stay. `text` is one that
 * profile_parse takes. 0 or -ENOMEM.
 */
int profile_edit(struct slice text, const char *profile, const struct profile_value *values, size_t count,
		 struct buf *out);

/*
 * Puts a text in the place of a file, in one step and for its owner only (0600); a symbolic link stays one. Folders that
 * are missing are made with `folder_mode`. The system's errno with the reason on failure, and the file is as it was.
 */
int profile_write(const char *path, struct slice text, unsigned folder_mode, struct err *err);

#endif
