/* SHA-256, for names of files that stand for something longer. */
#ifndef CONTENTFS_UTIL_DIGEST_H
#define CONTENTFS_UTIL_DIGEST_H

#include "util/slice.h"

#include <stddef.h>

#define DIGEST_HEX_LEN 64

/* Writes the first `len` (up to DIGEST_HEX_LEN, even) lower-case hex digits of the bytes' SHA-256, without a NUL. Pure. */
void digest_hex(struct slice bytes, char *hex, size_t len);

#endif
