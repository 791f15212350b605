/*
 * One easy handle in one multi handle. The multi interface is there for the wait: curl_multi_poll can be woken by
 * another thread, a blocking curl_easy_perform cannot. The easy handle is kept for its connection.
 *
 * Threads: everything belongs to the calling thread but `stopped` and `count`, which are atomic, and curl_multi_wakeup.
 *
 * libcurl's global state is counted by libcurl: every http_create takes part with curl_global_init and every
 * http_destroy gives it back. Both may run in any thread at any time since libcurl 7.84, and we demand 7.85.
 */
#include "http/http.h"

#include "http/retry_after.h"
#include "http/url.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000L
#define TOTAL_TIMEOUT_MS 300000L
#define STALL_SECONDS 30L
#define STALL_BYTES_PER_SECOND 1L
#define POLL_MS 1000 /* an upper bound only; libcurl's own timers and a stop end the wait earlier */
#define KEEPALIVE_IDLE_SECONDS 60L
#define KEEPALIVE_INTERVAL_SECONDS 30L
#define RECEIVE_BUFFER_BYTES (128L << 10)

struct http {
	CURLM *multi;
	CURL *easy;
	char curl_text[CURL_ERROR_SIZE]; /* libcurl's words for the last failure */
	atomic_bool stopped;
	_Atomic uint64_t count;
	int64_t patience_ms; /* before `impatient` is called; it may be NULL */
	void (*impatient)(void *context);
	void *impatient_context;
};

/* Where the answer to the request under way goes. */
struct sink {
	struct buf *body;
	size_t max;
	int rc;        /* why receiving was broken off, 0 while it was not */
	bool head_end; /* the empty line behind the last head came */
};

/* libcurl takes a connection that is closed within the head for the end of an answer without a body. */
static size_t watch_head(char *line, size_t one, size_t len, void *opaque)
{
	struct sink *sink = opaque;
	(void)one; /* always 1 */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		sink->head_end = false; /* the one before was interim */
	else if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
		sink->head_end = true; /* what follows, if anything, is a trailer */
	return len;
}

static size_t receive(char *bytes, size_t one, size_t len, void *opaque)
{
	struct sink *sink = opaque;
	(void)one; /* always 1 */
	if (len > sink->max - sink->body->len)
		sink->rc = -EMSGSIZE;
	else
		sink->rc = buf_append(sink->body, bytes, len);
	return sink->rc == 0 ? len : CURL_WRITEFUNC_ERROR;
}

/* What holds for every request. Redirects, cookies, .netrc and HTTP/0.9 are off by libcurl's default. */
static CURLcode set_common(struct http *http)
{
	CURL *easy = http->easy;
	CURLcode code = CURLE_OK;
#define SET(option, value) (code = code ? code : curl_easy_setopt(easy, option, value))
	SET(CURLOPT_ERRORBUFFER, http->curl_text);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(CURLOPT_USERAGENT, "contentfs/" CONTENTFS_VERSION);
	SET(CURLOPT_HEADERFUNCTION, watch_head);
	SET(CURLOPT_WRITEFUNCTION, receive);
	SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(CURLOPT_TIMEOUT_MS, TOTAL_TIMEOUT_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_SECOND);
	SET(CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
	SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Without it, giving up while a name is being resolved waits for the resolver's thread, which can take a
	 * minute. The thread frees what it holds when it ends. */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
#undef SET
	return code;
}

int http_create(struct http **out, struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, -ENOMEM, "libcurl cannot be set up");
	struct http *http = calloc(1, sizeof(*http));
	if (!http) {
		curl_global_cleanup();
		return err_oom(err);
	}
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->multi || !http->easy || set_common(http) != CURLE_OK) {
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
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http);
	curl_global_cleanup();
}

static void cleanup_list(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static int append_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int make_headers(const char *const *lines, struct curl_slist **list)
{
	int rc = append_header(list, "X-User-Agent: contentfs/" CONTENTFS_VERSION);
	for (; rc == 0 && lines && *lines; lines++)
		rc = append_header(list, *lines);
	return rc;
}

/* Waits for the request under way, and calls `impatient` when its time, *at, has come. */
static CURLMcode wait_for_answer(struct http *http, int64_t *at)
{
	int64_t left = http->impatient ? *at - clock_monotonic_ms() : POLL_MS;
	if (left <= 0) {
		http->impatient(http->impatient_context);
		*at = INT64_MAX;
		left = POLL_MS;
	}
	return curl_multi_poll(http->multi, NULL, 0, left < POLL_MS ? (int)left : POLL_MS, NULL);
}

/* Runs the request that is set up. 0 with libcurl's verdict in *code, -ECANCELED, or -EIO if libcurl is at a loss. */
static int transfer(struct http *http, CURLcode *code)
{
	CURLMcode failed = curl_multi_add_handle(http->multi, http->easy);
	int running = 1;
	int64_t impatient_at = clock_monotonic_ms() + http->patience_ms;
	atomic_fetch_add(&http->count, 1);
	while (!failed && running && !atomic_load(&http->stopped)) {
		failed = curl_multi_perform(http->multi, &running);
		/* A wakeup between the test above and this wait is not lost: it ends the wait at once. */
		if (!failed && running)
			failed = wait_for_answer(http, &impatient_at);
	}
	int left;
	const CURLMsg *message = curl_multi_info_read(http->multi, &left);
	if (message)
		*code = message->data.result;
	curl_multi_remove_handle(http->multi, http->easy);
	if (message)
		return 0;
	return failed ? -EIO : -ECANCELED;
}

static int errno_of(CURLcode code, const struct sink *sink)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_WRITE_ERROR: /* ours, or something behind the end of the gzip stream */
		return sink->rc < 0 ? sink->rc : -EBADMSG;
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL: /* the URL was looked at before, so this is an answer that is not HTTP */
	case CURLE_WEIRD_SERVER_REPLY:
		return -EBADMSG;
	default:
		return -EHOSTUNREACH;
	}
}

/* libcurl's words, unless they quote a proxy with its password ("user:password@host"). */
static const char *words_for(const struct http *http, CURLcode code)
{
	return http->curl_text[0] && !strchr(http->curl_text, '@') ? http->curl_text : curl_easy_strerror(code);
}

static int report(const struct http *http, const struct url *url, CURLcode code, const struct sink *sink,
		  struct err *err)
{
	int rc = errno_of(code, sink);
	switch (rc) {
	case 0:
		return 0;
	case -ENOMEM:
		return err_oom(err);
	case -EMSGSIZE:
		return err_set(err, rc, "%.300s: the answer is larger than the %zu bytes that are accepted", url->label,
			       sink->max);
	default:
		return err_set(err, rc, "%.300s: %s", url->label, words_for(http, code));
	}
}

static const char *header_of(CURL *easy, const char *name)
{
	struct curl_header *header;
	return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strnlen(from, size - 1) : 0;
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
}

static void read_head(CURL *easy, struct http_answer *answer)
{
	const char *location = NULL;
	int64_t now = clock_wall_ms();
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &location);
	copy_text(answer->content_type, sizeof(answer->content_type), header_of(easy, "Content-Type"));
	copy_text(answer->location, sizeof(answer->location), location);
	answer->retry_after_ms = retry_after_ms(header_of(easy, "Retry-After"), now);
	if (answer->retry_after_ms < 0 && answer->status == 429)
		answer->retry_after_ms = retry_after_reset_ms(header_of(easy, "x-ratelimit-reset"), now);
}

/* Sends what is described and fills the answer, whose head is empty and whose body is `sink`'s. */
static int exchange(struct http *http, const struct http_request *request, const struct url *url, struct sink *sink,
		    struct http_answer *answer, struct err *err)
{
	CLEANUP(cleanup_list) struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OK;
	if (make_headers(request->headers, &headers) < 0 ||
	    curl_easy_setopt(http->easy, CURLOPT_URL, request->url) != CURLE_OK)
		return err_oom(err);
	/* NULL leaves the environment's no_proxy in force. */
	curl_easy_setopt(http->easy, CURLOPT_NOPROXY, url->loopback ? "*" : NULL);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(http->easy, CURLOPT_HEADERDATA, sink);
	curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, sink);
	http->curl_text[0] = '\0';
	int rc = transfer(http, &code);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
	if (rc == -ECANCELED)
		return err_set(err, rc, "%.300s: told to stop", url->label);
	if (rc < 0)
		return err_set(err, rc, "%.300s: libcurl failed", url->label);
	rc = report(http, url, code, sink, err);
	if (rc < 0)
		return rc;
	if (!sink->head_end)
		return err_set(err, -EHOSTUNREACH, "%.300s: the answer ends within its head", url->label);
	read_head(http->easy, answer);
	return 0;
}

int http_get(struct http *http, const struct http_request *request, struct http_answer *answer, struct err *err)
{
	CLEANUP(url_finish) struct url url = {0};
	buf_reset(&answer->body);
	*answer = (struct http_answer){.body = answer->body, .retry_after_ms = -1};
	if (atomic_load(&http->stopped))
		return err_set(err, -ECANCELED, "told to stop");
	int rc = url_look(request->url, &url, err);
	if (rc < 0)
		return rc;
	struct sink sink = {.body = &answer->body, .max = request->body_max};
	rc = exchange(http, request, &url, &sink, answer, err);
	if (rc < 0)
		buf_reset(&answer->body);
	return rc;
}

void http_answer_finish(struct http_answer *answer)
{
	buf_finish(&answer->body);
	*answer = (struct http_answer)HTTP_ANSWER_INIT;
}

void http_while_waiting(struct http *http, int64_t ms, void (*call)(void *context), void *context)
{
	http->patience_ms = ms;
	http->impatient = call;
	http->impatient_context = context;
}

bool http_wait(struct http *http, int64_t ms)
{
	int64_t until = clock_monotonic_ms() + ms;
	for (;;) {
		int64_t left = until - clock_monotonic_ms();
		if (atomic_load(&http->stopped))
			return false;
		if (left <= 0)
			return true;
		/* Idle connections may end the wait early, so it is taken up again. */
		curl_multi_poll(http->multi, NULL, 0, left < POLL_MS ? (int)left : POLL_MS, NULL);
	}
}

void http_stop(struct http *http)
{
	atomic_store(&http->stopped, true);
	curl_multi_wakeup(http->multi);
}

uint64_t http_count(const struct http *http)
{
	return atomic_load(&http->count);
}
