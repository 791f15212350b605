/*
 * How fast to ask: as fast as the service lets us, and never while it asked to be left alone. Pure; times are of one clock,
 * in ms.
 *
 * Three things slow us down: a 429, with the wait that it asks for; answers that say how many requests the limit leaves
 * (x-ratelimit-remaining), when none is left; and, since a 429 alone tells nothing of the limit, the pace at which it was
 * met twice in a short time, which is not taken up again for a while.
 */
#ifndef CONTENTFS_SYNC_PACE_H
#define CONTENTFS_SYNC_PACE_H

#include "delivery/delivery.h"

#include <stdbool.h>
#include <stdint.h>

#define PACE_WINDOW 64      /* requests that are remembered */
#define PACE_SECOND_MS 1000 /* rate limits count by the second (C: CMA; I: CDA) */
#define PACE_SPACING_MAX_MS 5000
#define PACE_ASKED_MAX_MS (60 * 60 * 1000)
#define PACE_WAIT_MAX_MS 30000 /* for a limit that is said to be reached and was not met */
#define PACE_MEMORY_MS 10000   /* a 429 this long ago says nothing of the next one, and the spacing is halved */

struct pace {
	int64_t not_before;        /* when the service may be asked again */
	int64_t spacing_ms;        /* between two requests; 0 while no limit was met */
	int64_t left;              /* requests until the limit, -1 if that is not known */
	int64_t sent[PACE_WINDOW]; /* when the last requests were sent; a ring */
	unsigned count;            /* requests sent so far */
	int64_t limited_at;        /* the last 429: of requests under way together, one counts */
	int64_t changed_at;        /* when the spacing was set or halved */
};

#define PACE_INIT                                                                                                      \
	{                                                                                                              \
		.left = -1, .limited_at = INT64_MIN / 2                                                                \
	}

void pace_sent(struct pace *pace, int64_t now);

/* An answer came; `in_flight`: requests without an answer yet. What it asks for in advice->retry_after_ms counts. */
void pace_heard(struct pace *pace, const struct delivery_advice *advice, bool limited, unsigned in_flight, int64_t now);

/* The service wants to be left alone for `ms`, of which PACE_ASKED_MAX_MS are granted. */
void pace_keep_away(struct pace *pace, int64_t ms, int64_t now);

/* When the next request may be sent: `now`, or later; INT64_MAX: not before one of those in flight was answered. */
int64_t pace_next(const struct pace *pace, unsigned in_flight, int64_t now);

#endif
