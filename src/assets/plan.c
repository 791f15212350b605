/* Which requests are due: every asset that somebody waits for gets what its waits need, and what is ahead of them. */
#include "assets/download.h"
#include "http/url.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void come_back(int64_t *next, int64_t at)
{
	if (at < *next)
		*next = at;
}

/* --- hosts that asked to be left alone ---------------------------------------------------------------------------- */

static bool origin_of(const char *text, char *origin, size_t size)
{
	CLEANUP(url_finish) struct url url = {0};
	return url_look(text, &url, NULL) == 0 && snprintf(origin, size, "%s", url.origin) < (int)size;
}

int64_t host_free_at(const struct assets *assets, const char *url, int64_t now)
{
	char origin[sizeof(assets->hosts[0].origin)];
	if (!origin_of(url, origin, sizeof(origin)))
		return now;
	for (int i = 0; i < HOSTS_MAX; i++)
		if (assets->hosts[i].until > now && strcmp(assets->hosts[i].origin, origin) == 0)
			return assets->hosts[i].until;
	return now;
}

/* The place of a host is reused once it may be asked again; or that of the one that may soonest. */
void host_leave_alone(struct assets *assets, const char *url, int64_t until)
{
	char origin[sizeof(assets->hosts[0].origin)];
	struct host *place = &assets->hosts[0];
	if (!origin_of(url, origin, sizeof(origin)))
		return;
	for (int i = 0; i < HOSTS_MAX; i++) {
		struct host *host = &assets->hosts[i];
		if (strcmp(host->origin, origin) == 0) {
			place = host;
			break;
		}
		if (host->until < place->until)
			place = host;
	}
	memcpy(place->origin, origin, sizeof(origin));
	place->until = until;
}

/* --- one asset ---------------------------------------------------------------------------------------------------- */

static struct fetch *free_fetch(struct asset *asset, int most)
{
	struct fetch *fetch = NULL;
	for (int i = 0; i < FETCHES_MAX; i++) {
		most -= asset->fetches[i].active;
		if (!asset->fetches[i].active)
			fetch = &asset->fetches[i];
	}
	return most > 0 ? fetch : NULL;
}

static bool is_fetching(const struct asset *asset)
{
	for (int i = 0; i < FETCHES_MAX; i++)
		if (asset->fetches[i].active)
			return true;
	return false;
}

/* Whose answer, if it is as it should be, brings the byte. */
static const struct fetch *fetch_for(const struct asset *asset, int64_t at)
{
	for (int i = 0; i < FETCHES_MAX; i++) {
		const struct fetch *fetch = &asset->fetches[i];
		if (!fetch->active || fetch->dropped || fetch->question)
			continue;
		if (at >= fetch->covers.begin && at < fetch->covers.end &&
		    (!fetch->taking || at >= piece_begin(fetch->at)))
			return fetch;
	}
	return NULL;
}

static struct range window_of(struct asset *asset)
{
	assets_lock(asset->assets);
	struct range window = asset->known->window;
	assets_unlock(asset->assets);
	return window;
}

static bool has_piece(struct asset *asset, int64_t piece)
{
	size_t len = (size_t)piece_len(piece, asset->belief.known.size);
	return kept_has(asset, piece) || (asset->object && object_has(asset->object, piece * PIECE_BYTES, len, NULL));
}

/* With the piece before it, which is there unless the reader has jumped, and the one behind it, if that is there. */
static struct range with_neighbours(struct asset *asset, struct range needed)
{
	int64_t size = asset->belief.known.size;
	if (needed.begin > 0)
		needed.begin -= PIECE_BYTES;
	if (needed.end < size && has_piece(asset, needed.end / PIECE_BYTES))
		needed.end += piece_len(needed.end / PIECE_BYTES, size);
	return needed;
}

/* Nobody knows yet how large it is, or nothing of it is there any more. */
static void ask_first(struct asset *asset)
{
	const struct belief *belief = &asset->belief;
	const struct wait *wait = asset->waits;
	int64_t claimed = belief->claimed;
	if (is_fetching(asset))
		return;
	if (belief->doubted.size >= 0 && !asset->whole_only) {
		struct range question = belief_question(belief);
		fetch_begin(asset, &asset->fetches[0], &question, true);
		return;
	}
	if (belief->doubted.size >= 0 || claimed <= WINDOW_MIN || asset->no_ranges) {
		fetch_begin(asset, &asset->fetches[0], NULL, false);
		return;
	}
	int64_t begin = piece_begin(wait->offset < claimed ? wait->offset : claimed - 1);
	int64_t max = wait->kind == WAIT_WHOLE ? WINDOW_MAX : WINDOW_MIN;
	struct range window = range_window(window_of(asset), begin, begin + max, claimed, max);
	asset_set_window(asset, window);
	if (belief->known.size >= 0 && asset_is_vague(asset))
		window = with_neighbours(asset, window);
	fetch_begin(asset, &asset->fetches[0], &window, false);
}

/* Cuts the window before what is there, or under way. */
static struct range needed_of(struct asset *asset, struct range window)
{
	int64_t size = asset->belief.known.size;
	int64_t at = window.begin;
	while (at < window.end) {
		size_t len = (size_t)piece_len(at / PIECE_BYTES, size);
		if (at > window.begin &&
		    (fetch_for(asset, at) || (asset->object && object_has(asset->object, at, len, NULL))))
			break;
		at += PIECE_BYTES;
	}
	return (struct range){window.begin, at < window.end ? at : window.end};
}

/* How many requests may be under way. Of one that is vague, bytes are there already when those beside them come, and are asked
 * for once more: what they are then tells whether all of them belong together (asset_store). */
static int fetches_for(const struct asset *asset, enum wait_kind kind)
{
	if (asset_is_vague(asset))
		return 1;
	return kind == WAIT_READ ? FETCHES_MAX : FETCHES_MAX - 1;
}

static void ask_range(struct asset *asset, const struct wait *wait, struct fetch *fetch, int64_t missing)
{
	int64_t size = asset->belief.known.size;
	int64_t max = asset->uncached ? WINDOW_MIN : WINDOW_MAX;
	int64_t wanted = wait->kind == WAIT_WHOLE ? size : wait->offset + (int64_t)wait->size;
	struct range window = range_window(window_of(asset), piece_begin(missing), wanted, size, max);
	if (wait->kind == WAIT_AHEAD)
		window.end = wanted; /* it is the reader's window already */
	else
		asset_set_window(asset, window);
	struct range needed = needed_of(asset, window);
	if (asset_is_vague(asset))
		needed = with_neighbours(asset, needed);
	fetch_begin(asset, fetch, &needed, false);
}

static void give_up_stream(struct asset *asset)
{
	struct err err = {0};
	err_set(&err, 0,
		"its server sends it only as a whole, and the cache has no room for it, so that it can only be read "
		"from its beginning to its end: a larger cache (--cache-size) would help");
	asset_fail(asset, &err);
}

/* There is only the whole to be had: it comes from its beginning, or has come so far that the bytes have passed. */
static void ask_whole(struct asset *asset, int64_t missing)
{
	if (fetch_for(asset, missing))
		return;
	if (is_fetching(asset)) { /* a window that came before this was known, or a stream that has passed */
		bool passed = false;
		for (int i = 0; i < FETCHES_MAX; i++)
			passed |= asset->fetches[i].taking && asset->fetches[i].at > missing &&
				  !asset->fetches[i].dropped;
		if (!passed)
			return;
		asset_drop_fetches(asset);
		http_wake(asset->assets->http); /* one that is paused brings nothing that would */
		if (asset->restarts++ < RESTARTS_MAX)
			return;
		give_up_stream(asset);
		return;
	}
	fetch_begin(asset, &asset->fetches[0], NULL, false);
}

/* Begins at most one request. False if nothing more is to be done. While others wait for their turn, one at a time is
 * enough. */
static bool ask_for_wait(struct asset *asset, struct wait *wait)
{
	int64_t missing = asset_missing(asset, wait);
	if (missing < 0)
		return false;
	if (asset->no_ranges) {
		bool stream = fetch_for(asset, missing) != NULL;
		if (!stream)
			ask_whole(asset, missing);
		return !stream;
	}
	struct fetch *fetch = free_fetch(asset, fetches_for(asset, wait->kind));
	if (fetch_for(asset, missing) || !fetch || (asset->assets->crowded && is_fetching(asset)))
		return false;
	ask_range(asset, wait, fetch, missing);
	return true;
}

/* A request may be answered while it is sent, and waits with it: each one ends the walk. */
static bool ask_once(struct asset *asset, bool ahead)
{
	for (struct wait *wait = asset->waits; wait; wait = wait->sibling)
		if ((wait->kind == WAIT_AHEAD) == ahead && ask_for_wait(asset, wait))
			return true;
	return false;
}

/* The limit is for a request that ends at once. */
static void ask(struct asset *asset)
{
	for (int i = 0; i < FETCHES_MAX && asset->not_before <= clock_monotonic_ms(); i++)
		if ((!ask_once(asset, false) && !ask_once(asset, true)) || asset->no_ranges)
			return;
}

static void plan_asset(struct asset *asset, int64_t now)
{
	if (!asset->waits || asset->not_before > now)
		return;
	if (asset->belief.known.size < 0 || (!asset->object && !asset->uncached))
		ask_first(asset);
	else
		ask(asset);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* A connection that hangs is given up while there is time for another; one that hangs as well may have all that is left, for
 * a server that is slow. */
static int64_t stalled_at(const struct fetch *fetch)
{
	const struct asset *asset = fetch->asset;
	int64_t patience = asset->assets->config.patience_ms;
	int64_t limit = asset->failures == 0 ? patience / 3 : patience;
	return fetch->paused ? INT64_MAX : fetch->heard_at + (limit > 1000 ? limit : 1000);
}

static void end_stalled(struct fetch *fetch)
{
	struct asset *asset = fetch->asset;
	struct err err = {0};
	err_set(&err, 0, "its server does not answer");
	fetch_drop(fetch);
	asset_retry(asset, &err, -1);
}

static void tend_fetches(struct asset *asset, int64_t now)
{
	for (int i = 0; i < FETCHES_MAX; i++) {
		struct fetch *fetch = &asset->fetches[i];
		if (!fetch->active)
			continue;
		if (fetch->dropped)
			fetch_drop(fetch);
		else if (stalled_at(fetch) <= now)
			end_stalled(fetch);
	}
}

static void resume(struct asset *asset, int64_t now)
{
	for (int i = 0; i < FETCHES_MAX; i++) {
		struct fetch *fetch = &asset->fetches[i];
		if (!fetch->active || !fetch->paused || kept_is_far_ahead(asset, fetch->at))
			continue;
		fetch->paused = false;
		fetch->heard_at = now;
		http_resume(fetch->call);
	}
}

/* What is in memory only is held a while for who reads on, for some assets. */
static bool is_over(struct asset *asset, int64_t now, unsigned *held, int64_t *next)
{
	if (asset->waits)
		return false;
	if (!asset->uncached)
		return !is_fetching(asset);
	if (++*held > HELD_MAX)
		return true;
	come_back(next, asset->used_at + OPEN_MS);
	return asset->used_at + OPEN_MS <= now;
}

static bool is_before(const struct asset *a, const struct asset *b)
{
	return a->failures != b->failures ? a->failures < b->failures : a->number < b->number;
}

/* Its turn could come in this round. */
static bool is_ready(const struct asset *asset, int64_t now)
{
	return asset->planned != asset->assets->round && asset->waits && asset->not_before <= now;
}

/* From when on nobody else need wait for it. */
static int64_t silent_at(const struct asset *asset)
{
	int64_t heard_at = 0;
	for (int i = 0; i < FETCHES_MAX; i++)
		if (asset->fetches[i].active && asset->fetches[i].heard_at > heard_at)
			heard_at = asset->fetches[i].heard_at;
	return heard_at + SILENT_MS;
}

struct under_way {
	unsigned all;
	unsigned lively;
};

/* The next asset that has no request under way and is not planned yet. */
static struct asset *next_idle(struct assets *assets, int64_t now, struct under_way *under_way)
{
	struct asset *best = NULL;
	*under_way = (struct under_way){0};
	for (struct asset *asset = assets->in_use; asset; asset = asset->next) {
		bool fetching = is_fetching(asset);
		under_way->all += fetching;
		under_way->lively += fetching && silent_at(asset) > now;
		if (!fetching && is_ready(asset, now) && (!best || is_before(asset, best)))
			best = asset;
	}
	return best;
}

static void note_queue(struct assets *assets, int64_t now)
{
	assets->crowded = false;
	for (struct asset *asset = assets->in_use; asset; asset = asset->next) {
		bool ready = is_ready(asset, now);
		asset->queued = ready && asset->failures < FAILURES_HOPED;
		assets->crowded |= ready;
	}
}

static void plan_idle(struct assets *assets, int64_t now)
{
	struct under_way under_way;
	struct asset *asset;
	while ((asset = next_idle(assets, now, &under_way)) && under_way.lively < DOWNLOADS_MAX &&
	       under_way.all < HANGING_MAX) {
		asset->planned = assets->round;
		if (asset->queued && asset->heard_at < assets->heard_at)
			asset->heard_at = assets->heard_at;
		plan_asset(asset, now);
	}
	note_queue(assets, now);
	assets_lock(assets);
	assets->counts.downloads = under_way.all;
	assets_unlock(assets);
}

/* When there will be something to do for it, whether anything comes or not. */
static void plan_return(const struct asset *asset, int64_t now, int64_t *next)
{
	if (asset->waits && asset->not_before > now)
		come_back(next, asset->not_before);
	if (asset->assets->crowded && is_fetching(asset) && silent_at(asset) > now)
		come_back(next, silent_at(asset));
	for (int i = 0; i < FETCHES_MAX; i++)
		if (asset->fetches[i].active)
			come_back(next, stalled_at(&asset->fetches[i]));
}

void plan(struct assets *assets, int64_t now, int64_t *next)
{
	struct asset *following;
	unsigned held = 0;
	assets->round++;
	for (struct asset *asset = assets->in_use; asset; asset = following) {
		following = asset->next;
		tend_fetches(asset, now);
		asset_expire(asset, now, next);
		if (is_over(asset, now, &held, next)) {
			asset_destroy(asset, -ECANCELED);
			continue;
		}
		asset->planned = is_fetching(asset) ? assets->round : 0;
		if (asset->planned) {
			asset->number = ++assets->numbers;
			plan_asset(asset, now);
		}
		resume(asset, now);
	}
	plan_idle(assets, now);
	for (struct asset *asset = assets->in_use; asset; asset = asset->next)
		plan_return(asset, now, next);
}
