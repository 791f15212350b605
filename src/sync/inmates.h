/* Another look at the quarantine by a program that may know more than the one that filled it. Private to sync/. */
#ifndef CONTENTFS_SYNC_INMATES_H
#define CONTENTFS_SYNC_INMATES_H

#include "sync/sync.h"
#include "util/err.h"

/*
 * Once after the start: applies what another version of the program could not apply and this one can; the rest stays, as
 * this version's. If an item was too long to be kept whole and is to be seen again, its stream is listed anew. 0 or a
 * negative errno.
 */
int inmates_examine(struct sync *sync, struct err *err);

#endif
