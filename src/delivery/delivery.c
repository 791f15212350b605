/*
 * Questions as URLs and headers, answers as outcomes. The delivery token is in one place only, a header line made when
 * the delivery is created; the service's own words are searched for it before they get into a message.
 */
#include "delivery/delivery.h"

#include "delivery/refusal.h"
#include "delivery/transfer.h"
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
	struct transfers *transfers;
	struct buf host;
	struct buf environment;
	struct buf api_key; /* these three are whole header lines */
	char *token;        /* secret_make */
	struct buf branch;
	const char *headers[HEADERS_MAX];
};

/* A question, and what has come of it once it has arrived. Until then all that follows `url` is the
 * transfers'. */
struct delivery_call {
	struct delivery *delivery;
	bool of_types; /* the question is for content types; else for a page */
	struct buf url;
	struct transfer transfer;
	struct page page;
	struct content_type_list list;
	enum delivery_outcome outcome;
	struct delivery_advice advice;
	struct err err;
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

/* What a transfer failed with. */
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
	rc = copy_target(delivery, target) < 0 ? err_oom(err) : transfers_create(&delivery->transfers, err);
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
	transfers_destroy(delivery->transfers);
	buf_finish(&delivery->host);
	buf_finish(&delivery->environment);
	buf_finish(&delivery->api_key);
	secret_free(delivery->token);
	buf_finish(&delivery->branch);
	free(delivery);
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

/* --- calls -------------------------------------------------------------------------------------------------------- */

static struct delivery_call *call_create(struct delivery *delivery, bool of_types)
{
	struct delivery_call *call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	*call = (struct delivery_call){
		.delivery = delivery,
		.of_types = of_types,
		.url = BUF_INIT,
		.page = PAGE_INIT,
		.list = CONTENT_TYPE_LIST_INIT,
		.advice = DELIVERY_NO_ADVICE,
	};
	return call;
}

static void call_free(struct delivery_call *call)
{
	buf_finish(&call->url);
	page_finish(&call->page);
	content_type_list_finish(&call->list);
	free(call);
}

static int parse(struct delivery_call *call, struct buf *body, struct err *err)
{
	return call->of_types ? content_type_list_parse(body, &call->list, err) : page_parse(body, &call->page, err);
}

/* In the thread of the transfers. */
static void read_answer(void *owner, int rc, struct http_answer *answer, struct err *err)
{
	struct delivery_call *call = owner;
	const struct delivery *delivery = call->delivery;
	call->outcome = judge(delivery, rc, answer, &call->advice, err);
	if (call->outcome == DELIVERY_OK)
		call->outcome = judge_parse(delivery, answer, parse(call, &answer->body, err), err);
	call->outcome = masked(delivery, call->outcome, err);
	call->err = *err;
}

/* Asks for the URL that is in the call. On anything but DELIVERY_OK the call is gone. */
static enum delivery_outcome send(struct delivery_call *call, struct err *err)
{
	const struct delivery *delivery = call->delivery;
	call->transfer.request = (struct http_request){
		.url = buf_text(&call->url),
		.headers = delivery->headers,
		.body_max = PAGE_BYTES_MAX,
	};
	call->transfer.read = read_answer;
	call->transfer.owner = call;
	int rc = call->url.failed ? err_oom(err) : transfers_ask(delivery->transfers, &call->transfer, err);
	if (rc < 0)
		call_free(call);
	return rc < 0 ? outcome_of(rc) : DELIVERY_OK;
}

/* What has come of a call, but for what was read. */
static enum delivery_outcome take(struct delivery_call *call, struct delivery_advice *advice, struct err *err)
{
	transfers_take(call->delivery->transfers, &call->transfer);
	*advice = call->advice;
	if (err && call->outcome != DELIVERY_OK)
		*err = call->err;
	return call->outcome;
}

/* Starts the URL of a call. Failures stick to the buffer, so that the last append tells of all. */
static void start_url(struct delivery_call *call, const char *path)
{
	const struct delivery *delivery = call->delivery;
	buf_append(&call->url, delivery->host.text, delivery->host.len);
	buf_append_text(&call->url, path);
	buf_append_text(&call->url, "?environment=");
	http_append_encoded(&call->url, buf_slice(&delivery->environment));
}

/* NULL is no parameter. */
static void add_parameter(struct delivery_call *call, const char *name, const char *value)
{
	if (!value)
		return;
	buf_append_char(&call->url, '&');
	buf_append_text(&call->url, name);
	buf_append_char(&call->url, '=');
	http_append_encoded(&call->url, slice_of(value));
}

static void write_query(struct delivery_call *call, const struct sync_query *query)
{
	start_url(call, "/v3/stacks/sync");
	switch (query->mode) {
	case SYNC_INIT:
		add_parameter(call, "init", "true");
		add_parameter(call, "content_type_uid", query->content_type);
		add_parameter(call, "locale", query->locale);
		add_parameter(call, "start_from", query->start_from);
		add_parameter(call, "type", query->types);
		break;
	case SYNC_PAGE:
		add_parameter(call, "pagination_token", query->token);
		break;
	case SYNC_DELTA:
		add_parameter(call, "sync_token", query->token);
		break;
	}
}

enum delivery_outcome delivery_ask(struct delivery *delivery, const struct sync_query *query,
				   struct delivery_call **out, struct err *err)
{
	struct delivery_call *call = call_create(delivery, false);
	if (!call)
		return err_oom(err), DELIVERY_FAILED;
	write_query(call, query);
	enum delivery_outcome outcome = send(call, err);
	if (outcome == DELIVERY_OK)
		*out = call;
	return outcome;
}

int delivery_await(struct delivery *delivery, int64_t ms, struct delivery_call **answered)
{
	struct transfer *arrived;
	int rc = transfers_await(delivery->transfers, ms, &arrived);
	if (rc > 0)
		*answered = arrived->owner;
	return rc;
}

enum delivery_outcome delivery_take(struct delivery_call *call, struct page *page, struct delivery_advice *advice,
				    struct err *err)
{
	enum delivery_outcome outcome = take(call, advice, err);
	page_finish(page);
	*page = call->page;
	call->page = (struct page)PAGE_INIT;
	call_free(call);
	return outcome;
}

enum delivery_outcome delivery_content_types(struct delivery *delivery, unsigned skip, struct content_type_list *list,
					     struct delivery_advice *advice, struct err *err)
{
	char number[16];
	snprintf(number, sizeof(number), "%u", skip);
	content_type_list_finish(list);
	struct delivery_call *call = call_create(delivery, true);
	if (!call)
		return err_oom(err), DELIVERY_FAILED;
	start_url(call, "/v3/content_types");
	add_parameter(call, "skip", number);
	add_parameter(call, "limit", TYPES_PER_ANSWER);
	add_parameter(call, "include_count", "true");
	add_parameter(call, "include_global_field_schema", "true");
	enum delivery_outcome outcome = send(call, err);
	if (outcome != DELIVERY_OK)
		return outcome;
	transfers_await_one(delivery->transfers, &call->transfer);
	outcome = take(call, advice, err);
	*list = call->list;
	call->list = (struct content_type_list)CONTENT_TYPE_LIST_INIT;
	call_free(call);
	return outcome;
}

void delivery_stop(struct delivery *delivery)
{
	transfers_stop(delivery->transfers);
}

bool delivery_is_stopped(const struct delivery *delivery)
{
	return transfers_are_stopped(delivery->transfers);
}

uint64_t delivery_turns(const struct delivery *delivery)
{
	return transfers_turns(delivery->transfers);
}

uint64_t delivery_count(const struct delivery *delivery)
{
	return transfers_count(delivery->transfers);
}
