/* What is left of an item that has a fault, and items that are read again from their source. */
#include "delivery/page.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define T1 "2020-12-05T15:43:05.355Z"
#define T1_MS 1607182985355
#define T2 "2020-04-29T08:05:56.000Z"
#define T2_MS 1588147556000

#define ITEM(type, rest) "{\"type\":\"" type "\",\"event_at\":\"" T1 "\"," rest "}"
#define BLOG "\"content_type_uid\":\"blog\","
#define DETAILS "\"publish_details\":{\"locale\":\"en-gb\",\"time\":\"" T2 "\"}"

static const struct faulty {
	const char *name;
	const char *item; /* @ stands for a value that is nested too deeply, # for a name that is too long */
	const char *fault;
	int type; /* -1: not read */
	bool known;
	const char *content_type, *locale, *uid;
	int64_t event_at;
	long long version;
} faulty[] = {
	{"an entry that is too deep",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u\",\"title\":\"t\",\"_version\":3,\"x\":@," DETAILS "}"),
	 "nested too deeply", ITEM_ENTRY_PUBLISHED, true, "blog", "en-gb", "u", T1_MS, 3},
	{"an asset that is too deep",
	 ITEM("asset_published", "\"content_type_uid\":\"x\",\"data\":{\"uid\":\"f\",\"x\":@," DETAILS "}"),
	 "nested too deeply", ITEM_ASSET_PUBLISHED, true, "", "en-gb", "f", T1_MS, 0},
	{"a deep value in place of a name", ITEM("entry_published", BLOG "\"data\":{\"uid\":@,\"locale\":\"en\"}"),
	 "nested too deeply", ITEM_ENTRY_PUBLISHED, false, "blog", "en", "", T1_MS, 0},
	{"a deep value beside the data",
	 ITEM("entry_deleted", "\"x\":@," BLOG "\"data\":{\"uid\":\"u\",\"locale\":\"en\"}"), "nested too deeply",
	 ITEM_ENTRY_DELETED, true, "blog", "en", "u", T1_MS, 0},
	{"a deep value in place of the data", ITEM("entry_deleted", BLOG "\"data\":@"), "nested too deeply",
	 ITEM_ENTRY_DELETED, false, "blog", "", "", T1_MS, 0},
	{"a deep item of no known type", ITEM("entry_archived", BLOG "\"data\":{\"uid\":\"u\",\"x\":@," DETAILS "}"),
	 "nested too deeply", -1, false, "blog", "en-gb", "u", T1_MS, 0},
	{"a deep array", "@", "nested too deeply", -1, false, "", "", "", 0, 0},

	{"broken UTF-8 in a text",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u\",\"title\":\"\xff\",\"_version\":3," DETAILS "}"),
	 "not valid UTF-8", ITEM_ENTRY_PUBLISHED, true, "blog", "en-gb", "u", T1_MS, 3},
	{"broken UTF-8 in the uid", ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u\xc3\"," DETAILS "}"),
	 "not valid UTF-8", ITEM_ENTRY_PUBLISHED, false, "blog", "en-gb", "", T1_MS, 0},
	{"broken UTF-8 in the content type",
	 ITEM("entry_deleted", "\"content_type_uid\":\"\x80\",\"data\":{\"uid\":\"u\",\"locale\":\"en\"}"),
	 "not valid UTF-8", ITEM_ENTRY_DELETED, false, "", "en", "u", T1_MS, 0},
	{"broken UTF-8 in the locale", ITEM("asset_deleted", "\"data\":{\"uid\":\"u\",\"locale\":\"e\xfe\"}"),
	 "not valid UTF-8", ITEM_ASSET_DELETED, false, "", "", "u", T1_MS, 0},
	{"a surrogate as bytes in the uid",
	 ITEM("asset_deleted", "\"data\":{\"uid\":\"\xed\xa0\x80\",\"locale\":\"e\"}"), "not valid UTF-8",
	 ITEM_ASSET_DELETED, false, "", "e", "", T1_MS, 0},
	{"broken UTF-8 in the type", ITEM("entry_deleted\xff", BLOG "\"data\":{\"uid\":\"u\",\"locale\":\"en\"}"),
	 "not valid UTF-8", -1, false, "blog", "en", "u", T1_MS, 0},
	{"a lone surrogate in the uid of a deep item",
	 ITEM("entry_published", BLOG "\"data\":{\"uid\":\"\\ud800\",\"x\":@," DETAILS "}"), "nested too deeply",
	 ITEM_ENTRY_PUBLISHED, false, "blog", "en-gb", "", T1_MS, 0},
	{"escapes in the names of a deep item",
	 ITEM("entry_published",
	      "\"content_type_uid\":\"bl\\u006fg\",\"data\":{\"uid\":\"\\u00e9\\/\",\"x\":@," DETAILS "}"),
	 "nested too deeply", ITEM_ENTRY_PUBLISHED, true, "blog", "en-gb", "\xc3\xa9/", T1_MS, 0},

	{"nothing at all", "{}", "unknown item type", -1, false, "", "", "", 0, 0},
	{"null", "null", "not an object", -1, false, "", "", "", 0, 0},
	{"an array", "[{\"type\":\"entry_deleted\"}]", "not an object", -1, false, "", "", "", 0, 0},
	{"a type that is not known", ITEM("entry_archived", BLOG "\"data\":{\"uid\":\"u\",\"_version\":3," DETAILS "}"),
	 "unknown item type", -1, false, "blog", "en-gb", "u", T1_MS, 0},
	{"no type, and no usable data", "{\"event_at\":\"" T1 "\"," BLOG "\"data\":[]}", "unknown item type", -1, false,
	 "blog", "", "", T1_MS, 0},
	{"no data", ITEM("entry_published", "\"content_type_uid\":\"blog\""), "data is not an object",
	 ITEM_ENTRY_PUBLISHED, false, "blog", "", "", T1_MS, 0},

	{"no time", "{\"type\":\"entry_published\"," BLOG "\"data\":{\"uid\":\"u\",\"locale\":\"en\",\"_version\":4}}",
	 "no usable event time", ITEM_ENTRY_PUBLISHED, true, "blog", "en", "u", 0, 4},
	{"no time and no locale", "{\"type\":\"entry_published\"," BLOG "\"data\":{\"uid\":\"u\"}}",
	 "no usable event time", ITEM_ENTRY_PUBLISHED, false, "blog", "", "u", 0, 0},
	{"no event_at and a name too long",
	 "{\"type\":\"entry_published\",\"content_type_uid\":\"#\",\"data\":{\"uid\":\"u\"," DETAILS "}}",
	 "name too long", ITEM_ENTRY_PUBLISHED, false, "", "en-gb", "u", T2_MS, 0},

	{"no content type", ITEM("entry_published", "\"data\":{\"uid\":\"u\"," DETAILS "}"), "no content type",
	 ITEM_ENTRY_PUBLISHED, false, "", "en-gb", "u", T1_MS, 0},
	{"no uid", ITEM("entry_published", BLOG "\"data\":{" DETAILS "}"), "no uid", ITEM_ENTRY_PUBLISHED, false,
	 "blog", "en-gb", "", T1_MS, 0},
	{"no locale", ITEM("entry_published", BLOG "\"data\":{\"uid\":\"u\",\"_version\":5}"), "no locale",
	 ITEM_ENTRY_PUBLISHED, false, "blog", "", "u", T1_MS, 5},
	{"a removal with a number for a locale", ITEM("entry_deleted", BLOG "\"data\":{\"uid\":\"u\",\"locale\":1}"),
	 "no locale", ITEM_ENTRY_DELETED, false, "blog", "", "u", T1_MS, 0},
	{"a removal without a locale that is too deep", ITEM("entry_deleted", BLOG "\"data\":{\"uid\":\"u\",\"x\":@}"),
	 "nested too deeply", ITEM_ENTRY_DELETED, false, "blog", "", "u", T1_MS, 0},
	{"a uid too long", ITEM("asset_published", "\"data\":{\"uid\":\"#\"," DETAILS "}"), "name too long",
	 ITEM_ASSET_PUBLISHED, false, "", "en-gb", "", T1_MS, 0},
	{"a locale too long", ITEM("asset_deleted", "\"data\":{\"uid\":\"u\",\"locale\":\"#\"}"), "name too long",
	 ITEM_ASSET_DELETED, false, "", "", "u", T1_MS, 0},
	{"a deleted content type without a name", ITEM("content_type_deleted", "\"data\":{\"uid\":\"u\"," DETAILS "}"),
	 "no content type", ITEM_CONTENT_TYPE_DELETED, false, "", "", "", T1_MS, 0},
	{"a deleted content type that is too deep", ITEM("content_type_deleted", BLOG "\"data\":@"),
	 "nested too deeply", ITEM_CONTENT_TYPE_DELETED, false, "blog", "", "", T1_MS, 0},
};

static void append_times(struct buf *out, const char *text, size_t times)
{
	while (times-- > 0)
		buf_append_text(out, text);
}

/* Puts what is meant in the place of @ and #. */
static void expand(struct buf *out, const char *item)
{
	for (; *item; item++) {
		if (*item == '@') {
			append_times(out, "[", ITEM_DEPTH_MAX + 1);
			append_times(out, "]", ITEM_DEPTH_MAX + 1);
		} else if (*item == '#') {
			append_times(out, "n", ITEM_NAME_MAX + 1);
		} else {
			buf_append_char(out, *item);
		}
	}
}

static void check_faulty(const struct item *item, const struct faulty *want, struct slice source, const char *where)
{
	const char *name = want->name;
	is_str(item->fault, want->fault, "%s, %s: fault", name, where);
	is_int(item->typed ? (int)item->type : -1, want->type, "%s, %s: type", name, where);
	is_int(item->known, want->known, "%s, %s: known", name, where);
	is_slice(item->content_type, slice_of(want->content_type), "%s, %s: content type", name, where);
	is_slice(item->locale, slice_of(want->locale), "%s, %s: locale", name, where);
	is_slice(item->uid, slice_of(want->uid), "%s, %s: uid", name, where);
	is_int(item->event_at, want->event_at, "%s, %s: event_at", name, where);
	is_int(item->version, want->version, "%s, %s: version", name, where);
	is_slice(item->source, source, "%s, %s: source", name, where);
	ok(item->title.len + item->updated_at.len + item->data.len == 0, "%s, %s: no text of it", name, where);
}

static void test_faulty(void)
{
	for (size_t i = 0; i < COUNT(faulty); i++) {
		CLEANUP(buf_finish) struct buf source = BUF_INIT;
		CLEANUP(buf_finish) struct buf body = BUF_INIT;
		CLEANUP(page_finish) struct page page = PAGE_INIT;
		CLEANUP(lone_item_finish) struct lone_item lone = LONE_ITEM_INIT;
		struct err err = {""};
		expand(&source, faulty[i].item);
		buf_append_text(&body, "{\"items\":[");
		buf_append(&body, source.text, source.len);
		buf_append_text(&body, "],\"sync_token\":\"t\"}");
		if (is_int(page_parse(&body, &page, &err), 0, "%s: a page %s", faulty[i].name, err.text))
			check_faulty(&page.items[0], &faulty[i], buf_slice(&source), "in a page");
		if (is_int(item_parse(buf_slice(&source), &lone, &err), 0, "%s: alone %s", faulty[i].name, err.text))
			check_faulty(&lone.item, &faulty[i], buf_slice(&source), "alone");
	}
}

static void test_good_alone(void)
{
	static const char source[] =
		ITEM("entry_published", BLOG "\"data\":{\"uid\":\"\\u0075\",\"title\":\"a\\tb\",\"updated_at\":\"" T2
					     "\",\"_version\":3," DETAILS "}");
	CLEANUP(cleanup_free) char *exact = malloc(strlen(source)); /* so that a sanitizer sees who reads on */
	CLEANUP(lone_item_finish) struct lone_item lone = LONE_ITEM_INIT;
	memcpy(exact, source, strlen(source));
	is_int(item_parse(slice_make(exact, strlen(source)), &lone, NULL), 0, "a good item alone");
	is_str(lone.item.fault, NULL, "it has no fault");
	ok(lone.item.typed && lone.item.known, "it is known");
	is_slice(lone.item.uid, slice_of("u"), "its uid");
	is_slice(lone.item.locale, slice_of("en-gb"), "its locale");
	is_slice(lone.item.content_type, slice_of("blog"), "its content type");
	is_slice(lone.item.title, slice_of("a\tb"), "its title");
	is_slice(lone.item.updated_at, slice_of(T2), "its updated_at");
	is_int(lone.item.version, 3, "its version");
	is_int(lone.item.event_at, T1_MS, "its event_at");
	is_int(lone.item.published_at, T2_MS, "its published_at");
	is_slice(lone.item.data, slice_make(strstr(source, "{\"uid\""), lone.item.data.len), "its data");
	is_int(lone.item.data.at[lone.item.data.len - 1], '}', "to its end");
}

static void test_nonsense_alone(void)
{
	static const char *const sources[] = {"", " ", "{", "{}{}", ITEM("entry_deleted", "\"data\":{\"uid\":\"u}")};
	for (size_t i = 0; i < COUNT(sources); i++) {
		CLEANUP(lone_item_finish) struct lone_item lone = LONE_ITEM_INIT;
		struct err err = {""};
		is_int(item_parse(slice_of(sources[i]), &lone, &err), -EPROTO, "what no item was: %s", sources[i]);
		ok(err.text[0] && !lone.strings && !lone.item.source.at, "nothing but a message comes of it");
	}
	struct lone_item lone = LONE_ITEM_INIT;
	is_int(item_parse(slice_of("\"\\u0041\""), &lone, NULL), 0, "a text is an item with a fault");
	lone_item_finish(&lone);
	lone_item_finish(&lone);
	ok(!lone.strings && !lone.item.fault, "which may be finished twice");
}

int main(void)
{
	test_faulty();
	test_good_alone();
	test_nonsense_alone();
	return tap_done();
}
