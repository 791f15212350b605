/*
 * The Content Delivery API of Contentstack, as far as syncing needs it: requests, and what came back told apart. Pure
 * dialect: it never retries, stores or decides. One thread at a time, but for delivery_stop and delivery_count.
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
	DELIVERY_QUERY_REFUSED,       /* another 4xx that names a parameter: the same question will be refused again */
	DELIVERY_RATE_LIMITED,        /* 429 */
	DELIVERY_UNAVAILABLE,         /* 408, 5xx, or no whole answer at all */
	DELIVERY_NONSENSE,            /* what the API does not allow: not JSON, wrong shape, redirect, too large */
	DELIVERY_STOPPED,             /* delivery_stop was called */
	DELIVERY_FAILED,              /* a failure of this machine, such as no memory */
};

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
void delivery_destroy(struct delivery *delivery); /* NULL is fine */

/*
 * Each asks once and blocks until the answer is there (see http_get for how long at most). On DELIVERY_OK the page or
 * list is filled; on anything else it is as page_finish leaves it and err says in a sentence what happened, without any
 * secret. `retry_after_ms` (may be NULL) gets how long the service asked to wait, or -1.
 */
enum delivery_outcome delivery_sync(struct delivery *delivery, const struct sync_query *query, struct page *page,
				    int64_t *retry_after_ms, struct err *err);

/* GET /v3/content_types with skip=`skip` and global field schemas included; at most 100 at a time (D). */
enum delivery_outcome delivery_content_types(struct delivery *delivery, unsigned skip, struct content_type_list *list,
					     int64_t *retry_after_ms, struct err *err);

/* Makes the call under way and all later ones end with DELIVERY_STOPPED promptly. Any thread. */
void delivery_stop(struct delivery *delivery);

/* Something to do when an answer takes its time: see http_while_waiting. */
void delivery_while_waiting(struct delivery *delivery, int64_t ms, void (*call)(void *context), void *context);

/* Sleeps for `ms`, unless delivery_stop is called: then returns false, at once. */
bool delivery_wait(struct delivery *delivery, int64_t ms);

/* Calls made so far. Any thread. */
uint64_t delivery_count(const struct delivery *delivery);

#endif
