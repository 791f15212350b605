/* What an answer that is not 200 means, as the API notes have it: by status, error_code, and the keys in `errors`. */
#include "delivery/refusal.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PARAMETERS                                                                                                     \
	"\"error_message\":\"Failed to fetch items. Please try again with valid parameters.\",\"error_code\":141"
#define NO_STACK "{\"error_message\":\"We can't find that Stack. Please try again.\",\"error_code\":109,"
#define NOT_LOGGED_IN "{\"error_message\":\"You're not allowed in here unless you're logged in.\",\"error_code\":105,"
#define NOT_VALID "[\"is not valid.\"]}}"

static const struct {
	long status;
	const char *body;
	enum delivery_outcome outcome;
	const char *says; /* part of the message */
} rows[] = {
	/* credentials */
	{412, NO_STACK "\"errors\":{\"api_key\":" NOT_VALID, DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_API_KEY"},
	{412, NO_STACK "\"errors\":{\"api_key\":" NOT_VALID, DELIVERY_CREDENTIALS_REFUSED, "--region"},
	{412, NO_STACK "\"errors\":{\"api_key\":" NOT_VALID, DELIVERY_CREDENTIALS_REFUSED,
	 "HTTP 412, error 109, \"We can't find that Stack. Please try again.\", api_key: is not valid."},
	{404, "{\"error_code\":109}", DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_API_KEY"},
	{422, "{" PARAMETERS ",\"errors\":{\"api_key\":" NOT_VALID, DELIVERY_CREDENTIALS_REFUSED,
	 "CONTENTSTACK_API_KEY"},
	{401, NOT_LOGGED_IN "\"errors\":{\"access_token\":" NOT_VALID, DELIVERY_CREDENTIALS_REFUSED, "delivery token"},
	{401, NOT_LOGGED_IN "\"errors\":{\"authtoken\":" NOT_VALID, DELIVERY_CREDENTIALS_REFUSED, "delivery token"},
	{422, "{\"error_code\":105}", DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_DELIVERY_TOKEN"},
	{422, "{\"error_code\":\"105\"}", DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_DELIVERY_TOKEN"},
	{412, "{\"error_code\":\"109\"}", DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_API_KEY"},
	{401, "", DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_DELIVERY_TOKEN"},
	{403, "<html>forbidden</html>", DELIVERY_CREDENTIALS_REFUSED, "HTTP 403"},
	{422, "{" PARAMETERS ",\"errors\":{\"access_token\":[\"environment or access token is not matched.\"]}}",
	 DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_ENVIRONMENT"},
	{400, "{" PARAMETERS ",\"errors\":{\"environment\":" NOT_VALID, DELIVERY_CREDENTIALS_REFUSED,
	 "CONTENTSTACK_ENVIRONMENT"},
	{422, "{" PARAMETERS ",\"errors\":{\"sync_token\":[\"\"],\"access_token\":" NOT_VALID,
	 DELIVERY_CREDENTIALS_REFUSED, "CONTENTSTACK_ENVIRONMENT"},

	/* tokens */
	{422, "{" PARAMETERS ",\"errors\":{\"sync_token\":" NOT_VALID, DELIVERY_TOKEN_REFUSED, "sync token"},
	{400, "{" PARAMETERS ",\"errors\":{\"sync_token\":" NOT_VALID, DELIVERY_TOKEN_REFUSED, "error 141"},
	{404, "{" PARAMETERS ",\"errors\":{\"pagination_token\":" NOT_VALID, DELIVERY_TOKEN_REFUSED,
	 "pagination token"},
	{422, "{\"errors\":{\"sync_token\":\"\"},\"error_code\":141}", DELIVERY_TOKEN_REFUSED, "sync token"},
	{422, "{\"error_code\":\"141\"}", DELIVERY_TOKEN_REFUSED, "HTTP 422, error 141"},
	{404, "{\"error_code\":\"141\",\"errors\":[\"sync_token\"]}", DELIVERY_TOKEN_REFUSED, "error 141"},

	/* the query */
	{422, "{" PARAMETERS ",\"errors\":{\"locale\":" NOT_VALID, DELIVERY_QUERY_REFUSED, "locale: is not valid."},
	{400, "{" PARAMETERS ",\"errors\":{\"start_from\":" NOT_VALID, DELIVERY_QUERY_REFUSED, "start_from"},
	{422, "{" PARAMETERS ",\"errors\":{\"branch\":" NOT_VALID, DELIVERY_QUERY_REFUSED, "CONTENTSTACK_BRANCH"},
	{422, "{" PARAMETERS "}", DELIVERY_TOKEN_REFUSED, "Failed to fetch items"},
	{422, "{\"error_code\":118,\"errors\":{\"uid\":" NOT_VALID, DELIVERY_TYPE_UNKNOWN,
	 "error 118, uid: is not valid."},
	{404, "{\"error_message\":\"Asset was not found.\",\"error_code\":145,\"errors\":{\"uid\":" NOT_VALID,
	 DELIVERY_QUERY_REFUSED, "Asset was not found."},
	{400, "{\"errors\":{\"locale\":[]}}", DELIVERY_QUERY_REFUSED, "locale"},

	/* not now */
	{429, "", DELIVERY_RATE_LIMITED, "rate limit"},
	{429, "{\"error_code\":105}", DELIVERY_RATE_LIMITED, "rate limit"},
	{429, "<html>", DELIVERY_RATE_LIMITED, "HTTP 429"},
	{408, "", DELIVERY_UNAVAILABLE, "HTTP 408"},
	{500, "", DELIVERY_UNAVAILABLE, "HTTP 500"},
	{502, "<html>bad gateway</html>", DELIVERY_UNAVAILABLE, "HTTP 502"},
	{503, NO_STACK "\"errors\":{\"api_key\":" NOT_VALID, DELIVERY_UNAVAILABLE, "We can't find that Stack"},
	{504, "", DELIVERY_UNAVAILABLE, "HTTP 504"},
	{599, "", DELIVERY_UNAVAILABLE, "HTTP 599"},

	/* not the API */
	{404, "", DELIVERY_NONSENSE, "--host"},
	{404, "{\"error_message\":\"No such URL.\",\"error_code\":404}", DELIVERY_NONSENSE, "404, \"No such URL.\""},
	{418, "{\"error_message\":\"teapot\"}", DELIVERY_NONSENSE, "HTTP 418, \"teapot\""},
	{400, "{\"error_code\":400,\"errors\":{}}", DELIVERY_NONSENSE, "error 400"},
	{404, "{}", DELIVERY_NONSENSE, "--region"},
	{404, "<html>not found</html>", DELIVERY_NONSENSE, "HTTP 404"},
	{404, "[141]", DELIVERY_NONSENSE, "--host"},
	{404, "\"error_code\"", DELIVERY_NONSENSE, "--host"},
	{404, "{\"error_code\":\"141 \"}", DELIVERY_NONSENSE, "--host"},
	{404, "{\"error_code\":\"\"}", DELIVERY_NONSENSE, "--host"},
	{404, "{\"error_code\":\"4294967437\"}", DELIVERY_NONSENSE, "--host"},
	{404, "{\"error_code\":[141]}", DELIVERY_NONSENSE, "--host"},
	{404, "{\"error_code\":141,\"errors\":{\"sync_token\":", DELIVERY_NONSENSE, "--host"},
	{412, "", DELIVERY_NONSENSE, "HTTP 412"},
	{204, "", DELIVERY_NONSENSE, "HTTP 204"},
	{206, "{\"items\":[]}", DELIVERY_NONSENSE, "HTTP 206"},
	{302, "", DELIVERY_NONSENSE, "HTTP 302"},
};

static void test_table(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {0};
		is_int(refusal_outcome(rows[i].status, slice_of(rows[i].body), slice_of(""), &err), rows[i].outcome,
		       "HTTP %ld %.90s", rows[i].status, rows[i].body);
		if (!ok(strstr(err.text, rows[i].says) != NULL, "says %s", rows[i].says))
			diag("%s", err.text);
	}
}

/* Bodies that end in the middle of everything, without a NUL behind them. */
static void test_cut_bodies(void)
{
	static const char body[] = "{" PARAMETERS ",\"errors\":{\"sync_token\":" NOT_VALID;
	size_t whole = strlen(body);
	size_t refused = 0;
	for (size_t len = 0; len < whole; len++) {
		char *copy = memcpy(malloc(len ? len : 1), body, len);
		refused += refusal_outcome(422, slice_make(copy, len), slice_of(""), NULL) == DELIVERY_TOKEN_REFUSED;
		free(copy);
	}
	is_int((long long)refused, 0, "no part of a body is taken for the whole");
}

static void test_quotes_are_bounded(void)
{
	static char body[60000];
	struct err err = {0};
	size_t len = (size_t)snprintf(body, sizeof(body), "{\"error_code\":141,\"error_message\":\"");
	while (len < 30000)
		len += (size_t)snprintf(body + len, sizeof(body) - len, "\xc3\xa9");
	len += (size_t)snprintf(body + len, sizeof(body) - len, "\",\"errors\":{\"");
	while (len < 55000)
		len += (size_t)snprintf(body + len, sizeof(body) - len, "\xe2\x82\xac");
	len += (size_t)snprintf(body + len, sizeof(body) - len, "\":[\"\\n\\u001b[31m\"]}}");
	is_int(refusal_outcome(422, slice_make(body, len), slice_of(""), &err), DELIVERY_QUERY_REFUSED,
	       "a huge error is one");
	ok(strlen(err.text) < 350, "its message is short");
	ok(!strchr(err.text, '\n') && !strchr(err.text, 0x1b), "and has no control characters");
	ok(strstr(err.text, "\xc3\xa9\",") != NULL, "the text is cut behind a whole character");
	ok(strstr(err.text, "\xe2\x82\xac: ") != NULL, "the name too");

	memset(body, ' ', sizeof(body));
	snprintf(body + sizeof(body) - 20, 20, "{\"error_code\":105}");
	is_int(refusal_outcome(422, slice_make(body, sizeof(body)), slice_of(""), NULL), DELIVERY_CREDENTIALS_REFUSED,
	       "a body of 60000 bytes is looked at");
}

/* It is hidden before what is quoted is cut, so that no part of it is left. */
static void test_secrets(void)
{
	static char body[600];
	struct err err = {0};
	snprintf(body, sizeof(body),
		 "{\"error_code\":141,\"error_message\":\"%092d\\u0073ecret\",\"errors\":{\"secret\":"
		 "[\"secret, secret\"]}}",
		 0);
	is_int(refusal_outcome(422, slice_of(body), slice_of("secret"), &err), DELIVERY_QUERY_REFUSED, "a secret");
	ok(!strstr(err.text, "sec") && strstr(err.text, "******: ******, ******"), "is not quoted: %s", err.text);
}

static void test_redirects(void)
{
	static const struct {
		const char *location;
		const char *says;
	} redirects[] = {
		{"https://example.com/v3?access_token=s3cret", "redirects to example.com,"},
		{"http://example.com:8080", "redirects to example.com:8080,"},
		{"https://user:s3cret@example.com/", "redirects to example.com,"},
		{"https://example.com?@s3cret", "redirects to example.com,"},
		{"https://example.com\\@s3cret", "redirects to example.com,"},
		{"", "redirects, which is not followed"},
		{"s3cret", "redirects, which is not followed"},
		{"https://", "redirects, which is not followed"},
	};
	for (size_t i = 0; i < COUNT(redirects); i++) {
		struct err err = {0};
		is_int(refusal_redirect(302, redirects[i].location, &err), DELIVERY_NONSENSE, "redirect to %s",
		       redirects[i].location);
		if (!ok(strstr(err.text, redirects[i].says) && strstr(err.text, "HTTP 302"), "says %s",
			redirects[i].says))
			diag("%s", err.text);
		ok(strstr(err.text, "is not followed") != NULL, "and that it is not followed");
		ok(!strstr(err.text, "s3cret"), "names the host only");
	}
}

static void test_errnos(void)
{
	static const struct {
		enum delivery_outcome outcome;
		int rc;
	} errnos[] = {
		{DELIVERY_OK, 0},
		{DELIVERY_TOKEN_REFUSED, -EPROTO},
		{DELIVERY_CREDENTIALS_REFUSED, -EACCES},
		{DELIVERY_QUERY_REFUSED, -EINVAL},
		{DELIVERY_RATE_LIMITED, -EHOSTUNREACH},
		{DELIVERY_UNAVAILABLE, -EHOSTUNREACH},
		{DELIVERY_NONSENSE, -EPROTO},
		{DELIVERY_STOPPED, -ECANCELED},
		{DELIVERY_FAILED, -EIO},
	};
	for (size_t i = 0; i < COUNT(errnos); i++)
		is_int(delivery_outcome_errno(errnos[i].outcome), errnos[i].rc, "errno of outcome %d",
		       (int)errnos[i].outcome);
}

int main(void)
{
	test_table();
	test_cut_bodies();
	test_quotes_are_bounded();
	test_secrets();
	test_redirects();
	test_errnos();
	return tap_done();
}
