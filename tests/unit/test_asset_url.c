#include "assets/url.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOST "https://images.example"

static const char *const hosts[] = {"https://images.example", "https://assets.example:8443", "http://127.0.0.1:80",
				    NULL};

static const struct assets_config open_stack = {.base = "https://cdn.example"};
static const struct assets_config secured_stack = {
	.base = "https://cdn.example",
	.token = "s3cret&",
	.environment = "pro duction",
	.hosts = hosts,
};

static void test_encoding(void)
{
	static const struct {
		const char *raw;
		const char *want;
	} rows[] = {
		{HOST "/v3/assets/a/b/c.png", HOST "/v3/assets/a/b/c.png"},
		{HOST "/AZaz09;,/?:@&=+$-_.!~*'()", HOST "/AZaz09;,/?:@&=+$-_.!~*'()"},
		{HOST "/a b\"<>\\^`{|}[]", HOST "/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D"},
		{HOST "/\xc3\xa9\xe2\x82\xac", HOST "/%C3%A9%E2%82%AC"},
		{HOST "/\xc3(\xff", HOST "/%C3(%FF"},
		{HOST "/a%20b%C3%a9", HOST "/a%20b%C3%a9"},
		{HOST "/100%", HOST "/100%25"},
		{HOST "/%2", HOST "/%252"},
		{HOST "/%zz%", HOST "/%25zz%25"},
		{HOST "/a#b?c#d", HOST "/a%23b?c%23d"},
		{HOST "#a", HOST "/%23a"},
		{HOST "/a\r\nb\x01\x7f", HOST "/a%0D%0Ab%01%7F"},
		{HOST, HOST},
		{HOST "?a", HOST "?a"},
		{"//images.example/a", HOST "/a"},
		{"HTTPS://images.example/a", HOST "/a"},
		{"http://localhost:8080/a", "http://localhost:8080/a"},
		{"http://[::1]:8080/a", "http://[::1]:8080/a"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_finish) struct buf url = BUF_INIT;
		struct err err = {0};
		is_int(asset_url(&open_stack, slice_of(rows[i].raw), &url, &err), 0, "%s is taken %s", rows[i].raw,
		       err.text);
		is_str(buf_text(&url), rows[i].want, "as %s", rows[i].want);
	}
}

static void test_base(void)
{
	static const struct assets_config local = {.base = "http://127.0.0.1:8080"};
	CLEANUP(buf_finish) struct buf url = BUF_INIT;
	is_int(asset_url(&local, slice_of("//127.0.0.1:8081/a"), &url, NULL), 0, "no scheme");
	is_str(buf_text(&url), "http://127.0.0.1:8081/a", "is that of the service");
	is_int(asset_url(&local, slice_of("//images.example/a"), &url, NULL), -EINVAL,
	       "but not for others than loopback");
}

static void test_refused(void)
{
	static const char *const urls[] = {
		"",
		"/v3/assets/a",
		"images.example/a",
		"https://",
		"https:///a",
		"https://s3cret@images.example/a",
		"https://me:s3cret@images.example/a",
		"https://images.example\\@evil.example/",
		"https://images.example\\.evil.example/",
		"https://images example/",
		"https://images.example\r\nX: s3cret/",
		"https://images.example:port/a",
		"http://images.example/s3cret",
		"http://127.evil.example/",
		"ftp://images.example/a",
		"file:///etc/passwd",
		"javascript:s3cret",
	};
	for (size_t i = 0; i < COUNT(urls); i++) {
		CLEANUP(buf_finish) struct buf url = BUF_INIT;
		struct err err = {0};
		is_int(asset_url(&secured_stack, slice_of(urls[i]), &url, &err), -EINVAL, "refused: %s", urls[i]);
		is_int((long long)url.len, 0, "nothing is given out");
		ok(err.text[0] && !strstr(err.text, "s3cret"), "the message quotes nothing");
	}
}

static void test_length(void)
{
	static const struct {
		const char *name;
		const char *end; /* of one that lacks two bytes */
		int rc;
	} rows[] = {
		{"the largest", "bb", 0},
		{"too large a", "bbb", -EINVAL},
		{"once it is encoded, too large a", " ", -EINVAL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {0};
		CLEANUP(buf_finish) struct buf raw = BUF_INIT;
		CLEANUP(buf_finish) struct buf url = BUF_INIT;
		buf_append_text(&raw, HOST "/");
		while (raw.len < ASSET_URL_MAX - 2)
			buf_append_char(&raw, 'a');
		buf_append_text(&raw, rows[i].end);
		is_int(asset_url(&open_stack, buf_slice(&raw), &url, &err), rows[i].rc, "%s length", rows[i].name);
		ok(rows[i].rc == 0 || strstr(err.text, "longer than"), "%s length: the message: %s", rows[i].name,
		   err.text);
	}
}

static void test_token(void)
{
#define TOKEN "access_token=s3cret%26&environment=pro%20duction"
	static const struct {
		const char *raw;
		const char *want;
	} rows[] = {
		{HOST "/a", HOST "/a?" TOKEN},
		{HOST "/a?width=1", HOST "/a?width=1&" TOKEN},
		{HOST ":443/a", HOST ":443/a?" TOKEN},
		{"https://IMAGES.example/a", "https://IMAGES.example/a?" TOKEN},
		{"https://assets.example:8443/a", "https://assets.example:8443/a?" TOKEN},
		{"http://127.0.0.1/a", "http://127.0.0.1/a?" TOKEN},
		{"https://assets.example/a", "https://assets.example/a"},
		{"https://images.example:444/a", "https://images.example:444/a"},
		{"https://images.example.evil.example/a", "https://images.example.evil.example/a"},
		{"https://evil.example/https://images.example/a", "https://evil.example/https://images.example/a"},
		{"https://evil.example?x=https://images.example/", "https://evil.example?x=https://images.example/"},
		{"http://localhost/a", "http://localhost/a"},
		{"https://127.0.0.1:80/a", "https://127.0.0.1:80/a"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_finish) struct buf url = BUF_INIT;
		is_int(asset_url(&secured_stack, slice_of(rows[i].raw), &url, NULL), 0, "%s is taken", rows[i].raw);
		is_str(buf_text(&url), rows[i].want, "and asked for as it should");
	}
}

static void test_redirects(void)
{
	static const struct {
		const char *from;
		const char *to;
		bool fine;
	} rows[] = {
		{HOST "/a", "https://other.example/b?c", true},
		{HOST "/a", "http://images.example/a?s3cret", false},
		{HOST "/a", "http://127.0.0.1/a?s3cret", false},
		{"http://127.0.0.1/a", "http://127.0.0.1:81/a", true},
		{"http://127.0.0.1/a", "http://localhost/a", true},
		{"http://127.0.0.1/a", "https://other.example/", true},
		{"http://127.0.0.1/a", "http://other.example/?s3cret", false},
		{HOST "/a", "https://s3cret@other.example/", false},
		{HOST "/a", "ftp://other.example/s3cret", false},
		{HOST "/a", "", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {0};
		char to[128];
		snprintf(to, sizeof(to), "%s", rows[i].to);
		is_int(asset_redirect(&secured_stack, rows[i].from, to, &err), rows[i].fine ? 0 : -EPROTO, "%s to %s",
		       rows[i].from, rows[i].to);
		ok(!strstr(err.text, "s3cret"), "the message tells no secret: %s", err.text);
	}
}

/* The token that a server copies out of what it was asked. */
static void test_redirected_token(void)
{
	static const struct {
		const char *host, *path, *want;
	} rows[] = {
		{"https://other.example", "", "?access_token=&environment=e"},
		{"https://other.example", "cs/token", "?access_token=&environment=e"},
		{HOST, "", "?access_token=cs%2Ftoken&environment=e"},
		{HOST, "cs%2Ftokencs/token", "?access_token=cs%2Ftoken&environment=e"}, /* it would be in messages */
	};
	struct assets_config config = secured_stack;
	config.token = "cs/token";
	for (size_t i = 0; i < COUNT(rows); i++) {
		char to[128];
		char want[128];
		snprintf(to, sizeof(to), "%s/a%s?access_token=cs%%2Ftoken&environment=e", rows[i].host, rows[i].path);
		snprintf(want, sizeof(want), "%s/a%s", rows[i].host, rows[i].want);
		is_int(asset_redirect(&config, HOST "/a", to, NULL), 0, "a redirect with the token in it is followed");
		is_str(to, want, "with the token for the stack's own hosts only, in the query only");
	}
	struct err err = {0};
	char refused[] = "http://s3cret.other.example/";
	config.token = "s3cret";
	is_int(asset_redirect(&config, HOST "/a", refused, &err), -EPROTO, "a redirect to a host named by the token");
	ok(!strstr(err.text, "s3cret"), "the message tells no secret: %s", err.text);
}

int main(void)
{
	test_encoding();
	test_base();
	test_refused();
	test_length();
	test_token();
	test_redirects();
	test_redirected_token();
	return tap_done();
}
