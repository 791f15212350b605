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

/* The same from the credentials that systemd gives a service (LoadCredential=, systemd.exec(5)): it sees to it that nobody
 * else may read that folder, by an access list where the file's mode cannot say so. -ENOENT if there is none. */
#define TOKEN_CREDENTIAL "delivery-token"
int token_read_credential(const char *folder, char **out, struct err *err);

#endif
