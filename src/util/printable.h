/* Text that may quote what came from outside must stay one line and must not drive a terminal. */
#ifndef CONTENTFS_UTIL_PRINTABLE_H
#define CONTENTFS_UTIL_PRINTABLE_H

#include <stddef.h>

/* Replaces control characters by '?', in place: U+0000 to U+001F, U+007F, and U+0080 to U+009F in their UTF-8 form. */
void make_printable(char *text, size_t len);

#endif
