/*
 * When the seed of a listing in parts begins (split.c). Pure.
 *
 * A seed has to have an event in it: then the events themselves say that later ones are later than its start_from,
 * whatever clock they are stamped by; it need not be that of the answers. And it has to be short. Before the newest event
 * of the first page of a listing that comes newest first (R) there is such a time at once, unless much is new; otherwise it
 * is looked for between a time that has too many events after it and one that has none.
 */
#ifndef CONTENTFS_SYNC_SEED_H
#define CONTENTFS_SYNC_SEED_H

#include "delivery/page.h"
#include "util/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define SEED_TRIES_MAX 32

/* All times are of the service, in ms since the epoch. */
struct seed {
	int64_t tries;            /* made; 0: there is no seed */
	int64_t tries_max;        /* up to SEED_TRIES_MAX */
	int64_t whole;            /* items of the whole listing */
	int64_t date;             /* when that was asked for */
	int64_t at;               /* start_from of this try */
	char from[TIME_ISO_SIZE]; /* the same as text */
	int64_t low;              /* a time after which there is too much; INT64_MIN if none is known */
	int64_t high;             /* a time after which there is nothing; INT64_MAX if none is known */
};

enum seed_verdict {
	SEED_TAKEN,
	SEED_AGAIN, /* with another `from` */
	SEED_NONE,  /* none is to be had */
};

/* The first try, given the first page of the whole listing, which has a total, and how many more there may be. */
void seed_begin(struct seed *seed, const struct page *page, int64_t date_ms, int64_t tries_max);

/* What comes of a try, given its first page. */
enum seed_verdict seed_look(struct seed *seed, const struct page *page);

#endif
