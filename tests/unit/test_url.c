#include "http/http.h"
#include "http/url.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_encoding(void)
{
	static const struct {
		struct slice text;
		const char *want;
	} rows[] = {
		{{"", 0}, ""},
		{{NULL, 0}, ""},
		{{"azAZ09-._~", 10}, "azAZ09-._~"},
		{{" ", 1}, "%20"},
		{{"!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", 28},
		 "%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D"},
		{{"\0\n\x7f\xff", 4}, "%00%0A%7F%FF"},
		{{"\xc3\xa9", 2}, "%C3%A9"},
		{{"2020-04-29T08:05:56Z", 20}, "2020-04-29T08%3A05%3A56Z"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_finish) struct buf url = BUF_INIT;
		buf_append_text(&url, "?");
		is_int(http_append_encoded(&url, rows[i].text), 0, "encoding %zu", i);
		is_str(buf_text(&url) + 1, rows[i].want, "is %s", rows[i].want);
	}
}

static void test_labels(void)
{
	static const struct {
		const char *url;
		const char *label;
		bool loopback;
		const char *origin;
	} rows[] = {
		{"https://cdn.contentstack.io/v3/stacks/sync?sync_token=x",
		 "https://cdn.contentstack.io/v3/stacks/sync", false},
		{"https://CDN.contentstack.io/v3#x", "https://CDN.contentstack.io/v3", false,
		 "https://cdn.contentstack.io:443"},
		{"https://cdn.contentstack.io", "https://cdn.contentstack.io/", false},
		{"HTTP://LocalHost:8080/v3?x", "http://LocalHost:8080/v3", true, "http://localhost:8080"},
		{"http://127.0.0.1:8080/a%20b", "http://127.0.0.1:8080/a%20b", true},
		{"http://127.1.2.3/", "http://127.1.2.3/", true},
		{"http://[::1]:80/", "http://[::1]:80/", true, "http://[::1]:80"},
		{"http://[::2]/", "http://[::2]/", false},
		{"http://127.evil.example/", "http://127.evil.example/", false},
		{"http://localhost.evil.example/", "http://localhost.evil.example/", false},
		{"http://10.0.0.1/", "http://10.0.0.1/", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(url_finish) struct url url = {0};
		struct err err = {0};
		is_int(url_look(rows[i].url, &url, &err), 0, "taken: %s %s", rows[i].url, err.text);
		is_str(url.label, rows[i].label, "its label");
		if (rows[i].origin)
			is_str(url.origin, rows[i].origin, "its origin");
		is_int(url.https, strncasecmp(rows[i].url, "https", 5) == 0, "its scheme");
		is_int(url.loopback, rows[i].loopback, "%s this machine", rows[i].loopback ? "is" : "is not");
	}
}

static void test_refused(void)
{
	static const char *const urls[] = {
		"",
		"/v3/stacks/sync",
		"cdn.contentstack.io",
		"ftp://cdn.contentstack.io/",
		"file:///etc/passwd",
		"https://",
		"https://me:s3cret@cdn.contentstack.io/",
		"https://s3cret@cdn.contentstack.io/",
		"https://:s3cret@cdn.contentstack.io/",
		"https://cdn.contentstack.io:port/",
		"https://a b/",
		"https://a\nb/",
	};
	for (size_t i = 0; i < COUNT(urls); i++) {
		struct url url = {0};
		struct err err = {0};
		is_int(url_look(urls[i], &url, &err), -EINVAL, "refused: %s", urls[i]);
		ok(!url.label, "nothing is given out");
		ok(err.text[0] && !strstr(err.text, "s3cret"), "the message quotes nothing");
	}
}

static void test_resolving(void)
{
	static const struct {
		const char *reference;
		const char *want;
	} rows[] = {
		{"/b", "https://h.example/b"},
		{"b?c#d", "https://h.example/x/b?c"},
		{"//other.example/b", "https://other.example/b"},
		{"http://other.example:8080/b", "http://other.example:8080/b"},
		{"/\xc3\xa9 \x41", "https://h.example/%c3%a9%20A"},
		{"https://h.example:port/", ""},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_finish) struct buf url = BUF_INIT;
		is_int(url_resolve("https://h.example/x/a?q#f", rows[i].reference, 100, &url), 0, "resolving");
		is_str(buf_text(&url), rows[i].want, "%s leads to %s", rows[i].reference, rows[i].want);
	}
}

int main(void)
{
	test_resolving();
	test_encoding();
	test_labels();
	test_refused();
	return tap_done();
}
