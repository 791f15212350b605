/*
 * When to ask again: pure, given the time and a random number. Times are of the monotonic clock, so that a clock that
 * jumps neither stops the polling nor floods the service.
 */
#ifndef CONTENTFS_SYNC_SCHEDULE_H
#define CONTENTFS_SYNC_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_BACKOFF_MIN_MS 1000
#define SCHEDULE_BACKOFF_MAX_MS (5 * 60 * 1000)
#define SCHEDULE_REFUSED_MS (10 * 60 * 1000) /* credentials refused: only a person can mend that */
#define SCHEDULE_RETRY_AFTER_MAX_MS (60 * 60 * 1000)

struct schedule {
	int64_t interval_ms; /* between polls when nothing happens; at least 1 */
	unsigned failures;   /* in a row */
	unsigned echoes;     /* polls that are still to come soon because there was news */
};

/* What the last run came to. */
struct schedule_event {
	int rc;                 /* 0, or the negative errno of util/err.h */
	bool news;              /* something changed */
	int64_t retry_after_ms; /* asked for by the service, -1 if not */
};

/*
 * Takes note of a run that ended now and says in how many ms the next is due: after a quiet success the interval with
 * +-10 % of jitter, so that many mounts do not ask at once; after news soon, a few times, because the service's CDN shows a
 * change only after a while; after a failure an exponential backoff with full jitter, never before the service asked for.
 * `random` is any 32 random bits.
 */
int64_t schedule_next(struct schedule *schedule, const struct schedule_event *event, uint32_t random);

#endif
