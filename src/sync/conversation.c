/*
 * Where a conversation goes, page by page:
 *
 *   RUN_FIRST -> (end) -> RUN_DELTA -> (end) -> RUN_READY             the first run, with the news since it began
 *   RUN_FIRST -> RUN_SEED -> (end) -> RUN_PARTS -> (all listed) -> RUN_DELTA -> ...       the same in parts: split.c
 *   RUN_NONE -> RUN_DELTA -> (end) -> RUN_READY                       every later one
 *   any, when its token is refused for good -> RUN_REBUILD -> (end) -> RUN_REBUILD_DELTA -> (end) -> RUN_REBUILD_READY
 *   RUN_REBUILD_DELTA, when that token is refused as well -> RUN_REBUILD_READY                 the news come with the next run
 *   RUN_READY, RUN_REBUILD_READY -> (made visible) -> RUN_NONE
 *   RUN_REBUILD -> (its content type is unknown) -> RUN_GONE -> (it is there again) -> RUN_FIRST
 *
 * Nothing here touches the store or the network.
 */
#include "sync/conversation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void conversation_finish(struct conversation *conversation)
{
	conversation_drop_pending(conversation);
	stream_finish(&conversation->stream);
	free(conversation->mark.token);
	*conversation = (struct conversation){0};
}

void conversation_drop_pending(struct conversation *conversation)
{
	page_finish(&conversation->pending.page);
	conversation->pending = (struct pending_page)PENDING_PAGE_NONE;
}

int conversation_owner(const struct conversation *conversation)
{
	const struct stream *stream = &conversation->stream;
	return stream->part_of ? stream->part_of : stream->id;
}

struct sync_query conversation_query(const struct conversation *conversation, const char *start_from, const char *types)
{
	const struct stream *stream = &conversation->stream;
	struct sync_query query = {
		.content_type = stream->content_type,
		.locale = stream->locale,
		.start_from = conversation->seed.tries ? conversation->seed.from : start_from,
		.types = stream->types ? stream->types : types,
	};
	if (stream->page_token) {
		query.mode = SYNC_PAGE;
		query.token = stream->page_token;
	} else if (stream->run == RUN_DELTA || stream->run == RUN_REBUILD_DELTA) {
		query.mode = SYNC_DELTA;
		query.token = stream->sync_token;
	}
	return query;
}

bool conversation_shows(const struct conversation *conversation, const struct page *page, bool alone)
{
	const struct stream *stream = &conversation->stream;
	if (stream->run == RUN_FIRST || stream->run == RUN_SEED)
		return true;
	return alone && stream->run == RUN_DELTA && !conversation->staged && !page->more;
}

bool conversation_is_empty_delta(const struct conversation *conversation, const struct page *page)
{
	const struct stream *stream = &conversation->stream;
	return stream->run == RUN_DELTA && !stream->page_token && page->count == 0 && !page->more &&
	       strcmp(page->token, stream->sync_token) == 0;
}

static uint64_t digest_of(const struct page *page)
{
	uint64_t digest = 0;
	for (size_t i = 0; i < page->count; i++)
		digest = XXH3_64bits_withSeed(page->items[i].source.at, page->items[i].source.len, digest);
	return digest;
}

static int set_mark(struct page_mark *mark, const char *token, uint64_t digest)
{
	char *copy = strdup(token);
	if (!copy)
		return -ENOMEM;
	free(mark->token);
	mark->token = copy;
	mark->repeats = digest == mark->digest ? mark->repeats : 0;
	mark->digest = digest;
	mark->steps = 0;
	mark->limit = mark->limit ? mark->limit * 2 : 1;
	return 0;
}

static void clear_mark(struct page_mark *mark)
{
	free(mark->token);
	*mark = (struct page_mark){0};
}

static bool repeats(struct page_mark *mark, const struct page *page, uint64_t digest)
{
	mark->empty = page->count == 0 ? mark->empty + 1 : 0;
	mark->repeats += mark->token && page->count > 0 && digest == mark->digest;
	return mark->repeats > LISTING_REPEATS_MAX || mark->empty > LISTING_EMPTY_MAX;
}

int conversation_circles(struct conversation *conversation, const struct page *page)
{
	struct page_mark *mark = &conversation->mark;
	const char *sent = conversation->stream.page_token;
	if (!page->more || conversation->seed.tries) { /* each try for a seed is a listing of its own */
		clear_mark(mark);
		return 0;
	}
	if (sent && strcmp(page->token, sent) == 0)
		return 1;
	if (mark->token && strcmp(page->token, mark->token) == 0)
		return 1;
	uint64_t digest = digest_of(page);
	if (repeats(mark, page, digest))
		return 1;
	return mark->token && ++mark->steps < mark->limit ? 0 : set_mark(mark, page->token, digest);
}

static void replace_token(char **field, char *token)
{
	free(*field);
	*field = token;
}

static enum stream_run run_after(const struct stream *stream)
{
	switch (stream->run) {
	case RUN_FIRST:
		return stream->part_of ? RUN_NONE : RUN_DELTA;
	case RUN_SEED:
		return RUN_PARTS;
	case RUN_REBUILD:
		return RUN_REBUILD_DELTA;
	case RUN_REBUILD_DELTA:
		return RUN_REBUILD_READY;
	default:
		return RUN_READY;
	}
}

void conversation_advance(struct conversation *conversation, struct page *page)
{
	struct stream *stream = &conversation->stream;
	stream->pages++;
	stream->items += page->count;
	int64_t left = page->total < 0 ? 0 : page->total - (int64_t)stream->items;
	conversation->left = left > 0 ? left : 0;
	replace_token(&stream->page_token, NULL);
	replace_token(page->more ? &stream->page_token : &stream->sync_token, page->token);
	page->token = NULL;
	if (stream->part_of)
		stream->total = page->total;
	if (page->more)
		return;
	stream->run = run_after(stream);
	conversation->left = INT64_MAX;
}

void conversation_restart(struct conversation *conversation, enum stream_run run)
{
	struct stream *stream = &conversation->stream;
	replace_token(&stream->page_token, NULL);
	clear_mark(&conversation->mark);
	stream->run = run;
	stream->pages = 0;
	stream->items = 0;
	conversation->seed = (struct seed){0};
	conversation->failures = (struct failures){0};
	conversation->left = INT64_MAX;
	conversation->stale = false;
	conversation->staged &= run != RUN_REBUILD;
}
