/* One request for an asset, with the redirects that it leads to, and what it came to in the end. */
#include "assets/download.h"
#include "assets/url.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fetch_clear(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	secret_wipe(fetch->url); /* either may have the token in its query */
	secret_wipe(fetch->next_url);
	free(fetch->piece);
	buf_finish(&fetch->gathered);
	*fetch = (struct fetch){.asset = asset};
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

/* "Range: bytes=0-499" and, if the bytes must be of the same asset as before, its tag. */
static void write_headers(struct fetch *fetch, char *range, size_t range_size, char *tag, size_t tag_size)
{
	const struct asset *asset = fetch->asset;
	const struct belief *belief = &asset->belief;
	int len = snprintf(range, range_size, "Range: bytes=%lld-", (long long)fetch->asked.begin);
	if (fetch->asked.end > 0)
		snprintf(range + len, range_size - (size_t)len, "%lld", (long long)fetch->asked.end - 1);
	fetch->if_range = belief->known.size >= 0 && belief->doubted.size < 0 && !asset->no_if_range &&
			  tag_is_strong(belief->known.etag) && !strpbrk(belief->known.etag, "\r\n");
	if (fetch->if_range)
		snprintf(tag, tag_size, "If-Range: %s", belief->known.etag);
}

/* Sends the request to fetch->url. */
static void send_request(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	char range[80];
	char tag[ETAG_MAX + 16] = "";
	struct err err = {0};
	const char *headers[3] = {NULL};
	if (!fetch->whole) {
		write_headers(fetch, range, sizeof(range), tag, sizeof(tag));
		headers[0] = range;
		headers[1] = fetch->if_range ? tag : NULL;
	}
	const struct http_request request = {
		.url = fetch->url,
		.headers = headers,
		.sink = &fetch_sink,
		.stall_ms = asset->assets->config.patience_ms, /* plan.c looks more closely */
		.owner = fetch,
	};
	fetch->active = true;
	fetch->heard_at = clock_monotonic_ms();
	int rc = http_begin(asset->assets->http, &request, &fetch->call, &err);
	if (rc == 0)
		return;
	fetch_clear(fetch);
	if (rc == -EINVAL)
		asset_fail(asset, &err);
	else if (rc != -ECANCELED)
		asset_retry(asset, &err, -1);
}

/* The host has asked, it may be for the sake of another asset, to be left alone. */
static bool is_kept_away(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	int64_t now = clock_monotonic_ms();
	int64_t free_at = host_free_at(asset->assets, fetch->url, now);
	if (free_at <= now)
		return false;
	asset->not_before = free_at;
	if (!asset->why.text[0])
		err_set(&asset->why, 0, "its server asks to come back later");
	http_wake(asset->assets->http); /* some may not have the patience */
	fetch_clear(fetch);
	return true;
}

void fetch_begin(struct asset *asset, struct fetch *fetch, const struct range *range, bool question)
{
	CLEANUP(buf_wipe) struct buf url = BUF_INIT;
	struct err err = {0};
	fetch_clear(fetch);
	fetch->whole = !range;
	fetch->question = question;
	fetch->asked = range ? *range : (struct range){0};
	fetch->covers = range && range->end > 0 ? *range : (struct range){fetch->asked.begin, INT64_MAX};
	fetch->retry_after_ms = -1;
	int rc = asset_url(&asset->assets->config, slice_make(asset->known->url, asset->known->url_len), &url, &err);
	if (rc == 0)
		fetch->url = strdup(buf_text(&url));
	if (rc == -EINVAL)
		asset_fail(asset, &err);
	else if (!fetch->url)
		asset_retry(asset, &err, -1);
	else if (!is_kept_away(fetch))
		send_request(fetch);
}

void fetch_drop(struct fetch *fetch)
{
	CLEANUP(http_answer_finish) struct http_answer answer = HTTP_ANSWER_INIT;
	fetch->dropped = true;
	http_end(fetch->call, &answer, NULL);
	fetch_clear(fetch);
}

/* --- what it came to ---------------------------------------------------------------------------------------------- */

static void follow(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	struct err err = {0};
	int64_t now = clock_monotonic_ms();
	int rc = asset_redirect(&asset->assets->config, fetch->url, fetch->next_url, &err);
	if (rc == 0 && fetch->redirects >= REDIRECTS_MAX)
		rc = err_set(&err, -ELOOP, "it is redirected more than %d times", REDIRECTS_MAX);
	int64_t free_at = rc == 0 ? host_free_at(asset->assets, fetch->next_url, now) : now;
	if (rc < 0) {
		fetch_clear(fetch);
		asset_fail(asset, &err);
		return;
	}
	if (free_at > now) {
		fetch_clear(fetch);
		err_set(&err, 0, "the server it is redirected to asks to come back later");
		asset_retry(asset, &err, free_at - now);
		return;
	}
	secret_wipe(fetch->url);
	fetch->url = fetch->next_url;
	fetch->next_url = NULL;
	fetch->redirects++;
	fetch->end = FETCH_AS_IT_ENDS;
	send_request(fetch);
}

static void cut_short(struct fetch *fetch)
{
	struct err err = {0};
	err_set(&err, 0, "the answer ends too early");
	asset_retry(fetch->asset, &err, fetch->retry_after_ms);
}

static void hear_length(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	struct err err = {0};
	err_set(&err, 0, "its server contradicts itself, or the record, about its size");
	if (asset_hear(asset, fetch->at, fetch->etag, fetch->sure, false) == HEARD_DOUBT)
		asset_retry_now(asset, &err);
}

/* The length that nobody told is known. */
static void end_measuring(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	int64_t total = fetch->at;
	if (!fetch->sure && asset->belief.known.size < 0 && total < asset->belief.claimed) {
		cut_short(fetch);
		return;
	}
	hear_length(fetch);
	if (asset->belief.known.size != total || fetch->gathered.len != (size_t)total)
		return;
	for (int64_t at = 0; at < total && asset->belief.known.size == total; at += PIECE_BYTES)
		asset_store(asset, at / PIECE_BYTES, fetch->gathered.text + at,
			    (size_t)piece_len(at / PIECE_BYTES, total));
}

static void end_taking(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	struct err err = {0};
	if (fetch->body_end < 0 && fetch->sure && fetch->at != asset->belief.known.size) {
		hear_length(fetch);
	} else if (fetch->at < (fetch->body_end >= 0 ? fetch->body_end : asset->belief.known.size)) {
		cut_short(fetch);
	} else if (!fetch->stored && fetch->at < asset->belief.known.size) {
		/* Ranges that never make a piece would be asked for forever. */
		asset->no_ranges |= ++asset->nonsense >= NONSENSE_MAX;
		err_set(&err, 0, "its server sends too little at once");
		asset_retry_now(asset, &err);
	}
}

static void conclude(struct fetch *fetch, int rc, const struct err *err)
{
	struct asset *asset = fetch->asset;
	switch (fetch->end) {
	case FETCH_AS_IT_ENDS:
		if (rc < 0)
			asset_retry(asset, err, -1);
		else if (fetch->measuring)
			end_measuring(fetch);
		else
			end_taking(fetch);
		return;
	case FETCH_ENOUGH:
	case FETCH_REDIRECTED:
		return;
	case FETCH_AGAIN:
		asset_retry_now(asset, &fetch->why);
		return;
	case FETCH_LATER:
		asset_retry(asset, &fetch->why, fetch->retry_after_ms);
		return;
	case FETCH_HOPELESS:
		asset_fail(asset, &fetch->why);
	}
}

void fetch_finish(struct fetch *fetch)
{
	CLEANUP(http_answer_finish) struct http_answer answer = HTTP_ANSWER_INIT;
	struct err err = {0};
	int rc = http_end(fetch->call, &answer, &err);
	fetch->call = NULL;
	fetch->active = false;
	if (!fetch->dropped && fetch->end == FETCH_REDIRECTED) {
		follow(fetch);
		return;
	}
	if (!fetch->dropped)
		conclude(fetch, rc, &err);
	fetch_clear(fetch);
}
