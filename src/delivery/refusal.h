/* Telling apart the answers that are not 200: pure, by status and by the keys in `errors`. */
#ifndef CONTENTFS_DELIVERY_REFUSAL_H
#define CONTENTFS_DELIVERY_REFUSAL_H

#include "delivery/delivery.h"
#include "util/slice.h"

/*
 * What an answer with this status and body means. `body` may be anything: JSON as the service writes its errors
 * ({"error_message", "error_code", "errors": {field: [text]}}, R), HTML from the CDN, or nothing. Code 141 says
 * "invalid parameters" of many kinds: the key in `errors` decides. err gets a sentence that says what is wrong and what
 * to do. It quotes the service, but not `secret`, which the service may have been sent; an empty one is none.
 */
enum delivery_outcome refusal_outcome(long status, struct slice body, struct slice secret, struct err *err);

/* The same for a status of 300 to 399: always DELIVERY_NONSENSE. err names the host in `location`, the absolute URL
 * that the answer pointed to, or "" if it named none. */
enum delivery_outcome refusal_redirect(long status, const char *location, struct err *err);

/* Puts stars in the place of `secret` wherever it is in the text. */
void refusal_mask(char *text, struct slice secret);

#endif
