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

static void clear_mark(struct page_mark *mark)
{
	free(mark->token);
	free(mark->first);
	*mark = (struct page_mark){0};
}

void conversation_finish(struct conversation *conversation)
{
	conversation_drop_pending(conversation);
	stream_finish(&conversation->stream);
	clear_mark(&conversation->mark);
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

static struct slice first_of(const struct page *page)
{
	return page->count > 0 ? page->items[0].source : (struct slice){0};
}

static bool begins_alike(const struct page_mark *mark, const struct page *page)
{
	return mark->first && page->count > 0 && slice_eq(slice_make(mark->first, mark->first_len), first_of(page));
}

static int set_mark(struct page_mark *mark, const struct page *page)
{
	const struct slice source = first_of(page);
	char *token = strdup(page->token);
	char *first = source.len > 0 ? strndup(source.at, source.len) : NULL;
	if (!token || (source.len > 0 && !first)) {
		free(token);
		free(first);
		return -ENOMEM;
	}
	const struct page_mark set = {
		.token = token,
		.first = first,
		.first_len = source.len,
		.repeats = begins_alike(mark, page) ? mark->repeats : 0,
		.limit = mark->limit ? mark->limit * 2 : 1,
		.empty = mark->empty,
	};
	clear_mark(mark);
	*mark = set;
	return 0;
}

/* A page that is one too many is not counted: another answer may come in its place. */
static bool repeats(struct page_mark *mark, const struct page *page)
{
	bool alike = begins_alike(mark, page);
	if ((alike && mark->repeats == LISTING_REPEATS_MAX) || (page->count == 0 && mark->empty == LISTING_EMPTY_MAX))
		return true;
	mark->repeats += alike;
	mark->empty = page->count == 0 ? mark->empty + 1 : 0;
	return false;
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
	if (repeats(mark, page))
		return 1;
	return mark->token && ++mark->steps < mark->limit ? 0 : set_mark(mark, page);
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
	stream->listed |= stream->run == RUN_FIRST;
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
