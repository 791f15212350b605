/*
 * File names from the names that the stack uses. Any bytes go in; out comes a name that every POSIX file system takes
 * and that people can type: what is harmless stays as it is.
 *
 *  - `/`, NUL, control characters (U+0000-U+001F, U+007F, and U+0080-U+009F in their UTF-8 form), `%` itself, and every
 *    byte that is not part of valid UTF-8 become %XX (upper-case hex of the byte);
 *  - the names `.` and `..` become %2E and %2E%2E; an empty name becomes a lone `%`;
 *  - a name that with its suffix would be longer than 255 bytes is cut, never inside a character or an escape, and
 *    gets `%~` and 32 lower-case hex digits (the first half of the SHA-256 of the raw name) before the suffix.
 *
 * Always the same way, never two to one: an unescaped `%` cannot come from anywhere else.
 */
#ifndef CONTENTFS_TREE_NAME_H
#define CONTENTFS_TREE_NAME_H

#include "util/slice.h"

#include <stdint.h>

#define NAME_BYTES_MAX 255

/* Writes the NUL-terminated name for `raw` with `suffix` (such as ".json", or "" for a directory; plain ASCII, at most
 * 16 bytes) behind it. Pure; cannot fail. Returns its length. */
size_t name_encode(struct slice raw, const char *suffix, char out[NAME_BYTES_MAX + 1]);

/* The same for the directory of an asset, which stands beside files that end in ".json": it never does, since the dot of
 * such an ending is escaped. */
size_t name_encode_folder(struct slice raw, char out[NAME_BYTES_MAX + 1]);

/* The same for a file whose name has an ending of its own (up to 15 letters and digits behind the last dot): it is kept
 * where the name has to be cut, since programs go by it. */
size_t name_encode_file(struct slice raw, char out[NAME_BYTES_MAX + 1]);

/* A number that stands for a name in an index: FNV-1a of 32 bits (RFC 9923), always the same, not always another. */
int32_t name_hash(struct slice name);

#endif
