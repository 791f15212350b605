/* Another look at the quarantine by a program that may know more than the one that filled it. Private to sync/. */
#ifndef CONTENTFS_SYNC_INMATES_H
#define CONTENTFS_SYNC_INMATES_H

#include "sync/sync.h"
#include "util/err.h"

/*
 * After the start: applies what another version of the program could not apply and this one can; the rest stays, as this
 * version's. What has to come again for that, because it was too long to be kept whole or because nothing was known of it,
 * makes its stream be listed anew; if that is in its first listing still, a later run sees to it. 0 or a negative errno.
 */
int inmates_examine(struct sync *sync, struct err *err);

#endif
