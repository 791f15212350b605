/*
 * GET over HTTP, for one thread at a time: a kept-alive connection, gzip, and a limit on everything. The only folder
 * that knows libcurl. Knows nothing of the API; never retries (whoever calls decides), never follows a redirect (a
 * token must not travel to another host), never lets a secret into a message: messages name scheme, host and path, not
 * the query and not the headers.
 */
#ifndef CONTENTFS_HTTP_HTTP_H
#define CONTENTFS_HTTP_HTTP_H

#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;

struct http_request {
	const char *url;            /* http or https, encoded already */
	const char *const *headers; /* "Name: value" lines, NULL-terminated */
	size_t body_max;            /* bytes of the decoded body that are accepted */
};

struct http_answer {
	long status;
	struct buf body;        /* decoded; owned by the caller: http_answer_finish */
	char content_type[128]; /* as sent, "" if none */
	char location[512];     /* of a redirect, "" if none; cut to fit */
	int64_t retry_after_ms; /* from Retry-After (seconds or date), else x-ratelimit-reset (unix seconds) on a
	                                429; -1 if neither was sent or understood, never negative otherwise */
};

#define HTTP_ANSWER_INIT                                                                                               \
	{                                                                                                              \
		.body = BUF_INIT, .retry_after_ms = -1                                                                 \
	}

int http_create(struct http **out, struct err *err);
void http_destroy(struct http *http); /* NULL is fine */

/*
 * Sends one request and waits for the whole answer. Blocks: 10 s for the connection at most, then as long as bytes keep
 * coming (30 s without at least 1 byte/s end it, 300 s end it anyway). `answer` is HTTP_ANSWER_INIT or left from an
 * earlier call, whose memory is used again.
 *
 *   0              an answer of whatever status is there
 *   -EHOSTUNREACH  no whole answer: DNS, connect, TLS, reset, cut short, stalled
 *   -EBADMSG       not HTTP, or the body's encoding is damaged
 *   -EMSGSIZE      the body is larger than body_max
 *   -EINVAL        not an http or https URL, or one with a user or password in it
 *   -ECANCELED     http_stop was called
 *
 * On failure `answer` is as HTTP_ANSWER_INIT. Not found out here, because libcurl does not tell: a gzip stream that
 * ends early in a body that is otherwise whole, and a body cut short that came with neither length nor chunks.
 */
int http_get(struct http *http, const struct http_request *request, struct http_answer *answer, struct err *err);

void http_answer_finish(struct http_answer *answer);

/* Makes the request under way, and all later ones, end with -ECANCELED promptly. Any thread, any time before
 * http_destroy. */
void http_stop(struct http *http);

/* Something to do when an answer takes its time: `call` is called once for a request that has been waited for as long as
 * `ms`, by the thread that waits. NULL for nothing. */
void http_while_waiting(struct http *http, int64_t ms, void (*call)(void *context), void *context);

/* Sleeps for `ms`, unless http_stop is called: then returns false, at once. */
bool http_wait(struct http *http, int64_t ms);

/* Requests sent so far. Any thread. */
uint64_t http_count(const struct http *http);

/* Appends `text` with everything but RFC 3986's unreserved characters percent-encoded. 0 or -ENOMEM. */
int http_append_encoded(struct buf *url, struct slice text);

#endif
