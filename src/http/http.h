/*
 * GET over HTTP: several calls under way at once on kept-alive connections, gzip, and a limit on everything. The only
 * folder that knows libcurl. Knows nothing of the API; never retries (whoever calls decides), never follows a redirect (a
 * token must not travel to another host), never lets a secret into a message: messages name scheme, host and path, not
 * the query and not the headers. All of it belongs to one thread, but for http_stop, http_wake and http_count.
 */
#ifndef CONTENTFS_HTTP_HTTP_H
#define CONTENTFS_HTTP_HTTP_H

#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;
struct http_answer;
struct http_call; /* a request that was sent, until its answer was taken */

#define HTTP_LOCATION_MAX 8192 /* a longer one counts as none */

/*
 * Who takes a body as it comes, instead of having it gathered. Called from within http_begin, http_await, http_resume and
 * http_end, and must call none of them. A negative errno breaks the call off, and is what http_end returns then.
 */
struct http_sink {
	/* Before the first byte of the body, or at the end of an answer without one; once at most. Borrowed for the call,
	 * without a body. */
	int (*head)(void *owner, const struct http_answer *head);
	/* -EAGAIN: not now; the call pauses, and the bytes come again after http_resume. */
	int (*body)(void *owner, struct slice bytes);
};

struct http_request {
	const char *url;              /* http or https, encoded already; copied */
	const char *const *headers;   /* "Name: value" lines, NULL-terminated; copied */
	size_t body_max;              /* bytes of the decoded body that are accepted; not looked at with a sink */
	const struct http_sink *sink; /* NULL: the body is gathered. Else it is asked for and handed on without any
	                                 encoding; must outlive the call */
	int64_t stall_ms;             /* 0: the limits on time at http_end. Else nothing ends the call but this long (at
	                                 least 1 s) for its connection, or without a byte (roughly, and some seconds late) */
	void *owner;                  /* of the caller, for http_owner and the sink; never looked into */
};

struct http_answer {
	long status;
	struct buf body;        /* decoded; owned by the caller: http_answer_finish */
	char content_type[128]; /* as sent, "" if none */
	struct buf location;    /* of a redirect, made absolute; empty if none. Owned like the body */
	int64_t length;         /* of the body as it is sent; -1 if it is not said */
	bool ends_by_close;     /* neither a length nor chunks: a body cut short cannot be told from a whole one */
	char etag[256];         /* as sent, quotes and all; "" if none, or one that is longer */
	char last_modified[64]; /* as sent, "" if none, or one that is longer */
	char content_range[96]; /* as sent, "" if none; cut to fit, as is the next */
	char content_encoding[32];
	int64_t date_ms;        /* of the Date header: the service's clock, ms since the epoch; -1 if it was not sent */
	int64_t retry_after_ms; /* from Retry-After (seconds or date), else reset_ms on a 429; times count from the Date
	                           header where there is one. -1 if neither was sent or understood, never negative
	                           otherwise */
	int64_t reset_ms;       /* until x-ratelimit-reset, else x-ratelimit-reset-time, with any status; -1 if neither
	                           was sent or understood */
	int64_t remaining;      /* x-ratelimit-remaining; -1 if it was not sent, or comes from a cache (Age, R) */
};

#define HTTP_ANSWER_INIT                                                                                               \
	{                                                                                                              \
		.body = BUF_INIT, .location = BUF_INIT, .length = -1, .date_ms = -1, .retry_after_ms = -1,             \
		.reset_ms = -1, .remaining = -1                                                                        \
	}

/* Loads the library behind this, for who will be able to open fewer files later. 0, or -ENOSYS with a message. */
int http_load(struct err *err);

int http_create(struct http **out, struct err *err);
void http_destroy(struct http *http); /* NULL is fine; no call may be left */

/*
 * Sends a request and returns without waiting for the answer; the call is ended by http_end. -EINVAL if it is not an http
 * or https URL, or one with a user or password in it; -ECANCELED after http_stop.
 */
int http_begin(struct http *http, const struct http_request *request, struct http_call **out, struct err *err);

/*
 * Waits until one of the calls has come to its end, at most `ms`: 1 with *ended set, to be given to http_end before the
 * next wait; 0 when the time is up (without calls this is a sleep) or after http_wake; -ECANCELED after http_stop; -EIO if
 * libcurl fails.
 */
int http_await(struct http *http, int64_t ms, struct http_call **ended);

/* The `owner` of the request that the call was made for. */
void *http_owner(const struct http_call *call);

/* Goes on with a call that its sink has paused. */
void http_resume(struct http_call *call);

/*
 * Takes what a call came to, and frees it. A call without an answer yet is given up: -ECANCELED. A call has 10 s for its
 * connection, then as long as bytes keep coming: 30 s with less than 100 bytes/s end it, 300 s end it anyway.
 *
 *   0              an answer of whatever status is there
 *   -EHOSTUNREACH  no whole answer: DNS, connect, TLS, reset, cut short, stalled
 *   -EBADMSG       not HTTP, or the body's encoding is damaged
 *   -EMSGSIZE      the body is larger than body_max
 *   -ECANCELED     the call was given up, or http_stop was called
 *   others         what the sink has said
 *
 * `answer` is HTTP_ANSWER_INIT or left from an earlier call; on failure it is HTTP_ANSWER_INIT afterwards. Not found out
 * here, because libcurl does not tell: a gzip stream that ends early in a body that is otherwise whole, and a body cut
 * short that came with neither length nor chunks.
 */
int http_end(struct http_call *call, struct http_answer *answer, struct err *err);

void http_answer_finish(struct http_answer *answer);

/* Makes every wait, and all later calls, end with -ECANCELED promptly. Any thread, any time before http_destroy. */
void http_stop(struct http *http);

/* Ends the http_await that is under way, or else the next one, before its time. Any thread, as http_stop. */
void http_wake(struct http *http);

/* Moves on, every second or so, while somebody waits in here: a thread that waits for the service is not stuck. Any
 * thread. */
uint64_t http_turns(const struct http *http);

/* Requests sent so far. Any thread. */
uint64_t http_count(const struct http *http);

/* Appends `text` with everything but RFC 3986's unreserved characters percent-encoded. 0 or -ENOMEM. */
int http_append_encoded(struct buf *url, struct slice text);

#endif
