/* An asset that somebody waits for: what it is, where its bytes go, how it fails. */
#include "assets/download.h"
#include "util/backoff.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct backoff retries = {.floor_ms = 50, .base_ms = 250, .ceiling_ms = 4000};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* --- what it is --------------------------------------------------------------------------------------------------- */

void asset_drop_fetches(struct asset *asset)
{
	for (int i = 0; i < FETCHES_MAX; i++)
		asset->fetches[i].dropped = asset->fetches[i].active;
}

/* What came of the old bytes must not meet the new ones. */
static void forget_bytes(struct asset *asset)
{
	kept_clear(asset);
	asset->uncached = false;
	for (int i = 0; i < FETCHES_MAX; i++)
		asset->fetches[i].dropped |= asset->fetches[i].active && asset->fetches[i].taking;
	for (struct wait *wait = asset->waits; wait; wait = wait->sibling) {
		wait->at = wait->offset;
		free(wait->memory);
		free(wait->filled);
		wait->memory = NULL;
		wait->filled = NULL;
	}
}

static void answer_stale(struct asset *asset, int64_t dead)
{
	for (struct wait **at = &asset->waits; *at;) {
		struct wait *wait = *at;
		if (wait->generation > dead) {
			at = &wait->sibling;
			continue;
		}
		*at = wait->sibling;
		wait_fail(asset->assets, wait, -ESTALE);
	}
}

/* The URL names other bytes than it did. If nobody has seen the old ones, nobody needs to know. */
static void become_another(struct asset *asset)
{
	struct assets *assets = asset->assets;
	struct known *known = asset->known;
	forget_bytes(asset);
	assets_lock(assets);
	struct object *object = known_detach(&assets->table, known);
	int64_t dead = known->handed;
	known->handed = -1;
	known->window = (struct range){0};
	memset(known->proofs, 0, sizeof(known->proofs));
	known->last = (struct proof){0};
	if (dead > known->dead)
		known->dead = dead;
	known->told_at = clock_monotonic_ms();
	assets_unlock(assets);
	object_unref(object);
	if (dead < 0)
		return;
	log_debug("%s: the bytes behind its URL have changed", asset->name);
	if (assets->config.changed)
		assets->config.changed(assets->config.context, slice_make(known->url, known->url_len), dead);
	answer_stale(asset, dead);
}

static void let_object_go(struct asset *asset)
{
	if (!asset->object)
		return;
	object_remove(asset->object);
	object_unref(asset->object);
	asset->object = NULL;
}

/* The cache has bytes that are not what was handed out: another mount has seen the change first. */
static void adopt(struct asset *asset, struct object *object)
{
	asset->object = object;
	if (!assets_attach(asset->assets, asset->known, object)) {
		become_another(asset);
		assets_attach(asset->assets, asset->known, object);
	}
	asset->belief.known = known_identity(object);
	asset->belief.doubted.size = -1;
}

static void make_object(struct asset *asset)
{
	struct object *object = NULL;
	const struct identity *known = &asset->belief.known;
	int rc = cache_make(asset->assets->cache, &asset->known->key, known->size, known->etag, &object);
	if (rc < 0) {
		asset_do_without(asset, rc);
		return;
	}
	adopt(asset, object);
}

/* A server that is out of order says the same to all that it is asked for a while. One that understood a range is not. */
static bool is_hasty(struct asset *asset, int64_t total, int64_t now)
{
	int64_t until = asset->doubted_at + least(DOUBT_MS, asset->assets->config.patience_ms / 4);
	if (asset->belief.doubted.size != total || now >= until)
		return false;
	asset->not_before = until;
	return true;
}

enum hearing asset_hear(struct asset *asset, int64_t total, const char *etag, bool sure, bool ranged)
{
	int64_t now = clock_monotonic_ms();
	if (!ranged && is_hasty(asset, total, now))
		return HEARD_DOUBT;
	enum hearing hearing = belief_hear(&asset->belief, total, etag, sure);
	if (hearing == HEARD_DOUBT) {
		asset->doubted_at = now;
		return hearing;
	}
	if (hearing == HEARD_CHANGED) {
		let_object_go(asset);
		become_another(asset);
	}
	if (!asset->object && !asset->uncached)
		make_object(asset);
	asset_answer(asset);
	return hearing;
}

/* --- its life ----------------------------------------------------------------------------------------------------- */

static void find_object(struct asset *asset)
{
	struct assets *assets = asset->assets;
	struct known *known = asset->known;
	assets_lock(assets);
	struct object *object = known->object;
	if (object)
		object_ref(object);
	if (known->handed >= 0)
		asset->belief.known = known->identity;
	assets_unlock(assets);
	if (object || cache_find(assets->cache, &known->key, &object) == 0)
		adopt(asset, object);
}

static void asset_free(struct asset *asset)
{
	for (int i = 0; i < KEPT_MAX; i++)
		free(asset->kept[i].bytes);
	free(asset->name);
	free(asset->media_type);
	free(asset);
}

static struct asset *asset_create(struct assets *assets, const struct wait *wait)
{
	struct asset *asset = calloc(1, sizeof(*asset));
	if (!asset)
		return NULL;
	asset->assets = assets;
	asset->known = wait->known;
	asset->name = strdup(wait->name);
	asset->media_type = strdup(wait->media_type);
	if (!asset->name || !asset->media_type) {
		asset_free(asset);
		return NULL;
	}
	asset->belief = (struct belief){
		.claimed = wait->claimed, .recorded = wait->recorded, .known.size = -1, .doubted.size = -1};
	asset->number = ++assets->numbers;
	for (int i = 0; i < KEPT_MAX; i++)
		asset->kept[i].piece = -1;
	for (int i = 0; i < FETCHES_MAX; i++)
		asset->fetches[i].asset = asset;
	assets_lock(assets);
	asset->known->pins++;
	assets_unlock(assets);
	asset->known->asset = asset;
	asset->next = assets->in_use;
	assets->in_use = asset;
	find_object(asset);
	return asset;
}

static void take_out(struct assets *assets, struct asset *asset)
{
	struct asset **at = &assets->in_use;
	while (*at != asset)
		at = &(*at)->next;
	*at = asset->next;
}

void asset_destroy(struct asset *asset, int rc)
{
	struct assets *assets = asset->assets;
	for (int i = 0; i < FETCHES_MAX; i++)
		if (asset->fetches[i].active)
			fetch_drop(&asset->fetches[i]);
	take_out(assets, asset);
	asset->known->asset = NULL;
	while (asset->waits) {
		struct wait *wait = asset->waits;
		asset->waits = wait->sibling;
		wait_fail(assets, wait, rc);
	}
	object_unref(asset->object);
	assets_lock(assets);
	known_unpin(asset->known);
	assets_unlock(assets);
	asset_free(asset);
}

/* --- who waits ---------------------------------------------------------------------------------------------------- */

/* 0, or with what the wait ends before it begins. */
static int refuse(struct assets *assets, const struct wait *wait)
{
	assets_lock(assets);
	bool stale = wait->generation <= wait->known->dead;
	assets_unlock(assets);
	return stale ? -ESTALE : 0;
}

/* What is to be asked for ahead, behind the window that was asked for last. False if there is no use in it. */
static bool look_ahead(struct assets *assets, struct wait *wait)
{
	const struct asset *asset = wait->known->asset;
	if (asset && (asset->uncached || asset->no_ranges))
		return false;
	assets_lock(assets);
	struct known *known = wait->known;
	struct range before = known->window;
	int64_t size = asset && asset->object ? asset->belief.known.size : wait->claimed;
	bool sensible = known->nudged && before.end > before.begin && before.end < size;
	struct range ahead = range_window(before, before.end, before.end, size, WINDOW_MAX);
	if (sensible) {
		known->window = ahead;
		known->nudged = false;
	}
	assets_unlock(assets);
	wait->offset = ahead.begin;
	wait->size = (size_t)(ahead.end - ahead.begin);
	return sensible;
}

void asset_enter(struct assets *assets, struct wait *wait)
{
	int rc = refuse(assets, wait);
	bool idle = wait->kind == WAIT_AHEAD && !look_ahead(assets, wait);
	struct asset *asset = wait->known->asset;
	if (rc == 0 && !idle && !asset)
		asset = asset_create(assets, wait);
	if (rc < 0 || idle || !asset) {
		wait_fail(assets, wait, rc < 0 ? rc : -ENOMEM);
		return;
	}
	struct wait **last = &asset->waits;
	while (*last)
		last = &(*last)->sibling;
	*last = wait;
	wait->sibling = NULL;
	wait->at = wait->offset;
	asset->used_at = clock_monotonic_ms();
	if (wait->kind == WAIT_READ)
		asset->read_end = wait->offset + (int64_t)wait->size;
	asset_answer(asset);
}

void asset_drop_cancelled(struct asset *asset)
{
	bool was_wanted = asset_is_wanted(asset);
	for (struct wait **at = &asset->waits; *at;) {
		struct wait *wait = *at;
		assets_lock(asset->assets);
		bool cancelled = wait->cancelled;
		assets_unlock(asset->assets);
		if (!cancelled) {
			at = &wait->sibling;
			continue;
		}
		*at = wait->sibling;
		wait_fail(asset->assets, wait, -ECANCELED);
	}
	if (was_wanted && !asset_is_wanted(asset))
		asset_drop_fetches(asset);
}

bool asset_has_wait(const struct asset *asset, enum wait_kind kind)
{
	for (const struct wait *wait = asset->waits; wait; wait = wait->sibling)
		if (wait->kind == kind)
			return true;
	return false;
}

bool asset_is_wanted(const struct asset *asset)
{
	return asset_has_wait(asset, WAIT_READ) || asset_has_wait(asset, WAIT_WHOLE);
}

void asset_set_window(struct asset *asset, struct range window)
{
	assets_lock(asset->assets);
	asset->known->window = window;
	asset->known->nudged = false;
	assets_unlock(asset->assets);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* Where the wait's bytes end. */
static int64_t end_of(const struct asset *asset, const struct wait *wait)
{
	int64_t size = asset->belief.known.size;
	if (wait->kind == WAIT_WHOLE)
		return size;
	int64_t left = wait->offset < size ? size - wait->offset : 0;
	return wait->offset + least(left, (int64_t)least((int64_t)wait->size, INT64_MAX / 2));
}

static int64_t missing_in(struct object *object, struct wait *wait, int64_t end)
{
	int64_t piece = 0;
	if (wait->at >= end || !object)
		return wait->at >= end ? -1 : wait->at;
	if (object_has(object, wait->at, (size_t)(end - wait->at), &piece)) {
		wait->at = end;
		return -1;
	}
	if (piece * PIECE_BYTES > wait->at)
		wait->at = piece * PIECE_BYTES;
	return wait->at;
}

int64_t asset_missing(struct asset *asset, struct wait *wait)
{
	int64_t missing = -1;
	int64_t end = end_of(asset, wait);
	if (asset->uncached && wait->kind == WAIT_READ) /* what memory was lacking for is asked for again */
		return kept_fill(asset, wait, end, &missing) == 1 ? -1 : missing;
	missing = missing_in(asset->object, wait, end);
	/* Somebody may have touched the file since its first pieces were looked at. */
	if (missing < 0 && wait->kind == WAIT_READ && end > wait->offset) {
		wait->at = wait->offset;
		missing = missing_in(asset->object, wait, end);
	}
	return missing;
}

/* What the piece was when it came before; 0 if that is not remembered. */
static uint64_t checksum_before(struct asset *asset, int64_t piece)
{
	assets_lock(asset->assets);
	uint64_t checksum = known_checksum(asset->known, piece);
	assets_unlock(asset->assets);
	return checksum;
}

/* What the piece that holds the byte before `end` is known by, if no tag tells it from another. */
static struct proof proof_before(struct asset *asset, int64_t end)
{
	struct proof proof = {.piece = end > 0 ? (end - 1) / PIECE_BYTES : 0};
	if (!asset_is_vague(asset))
		return proof;
	if (asset->object) /* it is there that the bytes come from */
		proof.checksum = object_checksum(asset->object, proof.piece);
	if (proof.checksum == 0)
		proof.checksum = checksum_before(asset, proof.piece);
	return proof;
}

static void answer(struct asset *asset, struct wait *wait)
{
	int64_t end = end_of(asset, wait);
	struct asset_bytes bytes = {.fd = -1, .size = asset->belief.known.size};
	if (wait->kind == WAIT_READ && end > wait->offset)
		bytes.len = (size_t)(end - wait->offset);
	if (bytes.len > 0 && wait->memory) {
		bytes.memory = wait->memory;
	} else if (bytes.len > 0) {
		bytes.fd = object_fd(asset->object);
		bytes.at = wait->offset;
		object_use(asset->object);
	}
	asset->used_at = clock_monotonic_ms();
	const struct proof last = proof_before(asset, end);
	wait_answer(asset->assets, wait, &bytes, &asset->belief.known, &last);
}

void asset_answer(struct asset *asset)
{
	if (asset->belief.known.size < 0 || (!asset->object && !asset->uncached))
		return;
	for (struct wait **at = &asset->waits; *at;) {
		struct wait *wait = *at;
		/* What cannot be kept cannot be kept as a whole, and is not read ahead. */
		bool unkept = asset->uncached && wait->kind != WAIT_READ;
		if (!unkept && asset_missing(asset, wait) >= 0) {
			at = &wait->sibling;
			continue;
		}
		*at = wait->sibling;
		if (unkept)
			wait_fail(asset->assets, wait, asset->unkept_rc == -ENOSPC ? -ENOSPC : -EIO);
		else
			answer(asset, wait);
	}
}

/* Nothing told that the bytes have changed but they themselves: whose they are, of all that have come, nobody knows. */
static void begin_again(struct asset *asset)
{
	struct err err = {0};
	let_object_go(asset);
	become_another(asset);
	if (asset->others++ < RESTARTS_MAX) {
		make_object(asset);
		return;
	}
	err_set(&err, 0, "its server sends other bytes each time that it is asked for the same");
	asset_fail(asset, &err);
}

bool asset_is_vague(const struct asset *asset)
{
	return asset->no_if_range || !tag_is_strong(asset->belief.known.etag);
}

static bool is_disproved(struct asset *asset, int64_t piece, const char *bytes, size_t len)
{
	uint64_t before = checksum_before(asset, piece);
	return before && before != piece_checksum(piece, bytes, len);
}

static bool is_other(struct asset *asset, int64_t piece, const char *bytes, size_t len)
{
	return kept_differs(asset, piece, bytes, len) ||
	       (asset->object && object_differs(asset->object, piece, bytes, len)) ||
	       (asset_is_vague(asset) && is_disproved(asset, piece, bytes, len));
}

/* What a piece was that came is remembered when it is held no more. */
static void note(struct asset *asset, int64_t piece, const char *bytes, size_t len)
{
	uint64_t checksum = piece_checksum(piece, bytes, len);
	assets_lock(asset->assets);
	known_note(asset->known, piece, checksum);
	assets_unlock(asset->assets);
}

/* A stream that was begun again comes by what its readers have had: that is only to be compared. */
static bool is_passed(const struct asset *asset, int64_t piece)
{
	if (!asset->uncached || !asset->no_ranges)
		return false;
	for (const struct wait *wait = asset->waits; wait; wait = wait->sibling)
		if (wait->offset < (piece + 2) * PIECE_BYTES)
			return false;
	return asset->waits != NULL;
}

bool asset_store(struct asset *asset, int64_t piece, const char *bytes, size_t len)
{
	int64_t begin = piece * PIECE_BYTES;
	if (is_other(asset, piece, bytes, len)) {
		begin_again(asset);
		return true;
	}
	if (is_passed(asset, piece))
		return false;
	if (asset_is_vague(asset))
		note(asset, piece, bytes, len);
	bool news = asset->uncached || !object_has(asset->object, begin, len, NULL);
	int rc = news && !asset->uncached ? object_write(asset->object, piece, bytes, len) : 0;
	if (rc < 0)
		asset_do_without(asset, rc);
	if (asset->uncached)
		news = kept_add(asset, piece, bytes, len);
	/* What was there before is no progress, however often it comes. */
	if (news) {
		asset->failures = 0;
		asset->nonsense = 0;
		asset->doubts = 0;
	}
	asset_answer(asset);
	return news;
}

/* --- failures ----------------------------------------------------------------------------------------------------- */

static void tell(struct asset *asset)
{
	if (!asset->told)
		log_warning("%s: %s; the next read tries again", asset->name,
			    asset->why.text[0] ? asset->why.text : "no answer yet from its server");
	asset->told = true;
	assets_lock(asset->assets);
	asset->known->failed_until = clock_monotonic_ms() + FAILED_MS;
	assets_unlock(asset->assets);
}

void asset_fail(struct asset *asset, const struct err *why)
{
	asset->why = *why;
	if (asset_is_wanted(asset))
		tell(asset);
	asset_drop_fetches(asset);
	while (asset->waits) {
		struct wait *wait = asset->waits;
		asset->waits = wait->sibling;
		wait_fail(asset->assets, wait, -EIO);
	}
}

static int64_t wait_for_retry(const struct asset *asset, int64_t now)
{
	struct backoff backoff = retries;
	uint32_t random = 0x80000000;
	int64_t patience = asset->assets->config.patience_ms;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)clock_wall_ns();
	backoff.ceiling_ms = least(backoff.ceiling_ms, patience / 4 + 1); /* another try fits in */
	backoff.base_ms = least(backoff.base_ms, backoff.ceiling_ms);
	return backoff_until(&backoff, asset->failures, now, random);
}

void asset_retry(struct asset *asset, const struct err *why, int64_t retry_after_ms)
{
	int64_t now = clock_monotonic_ms();
	asset->why = *why;
	asset->not_before = wait_for_retry(asset, now);
	if (retry_after_ms > 0 && asset->not_before < now + retry_after_ms)
		asset->not_before = now + retry_after_ms;
	asset->failures++;
	log_debug("%s: %s (trying again in %lld ms)", asset->name, why->text, (long long)(asset->not_before - now));
}

void asset_retry_now(struct asset *asset, const struct err *why)
{
	if (asset->doubts++ >= DOUBTS_MAX)
		asset_retry(asset, why, -1);
	else
		asset->why = *why;
}

static bool is_fetching(const struct asset *asset)
{
	for (int i = 0; i < FETCHES_MAX; i++)
		if (asset->fetches[i].active && !asset->fetches[i].dropped)
			return true;
	return false;
}

/* It is not the asset's fault that others come first, as long as they get on. */
static int64_t heard_last(const struct asset *asset)
{
	int64_t others = asset->queued ? asset->assets->heard_at : 0;
	return asset->heard_at > others ? asset->heard_at : others;
}

/* Since when nothing has come. Nobody sits before a fetch, so that it may come back when the server says. */
static int64_t waits_since(const struct wait *wait, int64_t heard_at)
{
	const struct asset *asset = wait->known->asset;
	int64_t since = wait->since > heard_at ? wait->since : heard_at;
	bool asked = wait->kind == WAIT_WHOLE && asset->failures < FAILURES_HOPED;
	return asked && asset->not_before > since ? asset->not_before : since;
}

void asset_expire(struct asset *asset, int64_t now, int64_t *next)
{
	int64_t heard_at = heard_last(asset);
	bool was_wanted = asset_is_wanted(asset);
	bool hopeless_until = !is_fetching(asset);
	for (struct wait **at = &asset->waits; *at;) {
		struct wait *wait = *at;
		int64_t end = waits_since(wait, heard_at) + asset->assets->config.patience_ms;
		if (end > now && !(hopeless_until && asset->not_before > end)) {
			*next = least(*next, end);
			at = &wait->sibling;
			continue;
		}
		if (wait->kind != WAIT_AHEAD)
			tell(asset);
		*at = wait->sibling;
		wait_fail(asset->assets, wait, -EIO);
	}
	if (was_wanted && !asset_is_wanted(asset))
		asset_drop_fetches(asset);
}
