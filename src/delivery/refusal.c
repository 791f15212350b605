/*
 * The service's refusals, as one table of what they mean and what to do about them. cJSON is good enough here: nothing
 * of what it reads is kept, and what it does to numbers and NUL does not matter in a message.
 */
#include "delivery/refusal.h"

#include "util/cleanup.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_BODY_MAX (64u << 10) /* a larger body is no error of the API; seen: under 200 bytes */
#define QUOTE_MAX 200              /* bytes of the service's own words in a message */
#define CODE_PARAMETERS 141        /* "invalid parameters" of any kind */
#define CODE_CONTENT_TYPE 118      /* "The Content Type '…' was not found" (R) */

#define STACK_UNKNOWN "the stack was not found: check CONTENTSTACK_API_KEY and the region (--region)"
#define TOKEN_UNKNOWN "the delivery token was refused: check CONTENTSTACK_DELIVERY_TOKEN and that it is of this stack"
#define ENVIRONMENT_MISMATCH                                                                                           \
	"the delivery token and the environment do not belong together: check CONTENTSTACK_ENVIRONMENT and the token"
#define FORBIDDEN "access was denied: check that the delivery token may read this environment and branch"

/* The first rule that fits decides. 0 and NULL fit everything; `field` is a key in `errors`. */
static const struct rule {
	long status;
	int code;
	const char *field;
	enum delivery_outcome outcome;
	const char *meaning;
} rules[] = {
	{429, 0, NULL, DELIVERY_RATE_LIMITED, "the rate limit of the service is reached"},
	{408, 0, NULL, DELIVERY_UNAVAILABLE, "the service took too long to answer"},
	{0, 109, NULL, DELIVERY_CREDENTIALS_REFUSED, STACK_UNKNOWN},
	{0, 0, "api_key", DELIVERY_CREDENTIALS_REFUSED, STACK_UNKNOWN},
	{0, 105, NULL, DELIVERY_CREDENTIALS_REFUSED, TOKEN_UNKNOWN},
	{0, CODE_PARAMETERS, "access_token", DELIVERY_CREDENTIALS_REFUSED, ENVIRONMENT_MISMATCH},
	{0, 0, "access_token", DELIVERY_CREDENTIALS_REFUSED, TOKEN_UNKNOWN},
	{0, 0, "environment", DELIVERY_CREDENTIALS_REFUSED, ENVIRONMENT_MISMATCH},
	{0, 0, "sync_token", DELIVERY_TOKEN_REFUSED, "the sync token was refused"},
	{0, 0, "pagination_token", DELIVERY_TOKEN_REFUSED, "the pagination token was refused"},
	{401, 0, NULL, DELIVERY_CREDENTIALS_REFUSED, TOKEN_UNKNOWN},
	{403, 0, NULL, DELIVERY_CREDENTIALS_REFUSED, FORBIDDEN},
	{0, CODE_CONTENT_TYPE, NULL, DELIVERY_TYPE_UNKNOWN, "there is no such content type: check --content-type"},
	{0, CODE_PARAMETERS, "locale", DELIVERY_QUERY_REFUSED, "the locale was refused: check --locale"},
	{0, CODE_PARAMETERS, "content_type_uid", DELIVERY_QUERY_REFUSED,
	 "the content type was refused: check --content-type"},
	{0, CODE_PARAMETERS, "start_from", DELIVERY_QUERY_REFUSED, "the date was refused: check --start-from"},
	{0, CODE_PARAMETERS, "type", DELIVERY_QUERY_REFUSED, "the item types were refused: check --type"},
	{0, 0, "branch", DELIVERY_QUERY_REFUSED, "the branch was refused: check CONTENTSTACK_BRANCH"},
};

/* What the service says about itself. The strings belong to the parsed body. */
struct complaint {
	int code; /* 0 if none */
	char *message;
	const cJSON *errors; /* an object, or NULL */
};

static void cleanup_json(cJSON **json)
{
	cJSON_Delete(*json);
}

/* A number, or one that was written as a string; 0 if it is neither. */
static int read_code(const cJSON *code)
{
	char *end;
	if (!cJSON_IsString(code))
		return cJSON_IsNumber(code) ? code->valueint : 0;
	long number = strtol(code->valuestring, &end, 10);
	bool whole = *end == '\0' && end > code->valuestring && number > 0 && number <= INT_MAX;
	return whole ? (int)number : 0;
}

static struct complaint read_complaint(const cJSON *body)
{
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(body, "error_code");
	const cJSON *message = cJSON_GetObjectItemCaseSensitive(body, "error_message");
	const cJSON *errors = cJSON_GetObjectItemCaseSensitive(body, "errors");
	return (struct complaint){
		.code = read_code(code),
		.message = cJSON_IsString(message) ? message->valuestring : NULL,
		.errors = cJSON_IsObject(errors) ? errors : NULL,
	};
}

static bool fits(const struct rule *rule, long status, const struct complaint *complaint)
{
	if (rule->status && rule->status != status)
		return false;
	if (rule->code && rule->code != complaint->code)
		return false;
	return !rule->field || cJSON_GetObjectItemCaseSensitive(complaint->errors, rule->field);
}

/* How much of `text` can be quoted: whole characters only. */
static int quotable(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);
	if (len <= max)
		return (int)len;
	for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
		;
	return (int)len;
}

void refusal_mask(char *text, struct slice secret)
{
	char *found = text;
	while (secret.len > 0 && (found = memmem(found, strlen(found), secret.at, secret.len))) {
		memset(found, '*', secret.len);
		found += secret.len;
	}
}

/* Whole texts, before they are cut: a part of the secret would not be found any more. */
static void hide(const struct complaint *complaint, struct slice secret)
{
	cJSON *field = complaint->errors ? complaint->errors->child : NULL;
	if (complaint->message)
		refusal_mask(complaint->message, secret);
	if (!field)
		return;
	refusal_mask(field->string, secret);
	const cJSON *reason = cJSON_IsArray(field) ? field->child : field;
	if (reason && cJSON_IsString(reason))
		refusal_mask(reason->valuestring, secret);
}

/* `(HTTP 422, error 141, "Failed to …", sync_token: is not valid.)` */
static void describe(long status, const struct complaint *complaint, struct buf *out)
{
	const cJSON *field = complaint->errors ? complaint->errors->child : NULL;
	buf_printf(out, "HTTP %ld", status);
	if (complaint->code)
		buf_printf(out, ", error %d", complaint->code);
	if (complaint->message)
		buf_printf(out, ", \"%.*s\"", quotable(complaint->message, QUOTE_MAX / 2), complaint->message);
	if (!field)
		return;
	buf_printf(out, ", %.*s", quotable(field->string, QUOTE_MAX / 4), field->string);
	const cJSON *reason = cJSON_IsArray(field) ? field->child : field;
	if (reason && cJSON_IsString(reason))
		buf_printf(out, ": %.*s", quotable(reason->valuestring, QUOTE_MAX / 4), reason->valuestring);
}

/* Whether the service says that a parameter is not right. */
static bool blames_query(const struct complaint *complaint)
{
	return complaint->code == CODE_PARAMETERS || (complaint->errors && complaint->errors->child);
}

struct verdict {
	enum delivery_outcome outcome;
	const char *meaning;
};

/* Nothing in the table: what the status tells, and whether it is an error as the API writes them. */
static struct verdict judge_status(long status, const struct complaint *complaint)
{
	if (status >= 500)
		return (struct verdict){DELIVERY_UNAVAILABLE, "the service is not able to answer now"};
	if (status >= 400 && complaint->code == CODE_PARAMETERS && !(complaint->errors && complaint->errors->child))
		return (struct verdict){DELIVERY_TOKEN_REFUSED, "the service refused a token, or did not say what"};
	if (status >= 400 && blames_query(complaint))
		return (struct verdict){DELIVERY_QUERY_REFUSED, "the service refused the query"};
	return (struct verdict){
		DELIVERY_NONSENSE,
		"this is no answer of the Content Delivery API: check the host (--host) or region (--region)"};
}

static struct verdict judge(long status, const struct complaint *complaint)
{
	for (size_t i = 0; status < 500 && i < sizeof(rules) / sizeof(rules[0]); i++)
		if (fits(&rules[i], status, complaint))
			return (struct verdict){rules[i].outcome, rules[i].meaning};
	return judge_status(status, complaint);
}

enum delivery_outcome refusal_outcome(long status, struct slice body, struct slice secret, struct err *err)
{
	size_t len = body.len <= ERROR_BODY_MAX ? body.len : 0;
	CLEANUP(cleanup_json) cJSON *json = len > 0 ? cJSON_ParseWithLength(body.at, len) : NULL;
	CLEANUP(buf_finish) struct buf what = BUF_INIT;
	struct complaint complaint = read_complaint(json);
	struct verdict verdict = judge(status, &complaint);
	hide(&complaint, secret);
	describe(status, &complaint, &what);
	err_set(err, 0, "%s (%s)", verdict.meaning, buf_text(&what));
	return verdict.outcome;
}

/* The host and port in an absolute URL; neither the user and password before them nor the path. */
static struct slice host_of(const char *url)
{
	const char *start = strstr(url, "://");
	if (!start)
		return slice_of("");
	start += 3;
	struct slice host = slice_make(start, strcspn(start, "/?#\\"));
	const char *at = memrchr(host.at, '@', host.len);
	if (at)
		host = slice_make(at + 1, host.len - (size_t)(at + 1 - host.at));
	return host;
}

enum delivery_outcome refusal_redirect(long status, const char *location, struct err *err)
{
	struct slice host = host_of(location);
	if (host.len > QUOTE_MAX)
		host.len = QUOTE_MAX;
	if (host.len > 0)
		err_set(err, 0,
			"the service redirects to %.*s, which is not followed: check the host (--host) (HTTP %ld)",
			SLICE_FMT(host), status);
	else
		err_set(err, 0, "the service redirects, which is not followed: check the host (--host) (HTTP %ld)",
			status);
	return DELIVERY_NONSENSE;
}
