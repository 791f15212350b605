/* What page_parse makes of one item: each row is an item in a page of its own. What is left of one that is faulty is in
 * test_faulty_item.c. */
#include "delivery/page.h"
#include "tap.h"
#include "util/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define T1 "2020-12-05T15:43:05.355Z"
#define T1_MS 1607182985355
#define T2 "2020-04-29T08:05:56.000Z"
#define T2_MS 1588147556000

#define ITEM(type, rest) "{\"type\":\"" type "\",\"event_at\":\"" T1 "\"," rest "}"
#define BLOG "\"content_type_uid\":\"blog\","
#define DETAILS "\"publish_details\":{\"environment\":\"e\",\"locale\":\"en-gb\",\"time\":\"" T2 "\",\"user\":\"u\"}"

struct want {
	enum item_type type;
	const char *content_type, *locale, *uid;
	int64_t event_at, published_at;
	const char *title, *updated_at;
	long long version;
	const char *data;
};

static const struct {
	const char *name;
	const char *item;
	struct want want;
} good[] = {
	{"entry_published",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\",\"title\":\"T\",\"updated_at\":\"" T2
		   "\",\"_version\":3," DETAILS "}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T2_MS, "T", T2, 3,
	  "{\"uid\":\"u1\",\"locale\":\"en-us\",\"title\":\"T\",\"updated_at\":\"" T2 "\",\"_version\":3," DETAILS
	  "}"}},
	{"entry_published without publish_details",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\"}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-us", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"publish_details null",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\",\"publish_details\":null}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-us", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"publish_details an array, as in webhooks",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\",\"publish_details\":[{\"locale\":\"x\"}]}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-us", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"publish_details without a locale",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\",\"publish_details\":{\"time\":\"" T2 "\"}}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-us", "u1", T1_MS, T2_MS, "", "", 0, NULL}},
	{"publish_details with a locale of null",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\",\"publish_details\":{\"locale\":null}}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-us", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"an entry without its own locale",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u1\"," DETAILS "}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T2_MS, "", "", 0, NULL}},
	{"entry_unpublished",
	 ITEM("entry_unpublished", BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\",\"title\":\"T\"}"),
	 {ITEM_ENTRY_UNPUBLISHED, "blog", "en-us", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"entry_deleted",
	 ITEM("entry_deleted", BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\"}"),
	 {ITEM_ENTRY_DELETED, "blog", "en-us", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"entry_deleted without a locale",
	 ITEM("entry_deleted", BLOG "\"data\":{\"uid\":\"u1\"}"),
	 {ITEM_ENTRY_DELETED, "blog", "", "u1", T1_MS, T1_MS, "", "", 0, "{\"uid\":\"u1\"}"}},
	{"entry_unpublished with a locale of null",
	 ITEM("entry_unpublished", BLOG "\"data\":{\"uid\":\"u1\",\"locale\":null}"),
	 {ITEM_ENTRY_UNPUBLISHED, "blog", "", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"asset_published",
	 ITEM("asset_published",
	      "\"content_type_uid\":\"sys_assets\",\"data\":{\"uid\":\"f1\",\"title\":\"a.png\"," DETAILS "}"),
	 {ITEM_ASSET_PUBLISHED, "", "en-gb", "f1", T1_MS, T2_MS, "a.png", "", 0, NULL}},
	{"asset_published as in the documentation",
	 ITEM("asset_published", "\"content_type_uid\":\"Blog\",\"data\":{\"uid\":\"3\",\"locale\":\"en-us\"}"),
	 {ITEM_ASSET_PUBLISHED, "", "en-us", "3", T1_MS, T1_MS, "", "", 0, NULL}},
	{"an asset whose content type is nonsense",
	 ITEM("asset_published", "\"content_type_uid\":7,\"data\":{\"uid\":\"f1\"," DETAILS "}"),
	 {ITEM_ASSET_PUBLISHED, "", "en-gb", "f1", T1_MS, T2_MS, "", "", 0, NULL}},
	{"asset_unpublished without a content type",
	 ITEM("asset_unpublished", "\"data\":{\"uid\":\"f1\",\"locale\":\"en-us\",\"filename\":\"a\"}"),
	 {ITEM_ASSET_UNPUBLISHED, "", "en-us", "f1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"asset_deleted",
	 ITEM("asset_deleted", "\"content_type_uid\":\"sys_assets\",\"data\":{\"uid\":\"f1\",\"locale\":\"en-us\"}"),
	 {ITEM_ASSET_DELETED, "", "en-us", "f1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"content_type_deleted",
	 ITEM("content_type_deleted", "\"content_type_uid\":\"Blog Suggestions\",\"data\":{}"),
	 {ITEM_CONTENT_TYPE_DELETED, "Blog Suggestions", "", "", T1_MS, T1_MS, "", "", 0, "{}"}},
	{"content_type_deleted with a uid and a locale",
	 ITEM("content_type_deleted", BLOG "\"data\":{\"uid\":\"blog\",\"locale\":\"en-us\",\"title\":\"T\"}"),
	 {ITEM_CONTENT_TYPE_DELETED, "blog", "", "", T1_MS, T1_MS, "", "", 0, NULL}},
	{"content_type_deleted without data",
	 "{\"type\":\"content_type_deleted\",\"event_at\":\"" T1 "\",\"content_type_uid\":\"blog\"}",
	 {ITEM_CONTENT_TYPE_DELETED, "blog", "", "", T1_MS, T1_MS, "", "", 0, ""}},

	{"the members in another order",
	 "{\"data\":{" DETAILS ",\"uid\":\"u1\"},\"content_type_uid\":\"blog\",\"event_at\":\"" T1
	 "\",\"type\":\"entry_published\"}",
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T2_MS, "", "", 0, NULL}},
	{"white space",
	 "{ \"type\" : \"entry_deleted\" , \"event_at\" : \"" T1 "\" , \"content_type_uid\" : \"blog\" , "
	 "\"data\" : { \"uid\" : \"u1\" } }",
	 {ITEM_ENTRY_DELETED, "blog", "", "u1", T1_MS, T1_MS, "", "", 0, "{ \"uid\" : \"u1\" }"}},
	{"escapes in keys, names and times",
	 "{\"\\u0074ype\":\"entry\\u005fpublished\",\"event\\u005fat\":\"2020-12-05\\u005415:43:05.355Z\","
	 "\"content_type_uid\":\"bl\\u006fg\",\"\\u0064ata\":{\"u\\u0069d\":\"u\\u0031\\/\\\"\\n\","
	 "\"title\":\"\\ud83d\\ude00\","
	 "\"updated_at\":\"\\u0032\",\"publish_details\":{\"locale\":\"en\\u002dgb\",\"tim\\u0065\":\"" T2 "\"}}}",
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1/\"\n", T1_MS, T2_MS, "\xf0\x9f\x98\x80", "2", 0, NULL}},
	{"the last of several keys counts",
	 "{\"type\":\"x\",\"type\":\"entry_deleted\",\"event_at\":1,\"event_at\":\"" T1 "\",\"content_type_uid\":\"a\","
	 "\"content_type_uid\":\"blog\",\"data\":[],\"data\":{\"uid\":\"u0\",\"uid\":\"u1\",\"locale\":\"x\","
	 "\"locale\":\"en\"}}",
	 {ITEM_ENTRY_DELETED, "blog", "en", "u1", T1_MS, T1_MS, "", "", 0, NULL}},
	{"names inside the authored fields do not count",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"a\":{\"uid\":\"x\",\"locale\":\"x\",\"type\":\"asset_deleted\"},\"uid\":\"u1\"," DETAILS
		   ",\"b\":[{\"uid\":\"y\"}]}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T2_MS, "", "", 0, NULL}},

	{"a malformed time of the documentation",
	 "{\"type\":\"entry_deleted\",\"event_at\":\"2017-11-23T00:00:000Z\",\"content_type_uid\":\"b\",\"data\":{"
	 "\"uid\":\"u\"}}",
	 {ITEM_ENTRY_DELETED, "b", "", "u", 1511395200000, 1511395200000, "", "", 0, NULL}},
	{"no event_at",
	 "{\"type\":\"entry_published\",\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"u1\"," DETAILS "}}",
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T2_MS, T2_MS, "", "", 0, NULL}},
	{"an event_at that is no time",
	 "{\"type\":\"entry_published\",\"event_at\":\"soon\",\"content_type_uid\":\"blog\",\"data\":{\"uid\":"
	 "\"u1\"," DETAILS "}}",
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T2_MS, T2_MS, "", "", 0, NULL}},
	{"an event_at that is a number",
	 "{\"type\":\"entry_published\",\"event_at\":5,\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"u1\"," DETAILS
	 "}}",
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T2_MS, T2_MS, "", "", 0, NULL}},
	{"a time of publishing that is no time",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"uid\":\"u1\",\"publish_details\":{\"locale\":\"en-gb\",\"time\":\"\"}}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T1_MS, "", "", 0, NULL}},

	{"title, updated_at and version of other types",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"uid\":\"u1\",\"title\":5,\"updated_at\":[],\"_version\":\"3\"," DETAILS "}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T2_MS, "", "", 0, NULL}},
	{"a version that is no whole number",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u1\",\"_version\":3.5," DETAILS "}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T2_MS, "", "", 0, NULL}},
	{"a version too large for a number",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u1\",\"_version\":99999999999999999999," DETAILS "}"),
	 {ITEM_ENTRY_PUBLISHED, "blog", "en-gb", "u1", T1_MS, T2_MS, "", "", 0, NULL}},
};

static const struct {
	const char *name;
	const char *item;
	const char *fault;
} bad[] = {
	{"null", "null", "not an object"},
	{"a number", "12", "not an object"},
	{"text", "\"entry_published\"", "not an object"},
	{"an array", "[{}]", "not an object"},
	{"an empty object", "{}", "unknown item type"},
	{"no type", "{\"event_at\":\"" T1 "\",\"data\":{\"uid\":\"u\"}}", "unknown item type"},
	{"type null", "{\"type\":null,\"event_at\":\"" T1 "\",\"data\":{}}", "unknown item type"},
	{"type a number", "{\"type\":1,\"event_at\":\"" T1 "\",\"data\":{}}", "unknown item type"},
	{"an unknown type", ITEM("entry_archived", "\"data\":{}"), "unknown item type"},
	{"the wrong case", ITEM("Entry_Published", "\"data\":{}"), "unknown item type"},
	{"NUL in the type", ITEM("entry_published\\u0000", "\"data\":{}"), "unknown item type"},
	{"an empty type", ITEM("", "\"data\":{}"), "unknown item type"},

	{"no data", "{\"type\":\"entry_published\",\"event_at\":\"" T1 "\",\"content_type_uid\":\"b\"}",
	 "data is not an object"},
	{"data that comes twice, the last time without a uid",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\"},\"data\":{\"locale\":\"en-us\"}"),
	 "no uid"},
	{"data that comes twice, the last time as text",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u1\",\"locale\":\"en-us\"},\"data\":\"u1\""),
	 "data is not an object"},
	{"data null", ITEM("entry_published", BLOG "\"data\":null"), "data is not an object"},
	{"data an array", ITEM("entry_published", BLOG "\"data\":[]"), "data is not an object"},
	{"data text", ITEM("asset_deleted", "\"data\":\"uid\""), "data is not an object"},

	{"no time at all", "{\"type\":\"entry_deleted\",\"content_type_uid\":\"b\",\"data\":{\"uid\":\"u\"}}",
	 "no usable event time"},
	{"no readable time",
	 "{\"type\":\"entry_deleted\",\"event_at\":\"x\",\"content_type_uid\":\"b\",\"data\":{\"uid\":\"u\"}}",
	 "no usable event time"},
	{"two times that nothing would ever be newer than",
	 "{\"type\":\"entry_published\",\"event_at\":\"9999-12-31T23:59:59.999Z\",\"content_type_uid\":\"b\",\"data\":{"
	 "\"uid\":\"u\",\"publish_details\":{\"locale\":\"en-us\",\"time\":\"9999-12-31T23:59:59.999Z\"}}}",
	 "no usable event time"},
	{"no time, and one that nothing would ever be newer than",
	 "{\"type\":\"entry_published\",\"content_type_uid\":\"b\",\"data\":{"
	 "\"uid\":\"u\",\"publish_details\":{\"locale\":\"en-us\",\"time\":\"2100-01-01T00:00:00.001Z\"}}}",
	 "no usable event time"},
	{"a time with NUL",
	 "{\"type\":\"entry_deleted\",\"event_at\":\"" T1
	 "\\u0000\",\"content_type_uid\":\"b\",\"data\":{\"uid\":\"u\"}}",
	 "no usable event time"},

	{"an entry without a content type", ITEM("entry_published", "\"data\":{\"uid\":\"u\"," DETAILS "}"),
	 "no content type"},
	{"an empty content type",
	 ITEM("entry_published", "\"content_type_uid\":\"\",\"data\":{\"uid\":\"u\"," DETAILS "}"), "no content type"},
	{"a content type that is a number", ITEM("entry_deleted", "\"content_type_uid\":5,\"data\":{\"uid\":\"u\"}"),
	 "no content type"},
	{"content_type_deleted without one", ITEM("content_type_deleted", "\"data\":{}"), "no content type"},
	{"content_type_deleted of null", ITEM("content_type_deleted", "\"content_type_uid\":null,\"data\":{}"),
	 "no content type"},

	{"no uid", ITEM("entry_published", BLOG "\"data\":{" DETAILS "}"), "no uid"},
	{"uid null", ITEM("entry_published", BLOG "\"data\":{\"uid\":null," DETAILS "}"), "no uid"},
	{"an empty uid", ITEM("entry_published", BLOG "\"data\":{\"uid\":\"\"," DETAILS "}"), "no uid"},
	{"a uid that is a number", ITEM("entry_published", BLOG "\"data\":{\"uid\":5," DETAILS "}"), "no uid"},
	{"a deleted asset without uid", ITEM("asset_deleted", "\"data\":{}"), "no uid"},

	{"an entry without a locale", ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u\"}"), "no locale"},
	{"an asset without a locale", ITEM("asset_published", "\"data\":{\"uid\":\"u\"}"), "no locale"},
	{"empty locales",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u\",\"locale\":\"\",\"publish_details\":{\"locale\":\"\"}}"),
	 "no locale"},
	{"a published locale that is a number does not fall back",
	 ITEM("entry_published",
	      BLOG "\"data\":{\"uid\":\"u\",\"locale\":\"en-us\",\"publish_details\":{\"locale\":5}}"),
	 "no locale"},
	{"a removal whose locale is a number is not one of all locales",
	 ITEM("entry_deleted", BLOG "\"data\":{\"uid\":\"u\",\"locale\":5}"), "no locale"},
};

static bool parse_item(struct slice item, struct page *page)
{
	struct buf body = BUF_INIT;
	struct err err = {0};
	buf_append_text(&body, "{\"items\":[");
	buf_append(&body, item.at, item.len);
	buf_append_text(&body, "],\"sync_token\":\"t\"}");
	body.text = realloc(body.text, body.len); /* so that a sanitizer sees who reads on */
	if (page_parse(&body, page, &err) < 0 || page->count != 1) {
		ok(false, "a page with one item: %s", err.text);
		return false;
	}
	return is_slice(page->items[0].source, item, "the source is the item as sent");
}

static void check_item(const struct item *item, const struct want *want, const char *name)
{
	bool about_one = want->type != ITEM_CONTENT_TYPE_DELETED && want->locale[0];
	is_str(item->fault, NULL, "%s: no fault", name);
	is_int(item->typed, true, "%s: typed", name);
	is_int(item->known, about_one, "%s: known", name);
	is_int(item->type, want->type, "%s: type", name);
	is_slice(item->content_type, slice_of(want->content_type), "%s: content type", name);
	is_slice(item->locale, slice_of(want->locale), "%s: locale", name);
	is_slice(item->uid, slice_of(want->uid), "%s: uid", name);
	is_int(item->event_at, want->event_at, "%s: event_at", name);
	is_int(item->published_at, want->published_at, "%s: published_at", name);
	is_slice(item->title, slice_of(want->title), "%s: title", name);
	is_slice(item->updated_at, slice_of(want->updated_at), "%s: updated_at", name);
	is_int(item->version, want->version, "%s: version", name);
	if (want->data)
		is_slice(item->data, slice_of(want->data), "%s: data", name);
	else
		ok(item->data.len > 1 && item->data.at > item->source.at && item->data.at[0] == '{', "%s: data", name);
}

static void test_tables(void)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		if (parse_item(slice_of(good[i].item), &page))
			check_item(&page.items[0], &good[i].want, good[i].name);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		if (parse_item(slice_of(bad[i].item), &page))
			is_str(page.items[0].fault, bad[i].fault, "%s: fault", bad[i].name);
	}
}

/* A name of `len` bytes in each place where one can be. */
static void test_long_names(void)
{
	static const char *const forms[] = {
		ITEM("entry_deleted", "\"content_type_uid\":\"%s\",\"data\":{\"uid\":\"u\"}"),
		ITEM("entry_deleted", BLOG "\"data\":{\"uid\":\"%s\"}"),
		ITEM("entry_deleted", BLOG "\"data\":{\"uid\":\"u\",\"locale\":\"%s\"}"),
		ITEM("asset_published", "\"data\":{\"uid\":\"u\",\"publish_details\":{\"locale\":\"%s\"}}"),
		ITEM("content_type_deleted", "\"content_type_uid\":\"%s\",\"data\":{}"),
	};
	char name[ITEM_NAME_MAX + 2];
	for (size_t i = 0; i < COUNT(forms) * 2; i++) {
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		CLEANUP(buf_finish) struct buf item = BUF_INIT;
		const char *at = strstr(forms[i / 2], "%s");
		size_t len = ITEM_NAME_MAX + i % 2;
		memset(name, 'n', len);
		buf_append(&item, forms[i / 2], (size_t)(at - forms[i / 2]));
		buf_append(&item, name, len);
		buf_append_text(&item, at + 2);
		if (parse_item(buf_slice(&item), &page))
			is_str(page.items[0].fault, i % 2 ? "name too long" : NULL, "form %zu: %zu bytes", i / 2, len);
	}
}

/* Names may hold what no file name can. */
static void test_odd_names(void)
{
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	static const char item[] =
		ITEM("entry_deleted",
		     "\"content_type_uid\":\"\\u0000\",\"data\":{\"uid\":\"..\\/\\u0000a\",\"locale\":\"\\ud800\"}");
	if (!parse_item(slice_of(item), &page))
		return;
	is_str(page.items[0].fault, NULL, "odd names are no fault");
	is_slice(page.items[0].content_type, slice_make("\0", 1), "a NUL");
	is_slice(page.items[0].uid, slice_make("../\0a", 5), "a path with a NUL");
	is_slice(page.items[0].locale, slice_of("\xed\xa0\x80"), "a lone surrogate");
}

static void test_type_names(void)
{
	static const char *const names[] = {
		"entry_published",   "entry_unpublished", "entry_deleted",        "asset_published",
		"asset_unpublished", "asset_deleted",     "content_type_deleted",
	};
	for (size_t i = 0; i < COUNT(names); i++)
		is_str(item_type_name((enum item_type)i), names[i], "the name of type %zu", i);
}

/* --- the files of assets ------------------------------------------------------------------------------------------ */

#define URL "https://images.contentstack.io/v3/assets/k/u/f/images_(1).jpg"
#define ASSET(rest)                                                                                                    \
	ITEM("asset_published", "\"content_type_uid\":\"sys_assets\",\"data\":{\"uid\":\"u\"," rest "," DETAILS "}")
#define SIZED(size) ASSET("\"url\":\"" URL "\",\"filename\":\"f\",\"file_size\":" size)

static const struct {
	const char *name, *item;
	const char *url, *filename, *media_type;
	int64_t size;
} files[] = {
	{"as recorded",
	 ASSET("\"content_type\":\"image/jpeg\",\"file_size\":\"5990\",\"tags\":[],\"filename\":\"images_(1).jpg\",\"url\":\"" URL
	       "\",\"is_dir\":false"),
	 URL, "images_(1).jpg", "image/jpeg", 5990},
	{"no URL", ASSET("\"filename\":\"f\",\"file_size\":\"5\""), "", "", "", -1},
	{"a URL of null", ASSET("\"url\":null,\"filename\":\"f\",\"file_size\":\"5\""), "", "", "", -1},
	{"a URL that is a number", ASSET("\"url\":1,\"filename\":\"f\",\"file_size\":\"5\""), "", "", "", -1},
	{"a folder", ASSET("\"url\":\"" URL "\",\"is_dir\":true"), "", "", "", -1},
	{"no name: the last part of the URL", ASSET("\"url\":\"" URL "?a/b#c/d\""), URL "?a/b#c/d", "images_(1).jpg",
	 "", -1},
	{"no name at all", ASSET("\"url\":\"http://h/\""), "http://h/", "", "", -1},
	{"escapes", ASSET("\"url\":\"http:\\/\\/h\\/\\u00e9\",\"filename\":\"\\u00e9\""), "http://h/\xc3\xa9",
	 "\xc3\xa9", "", -1},
	{"a size that is a number", SIZED("5990"), URL, "f", "", 5990},
	{"nothing", SIZED("\"0\""), URL, "f", "", 0},
	{"a terabyte", SIZED("\"1099511627776\""), URL, "f", "", 1099511627776},
	{"more than that", SIZED("\"1099511627777\""), URL, "f", "", -1},
	{"more than any number", SIZED("\"99999999999999999999999999\""), URL, "f", "", -1},
	{"less than nothing", SIZED("\"-1\""), URL, "f", "", -1},
	{"less than nothing, a number", SIZED("-1"), URL, "f", "", -1},
	{"a fraction", SIZED("1.5"), URL, "f", "", -1},
	{"an exponent", SIZED("1e3"), URL, "f", "", -1},
	{"words", SIZED("\"5 kB\""), URL, "f", "", -1},
	{"an empty size", SIZED("\"\""), URL, "f", "", -1},
	{"null", SIZED("null"), URL, "f", "", -1},
	{"true", SIZED("true"), URL, "f", "", -1},
};

static void test_files(void)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		CLEANUP(buf_finish) struct buf body = BUF_INIT;
		struct err err = {0};
		buf_printf(&body, "{\"items\":[%s],\"sync_token\":\"t\"}", files[i].item);
		ok(page_parse(&body, &page, &err) == 0 && page.count == 1 && !page.items[0].fault,
		   "the file of an asset: %s", files[i].name);
		if (page.count != 1)
			continue;
		const struct item_file *file = &page.items[0].file;
		is_slice(file->url, slice_of(files[i].url), "%s: url", files[i].name);
		is_slice(file->name, slice_of(files[i].filename), "%s: name", files[i].name);
		is_slice(file->media_type, slice_of(files[i].media_type), "%s: media type", files[i].name);
		is_int(files[i].url[0] ? file->size : -1, files[i].size, "%s: size", files[i].name);
	}
}

int main(void)
{
	test_tables();
	test_long_names();
	test_odd_names();
	test_type_names();
	test_files();
	return tap_done();
}
