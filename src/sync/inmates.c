#include "sync/inmates.h"

#include "delivery/page.h"
#include "sync/apply.h"
#include "sync/internal.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>

static void inmate_finish(struct store_inmate *inmate)
{
	buf_finish(&inmate->source);
}

/* Whether a listing that shows its pages at once has not ended. */
static bool is_first(const struct stream *stream)
{
	return stream->run == RUN_FIRST || stream->run == RUN_SEED || stream->run == RUN_PARTS;
}

/* The stream is listed anew by the run that follows, from the beginning: a listing under way may be past the item. */
static int list_anew(struct sync *sync, struct stream *stream, struct err *err)
{
	free(stream->page_token);
	stream->page_token = NULL;
	stream->run = RUN_REBUILD;
	stream->pages = 0;
	stream->items = 0;
	int rc = store_forget_run(sync->store, stream->id, err);
	if (rc == 0)
		rc = store_quarantine_forget(sync->store, stream->id, err); /* it brings all of it again */
	return rc < 0 ? rc : store_stream_save(sync->store, stream, err);
}

/* Goes the way that a page of the stream would go now; where some of what came waits to be shown, it waits too. */
static int apply_again(struct sync *sync, const struct stream *stream, const struct item *item, struct err *err)
{
	struct apply apply = {
		.store = sync->store,
		.stream = stream,
		.owner = stream->id,
		.now = stream->run == RUN_NONE || is_first(stream),
		.rebuild = stream->run == RUN_REBUILD || stream->run == RUN_REBUILD_DELTA ||
			   stream->run == RUN_REBUILD_READY,
		.text = &sync->text,
	};
	int rc = apply_item(&apply, item, err);
	sync->schemas_due |= apply.schemas_doubtful;
	return rc;
}

/* Takes it out; if it is as bad as before, applying it puts it back, as seen by this version. */
static int try(struct sync *sync, const struct store_inmate *inmate, const struct stream *stream,
	       const struct item *item, struct err *err)
{
	int rc = store_quarantine_remove(sync->store, inmate->id, err);
	return rc < 0 ? rc : apply_again(sync, stream, item, err);
}

/* What is not there as a whole has to come again; and so has what becomes known only now: nobody can tell whether it was
 * withdrawn since it came. */
static int examine(struct sync *sync, const struct store_inmate *inmate, bool *postponed, struct err *err)
{
	CLEANUP(stream_finish) struct stream stream = {0};
	CLEANUP(lone_item_finish) struct lone_item lone = LONE_ITEM_INIT;
	int rc = store_stream_load(sync->store, inmate->stream, &stream, err);
	if (rc < 0)
		return rc;
	if (stream.run == RUN_GONE ||
	    (stream.run == RUN_REBUILD && !stream.page_token)) /* it comes again, or is gone */
		return store_quarantine_remove(sync->store, inmate->id, err);
	int parsed = inmate->whole ? item_parse(buf_slice(&inmate->source), &lone, err) : -EPROTO;
	if (parsed < 0 && parsed != -EPROTO)
		return parsed;
	if (parsed == 0 && (inmate->known || lone.item.fault))
		return try(sync, inmate, &stream, &lone.item, err);
	*postponed |= is_first(&stream);
	return is_first(&stream) ? 0 : list_anew(sync, &stream, err);
}

int inmates_examine(struct sync *sync, struct err *err)
{
	CLEANUP(inmate_finish) struct store_inmate inmate = {0};
	bool postponed = false;
	int rc = 1;
	if (sync->examined)
		return 0;
	while (rc > 0) {
		rc = store_quarantine_next(sync->store, &inmate, err);
		if (rc <= 0)
			break;
		rc = batch_begin(&sync->batch, err);
		if (rc == 0)
			rc = examine(sync, &inmate, &postponed, err);
		if (rc == 0)
			rc = batch_stored(&sync->batch, 1, err);
		rc = rc < 0 ? rc : 1;
	}
	if (rc == 0)
		rc = batch_commit(&sync->batch, err);
	batch_rollback(&sync->batch);
	sync->examined = rc == 0 && !postponed;
	return rc;
}
