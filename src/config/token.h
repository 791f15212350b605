/* Where the delivery token may come from. */
#ifndef CONTENTFS_CONFIG_TOKEN_H
#define CONTENTFS_CONFIG_TOKEN_H

#include "util/err.h"

/* Checks a token and replaces *out with a copy of it; the one that was there is wiped. No message quotes it. */
int token_set(const char *token, char **out, struct err *err);

/* Reads it from a file that nobody but its owner (us, or root) may read. One line; the newline does not count. */
int token_read(const char *path, char **out, struct err *err);

/* Wipes and frees it; NULL is fine. */
void token_wipe(char **token);

#endif
