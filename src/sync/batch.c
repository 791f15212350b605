#include "sync/batch.h"

#include "util/clock.h"

int batch_begin(struct batch *batch, struct err *err)
{
	if (batch->open)
		return 0;
	int rc = store_begin(batch->store, err);
	batch->open = rc == 0;
	return rc;
}

int batch_commit(struct batch *batch, struct err *err)
{
	if (!batch->open)
		return 0;
	int64_t before = store_journal_end(batch->store);
	batch->open = false;
	int rc = store_commit(batch->store, err);
	batch->committed_at = clock_monotonic_ms();
	if (rc == 0 && batch->committed && store_journal_end(batch->store) != before)
		batch->committed(batch->context);
	return rc;
}

int batch_commit_if_due(struct batch *batch, struct err *err)
{
	return clock_monotonic_ms() - batch->committed_at < BATCH_MS ? 0 : batch_commit(batch, err);
}

void batch_rollback(struct batch *batch)
{
	if (batch->open)
		store_rollback(batch->store);
	batch->open = false;
}
