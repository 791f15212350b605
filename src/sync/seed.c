#include "sync/seed.h"

#define SHARE 16 /* a seed of more than one page is to be at most the whole divided by this */

/* How long before now a seed begins: the longer the surer that nothing falls between the service's clocks, but a busy stack
 * gets a shorter one. */
static const int64_t margins_ms[] = {3600000, 60000, 5000};
#define MARGINS (sizeof(margins_ms) / sizeof(margins_ms[0]))

static int64_t newest_event(const struct page *page)
{
	int64_t newest = 0;
	for (size_t i = 0; i < page->count; i++)
		if (page->items[i].event_at > newest)
			newest = page->items[i].event_at;
	return newest;
}

static void try(struct seed *seed, int64_t at)
{
	seed->tries++;
	seed->at = at;
	time_format_iso(at, seed->from);
}

void seed_begin(struct seed *seed, const struct page *page, int64_t date_ms, int64_t tries_max)
{
	*seed = (struct seed){.tries_max = tries_max < SEED_TRIES_MAX ? tries_max : SEED_TRIES_MAX,
			      .whole = page->total,
			      .date = date_ms,
			      .low = INT64_MIN,
			      .high = INT64_MAX};
	int64_t before_newest = newest_event(page) - 1;
	int64_t at = date_ms - margins_ms[0];
	try(seed, at < before_newest ? at : before_newest);
}

static bool is_short(const struct seed *seed, const struct page *page)
{
	return !page->more || (page->total >= 0 && page->total <= seed->whole / SHARE);
}

/* A time between what is known, or `low`. */
static int64_t next_at(const struct seed *seed)
{
	if (seed->low == INT64_MIN)
		return seed->low;
	if (seed->high != INT64_MAX)
		return seed->low + (seed->high - seed->low) / 2;
	for (size_t i = 1; i < MARGINS; i++)
		if (seed->date - margins_ms[i] > seed->low)
			return seed->date - margins_ms[i];
	return seed->low;
}

enum seed_verdict seed_look(struct seed *seed, const struct page *page)
{
	bool empty = page->count == 0 && !page->more;
	if (page->count > 0 && is_short(seed, page))
		return SEED_TAKEN;
	*(empty ? &seed->high : &seed->low) = seed->at;
	int64_t at = next_at(seed);
	if (at <= seed->low || seed->tries >= seed->tries_max)
		return SEED_NONE;
	try(seed, at);
	return SEED_AGAIN;
}
