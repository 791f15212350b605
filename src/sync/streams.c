/*
 * The streams of a run: from their rows to conversations, and back when what they brought becomes visible.
 */
#include "sync/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct conversation *run_add(struct run *run)
{
	if (run->count == run->cap) {
		size_t cap = run->cap ? run->cap * 2 : 8;
		struct conversation *grown = realloc(run->conversations, cap * sizeof(*grown));
		if (!grown)
			return NULL;
		run->conversations = grown;
		run->cap = cap;
	}
	struct conversation *added = &run->conversations[run->count++];
	*added = (struct conversation){.left = INT64_MAX};
	return added;
}

static int set_text(char **field, const char *value, struct err *err)
{
	if (!value || *field)
		return 0;
	*field = strdup(value);
	return *field ? 0 : err_oom(err);
}

static int load_stream(const struct sync *sync, size_t index, struct stream *stream, struct err *err)
{
	int rc = store_stream_load(sync->store, (int)index + 1, stream, err);
	if (rc < 0)
		return rc;
	const char *const *types = sync->filter.content_types;
	size_t across = sync->locales ? sync->locales : 1;
	rc = set_text(&stream->content_type, types && types[0] ? types[index / across] : NULL, err);
	if (rc == 0)
		rc = set_text(&stream->locale, sync->locales ? sync->filter.locales[index % across] : NULL, err);
	return rc;
}

static int load(struct run *run, size_t index, struct err *err)
{
	struct conversation *conversation = run_add(run);
	if (!conversation)
		return err_oom(err);
	struct stream *stream = &conversation->stream;
	int rc = load_stream(run->sync, index, stream, err);
	conversation->stale = stream->page_token && (stream->run == RUN_DELTA || stream->run == RUN_REBUILD_DELTA);
	return rc < 0 ? rc : store_has_gathered(run->sync->store, stream->id, &conversation->staged, err);
}

/* Every stream has its row before the first of them ends: else the store would pass for whole with some of them missing. */
static int note_streams(struct sync *sync, struct err *err)
{
	int rc = batch_begin(&sync->batch, err);
	for (size_t i = 0; rc == 0 && i < sync->streams; i++) {
		CLEANUP(stream_finish) struct stream stream = {0};
		rc = load_stream(sync, i, &stream, err);
		if (rc == 0 && stream.run == RUN_FIRST && !stream.page_token)
			rc = store_stream_save(sync->store, &stream, err);
	}
	if (rc == 0)
		rc = batch_commit(&sync->batch, err);
	batch_rollback(&sync->batch);
	sync->streams_noted = rc == 0;
	return rc;
}

int streams_load(struct run *run, struct err *err)
{
	struct sync *sync = run->sync;
	int rc = sync->streams_noted ? 0 : note_streams(sync, err);
	for (size_t i = 0; rc == 0 && i < sync->streams; i++)
		rc = load(run, (sync->first + i) % sync->streams, err);
	for (size_t i = 0; rc == 0 && i < sync->streams; i++)
		if (run->conversations[i].stream.run == RUN_PARTS)
			rc = split_load_parts(run, i, err);
	if (++sync->first >= sync->streams) /* a limit that ends the run is not always met by the same */
		sync->first = 0;
	return rc;
}

/* A stream goes on with the run that it is in, or begins a delta. */
void streams_begin(struct run *run)
{
	for (size_t i = 0; i < run->sync->streams; i++) {
		struct conversation *conversation = &run->conversations[i];
		if (conversation->stream.run == RUN_PARTS && run->count == run->sync->streams)
			conversation_restart(conversation, RUN_REBUILD); /* should it have none */
		conversation->state = conversation->stream.run == RUN_PARTS ? PAUSED : TALKING;
		conversation->idle = conversation->stream.run == RUN_NONE;
		if (conversation->idle)
			conversation->stream.run = RUN_DELTA;
	}
}

void streams_finish(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct conversation *conversation = &run->conversations[i];
		struct page none = PAGE_INIT;
		struct delivery_advice advice;
		if (conversation->call)
			delivery_take(conversation->call, &none, &advice, NULL);
		page_finish(&none);
		conversation_finish(conversation);
	}
	free(run->conversations);
}

static int take_break(void *context, struct err *err)
{
	struct run *run = context;
	run_turn(run);
	run_rest(run);
	return delivery_is_stopped(run->sync->delivery) ? err_set(err, -ECANCELED, "told to stop") : 0;
}

int stream_end(struct run *run, struct conversation *conversation, struct err *err)
{
	struct stream *stream = &conversation->stream;
	stream->run = RUN_NONE;
	stream->listed = true;
	stream->pages = 0;
	stream->items = 0;
	return store_forget_run(run->sync->store, stream->id, err);
}

static int publish(struct run *run, struct conversation *conversation, struct err *err)
{
	struct stream *stream = &conversation->stream;
	struct store *store = run->sync->store;
	const struct store_break breaks = {take_break, run};
	int rc = store_publish(store, stream->id, stream->run == RUN_REBUILD_READY, &breaks, err);
	if (rc == 0)
		rc = stream_end(run, conversation, err);
	return rc < 0 ? rc : store_stream_save(store, stream, err);
}

bool stream_is_ready(const struct stream *stream)
{
	return stream->run == RUN_READY || stream->run == RUN_REBUILD_READY;
}

/* In a transaction of its own: a stop in the middle of it leaves what was stored, and the next run begins with it. */
int streams_publish(struct run *run, struct err *err)
{
	struct sync *sync = run->sync;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < run->count; i++) {
		struct conversation *conversation = &run->conversations[i];
		if (!stream_is_ready(&conversation->stream))
			continue;
		run_work(run);
		rc = batch_begin(&sync->batch, err);
		if (rc == 0)
			rc = publish(run, conversation, err);
	}
	if (rc == 0)
		rc = batch_commit(&sync->batch, err);
	batch_rollback(&sync->batch);
	return rc;
}

bool streams_are_whole(const struct run *run)
{
	for (size_t i = 0; i < run->sync->streams; i++)
		if (!run->conversations[i].stream.listed)
			return false;
	return true;
}
