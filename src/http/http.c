/*
 * Easy handles in one multi handle, one each call. The multi interface is there for several calls at once and for the
 * wait: curl_multi_poll can be woken by another thread. Connections are kept by the multi handle, from call to call.
 *
 * Threads: everything belongs to the calling thread but `stopped`, `woken`, `count` and `turns`, which are atomic, and
 * curl_multi_wakeup.
 *
 * libcurl's global state is counted by libcurl: every http_create takes part with curl_global_init and every
 * http_destroy gives it back. Both may run in any thread at any time since libcurl 7.84, and we demand 7.85.
 */
#include "http/http.h"

#include "http/head.h"
#include "http/libcurl.h"
#include "http/url.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/secret.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000L
#define TOTAL_TIMEOUT_MS 300000L
#define STALL_SECONDS 30L
#define STALL_BYTES_PER_SECOND 100L /* a page at this pace would not be through before the total timeout */
#define POLL_MS 1000                /* an upper bound only; libcurl's own timers and a stop end the wait earlier */
#define KEEPALIVE_IDLE_SECONDS 60L
#define KEEPALIVE_INTERVAL_SECONDS 30L
#define RECEIVE_BUFFER_BYTES (128L << 10)

struct http {
	CURLM *multi;
	struct http_call *ended; /* whose answers were not handed out yet, oldest first */
	atomic_bool stopped;
	atomic_bool woken;
	_Atomic uint64_t count;
	_Atomic uint64_t turns; /* of the loops that wait */
};

/* What has come of an answer. */
struct receipt {
	struct http_answer answer;
	size_t max;
	int rc;         /* why receiving was broken off, 0 while it was not */
	bool head_end;  /* the empty line behind the last head came */
	bool head_told; /* and the sink knows of it */
};

struct http_call {
	struct http *http;
	struct http_call *next; /* among the ended */
	void *owner;
	CURL *easy;
	struct curl_slist *headers;
	struct url url;
	const struct http_sink *sink; /* NULL if the body is gathered */
	struct receipt receipt;
	char curl_text[CURL_ERROR_SIZE]; /* libcurl's words for a failure */
	bool has_ended;
	CURLcode code; /* libcurl's verdict, once it has */
};

/* libcurl takes a connection that is closed within the head for the end of an answer without a body. */
static size_t watch_head(char *line, size_t one, size_t len, void *opaque)
{
	struct receipt *receipt = opaque;
	(void)one; /* always 1 */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		receipt->head_end = false; /* the one before was interim */
	else if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
		receipt->head_end = true; /* what follows, if anything, is a trailer */
	return len;
}

static size_t gather(char *bytes, size_t one, size_t len, void *opaque)
{
	struct receipt *receipt = opaque;
	(void)one; /* always 1 */
	if (len > receipt->max - receipt->answer.body.len)
		receipt->rc = -EMSGSIZE;
	else
		receipt->rc = buf_append(&receipt->answer.body, bytes, len);
	return receipt->rc == 0 ? len : CURL_WRITEFUNC_ERROR;
}

/* 0, or why the call is to be broken off. */
static int tell_head(struct http_call *call)
{
	struct receipt *receipt = &call->receipt;
	if (receipt->head_told)
		return 0;
	receipt->head_told = true;
	int rc = head_read(call->easy, &receipt->answer);
	return rc < 0 ? rc : call->sink->head(call->owner, &receipt->answer);
}

static size_t hand_on(char *bytes, size_t one, size_t len, void *opaque)
{
	struct http_call *call = opaque;
	(void)one; /* always 1 */
	int rc = tell_head(call);
	if (rc == 0)
		rc = call->sink->body(call->owner, slice_make(bytes, len));
	if (rc == -EAGAIN)
		return CURL_WRITEFUNC_PAUSE;
	call->receipt.rc = rc;
	return rc == 0 ? len : CURL_WRITEFUNC_ERROR;
}

/* What holds for every request. Redirects, cookies, .netrc and HTTP/0.9 are off by libcurl's default. */
static CURLcode set_common(struct http_call *call)
{
	CURL *easy = call->easy;
	CURLcode code = CURLE_OK;
#define SET(option, value) (code = code ? code : curl_easy_setopt(easy, option, value))
	SET(CURLOPT_ERRORBUFFER, call->curl_text);
	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_PATH_AS_IS, 1L); /* a file may be called ".." */
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_USERAGENT, "contentfs/" CONTENTFS_VERSION);
	SET(CURLOPT_HEADERFUNCTION, watch_head);
	SET(CURLOPT_HEADERDATA, &call->receipt);
	SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
	SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Without it, giving up while a name is being resolved waits for the resolver's thread, which can take a
	 * minute. The thread frees what it holds when it ends. */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	return code;
}

static CURLcode set_body(struct http_call *call)
{
	CURL *easy = call->easy;
	CURLcode code = CURLE_OK;
	if (call->sink) {
		SET(CURLOPT_WRITEFUNCTION, hand_on);
		SET(CURLOPT_WRITEDATA, call);
	} else {
		SET(CURLOPT_ACCEPT_ENCODING, "gzip");
		SET(CURLOPT_WRITEFUNCTION, gather);
		SET(CURLOPT_WRITEDATA, &call->receipt);
	}
	return code;
}

static CURLcode set_limits(struct http_call *call, int64_t stall_ms)
{
	CURL *easy = call->easy;
	CURLcode code = CURLE_OK;
	int64_t connect_ms = stall_ms > 0 && stall_ms < CONNECT_TIMEOUT_MS ? stall_ms : CONNECT_TIMEOUT_MS;
	SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms < 1000 ? 1000L : (long)connect_ms);
	SET(CURLOPT_TIMEOUT_MS, stall_ms > 0 ? 0L : TOTAL_TIMEOUT_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, stall_ms > 0 ? 1L : STALL_BYTES_PER_SECOND);
	SET(CURLOPT_LOW_SPEED_TIME, stall_ms == 0 ? STALL_SECONDS : stall_ms < 2000 ? 1L : (long)(stall_ms / 1000));
	return code;
}
#undef SET

/* --- libcurl's memory --------------------------------------------------------------------------------------------- */

/* Headers and URLs with secrets in them are copied by libcurl several times: it gets memory that is wiped when it gives it
 * back. */
static void wipe_and_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static void *reallocate(void *memory, size_t size)
{
	size_t before = memory ? malloc_usable_size(memory) : 0;
	void *moved = malloc(size);
	if (!moved || !memory)
		return moved;
	memcpy(moved, memory, before < size ? before : size);
	wipe_and_free(memory);
	return moved;
}

int http_load(struct err *err)
{
	return libcurl_load(err);
}

int http_create(struct http **out, struct err *err)
{
	int rc = libcurl_load(err);
	if (rc < 0)
		return rc;
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free, reallocate, strdup, calloc) != CURLE_OK)
		return err_set(err, -ENOMEM, "libcurl cannot be set up");
	struct http *http = calloc(1, sizeof(*http));
	if (!http) {
		curl_global_cleanup();
		return err_oom(err);
	}
	http->multi = curl_multi_init();
	if (!http->multi) {
		http_destroy(http);
		return err_set(err, -ENOMEM, "libcurl cannot be set up");
	}
	*out = http;
	return 0;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	curl_multi_cleanup(http->multi);
	free(http);
	curl_global_cleanup();
}

/* --- beginning a call --------------------------------------------------------------------------------------------- */

static void call_free(struct http_call *call)
{
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	url_finish(&call->url);
	http_answer_finish(&call->receipt.answer);
	free(call);
}

static int append_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int make_headers(const struct http_request *request, struct curl_slist **list)
{
	const char *const *lines = request->headers;
	int rc = append_header(list, "X-User-Agent: contentfs/" CONTENTFS_VERSION);
	if (rc == 0 && request->sink)
		rc = append_header(list, "Accept-Encoding: identity");
	for (; rc == 0 && lines && *lines; lines++)
		rc = append_header(list, *lines);
	return rc;
}

/* Gives the call its handle, set up for the request. */
static int prepare(struct http_call *call, const struct http_request *request)
{
	call->easy = curl_easy_init();
	call->receipt.max = request->body_max;
	call->sink = request->sink;
	if (!call->easy || set_common(call) != CURLE_OK || set_body(call) != CURLE_OK ||
	    set_limits(call, request->stall_ms) != CURLE_OK || make_headers(request, &call->headers) < 0 ||
	    curl_easy_setopt(call->easy, CURLOPT_URL, request->url) != CURLE_OK ||
	    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) != CURLE_OK)
		return -ENOMEM;
	/* NULL leaves the environment's no_proxy in force. */
	return curl_easy_setopt(call->easy, CURLOPT_NOPROXY, call->url.loopback ? "*" : NULL) == CURLE_OK ? 0 : -ENOMEM;
}

/* Lets libcurl do what can be done without waiting, and takes note of the calls that ended. */
static CURLMcode perform(struct http *http)
{
	int running;
	int left;
	const CURLMsg *message;
	CURLMcode failed = curl_multi_perform(http->multi, &running);
	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct http_call *call = NULL;
		struct http_call **end = &http->ended;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		call->has_ended = true;
		call->code = message->data.result;
		while (*end)
			end = &(*end)->next;
		*end = call;
	}
	return failed;
}

int http_begin(struct http *http, const struct http_request *request, struct http_call **out, struct err *err)
{
	if (atomic_load(&http->stopped))
		return err_set(err, -ECANCELED, "told to stop");
	struct http_call *call = calloc(1, sizeof(*call));
	if (!call)
		return err_oom(err);
	call->http = http;
	call->owner = request->owner;
	call->receipt.answer = (struct http_answer)HTTP_ANSWER_INIT;
	int rc = url_look(request->url, &call->url, err);
	if (rc == 0 && (prepare(call, request) < 0 || curl_multi_add_handle(http->multi, call->easy) != CURLM_OK))
		rc = err_oom(err);
	if (rc < 0) {
		call_free(call);
		return rc;
	}
	atomic_fetch_add(&http->count, 1);
	perform(http); /* on a connection that is open already the request leaves with this */
	*out = call;
	return 0;
}

void *http_owner(const struct http_call *call)
{
	return call->owner;
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

static int take_ended(struct http *http, struct http_call **ended)
{
	struct http_call *call = http->ended;
	if (!call)
		return 0;
	http->ended = call->next;
	call->next = NULL;
	*ended = call;
	return 1;
}

/* A wakeup between the tests of `stopped` and `woken` and the poll is not lost: it ends the poll at once. */
int http_await(struct http *http, int64_t ms, struct http_call **ended)
{
	int64_t until = clock_monotonic_ms() + ms;
	for (;;) {
		atomic_fetch_add(&http->turns, 1);
		if (atomic_load(&http->stopped))
			return -ECANCELED;
		CURLMcode failed = perform(http);
		if (take_ended(http, ended))
			return 1;
		int64_t left = until - clock_monotonic_ms();
		if (!failed && (atomic_exchange(&http->woken, false) || left <= 0))
			return 0;
		if (!failed)
			failed = curl_multi_poll(http->multi, NULL, 0, left < POLL_MS ? (int)left : POLL_MS, NULL);
		if (failed)
			return -EIO;
	}
}

void http_resume(struct http_call *call)
{
	if (!call->has_ended)
		curl_easy_pause(call->easy, CURLPAUSE_CONT);
}

/* --- what a call came to ------------------------------------------------------------------------------------------ */

static int errno_of(CURLcode code, const struct receipt *receipt)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_WRITE_ERROR: /* ours, or something behind the end of the gzip stream */
		return receipt->rc < 0 ? receipt->rc : -EBADMSG;
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL: /* the URL was looked at before, so this is an answer that is not HTTP */
	case CURLE_WEIRD_SERVER_REPLY:
		return -EBADMSG;
	default:
		return -EHOSTUNREACH;
	}
}

/* libcurl's words, unless they quote a proxy with its password ("user:password@host"). */
static const char *words_for(const struct http_call *call)
{
	return call->curl_text[0] && !strchr(call->curl_text, '@') ? call->curl_text : curl_easy_strerror(call->code);
}

/* What to do about it, where libcurl's words say only what it is. */
static const char *advice_for(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return " (check the network, and the name of the host or proxy)";
	case CURLE_COULDNT_CONNECT:
		return " (check the network, and whether a firewall or proxy is in between)";
	case CURLE_PEER_FAILED_VERIFICATION:
		return " (check the clock, the ca-certificates of this machine, and whether a proxy is in between)";
	default:
		return "";
	}
}

static int report(const struct http_call *call, struct err *err)
{
	int rc = errno_of(call->code, &call->receipt);
	if (rc == 0 && !call->receipt.head_end)
		return err_set(err, -EHOSTUNREACH, "%.300s: the answer ends within its head", call->url.label);
	switch (rc) {
	case 0:
		return 0;
	case -ENOMEM:
		return err_oom(err);
	case -EMSGSIZE:
		return err_set(err, rc, "%.300s: the answer is larger than the %zu bytes that are accepted",
			       call->url.label, call->receipt.max);
	default:
		return err_set(err, rc, "%.300s: %s%s", call->url.label, words_for(call), advice_for(call->code));
	}
}

void http_answer_finish(struct http_answer *answer)
{
	buf_finish(&answer->body);
	buf_finish(&answer->location);
	*answer = (struct http_answer)HTTP_ANSWER_INIT;
}

/* The answer is whole: what is left to be known of it, or told. */
static int complete(struct http_call *call, struct err *err)
{
	int rc = call->sink ? tell_head(call) : head_read(call->easy, &call->receipt.answer);
	if (rc == -ENOMEM)
		return err_oom(err);
	return rc < 0 ? err_set(err, rc, "%.300s: not wanted", call->url.label) : 0;
}

/* Without the query, which may hold tokens. */
static void log_end(const struct http_call *call)
{
	curl_off_t bytes = 0;
	curl_off_t us = 0;
	long status = 0;
	curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	curl_easy_getinfo(call->easy, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	log_debug("GET %.300s: %s, status %ld, %lld bytes in %lld ms", call->url.label,
		  !call->has_ended         ? "given up"
		  : call->code == CURLE_OK ? "answered"
					   : words_for(call),
		  status, (long long)bytes, (long long)us / 1000);
}

int http_end(struct http_call *call, struct http_answer *answer, struct err *err)
{
	log_end(call);
	int rc =
		call->has_ended ? report(call, err) : err_set(err, -ECANCELED, "%.300s: told to stop", call->url.label);
	http_answer_finish(answer);
	if (rc == 0)
		rc = complete(call, err);
	if (rc == 0) {
		*answer = call->receipt.answer;
		call->receipt.answer = (struct http_answer)HTTP_ANSWER_INIT;
	}
	for (struct http_call **at = &call->http->ended; *at; at = &(*at)->next) {
		if (*at == call) {
			*at = call->next;
			break;
		}
	}
	curl_multi_remove_handle(call->http->multi, call->easy);
	call_free(call);
	secret_burn_stack();
	return rc;
}

void http_stop(struct http *http)
{
	atomic_store(&http->stopped, true);
	curl_multi_wakeup(http->multi);
}

void http_wake(struct http *http)
{
	atomic_store(&http->woken, true);
	curl_multi_wakeup(http->multi);
}

uint64_t http_turns(const struct http *http)
{
	return atomic_load(&http->turns);
}

uint64_t http_count(const struct http *http)
{
	return atomic_load(&http->count);
}
