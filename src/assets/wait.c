/* Reads that wait, and their answers. */
#include "assets/download.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *copy_of(struct slice text)
{
	return text.len > 0 ? strndup(text.at, text.len) : strdup("");
}

void wait_destroy(struct wait *wait)
{
	free(wait->name);
	free(wait->media_type);
	free(wait->memory);
	free(wait->filled);
	free(wait);
}

struct wait *wait_create(enum wait_kind kind, struct known *known, const struct asset_source *source)
{
	struct wait *wait = calloc(1, sizeof(*wait));
	if (!wait)
		return NULL;
	wait->kind = kind;
	wait->known = known;
	wait->claimed = source->size;
	wait->recorded = source->recorded;
	wait->generation = source->generation;
	wait->since = clock_monotonic_ms();
	wait->name = strdup(source->name ? source->name : "an asset");
	wait->media_type = copy_of(source->media_type);
	if (!wait->name || !wait->media_type) {
		wait_destroy(wait);
		return NULL;
	}
	return wait;
}

/* Takes it off the books, under the lock. False if nobody wants the answer. */
static bool settle(struct assets *assets, struct wait *wait)
{
	assets->counts.waiting -= wait->kind != WAIT_AHEAD;
	*(wait->previous ? &wait->previous->next : &assets->waits) = wait->next;
	if (wait->next)
		wait->next->previous = wait->previous;
	known_unpin(wait->known);
	return !wait->cancelled && wait->kind != WAIT_AHEAD;
}

static void finish(struct wait *wait, bool wanted, int rc, const struct asset_bytes *bytes)
{
	if (wanted)
		wait->reply(wait->context, wait->ticket, rc, bytes);
	wait_destroy(wait);
}

/* What is handed out is noted before anybody sees it, so that no change goes unnoticed. */
void wait_answer(struct assets *assets, struct wait *wait, const struct asset_bytes *bytes,
		 const struct identity *identity, const struct proof *last)
{
	assets_lock(assets);
	struct known *known = wait->known;
	bool stale = known->dead >= wait->generation;
	bool wanted = settle(assets, wait);
	if (wanted && !stale && bytes->len > 0)
		known_hand_out(known, identity, wait->generation, last);
	assets_unlock(assets);
	finish(wait, wanted, stale ? -ESTALE : 0, stale ? NULL : bytes);
}

void wait_fail(struct assets *assets, struct wait *wait, int rc)
{
	assets_lock(assets);
	bool wanted = settle(assets, wait);
	assets->counts.failures += wanted && rc == -EIO;
	assets_unlock(assets);
	finish(wait, wanted, rc, NULL);
}
