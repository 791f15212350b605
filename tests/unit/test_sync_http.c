/* The engine, the dialect and HTTP together, against a server: what the tests with a fake service cannot show. */
#include "delivery/delivery.h"
#include "scripted_server.h"
#include "sync/sync.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "cs0123s3cretT0ken"
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define ENTRY(uid, version, second)                                                                                    \
	"{\"type\":\"entry_published\",\"event_at\":\"2026-01-01T00:00:" second "Z\",\"content_type_uid\":\"blog\","   \
	"\"data\":{\"uid\":\"" uid "\",\"_version\":" #version ",\"publish_details\":{\"locale\":\"en\"}}}"
#define MORE(items, token)                                                                                             \
	{                                                                                                              \
		OK_HEAD "{\"items\":[" items "],\"pagination_token\":\"" token "\"}", 0, THEN_CLOSE                    \
	}
#define LAST(items, token)                                                                                             \
	{                                                                                                              \
		OK_HEAD "{\"items\":[" items "],\"sync_token\":\"" token "\"}", 0, THEN_CLOSE                          \
	}
#define TYPES                                                                                                          \
	{                                                                                                              \
		OK_HEAD "{\"count\":1,\"content_types\":[{\"uid\":\"blog\"}]}", 0, THEN_CLOSE                          \
	}
#define REFUSED(token)                                                                                                          \
	{                                                                                                                       \
		"HTTP/1.1 422 No\r\nConnection: close\r\n\r\n{\"error_message\":\"Failed to fetch items.\",\"error_code\":141," \
		"\"errors\":{\"" token "\":[\"is not valid.\"]}}",                                                              \
			0, THEN_CLOSE                                                                                           \
	}

struct service {
	struct temp_store temp;
	struct server server;
	struct delivery *delivery;
	struct sync *sync;
	struct err err;
};

static void service_open(struct service *service, const struct server_answer *answers, size_t count)
{
	static const struct sync_hooks hooks = {0};
	static const struct sync_filter filter = {0};
	char host[64];
	*service = (struct service){0};
	log_set_level(LOG_LEVEL_ERROR);
	temp_store_open(&service->temp);
	server_start(&service->server, answers, count);
	const struct delivery_target target = {.host = server_url(&service->server, "", host, sizeof(host)),
					       .api_key = "blt1",
					       .token = SECRET,
					       .environment = "preview"};
	temp_must(delivery_create(&service->delivery, &target, &service->err), &service->err, "delivery_create");
	temp_must(
		sync_create(&service->sync, service->temp.store, service->delivery, &filter, 1, &hooks, &service->err),
		&service->err, "sync_create");
}

/* After the server was stopped. */
static void service_close(struct service *service)
{
	sync_destroy(service->sync);
	delivery_destroy(service->delivery);
	temp_store_finish(&service->temp);
}

static int run(struct service *service, struct sync_result *result)
{
	service->err = (struct err){0};
	return sync_run(service->sync, result, &service->err);
}

/* The parameters behind the environment, of every request. */
static void asked_for(const struct service *service, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		const char *request = service->server.requests[i];
		const char *from = strstr(request, "environment=preview");
		from = from ? from + strlen("environment=preview") : request;
		from += *from == '&';
		buf_printf(out, "%s%.*s", out->len ? " " : "", (int)strcspn(from, " \r&"), from);
	}
}

static const char shown[] = "SELECT uid || '@' || version FROM entries ORDER BY uid";

static void test_run(void)
{
	static const struct server_answer answers[] = {
		TYPES,
		MORE(ENTRY("a", 1, "05"), "p+1"),
		{"HTTP/1.1 401 No\r\nRetry-After: 0\r\nConnection: close\r\n\r\n<html>", 0, THEN_CLOSE},
		LAST(ENTRY("b", 1, "04"), "s1"),
		LAST("", "s1"),
		REFUSED("sync_token"),
		LAST(ENTRY("a", 2, "06"), "s2"),
		{"", 0, THEN_RESET},
		{"", 0, THEN_RESET},
		{"", 0, THEN_RESET},
		{"", 0, THEN_RESET},
		{"", 0, THEN_RESET},
	};
	static struct service service;
	CLEANUP(buf_finish) struct buf asked = BUF_INIT;
	struct sync_result result;
	service_open(&service, answers, COUNT(answers));
	is_int(run(&service, &result), -EACCES, "a first run that is refused");
	is_int(result.retry_after_ms, 0, "knows when to come back");
	is_str(temp_store_ask(&service.temp, shown), "a@1", "and keeps what it has");
	is_int(run(&service, &result), 0, "the next one ends");
	is_str(temp_store_ask(&service.temp, shown), "a@1 b@1", "with the rest");
	int64_t began = clock_monotonic_ms();
	is_int(run(&service, &result), 0, "a token that is refused once");
	ok(clock_monotonic_ms() - began >= 100, "is tried again a little later");
	is_str(temp_store_ask(&service.temp, shown), "a@2 b@1", "and brings the news");
	is_int(run(&service, &result), -EHOSTUNREACH, "a connection that breaks");
	ok(service.err.text[0] && !strstr(service.err.text, SECRET), "is told of without the token: %s",
	   service.err.text);
	server_stop(&service.server);
	asked_for(&service, COUNT(answers), &asked);
	is_str(asked.text,
	       "skip=0 init=true pagination_token=p%2B1 pagination_token=p%2B1 sync_token=s1 sync_token=s1 sync_token=s1 sync_token=s2 sync_token=s2 sync_token=s2 sync_token=s2 sync_token=s2",
	       "each question is what it should be");
	is_str(temp_store_ask(&service.temp, "SELECT count(*) FROM meta WHERE value LIKE '%s3cret%'"), "0",
	       "the token is not in the store");
	is_str(temp_store_fault(&service.temp), "", "which is sound");
	service_close(&service);
}

static void *stop_soon(void *context)
{
	struct service *service = context;
	server_wait(&service->server, 3); /* the content types, a page, and what comes after it */
	delivery_stop(service->delivery);
	return NULL;
}

/* A stop while a page is on its way: the run ends at once, with all that was there before. */
static void test_stop(void)
{
	static const struct server_answer answers[] = {
		TYPES,
		MORE(ENTRY("a", 1, "05"), "p1"),
		{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"items\":[", 0, THEN_HOLD},
	};
	static struct service service;
	struct sync_result result;
	pthread_t thread;
	service_open(&service, answers, COUNT(answers));
	if (!ok(pthread_create(&thread, NULL, stop_soon, &service) == 0, "another thread"))
		return;
	int64_t began = clock_monotonic_ms();
	is_int(run(&service, &result), -ECANCELED, "stops a run that waits for a page");
	ok(clock_monotonic_ms() - began < 5000, "at once");
	pthread_join(thread, NULL);
	is_str(temp_store_ask(&service.temp, shown), "a@1", "the page before it stays");
	is_int(run(&service, &result), -ECANCELED, "and every later run is stopped too");
	is_str(temp_store_fault(&service.temp), "", "the store is sound");
	server_cancel(&service.server);
	service_close(&service);
}

/* A stop while a refused token waits for its next try. */
static void test_stop_while_waiting(void)
{
	static const struct server_answer answers[] = {TYPES,
						       MORE(ENTRY("a", 1, "05"), "p1"),
						       REFUSED("pagination_token"),
						       REFUSED("pagination_token"),
						       REFUSED("pagination_token"),
						       REFUSED("pagination_token"),
						       REFUSED("pagination_token")};
	static struct service service;
	struct sync_result result;
	pthread_t thread;
	service_open(&service, answers, COUNT(answers));
	if (!ok(pthread_create(&thread, NULL, stop_soon, &service) == 0, "another thread"))
		return;
	is_int(run(&service, &result), -ECANCELED, "stops a run that waits to try again");
	pthread_join(thread, NULL);
	is_str(temp_store_ask(&service.temp, shown), "a@1", "and what was there stays");
	server_cancel(&service.server);
	service_close(&service);
}

int main(void)
{
	test_run();
	test_stop();
	test_stop_while_waiting();
	return tap_done();
}
