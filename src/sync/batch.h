/*
 * Transactions that several pages share. A commit writes anew whatever it touched of the store's index of names, and names
 * come at random: the larger the store is, the more a commit costs beside the content that it brings. So a transaction
 * holds a share of what is there already, within bounds; a small store shows each page at once. Private to sync/.
 */
#ifndef CONTENTFS_SYNC_BATCH_H
#define CONTENTFS_SYNC_BATCH_H

#include "store/store.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

#define BATCH_MS 500         /* pages that come faster share a transaction */
#define BATCH_SHARE 8        /* of it that a transaction brings: one in so many */
#define BATCH_MS_MAX 2000    /* but it lasts no longer: so much has to be fetched again at most after a kill */
#define BATCH_PATIENCE_MS 20 /* with a page that does not come, where there is enough to commit */

struct batch {
	struct store *store;
	bool open;
	uint64_t items;                   /* in it */
	int64_t committed_at;             /* monotonic ms */
	void (*committed)(void *context); /* called when something became visible; or NULL */
	void *context;
};

/* Opens a transaction, unless one is open. */
int batch_begin(struct batch *batch, struct err *err);

/* Commits what is open, if anything is. */
int batch_commit(struct batch *batch, struct err *err);

/* Counts what was stored, and commits if that is due while more is to come. */
int batch_stored(struct batch *batch, uint64_t items, struct err *err);

/* When to commit if nothing more has come until then; INT64_MAX if nothing is open. */
int64_t batch_due(const struct batch *batch, int64_t now);

/* Takes back what is open, if anything is. */
void batch_rollback(struct batch *batch);

#endif
