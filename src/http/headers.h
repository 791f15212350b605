/* What headers say of times and limits. Pure functions of the header's text and the time. */
#ifndef CONTENTFS_HTTP_HEADERS_H
#define CONTENTFS_HTTP_HEADERS_H

#include <stdint.h>

/* The longest wait that is handed on: a day. Whoever waits may set a smaller bound. */
#define RETRY_AFTER_MAX_MS (24 * 60 * 60 * (int64_t)1000)

/* These take the value of a header (NULL if it was not sent) and the wall time in ms since the epoch, and give 0 to
 * RETRY_AFTER_MAX_MS (a time gone by is 0), or -1 if the text is not understood. */

/* Retry-After (RFC 9110, 10.2.3): whole seconds, or an HTTP date. */
int64_t retry_after_ms(const char *header, int64_t now_ms);

/* x-ratelimit-reset: seconds since the epoch (as official clients read it, C). A number that can be none is seconds from
 * now, or ms since the epoch, as others send it. */
int64_t retry_after_reset_ms(const char *header, int64_t now_ms);

/* x-ratelimit-reset-time: a date-time of ISO 8601 (C). */
int64_t retry_after_time_ms(const char *header, int64_t now_ms);

/* Date (RFC 9110, 6.6.1) in ms since the epoch; -1 if it is none. */
int64_t http_date_ms(const char *header);

/* x-ratelimit-remaining: how many requests are left. -1 if it is no number, or if the answer was in a cache for some time,
 * as `age`, the header Age, tells: then the number is of another time (R). */
int64_t rate_remaining(const char *header, const char *age);

#endif
