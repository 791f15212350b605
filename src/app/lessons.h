/* What readers of assets learn and the store is to know: true sizes, and URLs whose bytes have changed. */
#ifndef CONTENTFS_APP_LESSONS_H
#define CONTENTFS_APP_LESSONS_H

#include "fs/fs.h"
#include "store/store.h"
#include "util/buf.h"
#include "util/slice.h"

#include <stdint.h>

/* URLs whose bytes have changed; whoever has it guards it. */
struct lessons {
	struct buf changed; /* of each its generation, its length, and the URL */
};

/* Notes one. Beyond a bound none is taken: reading such an asset fails until it is told again. */
void lessons_add(struct lessons *lessons, struct slice url, int64_t generation);

/* Takes all sizes of `fs` and all of `lessons` into the store, in transactions of its own, and has the changes announced.
 * What fails stays to be done. Of the thread that the store belongs to. */
int lessons_keep(struct lessons *lessons, struct fs *fs, struct store *store, struct err *err);

#endif
