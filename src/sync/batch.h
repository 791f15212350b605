/*
 * Transactions that several pages share. Each commit rewrites the pages of the store's indexes that it touched, so pages
 * that follow one another fast share one: a third of the writing, and no page waits for the next to be seen. Private to
 * sync/.
 */
#ifndef CONTENTFS_SYNC_BATCH_H
#define CONTENTFS_SYNC_BATCH_H

#include "store/store.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

#define BATCH_MS 200         /* pages that come faster share a transaction */
#define BATCH_PATIENCE_MS 20 /* and commit it when the next one does not come */

struct batch {
	struct store *store;
	bool open;
	int64_t committed_at;             /* monotonic ms */
	void (*committed)(void *context); /* called when something became visible; or NULL */
	void *context;
};

/* Opens a transaction, unless one is open. */
int batch_begin(struct batch *batch, struct err *err);

/* Commits what is open, if anything is. */
int batch_commit(struct batch *batch, struct err *err);

/* The same, unless the last commit was a moment ago and more is to come. */
int batch_commit_if_due(struct batch *batch, struct err *err);

/* Takes back what is open, if anything is. */
void batch_rollback(struct batch *batch);

#endif
