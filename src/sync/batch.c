#include "sync/batch.h"

#include "util/clock.h"

int batch_begin(struct batch *batch, struct err *err)
{
	if (batch->open)
		return 0;
	int rc = store_begin(batch->store, err);
	batch->open = rc == 0;
	batch->items = 0;
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

static bool holds_enough(const struct batch *batch)
{
	return batch->items >= (uint64_t)store_journal_end(batch->store) / BATCH_SHARE;
}

int batch_stored(struct batch *batch, uint64_t items, struct err *err)
{
	int64_t lasts_ms = clock_monotonic_ms() - batch->committed_at;
	batch->items += items;
	bool due = lasts_ms >= BATCH_MS_MAX || (lasts_ms >= BATCH_MS && holds_enough(batch));
	return due ? batch_commit(batch, err) : 0;
}

int64_t batch_due(const struct batch *batch, int64_t now)
{
	int64_t latest = batch->committed_at + BATCH_MS_MAX;
	int64_t soon = now + BATCH_PATIENCE_MS;
	if (!batch->open)
		return INT64_MAX;
	return holds_enough(batch) || latest < soon ? soon : latest;
}

void batch_rollback(struct batch *batch)
{
	if (batch->open)
		store_rollback(batch->store);
	batch->open = false;
}
