/* page_parse and content_type_list_parse: tables of answers, good and bad. Single items have test_item.c. */
#include "delivery/page.h"
#include "tap.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MILLIONS 2000000
#define ENTRY                                                                                                          \
	"{\"type\":\"entry_published\",\"event_at\":\"2020-12-05T15:43:05.355Z\",\"content_type_uid\":\"blog\","       \
	"\"data\":{\"uid\":\"a\",\"locale\":\"en-us\"}}"

static const struct {
	const char *name;
	const char *body;
	bool more;
	const char *token;
	size_t items;
	long long total;
} good[] = {
	{"a delta without news", "{\"items\":[],\"sync_token\":\"abc\"}", false, "abc", 0, -1},
	{"more to come", "{\"items\":[],\"pagination_token\":\"abc\"}", true, "abc", 0, -1},
	{"one item", "{\"items\":[" ENTRY "],\"sync_token\":\"abc\",\"total_count\":1}", false, "abc", 1, 1},
	{"three items", "{\"items\":[" ENTRY "," ENTRY "," ENTRY "],\"sync_token\":\"abc\"}", false, "abc", 3, -1},
	{"the token first", "{\"sync_token\":\"abc\",\"total_count\":1,\"skip\":0,\"items\":[" ENTRY "]}", false, "abc",
	 1, 1},
	{"white space", " \r\n\t{ \"items\" : [ ] , \"sync_token\" : \"abc\" } \n", false, "abc", 0, -1},
	{"a byte order mark", "\xef\xbb\xbf{\"items\":[],\"sync_token\":\"abc\"}", false, "abc", 0, -1},
	{"what we do not know", "{\"a\":{\"items\":1},\"items\":[],\"z\":[[]],\"sync_token\":\"abc\"}", false, "abc", 0,
	 -1},
	{"escapes in keys", "{\"it\\u0065ms\":[" ENTRY "],\"\\u0073ync_token\":\"abc\"}", false, "abc", 1, -1},
	{"escapes in the token", "{\"items\":[],\"sync_token\":\"a\\u0062\\/c\"}", false, "ab/c", 0, -1},
	{"a token of any characters", "{\"items\":[],\"sync_token\":\"a b&c=%\xc3\xa9\"}", false, "a b&c=%\xc3\xa9", 0,
	 -1},
	{"the other token null", "{\"items\":[],\"sync_token\":\"abc\",\"pagination_token\":null}", false, "abc", 0,
	 -1},
	{"of two lists the last", "{\"items\":1,\"items\":[" ENTRY "],\"sync_token\":\"abc\"}", false, "abc", 1, -1},
	{"of two tokens the last", "{\"items\":[],\"sync_token\":1,\"sync_token\":\"abc\"}", false, "abc", 0, -1},
	{"a total of zero", "{\"items\":[],\"sync_token\":\"abc\",\"total_count\":0}", false, "abc", 0, 0},
	{"a total as text", "{\"items\":[],\"sync_token\":\"abc\",\"total_count\":\"3\"}", false, "abc", 0, -1},
	{"a negative total", "{\"items\":[],\"sync_token\":\"abc\",\"total_count\":-3}", false, "abc", 0, -1},
	{"a huge total", "{\"items\":[],\"sync_token\":\"abc\",\"total_count\":1e99}", false, "abc", 0, -1},
	{"broken UTF-8 elsewhere", "{\"items\":[" ENTRY "],\"z\":\"\xff\",\"sync_token\":\"abc\"}", false, "abc", 1,
	 -1},
};

static const struct {
	const char *name;
	const char *body;
	const char *says;
} bad[] = {
	{"nothing", "", "not JSON"},
	{"white space only", " \n", "not JSON"},
	{"HTML", "<html>", "not JSON"},
	{"null", "null", "not a JSON object"},
	{"an array", "[]", "not a JSON object"},
	{"text", "\"items\"", "not a JSON object"},
	{"an empty object", "{}", "neither"},
	{"a text cut short", "{\"items\":[" ENTRY "],\"sync_token\":\"ab", "not JSON"},
	{"something behind it", "{\"items\":[],\"sync_token\":\"abc\"}x", "not JSON"},
	{"an error of the API", "{\"error_message\":\"no\",\"error_code\":141}", "neither"},
	{"no items", "{\"sync_token\":\"abc\"}", "no list of items"},
	{"items null", "{\"items\":null,\"sync_token\":\"abc\"}", "no list of items"},
	{"items an object", "{\"items\":{},\"sync_token\":\"abc\"}", "no list of items"},
	{"items text", "{\"items\":\"\",\"sync_token\":\"abc\"}", "no list of items"},
	{"items a number", "{\"items\":0,\"sync_token\":\"abc\"}", "no list of items"},
	{"no token", "{\"items\":[]}", "neither"},
	{"both tokens", "{\"items\":[],\"sync_token\":\"s3cret\",\"pagination_token\":\"s3cret\"}", "both"},
	{"both tokens, one empty", "{\"items\":[],\"sync_token\":\"s3cret\",\"pagination_token\":\"\"}", "both"},
	{"both tokens null", "{\"items\":[],\"sync_token\":null,\"pagination_token\":null}", "neither"},
	{"an empty token", "{\"items\":[],\"sync_token\":\"\"}", "empty"},
	{"an empty pagination token", "{\"items\":[],\"pagination_token\":\"\"}", "empty"},
	{"a token that is a number", "{\"items\":[],\"sync_token\":1}", "not a string"},
	{"a token that is true", "{\"items\":[],\"sync_token\":true}", "not a string"},
	{"a token that is an array", "{\"items\":[],\"pagination_token\":[\"s3cret\"]}", "not a string"},
	{"a line break in the token", "{\"items\":[],\"sync_token\":\"s3cret\\r\\n\"}", "control characters"},
	{"NUL in the token", "{\"items\":[],\"sync_token\":\"s3cret\\u0000\"}", "control characters"},
	{"DEL in the token", "{\"items\":[],\"sync_token\":\"s3cret\x7f\"}", "control characters"},
};

/* Exactly these bytes and nothing behind them, so that a sanitizer sees who reads on. */
static struct buf exactly(struct slice text)
{
	struct buf body = BUF_INIT;
	body.text = malloc(text.len ? text.len : 1);
	body.len = text.len;
	body.cap = text.len;
	if (text.len > 0)
		memcpy(body.text, text.at, text.len);
	return body;
}

static int parse(struct slice text, struct page *page, struct err *err)
{
	struct buf body = exactly(text);
	int rc = page_parse(&body, page, err);
	ok(!body.text && body.len == 0, "the body is taken over");
	return rc;
}

static void test_good(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		struct err err = {0};
		is_int(parse(slice_of(good[i].body), &page, &err), 0, "%s: taken %s", good[i].name, err.text);
		is_int(page.more, good[i].more, "%s: more", good[i].name);
		is_str(page.token, good[i].token, "%s: token", good[i].name);
		is_int((long long)page.count, (long long)good[i].items, "%s: items", good[i].name);
		is_int(page.total, good[i].total, "%s: total", good[i].name);
		for (size_t item = 0; item < page.count; item++)
			is_slice(page.items[item].source, slice_of(ENTRY), "%s: item %zu", good[i].name, item);
	}
}

static void refused(struct slice text, const char *says, const char *name)
{
	struct page page = PAGE_INIT;
	struct err err = {0};
	is_int(parse(text, &page, &err), -EPROTO, "%s: refused", name);
	if (!ok(strstr(err.text, says) != NULL, "%s: says %s", name, says))
		diag("%s", err.text);
	ok(!strstr(err.text, "s3cret"), "%s: quotes no token", name);
	ok(!page.body.text && !page.items && !page.token && !page.strings && page.count == 0, "%s: no page", name);
}

static void test_bad(void)
{
	for (size_t i = 0; i < COUNT(bad); i++)
		refused(slice_of(bad[i].body), bad[i].says, bad[i].name);
	refused(slice_make("{\"items\":[],\"sync_token\":\"abc\"}\0", 32), "not JSON", "NUL behind it");
}

static void test_every_cut(void)
{
	static const char body[] = "{\"items\":[" ENTRY "],\"sync_token\":\"a\\u0062c\"}";
	size_t taken = 0;
	for (size_t len = 0; len < strlen(body); len++) {
		struct page page = PAGE_INIT;
		struct buf cut = exactly(slice_make(body, len));
		taken += page_parse(&cut, &page, NULL) == 0;
		page_finish(&page);
	}
	is_int((long long)taken, 0, "no part of a page is taken for the whole");
}

static void append_times(struct buf *out, const char *text, size_t times)
{
	while (times-- > 0)
		buf_append_text(out, text);
}

static int parse_made(struct buf *text, struct page *page)
{
	struct err err = {0};
	int rc = page_parse(text, page, &err);
	if (rc < 0)
		diag("%s", err.text);
	return rc;
}

static void test_token_length(void)
{
	for (size_t extra = 0; extra < 2; extra++) {
		CLEANUP(buf_finish) struct buf text = BUF_INIT;
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		buf_append_text(&text, "{\"items\":[],\"sync_token\":\"");
		append_times(&text, "x", PAGE_TOKEN_MAX + extra);
		buf_append_text(&text, "\"}");
		is_int(parse_made(&text, &page), extra ? -EPROTO : 0, "a token of %zu bytes", PAGE_TOKEN_MAX + extra);
	}
}

static void test_item_count(void)
{
	for (size_t extra = 0; extra < 2; extra++) {
		CLEANUP(buf_finish) struct buf text = BUF_INIT;
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		buf_append_text(&text, "{\"items\":[0");
		append_times(&text, ",0", PAGE_ITEMS_MAX - 1 + extra);
		buf_append_text(&text, "],\"sync_token\":\"abc\"}");
		is_int(parse_made(&text, &page), extra ? -EPROTO : 0, "%zu items", PAGE_ITEMS_MAX + extra);
		is_int((long long)page.count, extra ? 0 : PAGE_ITEMS_MAX, "what the page holds");
	}
}

/* An item whose data is nested `depth` deep as a whole, item and data object included. */
static void append_deep(struct buf *out, size_t depth)
{
	buf_append_text(out, "{\"type\":\"entry_published\",\"event_at\":\"2020-12-05\",\"content_type_uid\":\"b\","
			     "\"data\":{\"uid\":\"a\",\"locale\":\"en\",\"x\":");
	append_times(out, "[", depth - 2);
	append_times(out, "]", depth - 2);
	buf_append_text(out, "}}");
}

static void test_depth(void)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	buf_append_text(&text, "{\"items\":[");
	append_deep(&text, ITEM_DEPTH_MAX);
	buf_append_text(&text, ",");
	append_deep(&text, ITEM_DEPTH_MAX + 1);
	buf_append_text(&text, ",");
	append_deep(&text, MILLIONS);
	buf_append_text(&text, "," ENTRY "],\"sync_token\":\"abc\"}");
	is_int(parse_made(&text, &page), 0, "a page with items that are too deep");
	if (!is_int((long long)page.count, 4, "holds all of them"))
		return;
	is_str(page.items[0].fault, NULL, "an item as deep as is allowed");
	is_str(page.items[1].fault, "nested too deeply", "one level more");
	is_str(page.items[2].fault, "nested too deeply", "millions of levels");
	is_str(page.items[3].fault, NULL, "the item after them");
}

/* What is too deep is in no item: it is nobody's fault. */
static void test_depth_elsewhere(void)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	buf_append_text(&text, "{\"z\":");
	append_deep(&text, MILLIONS);
	buf_append_text(&text, ",\"items\":[" ENTRY "],\"sync_token\":\"abc\"}");
	is_int(parse_made(&text, &page), 0, "a page with something deep beside its items");
	if (is_int((long long)page.count, 1, "holds its item"))
		is_str(page.items[0].fault, NULL, "which is well");
}

static void test_broken_utf8(void)
{
	static const char broken[] =
		"{\"type\":\"asset_deleted\",\"event_at\":\"2020-12-05\",\"data\":{\"uid\":\"\xc3\"}}";
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	buf_printf(&text, "{\"items\":[%s,%s],\"sync_token\":\"abc\"}", broken, ENTRY);
	is_int(parse_made(&text, &page), 0, "a page with an item that is not UTF-8");
	if (!is_int((long long)page.count, 2, "holds both items"))
		return;
	is_str(page.items[0].fault, "not valid UTF-8", "which has a fault");
	is_slice(page.items[0].source, slice_of(broken), "and its bytes");
	is_str(page.items[1].fault, NULL, "the other has none");
}

static void test_content_types(void)
{
	static const char body[] =
		"{\"count\":5,\"content_types\":["
		"{\"uid\":\"blog\",\"title\":\"The \\\"Blog\\\"\","
		"\"updated_at\":\"2020-12-05T15:43:05.355Z\",\"_version\":7,"
		"\"schema\":[{\"uid\":\"title\"}]},"
		"{\"title\":\"no uid\"}, {\"uid\":\"\"}, {\"uid\":5}, null, [], \"x\", {\"uid\":\"\xff\"},"
		"{\"uid\":\"a-\\u00e9\",\"updated_at\":\"yesterday\",\"_version\":\"3\",\"title\":null}]}";
	CLEANUP(content_type_list_finish) struct content_type_list list = CONTENT_TYPE_LIST_INIT;
	struct buf text = exactly(slice_of(body));
	is_int(content_type_list_parse(&text, &list, NULL), 0, "a list of content types");
	is_int((long long)list.skipped, 7, "what is not usable is counted");
	if (!is_int((long long)list.count, 2, "the others are there"))
		return;
	const struct content_type *blog = &list.types[0];
	is_slice(blog->uid, slice_of("blog"), "uid");
	is_slice(blog->title, slice_of("The \"Blog\""), "title");
	is_slice(blog->updated_at, slice_of("2020-12-05T15:43:05.355Z"), "updated_at");
	is_int(blog->updated_ms, 1607182985355, "the same in ms");
	is_int(blog->version, 7, "version");
	is_slice(blog->data, slice_make(strstr(body, "{\"uid\""), blog->data.len), "data");
	ok(blog->data.at[blog->data.len - 1] == '}' && blog->data.at[blog->data.len - 2] == ']', "to its end");
	is_slice(list.types[1].uid, slice_of("a-\xc3\xa9"), "a decoded uid");
	is_slice(list.types[1].title, slice_of(""), "no title");
	is_slice(list.types[1].updated_at, slice_of("yesterday"), "a time as written");
	is_int(list.types[1].updated_ms, 0, "that cannot be read");
	is_int(list.types[1].version, 0, "a version that is no number");
}

static void test_bad_content_types(void)
{
	static const char *const bodies[] = {
		"",
		"[]",
		"{}",
		"{\"content_types\":null}",
		"{\"content_types\":{}}",
		"{\"content_types\":[",
		"<html>",
		"{\"content_type\":[]}",
	};
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct content_type_list list = CONTENT_TYPE_LIST_INIT;
		struct err err = {0};
		struct buf text = exactly(slice_of(bodies[i]));
		is_int(content_type_list_parse(&text, &list, &err), -EPROTO, "no list: %s", bodies[i]);
		ok(err.text[0] && !list.body.text && !list.types && !text.text, "nothing but a message comes of it");
	}
	struct content_type_list list = CONTENT_TYPE_LIST_INIT;
	struct buf text = exactly(slice_of("{\"content_types\":[]}"));
	is_int(content_type_list_parse(&text, &list, NULL), 0, "an empty list");
	is_int((long long)list.count, 0, "has no types");
	content_type_list_finish(&list);
	content_type_list_finish(&list);
}

int main(void)
{
	test_good();
	test_bad();
	test_every_cut();
	test_token_length();
	test_item_count();
	test_depth();
	test_depth_elsewhere();
	test_broken_utf8();
	test_content_types();
	test_bad_content_types();
	return tap_done();
}
