/*
 * Questions as URLs and headers, answers as outcomes. The delivery token is in one place only, a header line made when
 * the delivery is created; the service's own words are searched for it before they get into a message.
 */
#include "delivery/delivery.h"

#include "delivery/refusal.h"
#include "http/http.h"
#include "util/cleanup.h"
#include "util/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPES_PER_ANSWER "100" /* the documented most */
#define TOKEN_HEADER "access_token: "
#define HEADERS_MAX 4 /* with the NULL at the end */

struct delivery {
	struct http *http;
	struct buf host;
	struct buf environment;
	struct buf api_key; /* these three are whole header lines */
	char *token;        /* secret_make */
	struct buf branch;
	const char *headers[HEADERS_MAX];
	struct buf url; /* of the question that is being made */
};

struct delivery_call {
	struct delivery *delivery;
	struct http_call *http;
};

int delivery_outcome_errno(enum delivery_outcome outcome)
{
	switch (outcome) {
	case DELIVERY_OK:
		return 0;
	case DELIVERY_CREDENTIALS_REFUSED:
		return -EACCES;
	case DELIVERY_TYPE_UNKNOWN:
	case DELIVERY_QUERY_REFUSED:
		return -EINVAL;
	case DELIVERY_RATE_LIMITED:
	case DELIVERY_UNAVAILABLE:
		return -EHOSTUNREACH;
	case DELIVERY_TOKEN_REFUSED:
	case DELIVERY_NONSENSE:
		return -EPROTO;
	case DELIVERY_STOPPED:
		return -ECANCELED;
	case DELIVERY_FAILED:
		break;
	}
	return -EIO;
}

/* What http_get failed with. */
static enum delivery_outcome outcome_of(int rc)
{
	switch (rc) {
	case -EHOSTUNREACH:
		return DELIVERY_UNAVAILABLE;
	case -EBADMSG:
	case -EMSGSIZE:
		return DELIVERY_NONSENSE;
	case -EINVAL:
		return DELIVERY_QUERY_REFUSED;
	case -ECANCELED:
		return DELIVERY_STOPPED;
	default:
		return DELIVERY_FAILED;
	}
}

/* A line break in a value would make a header of our caller's out of it. */
static int check_value(const char *value, const char *what, struct err *err)
{
	if (!value || !*value)
		return err_set(err, -EINVAL, "the %s is missing", what);
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f)
			return err_set(err, -EINVAL, "the %s holds blanks or control characters", what);
	return 0;
}

static void add_line(struct delivery *delivery, const char *line)
{
	size_t count = 0;
	while (delivery->headers[count])
		count++;
	delivery->headers[count] = line;
}

static int add_header(struct delivery *delivery, struct buf *line, const char *name, const char *value)
{
	if (buf_printf(line, "%s: %s", name, value) < 0)
		return -ENOMEM;
	add_line(delivery, line->text);
	return 0;
}

static int check_target(const struct delivery_target *target, struct err *err)
{
	int rc = check_value(target->host, "host", err);
	if (rc == 0)
		rc = check_value(target->api_key, "API key", err);
	if (rc == 0)
		rc = check_value(target->token, "delivery token", err);
	if (rc == 0 && (!target->environment || !*target->environment))
		rc = err_set(err, -EINVAL, "the environment is missing");
	if (rc == 0 && target->branch)
		rc = check_value(target->branch, "branch", err);
	return rc;
}

static int copy_target(struct delivery *delivery, const struct delivery_target *target)
{
	if (buf_append_text(&delivery->host, target->host) < 0 ||
	    buf_append_text(&delivery->environment, target->environment) < 0 ||
	    add_header(delivery, &delivery->api_key, "api_key", target->api_key) < 0)
		return -ENOMEM;
	delivery->token = secret_make(TOKEN_HEADER, target->token);
	if (!delivery->token)
		return -ENOMEM;
	add_line(delivery, delivery->token);
	return target->branch ? add_header(delivery, &delivery->branch, "branch", target->branch) : 0;
}

int delivery_create(struct delivery **out, const struct delivery_target *target, struct err *err)
{
	int rc = check_target(target, err);
	if (rc < 0)
		return rc;
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	if (!delivery)
		return err_oom(err);
	rc = copy_target(delivery, target) < 0 ? err_oom(err) : http_create(&delivery->http, err);
	if (rc < 0)
		delivery_destroy(delivery);
	else
		*out = delivery;
	return rc;
}

void delivery_destroy(struct delivery *delivery)
{
	if (!delivery)
		return;
	http_destroy(delivery->http);
	buf_finish(&delivery->host);
	buf_finish(&delivery->environment);
	buf_finish(&delivery->api_key);
	secret_free(delivery->token);
	buf_finish(&delivery->branch);
	buf_finish(&delivery->url);
	free(delivery);
}

/* Starts the URL of a call. Failures stick to the buffer, so that the last append tells of all. */
static void start_url(struct delivery *delivery, const char *path)
{
	buf_reset(&delivery->url);
	buf_append(&delivery->url, delivery->host.text, delivery->host.len);
	buf_append_text(&delivery->url, path);
	buf_append_text(&delivery->url, "?environment=");
	http_append_encoded(&delivery->url, buf_slice(&delivery->environment));
}

/* NULL is no parameter. */
static void add_parameter(struct delivery *delivery, const char *name, const char *value)
{
	if (!value)
		return;
	buf_append_char(&delivery->url, '&');
	buf_append_text(&delivery->url, name);
	buf_append_char(&delivery->url, '=');
	http_append_encoded(&delivery->url, slice_of(value));
}

static struct slice secret_of(const struct delivery *delivery)
{
	return slice_of(delivery->token + strlen(TOKEN_HEADER));
}

/* Refusals hide it where they quote the service; here goes what else it might be quoted in. */
static enum delivery_outcome masked(const struct delivery *delivery, enum delivery_outcome outcome, struct err *err)
{
	if (outcome != DELIVERY_OK && err)
		refusal_mask(err->text, secret_of(delivery));
	return outcome;
}

/* An answer that is not a 200. */
static enum delivery_outcome judge_status(const struct delivery *delivery, const struct http_answer *answer,
					  struct err *err)
{
	enum delivery_outcome outcome;
	if (answer->status >= 300 && answer->status <= 399)
		outcome = refusal_redirect(answer->status, buf_text(&answer->location), err);
	else
		outcome = refusal_outcome(answer->status, buf_slice(&answer->body), secret_of(delivery), err);
	if (outcome == DELIVERY_NONSENSE) /* perhaps another server altogether */
		err_prefix(err, 0, "%.200s", delivery->host.text);
	return outcome;
}

static struct http_request request_of(const struct delivery *delivery, struct delivery_call *call)
{
	return (struct http_request){
		.url = buf_text(&delivery->url),
		.headers = delivery->headers,
		.body_max = PAGE_BYTES_MAX,
		.owner = call,
	};
}

/* What a call came to. On DELIVERY_OK the answer's body is that of a 200. */
static enum delivery_outcome judge(const struct delivery *delivery, int rc, const struct http_answer *answer,
				   struct delivery_advice *advice, struct err *err)
{
	*advice =
		(struct delivery_advice){answer->retry_after_ms, answer->reset_ms, answer->remaining, answer->date_ms};
	if (rc < 0)
		return outcome_of(rc);
	if (answer->status == 200) {
		advice->retry_after_ms = -1; /* no thing to say with an answer */
		return DELIVERY_OK;
	}
	return judge_status(delivery, answer, err);
}

/* A body that was to be JSON of a certain shape, and what reading it came to. */
static enum delivery_outcome judge_parse(const struct delivery *delivery, const struct http_answer *answer, int rc,
					 struct err *err)
{
	if (rc == 0)
		return DELIVERY_OK;
	if (rc != -EPROTO)
		return DELIVERY_FAILED;
	err_prefix(err, rc, "%.200s (%.100s)", delivery->host.text, answer->content_type);
	return DELIVERY_NONSENSE;
}

static void write_query(struct delivery *delivery, const struct sync_query *query)
{
	start_url(delivery, "/v3/stacks/sync");
	switch (query->mode) {
	case SYNC_INIT:
		add_parameter(delivery, "init", "true");
		add_parameter(delivery, "content_type_uid", query->content_type);
		add_parameter(delivery, "locale", query->locale);
		add_parameter(delivery, "start_from", query->start_from);
		add_parameter(delivery, "type", query->types);
		break;
	case SYNC_PAGE:
		add_parameter(delivery, "pagination_token", query->token);
		break;
	case SYNC_DELTA:
		add_parameter(delivery, "sync_token", query->token);
		break;
	}
}

enum delivery_outcome delivery_ask(struct delivery *delivery, const struct sync_query *query,
				   struct delivery_call **out, struct err *err)
{
	write_query(delivery, query);
	struct delivery_call *call = delivery->url.failed ? NULL : calloc(1, sizeof(*call));
	if (!call)
		return err_oom(err), DELIVERY_FAILED;
	const struct http_request request = request_of(delivery, call);
	call->delivery = delivery;
	int rc = http_begin(delivery->http, &request, &call->http, err);
	if (rc < 0) {
		free(call);
		return masked(delivery, outcome_of(rc), err);
	}
	*out = call;
	return DELIVERY_OK;
}

int delivery_await(struct delivery *delivery, int64_t ms, struct delivery_call **answered)
{
	struct http_call *ended;
	int rc = http_await(delivery->http, ms, &ended);
	if (rc > 0)
		*answered = http_owner(ended);
	return rc;
}

enum delivery_outcome delivery_take(struct delivery_call *call, struct page *page, struct delivery_advice *advice,
				    struct err *err)
{
	CLEANUP(http_answer_finish) struct http_answer answer = HTTP_ANSWER_INIT;
	const struct delivery *delivery = call->delivery;
	page_finish(page);
	int rc = http_end(call->http, &answer, err);
	free(call);
	enum delivery_outcome outcome = judge(delivery, rc, &answer, advice, err);
	if (outcome == DELIVERY_OK)
		outcome = judge_parse(delivery, &answer, page_parse(&answer.body, page, err), err);
	return masked(delivery, outcome, err);
}

enum delivery_outcome delivery_content_types(struct delivery *delivery, unsigned skip, struct content_type_list *list,
					     struct delivery_advice *advice, struct err *err)
{
	CLEANUP(http_answer_finish) struct http_answer answer = HTTP_ANSWER_INIT;
	char number[16];
	content_type_list_finish(list);
	snprintf(number, sizeof(number), "%u", skip);
	start_url(delivery, "/v3/content_types");
	add_parameter(delivery, "skip", number);
	add_parameter(delivery, "limit", TYPES_PER_ANSWER);
	add_parameter(delivery, "include_count", "true");
	add_parameter(delivery, "include_global_field_schema", "true");
	const struct http_request request = request_of(delivery, NULL);
	int rc = delivery->url.failed ? err_oom(err) : http_get(delivery->http, &request, &answer, err);
	enum delivery_outcome outcome = judge(delivery, rc, &answer, advice, err);
	if (outcome == DELIVERY_OK)
		outcome = judge_parse(delivery, &answer, content_type_list_parse(&answer.body, list, err), err);
	return masked(delivery, outcome, err);
}

void delivery_stop(struct delivery *delivery)
{
	http_stop(delivery->http);
}

uint64_t delivery_turns(const struct delivery *delivery)
{
	return http_turns(delivery->http);
}

uint64_t delivery_count(const struct delivery *delivery)
{
	return http_count(delivery->http);
}
