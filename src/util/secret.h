/*
 * A text that is kept from others for as long as it is there: in memory of its own, which is not swapped (as far as the
 * limits allow), in no core dump, and wiped when it is given back.
 */
#ifndef CONTENTFS_UTIL_SECRET_H
#define CONTENTFS_UTIL_SECRET_H

/* `prefix` (a header's name, say; may be "") and `text` as one secret. NULL for lack of memory. A fork has a copy, which may
 * be swapped. */
char *secret_make(const char *prefix, const char *text);

/* NULL is fine. */
void secret_free(char *secret);

/* For a text of malloc that has a secret in it: wipes and frees it. NULL is fine. */
void secret_wipe(char *text);

/* Wipes what calls that have returned may have left of one on the stack of this thread (saved registers, say). */
void secret_burn_stack(void);

#endif
