/* What the answer to a request brings: its head is judged, and its body taken, piece by piece. */
#include "assets/download.h"
#include "assets/url.h"
#include "util/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_BODY_MAX (64 << 10) /* of an answer without bytes for us: read to its end, to keep the connection */

/* --- heads -------------------------------------------------------------------------------------------------------- */

static enum fetch_end end_with(struct fetch *fetch, enum fetch_end end, const char *why)
{
	err_set(&fetch->why, 0, "%s", why);
	return end;
}

/* Somebody's error page. What is as long as the record says is the asset, whatever it is called. */
static bool is_something_else(const struct asset *asset, const struct http_answer *head, int64_t total)
{
	int64_t expected = asset->belief.known.size >= 0 ? asset->belief.known.size : asset->belief.claimed;
	return media_is_page(head->content_type, slice_of(asset->media_type)) && (expected < 0 || total != expected);
}

static enum fetch_end refuse_page(struct fetch *fetch, const struct http_answer *head)
{
	err_set(&fetch->why, 0, "its server sends something else (%s, where %s was expected)", head->content_type,
		fetch->asset->media_type);
	return FETCH_HOPELESS;
}

static bool has_other_stream(const struct fetch *fetch)
{
	const struct asset *asset = fetch->asset;
	for (int i = 0; i < FETCHES_MAX; i++) {
		const struct fetch *other = &asset->fetches[i];
		if (other != fetch && other->active && !other->dropped && other->stream)
			return true;
	}
	return false;
}

/* From here on the body is taken. What was asked for without a range, for want of a size, is taken as far as a reader needs
 * who has just begun; unless there is nothing but the whole to be had. */
static enum fetch_end begin_taking(struct fetch *fetch, const struct judgement *judgement)
{
	struct asset *asset = fetch->asset;
	int64_t size = asset->belief.known.size;
	fetch->at = judgement->begin;
	fetch->body_end = judgement->end;
	fetch->stop = judgement->end;
	if (fetch->asked.end > 0 && !judgement->whole && fetch->stop > fetch->asked.end)
		fetch->stop = fetch->asked.end;
	if (fetch->whole && !asset->no_ranges && size > WINDOW_MIN && fetch->stop == size &&
	    !asset_has_wait(asset, WAIT_WHOLE)) {
		fetch->stop = WINDOW_MIN;
		asset_set_window(asset, (struct range){0, WINDOW_MIN});
	}
	if (fetch->question && fetch->stop > fetch->at + WINDOW_MIN)
		fetch->stop = fetch->at + WINDOW_MIN;
	fetch->question = false;
	fetch->covers = (struct range){fetch->at, fetch->stop >= 0 ? fetch->stop : size};
	fetch->stream = fetch->at == 0 && (fetch->stop < 0 || fetch->stop == size);
	fetch->piece = malloc(PIECE_BYTES);
	if (!fetch->piece)
		return end_with(fetch, FETCH_LATER, "out of memory");
	fetch->taking = true;
	return FETCH_AS_IT_ENDS;
}

/* Where the answer to a range is everything: because it always is, or because If-Range is not understood. */
static enum fetch_end take_stream(struct fetch *fetch, const struct judgement *judgement)
{
	struct asset *asset = fetch->asset;
	if (fetch->if_range) {
		asset->no_if_range = true;
		return end_with(fetch, FETCH_AGAIN, "its server takes one tag for two");
	}
	asset->no_ranges = true;
	asset->whole_only = true;
	return has_other_stream(fetch) ? FETCH_ENOUGH : begin_taking(fetch, judgement);
}

static enum fetch_end begin_measuring(struct fetch *fetch)
{
	fetch->measuring = true;
	fetch->covers = (struct range){0, INT64_MAX};
	return FETCH_AS_IT_ENDS;
}

static enum fetch_end take(struct fetch *fetch, const struct http_answer *head, const struct judgement *judgement)
{
	struct asset *asset = fetch->asset;
	int64_t total = judgement->total;
	if (total < 0 && head->status == 206) {
		total = asset->belief.known.size;
		if (total < judgement->end) {
			asset->no_ranges = true;
			asset->whole_only |= fetch->question;
			return end_with(fetch, FETCH_AGAIN, "its server does not know its size");
		}
	}
	if (is_something_else(asset, head, total >= 0 ? total : asset->belief.known.size))
		return refuse_page(fetch, head);
	if (total < 0 && asset->belief.known.size < 0)
		return begin_measuring(fetch);
	if (total < 0) /* until its end tells */
		total = asset->belief.known.size;
	if (asset_hear(asset, total, fetch->etag, true, head->status == 206) == HEARD_DOUBT)
		return end_with(fetch, FETCH_AGAIN,
				"its server contradicts itself, or the record, about its size or tag");
	if (fetch->dropped || judgement->begin % PIECE_BYTES != 0)
		return FETCH_ENOUGH;
	return judgement->whole ? take_stream(fetch, judgement) : begin_taking(fetch, judgement);
}

static enum fetch_end learn_end(struct fetch *fetch, int64_t total)
{
	struct asset *asset = fetch->asset;
	if (total < 0 && fetch->question && fetch->asked.begin == asset->belief.doubted.size)
		total = fetch->asked.begin;
	if (total < 0 || total > fetch->asked.begin) {
		asset->no_ranges = true;
		asset->whole_only = true;
		return end_with(fetch, FETCH_AGAIN, "its server refuses a range within it (HTTP 416)");
	}
	if (asset_hear(asset, total, "", true, true) == HEARD_DOUBT)
		return end_with(fetch, FETCH_AGAIN, "its server contradicts itself, or the record, about its size");
	return FETCH_ENOUGH;
}

static enum fetch_end note_redirect(struct fetch *fetch, const struct http_answer *head)
{
	fetch->next_url = strdup(buf_text(&head->location));
	return fetch->next_url ? FETCH_REDIRECTED : end_with(fetch, FETCH_LATER, "out of memory");
}

static void heed_retry_after(struct fetch *fetch, const struct http_answer *head)
{
	if ((head->status != 429 && head->status != 503) || head->retry_after_ms < 0)
		return;
	fetch->retry_after_ms = head->retry_after_ms < RETRY_AFTER_MAX_MS ? head->retry_after_ms : RETRY_AFTER_MAX_MS;
	host_leave_alone(fetch->asset->assets, fetch->url, clock_monotonic_ms() + fetch->retry_after_ms);
}

/* A question may be answered with nonsense because the length that it asks about is wrong. It is of no use only where the
 * answers do not even say which bytes they are. */
static void note_nonsense(struct fetch *fetch, const struct http_answer *head)
{
	struct asset *asset = fetch->asset;
	if ((fetch->question && head->content_range[0]) || ++asset->nonsense < NONSENSE_MAX)
		return;
	asset->no_ranges |= !fetch->question;
	asset->whole_only |= fetch->question;
}

/* Where there is no entity tag, the time of the last change says at least when there was one. It begins with no quote, so
 * that it is taken for a weak tag. */
static const char *tag_of(const struct http_answer *head)
{
	return head->etag[0] ? head->etag : head->last_modified;
}

static enum fetch_end judge(struct fetch *fetch, const struct http_answer *head)
{
	const struct assets *assets = fetch->asset->assets;
	enum token_use token = !assets->config.token                           ? TOKEN_NONE
			       : asset_url_is_own(&assets->config, fetch->url) ? TOKEN_SENT
									       : TOKEN_WITHHELD;
	struct judgement judgement = judge_head(head, fetch->whole ? NULL : &fetch->asked, token, &fetch->why);
	fetch->sure = !head->ends_by_close;
	fetch->sized = head->length >= 0;
	snprintf(fetch->etag, sizeof(fetch->etag), "%s", tag_of(head));
	heed_retry_after(fetch, head);
	if (judgement.nonsense && !fetch->whole)
		note_nonsense(fetch, head);
	switch (judgement.verdict) {
	case VERDICT_BYTES:
		return take(fetch, head, &judgement);
	case VERDICT_BEYOND:
		return learn_end(fetch, judgement.total);
	case VERDICT_REDIRECT:
		return note_redirect(fetch, head);
	case VERDICT_RETRY:
		return FETCH_LATER;
	case VERDICT_FAIL:
		break;
	}
	return FETCH_HOPELESS;
}

static int on_head(void *owner, const struct http_answer *head)
{
	struct fetch *fetch = owner;
	if (fetch->dropped)
		return -ECANCELED;
	fetch->heard_at = clock_monotonic_ms();
	fetch->end = judge(fetch, head);
	http_wake(fetch->asset->assets->http);
	if (fetch->end == FETCH_AS_IT_ENDS || (head->length >= 0 && head->length <= IDLE_BODY_MAX))
		return 0;
	return -ECANCELED;
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

static void note_bytes(struct fetch *fetch, size_t len)
{
	struct asset *asset = fetch->asset;
	fetch->heard_at = clock_monotonic_ms();
	if (asset->failures < FAILURES_HOPED)
		asset->heard_at = asset->assets->heard_at = fetch->heard_at;
	asset->told = false;
	assets_lock(asset->assets);
	asset->assets->counts.fetched_bytes += len;
	assets_unlock(asset->assets);
}

/* What is larger than memory should hold is only counted, and asked for again once its size is known. */
static int measure(struct fetch *fetch, struct slice bytes)
{
	int64_t claimed = fetch->asset->belief.claimed;
	fetch->at += (int64_t)bytes.len;
	if (fetch->at > WINDOW_MAX || buf_append(&fetch->gathered, bytes.at, bytes.len) < 0)
		buf_finish(&fetch->gathered);
	if (fetch->at <= MEASURED_MAX || fetch->at / 2 <= claimed)
		return 0;
	fetch->end =
		end_with(fetch, FETCH_HOPELESS, "its server does not say how large it is, and does not come to an end");
	return -ECANCELED;
}

static void store_piece(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	int64_t piece = (fetch->at - 1) / PIECE_BYTES;
	fetch->stored |= asset_store(asset, piece, fetch->piece, (size_t)(fetch->at - piece * PIECE_BYTES));
	http_wake(asset->assets->http);
}

/* Takes what belongs to the piece under way. Returns how much that is. */
static size_t take_some(struct fetch *fetch, struct slice bytes)
{
	int64_t piece = fetch->at / PIECE_BYTES;
	int64_t end = piece * PIECE_BYTES + piece_len(piece, fetch->asset->belief.known.size);
	int64_t len = end - fetch->at;
	if (fetch->stop >= 0 && len > fetch->stop - fetch->at)
		len = fetch->stop - fetch->at;
	if (len > (int64_t)bytes.len)
		len = (int64_t)bytes.len;
	memcpy(fetch->piece + fetch->at % PIECE_BYTES, bytes.at, (size_t)len);
	fetch->at += len;
	if (fetch->at == end)
		store_piece(fetch);
	return (size_t)len;
}

static int take_bytes(struct fetch *fetch, struct slice bytes)
{
	while (bytes.len > 0 && !fetch->dropped && fetch->at != fetch->stop) {
		if (fetch->at >= fetch->asset->belief.known.size) { /* longer than it should be: how much? */
			fetch->taking = false;
			fetch->measuring = true;
			buf_finish(&fetch->gathered);
			return measure(fetch, bytes);
		}
		size_t len = take_some(fetch, bytes);
		bytes = slice_make(bytes.at + len, bytes.len - len);
	}
	if (fetch->dropped)
		return -ECANCELED;
	if (fetch->at != fetch->stop || (fetch->stop == fetch->body_end && fetch->sized))
		return 0;
	fetch->end = FETCH_ENOUGH;
	return -ECANCELED;
}

static int on_body(void *owner, struct slice bytes)
{
	struct fetch *fetch = owner;
	struct asset *asset = fetch->asset;
	if (fetch->dropped)
		return -ECANCELED;
	if (!fetch->taking && !fetch->measuring)
		return 0;
	if (fetch->stream && asset->uncached && kept_is_far_ahead(asset, fetch->at)) {
		fetch->paused = true;
		return -EAGAIN;
	}
	note_bytes(fetch, bytes.len);
	if (fetch->taking)
		return take_bytes(fetch, bytes);
	return measure(fetch, bytes);
}

const struct http_sink fetch_sink = {.head = on_head, .body = on_body};
