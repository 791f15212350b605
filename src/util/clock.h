/*
 * Clocks and times. Waiting and scheduling use the monotonic clock; what people and files see uses wall time. Times of
 * the API are milliseconds since the epoch, UTC.
 */
#ifndef CONTENTFS_UTIL_CLOCK_H
#define CONTENTFS_UTIL_CLOCK_H

#include "util/slice.h"

#include <stdint.h>
#include <time.h>

#define TIME_ISO_SIZE 32

int64_t clock_monotonic_ms(void);

/* The monotonic clock in `ms`, for waits on conditions that were made for that clock. */
struct timespec clock_monotonic_in(int64_t ms);

int64_t clock_wall_ms(void);
int64_t clock_wall_ns(void);

/*
 * Reads an ISO 8601 date-time as the service writes it: "2020-12-05T15:43:05.355Z"; fractions of any length, a numeric
 * offset, a missing offset (UTC), and a bare date are understood too. Read leniently, because the vendor's own samples
 * are malformed: in "2017-11-23T00:00:000Z" a third part of three digits is milliseconds.
 * Returns 0 and *ms (since the epoch, UTC, cut to milliseconds), or -EINVAL.
 */
int time_parse_iso(struct slice text, int64_t *ms);

/* Writes "2020-12-05T15:43:05.355Z". Returns out. */
char *time_format_iso(int64_t ms, char out[TIME_ISO_SIZE]);

#endif
