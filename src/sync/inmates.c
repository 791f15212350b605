#include "sync/inmates.h"

#include "delivery/page.h"
#include "sync/apply.h"
#include "sync/internal.h"
#include "util/cleanup.h"

#include <errno.h>

static void inmate_finish(struct store_inmate *inmate)
{
	buf_finish(&inmate->source);
}

/* The stream is listed anew by the run that follows, unless it is being listed anyway. */
static int list_anew(struct sync *sync, struct stream *stream, struct err *err)
{
	if (stream->run != RUN_NONE)
		return 0;
	stream->run = RUN_REBUILD;
	return store_stream_save(sync->store, stream, err);
}

/* Goes the way that a page of the stream would go now. */
static int apply_again(struct sync *sync, const struct stream *stream, const struct item *item, struct err *err)
{
	struct apply apply = {
		.store = sync->store,
		.stream = stream,
		.owner = stream->id,
		.now = stream->run != RUN_DELTA && stream->run != RUN_REBUILD && stream->run != RUN_REBUILD_DELTA,
		.rebuild = stream->run == RUN_REBUILD || stream->run == RUN_REBUILD_DELTA,
		.text = &sync->text,
	};
	int rc = apply_item(&apply, item, err);
	sync->schemas_due |= apply.schemas_doubtful;
	return rc;
}

/* Takes it out; if it is as bad as before, applying it puts it back, as seen by this version. */
static int examine(struct sync *sync, const struct store_inmate *inmate, struct err *err)
{
	CLEANUP(stream_finish) struct stream stream = {0};
	CLEANUP(lone_item_finish) struct lone_item lone = LONE_ITEM_INIT;
	int rc = store_quarantine_remove(sync->store, inmate->id, err);
	if (rc == 0)
		rc = store_stream_load(sync->store, inmate->stream, &stream, err);
	if (rc < 0)
		return rc;
	if (!inmate->whole)
		return list_anew(sync, &stream, err);
	rc = item_parse(buf_slice(&inmate->source), &lone, err);
	if (rc == -EPROTO)
		return list_anew(sync, &stream, err);
	return rc < 0 ? rc : apply_again(sync, &stream, &lone.item, err);
}

int inmates_examine(struct sync *sync, struct err *err)
{
	CLEANUP(inmate_finish) struct store_inmate inmate = {0};
	int rc = 1;
	if (sync->examined)
		return 0;
	while (rc > 0) {
		rc = store_quarantine_next(sync->store, &inmate, err);
		if (rc <= 0)
			break;
		rc = batch_begin(&sync->batch, err);
		if (rc == 0)
			rc = examine(sync, &inmate, err);
		if (rc == 0)
			rc = batch_stored(&sync->batch, 1, err);
		rc = rc < 0 ? rc : 1;
	}
	if (rc == 0)
		rc = batch_commit(&sync->batch, err);
	batch_rollback(&sync->batch);
	sync->examined = rc == 0;
	return rc;
}
