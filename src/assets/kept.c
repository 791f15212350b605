/* Bytes of an asset that the cache has no room for: the latest pieces, and what was copied for those who wait. */
#include "assets/download.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_TOLD_MS (60 * 60 * 1000)

static void tell(struct asset *asset, int rc)
{
	struct assets *assets = asset->assets;
	int64_t now = clock_monotonic_ms();
	if (assets->room_rc == rc && now - assets->room_told_at < ROOM_TOLD_MS)
		return;
	assets->room_rc = rc;
	assets->room_told_at = now;
	if (rc == -ENOSPC)
		log_warning("%s: the cache in %s has no room for it: what is read of it is not kept", asset->name,
			    assets->config.folder);
	else
		log_warning("%s: the cache in %s cannot be used (%s): what is read is not kept%s", asset->name,
			    assets->config.folder, strerror(-rc),
			    rc == -EACCES ? "; if that folder was removed, a new mount makes it anew" : "");
}

/* Who fetches the whole is answered that there is no room. */
void asset_do_without(struct asset *asset, int rc)
{
	asset->uncached = true;
	asset->unkept_rc = rc;
	asset->restarts = 0;
	if (rc != -ENOSPC || asset_has_wait(asset, WAIT_READ))
		tell(asset, rc);
}

void kept_clear(struct asset *asset)
{
	for (int i = 0; i < KEPT_MAX; i++)
		asset->kept[i].piece = -1;
}

static const char *kept_find(const struct asset *asset, int64_t piece)
{
	for (int i = 0; i < KEPT_MAX; i++)
		if (asset->kept[i].piece == piece)
			return asset->kept[i].bytes;
	return NULL;
}

/* Copies what the wait wants of [begin, begin + len), which is a piece or the end of the asset. */
static void copy_piece(struct wait *wait, int64_t end, int64_t begin, const char *bytes, int64_t len)
{
	int64_t from = begin > wait->offset ? begin : wait->offset;
	int64_t to = begin + len < end ? begin + len : end;
	if (from < to)
		memcpy(wait->memory + (from - wait->offset), bytes + (from - begin), (size_t)(to - from));
}

/* The first bytes went to the disk while there was room. */
static bool read_object(struct asset *asset, int64_t begin, int64_t len, char *bytes)
{
	if (!asset->object || !object_has(asset->object, begin, (size_t)len, NULL))
		return false;
	return pread(object_fd(asset->object), bytes, (size_t)len, begin) == len;
}

static bool fill_piece(struct asset *asset, struct wait *wait, int64_t end, int64_t piece)
{
	int64_t begin = piece * PIECE_BYTES;
	int64_t from = begin > wait->offset ? begin : wait->offset;
	int64_t len = piece_len(piece, asset->belief.known.size);
	int64_t to = begin + len < end ? begin + len : end;
	const char *kept = kept_find(asset, piece);
	if (kept)
		copy_piece(wait, end, begin, kept, len);
	return kept || read_object(asset, from, to - from, wait->memory + (from - wait->offset));
}

static int make_memory(struct wait *wait, int64_t end, int64_t first, int64_t last)
{
	if (wait->memory)
		return 0;
	wait->memory = malloc((size_t)(end - wait->offset));
	wait->filled = calloc((size_t)(last - first + 1), sizeof(*wait->filled));
	if (wait->memory && wait->filled)
		return 0;
	free(wait->memory);
	free(wait->filled);
	wait->memory = NULL;
	wait->filled = NULL;
	return -ENOMEM;
}

int kept_fill(struct asset *asset, struct wait *wait, int64_t end, int64_t *missing)
{
	if (end <= wait->offset)
		return 1;
	int64_t first = wait->offset / PIECE_BYTES;
	int64_t last = (end - 1) / PIECE_BYTES;
	*missing = wait->offset;
	if (make_memory(wait, end, first, last) < 0)
		return -ENOMEM;
	bool whole = true;
	for (int64_t piece = first; piece <= last; piece++) {
		bool *filled = &wait->filled[piece - first];
		*filled = *filled || fill_piece(asset, wait, end, piece);
		if (whole && !*filled)
			*missing = piece > first ? piece * PIECE_BYTES : wait->offset;
		whole &= *filled;
	}
	return whole;
}

bool kept_has(const struct asset *asset, int64_t piece)
{
	return kept_find(asset, piece) != NULL;
}

bool kept_differs(const struct asset *asset, int64_t piece, const char *bytes, size_t len)
{
	const char *kept = kept_find(asset, piece);
	return kept && memcmp(kept, bytes, len) != 0;
}

bool kept_add(struct asset *asset, int64_t piece, const char *bytes, size_t len)
{
	struct kept *kept = &asset->kept[asset->kept_next];
	if (kept_find(asset, piece))
		return false;
	free(kept->bytes);
	kept->piece = -1;
	kept->bytes = malloc(len);
	if (!kept->bytes)
		return true; /* whoever waits for it will ask again */
	asset->kept_next = (asset->kept_next + 1) % KEPT_MAX;
	kept->piece = piece;
	memcpy(kept->bytes, bytes, len);
	return true;
}

bool kept_is_far_ahead(const struct asset *asset, int64_t at)
{
	for (const struct wait *wait = asset->waits; wait; wait = wait->sibling)
		if (wait->offset + (int64_t)wait->size > piece_begin(at))
			return false;
	return at >= asset->read_end + (int64_t)KEPT_AHEAD * PIECE_BYTES;
}
