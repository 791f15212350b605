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

/* Takes it off the books. What is handed out is noted before anybody sees it, so that no change goes unnoticed. */
static int settle(struct assets *assets, struct wait *wait, int rc, const struct asset_bytes *bytes,
		  const struct identity *identity)
{
	assets_lock(assets);
	if (rc == 0 && wait->known->dead >= wait->generation)
		rc = -ESTALE;
	if (wait->cancelled || wait->kind == WAIT_AHEAD)
		rc = 1;
	else if (rc == 0 && bytes->len > 0)
		known_hand_out(wait->known, identity, wait->generation);
	assets->counts.failures += rc == -EIO;
	assets->counts.waiting -= wait->kind != WAIT_AHEAD;
	*(wait->previous ? &wait->previous->next : &assets->waits) = wait->next;
	if (wait->next)
		wait->next->previous = wait->previous;
	known_unpin(wait->known);
	assets_unlock(assets);
	return rc;
}

void wait_answer(struct assets *assets, struct wait *wait, int rc, const struct asset_bytes *bytes,
		 const struct identity *identity)
{
	rc = settle(assets, wait, rc, bytes, identity);
	if (rc <= 0)
		wait->reply(wait->context, wait->ticket, rc, rc == 0 ? bytes : NULL);
	wait_destroy(wait);
}
