/*
 * The Content Delivery API of Contentstack, as far as syncing needs it: requests, and what came back told apart. Pure
 * dialect: it never retries, stores or decides. Several questions may be under way at once; a thread of its own, started by
 * the first, gets their answers and reads them. Whoever calls is one thread at a time, but for delivery_stop,
 * delivery_is_stopped, delivery_turns and delivery_count.
 *
 * Facts with a letter come from the API notes: D documented by the vendor, R recorded, C from an official client,
 * U reported by users, I inferred.
 */
#ifndef CONTENTFS_DELIVERY_DELIVERY_H
#define CONTENTFS_DELIVERY_DELIVERY_H

#include "delivery/page.h"
#include "util/err.h"

#include <stdint.h>

struct delivery;

/* Where the content is and who asks for it. All strings are copied by delivery_create. */
struct delivery_target {
	const char *host; /* "https://cdn.contentstack.io": scheme, host, port, without a slash at the end */
	const char *api_key;
	const char *token;       /* the delivery token; leaves this module in the access_token header only */
	const char *environment; /* sent with every call, as every official client does (R, C) */
	const char *branch;      /* NULL for the stack's main branch */
};

/* What one call came to. */
enum delivery_outcome {
	DELIVERY_OK,
	DELIVERY_TOKEN_REFUSED,       /* 141 naming sync_token or pagination_token */
	DELIVERY_CREDENTIALS_REFUSED, /* 401, 403, 105, 109, 141 naming access_token, api_key or environment */
	DELIVERY_TYPE_UNKNOWN,        /* 118: there is no such content type */
	DELIVERY_QUERY_REFUSED,       /* another 4xx that names a parameter: the same question will be refused again */
	DELIVERY_RATE_LIMITED,        /* 429 */
	DELIVERY_UNAVAILABLE,         /* 408, 5xx, or no whole answer at all */
	DELIVERY_NONSENSE,            /* what the API does not allow: not JSON, wrong shape, redirect, too large */
	DELIVERY_STOPPED,             /* delivery_stop was called */
	DELIVERY_FAILED,              /* a failure of this machine, such as no memory */
};

#define DELIVERY_OUTCOMES (DELIVERY_FAILED + 1)

/* The negative errno (see util/err.h) that stands for an outcome; 0 for DELIVERY_OK. */
int delivery_outcome_errno(enum delivery_outcome outcome);

/* One question to the Sync API; the filters count for SYNC_INIT only and stay with the tokens that follow (D). */
enum sync_mode { SYNC_INIT, SYNC_PAGE, SYNC_DELTA };

struct sync_query {
	enum sync_mode mode;
	const char *token;        /* SYNC_PAGE: the pagination token; SYNC_DELTA: the sync token */
	const char *content_type; /* each NULL for no such filter */
	const char *locale;
	const char *start_from;
	const char *types; /* comma list of item types */
};

int delivery_create(struct delivery **out, const struct delivery_target *target, struct err *err);
void delivery_destroy(struct delivery *delivery); /* NULL is fine; no call may be left */

/* What an answer said about the service beside what it is an answer to. */
struct delivery_advice {
	int64_t retry_after_ms; /* how long it asked to be left alone, or -1 */
	int64_t reset_ms;       /* how long until the rate limit counts anew, or -1 */
	int64_t remaining;      /* how many requests the rate limit leaves, or -1 */
	int64_t date_ms;        /* the service's clock, ms since the epoch; -1 if it was not sent */
};

#define DELIVERY_NO_ADVICE                                                                                             \
	{                                                                                                              \
		.retry_after_ms = -1, .reset_ms = -1, .remaining = -1, .date_ms = -1                                   \
	}

/* A question that was sent, until its answer was taken. */
struct delivery_call;

/* Sends a question and returns without waiting. On anything but DELIVERY_OK there is no call, and err says why. */
enum delivery_outcome delivery_ask(struct delivery *delivery, const struct sync_query *query,
				   struct delivery_call **out, struct err *err);

/* Waits until an answer has come, at most `ms`: 1 with *answered set, to be given to delivery_take before the next wait; 0
 * when the time is up (with no question under way this is a sleep); -ECANCELED after delivery_stop. */
int delivery_await(struct delivery *delivery, int64_t ms, struct delivery_call **answered);

/*
 * Takes the answer, and frees the call. On DELIVERY_OK `page` is filled; on anything else it is as page_finish leaves it
 * and err says in a sentence what happened, without any secret. A call without an answer is given up.
 */
enum delivery_outcome delivery_take(struct delivery_call *call, struct page *page, struct delivery_advice *advice,
				    struct err *err);

/* GET /v3/content_types with skip=`skip` and global field schemas included; at most 100 at a time (D). Blocks until the
 * answer is there. Otherwise as delivery_take. */
enum delivery_outcome delivery_content_types(struct delivery *delivery, unsigned skip, struct content_type_list *list,
					     struct delivery_advice *advice, struct err *err);

/* Makes every wait end promptly, and all later questions with DELIVERY_STOPPED. Any thread. */
void delivery_stop(struct delivery *delivery);

/* Whether that was called. Any thread. */
bool delivery_is_stopped(const struct delivery *delivery);

/* Moves on while a call waits: see http_turns. Any thread. */
uint64_t delivery_turns(const struct delivery *delivery);

/* Calls made so far. Any thread. */
uint64_t delivery_count(const struct delivery *delivery);

#endif
