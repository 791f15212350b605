/* What delivery_ask and delivery_content_types send, and what they make of the answers. */
#include "delivery/delivery.h"
#include "scripted_server.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TOKEN "cs0123s3cret"
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define HEAD(status) "HTTP/1.1 " status " Text\r\nConnection: close\r\n\r\n"
#define PAGE OK_HEAD "{\"items\":[],\"sync_token\":\"next\"}"

static struct delivery *create_with(const char *host, const char *token, const char *branch)
{
	struct delivery *delivery = NULL;
	struct err err = {0};
	const struct delivery_target target = {
		.host = host, .api_key = "blt1", .token = token, .environment = "pre view&x", .branch = branch};
	if (delivery_create(&delivery, &target, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return delivery;
}

static struct delivery *create(const char *host, const char *branch)
{
	return create_with(host, TOKEN, branch);
}

/* The first line of a request up to the version. */
static char *request_target(const struct server *server, char *target, size_t size)
{
	const char *request = server->requests[0];
	snprintf(target, size, "%.*s", (int)strcspn(request, "\r"), request);
	return target;
}

/* A question from its sending to its answer. */
static enum delivery_outcome ask_once(struct delivery *delivery, const struct sync_query *query, struct page *page,
				      int64_t *retry_after_ms, struct err *err)
{
	struct delivery_advice advice = DELIVERY_NO_ADVICE;
	struct delivery_call *call;
	struct delivery_call *answered;
	enum delivery_outcome outcome = delivery_ask(delivery, query, &call, err);
	if (outcome != DELIVERY_OK)
		return outcome;
	if (!ok(delivery_await(delivery, 60000, &answered) == 1 && answered == call, "an answer comes"))
		exit(1);
	outcome = delivery_take(call, page, &advice, err);
	if (retry_after_ms)
		*retry_after_ms = advice.retry_after_ms;
	return outcome;
}

static void test_sync_requests(void)
{
	static const struct {
		struct sync_query query;
		const char *parameters;
	} rows[] = {
		{{.mode = SYNC_INIT}, "&init=true"},
		{{.mode = SYNC_INIT,
		  .content_type = "blog post",
		  .locale = "en-us",
		  .start_from = "2020-04-29T08:05:56Z",
		  .types = "entry_published,asset_published"},
		 "&init=true&content_type_uid=blog%20post&locale=en-us&start_from=2020-04-29T08%3A05%3A56Z"
		 "&type=entry_published%2Casset_published"},
		{{.mode = SYNC_PAGE, .token = "a+b/c=&d"}, "&pagination_token=a%2Bb%2Fc%3D%26d"},
		{{.mode = SYNC_PAGE, .token = "t", .locale = "en-us", .content_type = "x"}, "&pagination_token=t"},
		{{.mode = SYNC_DELTA, .token = "t", .types = "x", .start_from = "y"}, "&sync_token=t"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		static const struct server_answer answer = {PAGE, 0, THEN_CLOSE};
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		struct server server;
		char host[64], got[512], want[512], value[128];
		server_start(&server, &answer, 1);
		struct delivery *delivery = create(server_url(&server, "", host, sizeof(host)), i % 2 ? "dev" : NULL);
		is_int(ask_once(delivery, &rows[i].query, &page, NULL, NULL), DELIVERY_OK, "query %zu: an answer", i);
		is_str(page.token, "next", "query %zu: its token", i);
		server_stop(&server);
		snprintf(want, sizeof(want), "GET /v3/stacks/sync?environment=pre%%20view%%26x%s HTTP/1.1",
			 rows[i].parameters);
		is_str(request_target(&server, got, sizeof(got)), want, "query %zu: the request", i);
		const char *request = server.requests[0];
		is_str(request_header(request, "api_key", value, sizeof(value)), "blt1", "query %zu: the API key", i);
		is_str(request_header(request, "access_token", value, sizeof(value)), TOKEN, "query %zu: the token", i);
		is_str(request_header(request, "branch", value, sizeof(value)), i % 2 ? "dev" : NULL,
		       "query %zu: branch", i);
		is_int((long long)delivery_count(delivery), 1, "query %zu: one call", i);
		delivery_destroy(delivery);
	}
}

static void test_content_types(void)
{
	static const struct server_answer answer = {OK_HEAD "{\"content_types\":[{\"uid\":\"blog\"}]}", 0, THEN_CLOSE};
	CLEANUP(content_type_list_finish) struct content_type_list list = CONTENT_TYPE_LIST_INIT;
	struct delivery_advice advice = DELIVERY_NO_ADVICE;
	struct server server;
	char host[64], got[512];
	server_start(&server, &answer, 1);
	struct delivery *delivery = create(server_url(&server, "", host, sizeof(host)), NULL);
	is_int(delivery_content_types(delivery, 200, &list, &advice, NULL), DELIVERY_OK, "content types");
	is_int((long long)list.count, 1, "one");
	server_stop(&server);
	is_str(request_target(&server, got, sizeof(got)),
	       "GET /v3/content_types?environment=pre%20view%26x&skip=200&limit=100&include_count=true&include_global_field_schema=true "
	       "HTTP/1.1",
	       "the request");
	delivery_destroy(delivery);
}

static const struct {
	const char *name;
	const char *answer;
	enum delivery_outcome outcome;
	int64_t retry_after_ms;
	const char *says;
} answers[] = {
	{"HTML with status 200", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>",
	 DELIVERY_NONSENSE, -1, "text/html"},
	{"another object", OK_HEAD "{\"entries\":[]}", DELIVERY_NONSENSE, -1, "not a page of the Sync API"},
	{"nothing", OK_HEAD, DELIVERY_NONSENSE, -1, "not a page of the Sync API"},
	{"no HTTP", "hello\r\n", DELIVERY_NONSENSE, -1, "/v3/stacks/sync"},
	{"no answer", "", DELIVERY_UNAVAILABLE, -1, "/v3/stacks/sync"},
	{"a body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"items\":[]", DELIVERY_UNAVAILABLE, -1,
	 "/v3/stacks/sync"},
	{"too many requests", "HTTP/1.1 429 No\r\nRetry-After: 3\r\nConnection: close\r\n\r\n", DELIVERY_RATE_LIMITED,
	 3000, "429"},
	{"maintenance", "HTTP/1.1 503 No\r\nRetry-After: 60\r\nConnection: close\r\n\r\n<html>", DELIVERY_UNAVAILABLE,
	 60000, "503"},
	{"a token that is not valid",
	 HEAD("422") "{\"error_message\":\"no\",\"error_code\":141,\"errors\":{\"sync_token\":[\"is not valid.\"]}}",
	 DELIVERY_TOKEN_REFUSED, -1, "sync token"},
	{"credentials", HEAD("401") "{\"error_message\":\"no\",\"error_code\":105}", DELIVERY_CREDENTIALS_REFUSED, -1,
	 "delivery token"},
	{"the token repeated by the service",
	 HEAD("401") "{\"error_message\":\"" TOKEN " is wrong\",\"error_code\":105,\"errors\":{\"" TOKEN "\":[\"" TOKEN
		     "\"]}}",
	 DELIVERY_CREDENTIALS_REFUSED, -1, "************ is wrong"},
	{"a redirect", "HTTP/1.1 301 Go\r\nLocation: https://evil.example/?t=" TOKEN "\r\nConnection: close\r\n\r\n",
	 DELIVERY_NONSENSE, -1, "redirects to evil.example, which is not followed"},
	{"another server", HEAD("404") "<html>", DELIVERY_NONSENSE, -1, "http://127.0.0.1:"},
	{"a redirect nowhere", "HTTP/1.1 304 Same\r\nConnection: close\r\n\r\n", DELIVERY_NONSENSE, -1, "not followed"},
	{"no such path", HEAD("404") "{}", DELIVERY_NONSENSE, -1, "--host"},
};

static void test_answers(void)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		const struct server_answer answer = {answers[i].answer, 0, THEN_CLOSE};
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		struct server server;
		struct err err = {0};
		int64_t retry_after_ms = 0;
		char host[64];
		server_start(&server, &answer, 1);
		struct delivery *delivery = create(server_url(&server, "", host, sizeof(host)), NULL);
		const struct sync_query query = {.mode = SYNC_DELTA, .token = "t0k3n"};
		is_int(ask_once(delivery, &query, &page, &retry_after_ms, &err), answers[i].outcome, "%s: outcome",
		       answers[i].name);
		server_stop(&server);
		is_int(retry_after_ms, answers[i].retry_after_ms, "%s: retry after", answers[i].name);
		if (!ok(strstr(err.text, answers[i].says) != NULL, "%s: says %s", answers[i].name, answers[i].says))
			diag("%s", err.text);
		ok(!strstr(err.text, TOKEN) && !strstr(err.text, "t0k3n"), "%s: no secret in the message",
		   answers[i].name);
		ok(!page.body.text && !page.items && !page.token, "%s: no page", answers[i].name);
		delivery_destroy(delivery);
	}
}

/* A token that looks like what it is masked with. */
static void test_token_of_stars(void)
{
	static const struct server_answer answer = {HEAD("401") "{\"error_message\":\"a*****b\"}", 0, THEN_CLOSE};
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	const struct sync_query query = {.mode = SYNC_INIT};
	struct server server;
	struct err err = {0};
	char host[64];
	server_start(&server, &answer, 1);
	struct delivery *delivery = create_with(server_url(&server, "", host, sizeof(host)), "**", NULL);
	is_int(ask_once(delivery, &query, &page, NULL, &err), DELIVERY_CREDENTIALS_REFUSED, "a token of stars");
	server_stop(&server);
	ok(strstr(err.text, "a*****b") != NULL, "is masked: %s", err.text);
	delivery_destroy(delivery);
}

/* A token that is a part of what the service says. It is hidden, and yet the answer is what it is. */
static void test_token_in_words(void)
{
	static const char *const tokens[] = {"token", "sync", "141", "error", "s", "{"};
	static const struct server_answer answer = {
		HEAD("422") "{\"error_message\":\"no\",\"error_code\":141,\"errors\":{\"sync_token\":[\"is not valid.\"]}}",
		0, THEN_CLOSE};
	for (size_t i = 0; i < COUNT(tokens); i++) {
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		const struct sync_query query = {.mode = SYNC_DELTA, .token = "t"};
		struct server server;
		struct err err = {0};
		char host[64];
		server_start(&server, &answer, 1);
		struct delivery *delivery = create_with(server_url(&server, "", host, sizeof(host)), tokens[i], NULL);
		is_int(ask_once(delivery, &query, &page, NULL, &err), DELIVERY_TOKEN_REFUSED, "the token is '%s'",
		       tokens[i]);
		server_stop(&server);
		ok(!strstr(err.text, tokens[i]), "and not to be seen: %s", err.text);
		delivery_destroy(delivery);
	}
}

/* One page after another over one connection into the same page. */
static void test_reuse(void)
{
	static const struct server_answer pages[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n{\"items\":[1],\"pagination_token\":\"one\"}", 0,
		 THEN_KEEP},
		{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 0, THEN_KEEP},
		{"HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{\"items\":[],\"sync_token\":\"two\"}", 0, THEN_CLOSE},
	};
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	const struct sync_query query = {.mode = SYNC_INIT};
	struct server server;
	char host[64];
	server_start(&server, pages, COUNT(pages));
	struct delivery *delivery = create(server_url(&server, "", host, sizeof(host)), NULL);
	is_int(ask_once(delivery, &query, &page, NULL, NULL), DELIVERY_OK, "the first page");
	ok(page.more && page.count == 1 && strcmp(page.token, "one") == 0, "is there");
	is_int(ask_once(delivery, &query, &page, NULL, NULL), DELIVERY_UNAVAILABLE, "a failure");
	ok(!page.token && !page.items && page.count == 0, "leaves no page");
	is_int(ask_once(delivery, &query, &page, NULL, NULL), DELIVERY_OK, "the second page");
	ok(!page.more && page.count == 0 && page.token && strcmp(page.token, "two") == 0, "is there");
	server_stop(&server);
	is_int(server.connections, 1, "all of it over one connection");
	is_int((long long)delivery_count(delivery), 3, "three calls were counted");
	delivery_destroy(delivery);
}

/* Answers come and are read while nobody waits for them, and one that does not come keeps none of the others. */
static void test_given_up(void)
{
	static const struct server_answer script[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"items\":[", 0, THEN_HOLD},
		{PAGE, 0, THEN_CLOSE},
	};
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	const struct sync_query query = {.mode = SYNC_INIT};
	struct delivery_advice advice;
	struct delivery_call *calls[2];
	struct delivery_call *answered;
	struct server holding;
	struct err err = {0};
	char host[64];
	server_start(&holding, script, 1);
	struct delivery *delivery = create(server_url(&holding, "", host, sizeof(host)), NULL);
	is_int(delivery_ask(delivery, &query, &calls[0], &err), DELIVERY_OK, "a question without an answer");
	server_wait(&holding, 1);
	uint64_t turns = delivery_turns(delivery);
	is_int(delivery_await(delivery, 1, &answered), 0, "is waited for only so long");
	is_int(delivery_await(delivery, 1500, &answered), 0, "or so long");
	ok(delivery_turns(delivery) > turns, "which is no standstill");
	turns = delivery_turns(delivery);
	sleep(2);
	ok(delivery_turns(delivery) == turns, "but nobody's waiting is one, though libcurl goes on");
	is_int(delivery_take(calls[0], &page, &advice, &err), DELIVERY_STOPPED, "and is given up");
	ok(!page.token && err.text[0], "without a page: %s", err.text);
	server_cancel(&holding);
	delivery_destroy(delivery);

	struct server server;
	server_start(&server, &script[1], 1);
	delivery = create(server_url(&server, "", host, sizeof(host)), NULL);
	is_int(delivery_ask(delivery, &query, &calls[1], &err), DELIVERY_OK, "a question");
	server_stop(&server);
	is_int(delivery_await(delivery, 60000, &answered), 1, "has an answer");
	is_int(delivery_await(delivery, 60000, &answered), 1, "until it is taken");
	ok(answered == calls[1], "which is its own");
	is_int(delivery_take(calls[1], &page, &advice, &err), DELIVERY_OK, "a page");
	turns = delivery_turns(delivery);
	is_int(delivery_await(delivery, 10, &answered), 0, "then nothing is waited for");
	ok(delivery_turns(delivery) > turns, "which is no standstill either");
	delivery_destroy(delivery);
}

static void *stop_later(void *delivery)
{
	delivery_stop(delivery);
	return NULL;
}

/* A stop while the content types do not come, and another question neither. */
static void test_stop_under_way(void)
{
	static const struct server_answer hold = {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", 0, THEN_HOLD};
	CLEANUP(content_type_list_finish) struct content_type_list list = CONTENT_TYPE_LIST_INIT;
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	const struct sync_query query = {.mode = SYNC_INIT};
	struct delivery_advice advice;
	struct delivery_call *call;
	struct delivery_call *answered;
	struct server server;
	struct err err = {0};
	pthread_t thread;
	char host[64];
	server_start(&server, &hold, 1);
	struct delivery *delivery = create(server_url(&server, "", host, sizeof(host)), NULL);
	is_int(delivery_ask(delivery, &query, &call, &err), DELIVERY_OK, "a question");
	server_wait(&server, 1);
	if (!ok(pthread_create(&thread, NULL, stop_later, delivery) == 0, "another thread"))
		return;
	is_int(delivery_content_types(delivery, 0, &list, &advice, &err), DELIVERY_STOPPED, "a list is stopped");
	pthread_join(thread, NULL);
	is_int(delivery_await(delivery, 60000, &answered), -ECANCELED, "so is a wait");
	is_int(delivery_take(call, &page, &advice, NULL), DELIVERY_STOPPED, "and the question");
	server_cancel(&server);
	delivery_destroy(delivery);
}

static void test_stop(void)
{
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	const struct sync_query query = {.mode = SYNC_INIT};
	struct err err = {0};
	struct delivery *delivery = create("http://127.0.0.1:1", NULL);
	delivery_stop(delivery);
	is_int(ask_once(delivery, &query, &page, NULL, &err), DELIVERY_STOPPED, "a call after the stop");
	is_int((long long)delivery_count(delivery), 0, "is not sent");
	delivery_destroy(delivery);
	delivery_destroy(NULL);
}

static void test_bad_host(void)
{
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	const struct sync_query query = {.mode = SYNC_INIT};
	struct err err = {0};
	struct delivery *delivery = create("cdn.contentstack.io", NULL);
	is_int(ask_once(delivery, &query, &page, NULL, &err), DELIVERY_QUERY_REFUSED, "a host without http(s)");
	ok(strstr(err.text, "http or https") != NULL, "the message says what is missing: %s", err.text);
	delivery_destroy(delivery);
}

static void test_bad_targets(void)
{
	static const struct {
		struct delivery_target target;
		const char *says;
	} rows[] = {
		{{NULL, "k", TOKEN, "e", NULL}, "host is missing"},
		{{"http://h", NULL, TOKEN, "e", NULL}, "API key is missing"},
		{{"http://h", "", TOKEN, "e", NULL}, "API key is missing"},
		{{"http://h", "k", NULL, "e", NULL}, "delivery token is missing"},
		{{"http://h", "k", "", "e", NULL}, "delivery token is missing"},
		{{"http://h", "k", TOKEN, NULL, NULL}, "environment is missing"},
		{{"http://h", "k", TOKEN, "", NULL}, "environment is missing"},
		{{"http://h", "k", TOKEN, "e", ""}, "branch is missing"},
		{{"http://h", "k\r\nx: y", TOKEN, "e", NULL}, "API key holds"},
		{{"http://h", "k", TOKEN "\n", "e", NULL}, "delivery token holds"},
		{{"http://h", "k", TOKEN, "e", "a\rb"}, "branch holds"},
		{{"http://h /", "k", TOKEN, "e", NULL}, "host holds"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct delivery *delivery = NULL;
		struct err err = {0};
		is_int(delivery_create(&delivery, &rows[i].target, &err), -EINVAL, "target %zu is refused", i);
		ok(!delivery && strstr(err.text, rows[i].says) && !strstr(err.text, TOKEN), "says %s: %s", rows[i].says,
		   err.text);
	}
}

int main(void)
{
	test_sync_requests();
	test_content_types();
	test_answers();
	test_token_of_stars();
	test_token_in_words();
	test_reuse();
	test_given_up();
	test_stop_under_way();
	test_stop();
	test_bad_host();
	test_bad_targets();
	return tap_done();
}
