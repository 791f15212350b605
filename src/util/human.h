/* Numbers as people read them. Pure. */
#ifndef CONTENTFS_UTIL_HUMAN_H
#define CONTENTFS_UTIL_HUMAN_H

#include "util/err.h"

#include <stdint.h>

#define HUMAN_SIZE 40

/* "1,234,567". Returns out, as do the others. */
char *human_count(uint64_t number, char out[HUMAN_SIZE]);

/* "0 bytes", "999 bytes", "1.2 kB", "34.0 MB", "340 MB": powers of 1000. Negative numbers count as 0. */
char *human_bytes(int64_t bytes, char out[HUMAN_SIZE]);

/* "0.3 s", "13 s", "2 min 5 s", "3 h 4 min", "2 days 1 h": the two largest units. Negative times count as 0. */
char *human_duration(int64_t ms, char out[HUMAN_SIZE]);

/* Reads a time such as "90", "90s", "15min", "1h30m" or "2d"; seconds where no unit stands. -EINVAL with the reason; `what` names it in
 * the message. */
int human_parse_duration(const char *text, const char *what, int64_t *ms, struct err *err);

#endif
