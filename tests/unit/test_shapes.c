/*
 * Every field of a page and of an item in every form that it should not have. A row of `fields` says what comes of
 * each:
 *
 *   refused: WHY    the page is not taken (-EPROTO)
 *   faulty: WHY     the page is, the item has a fault
 *   = VALUE         both are well, and the field reads as this
 */
#include "delivery/page.h"
#include "tap.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DIGITS 10000
#define LONG_BYTES (10u << 20)
#define LEVELS 300000

enum form {
	MISSING,
	NOTHING,
	TRUE,
	ZERO,
	NEGATIVE,
	FRACTION,
	HUGE_NUMBER,
	EMPTY_TEXT,
	TEXT,
	LONG_TEXT,
	WITH_NUL,
	SURROGATE,
	NOT_UTF8,
	ARRAY,
	OBJECT,
	DEEP,
	AFTER_WRONG, /* twice: wrong, then right */
	AFTER_RIGHT, /* twice: right, then null */
	FORMS,
};

static const struct {
	const char *name;
	const char *value; /* as JSON; NULL: made by append_value */
} forms[FORMS] = {
	[MISSING] = {"missing", NULL},
	[NOTHING] = {"null", "null"},
	[TRUE] = {"true", "true"},
	[ZERO] = {"0", "0"},
	[NEGATIVE] = {"-1", "-1"},
	[FRACTION] = {"1.5", "1.5"},
	[HUGE_NUMBER] = {"a number of 10,000 digits", NULL},
	[EMPTY_TEXT] = {"an empty text", "\"\""},
	[TEXT] = {"a text", "\"x\""},
	[LONG_TEXT] = {"a text of 10 MB", NULL},
	[WITH_NUL] = {"a text with NUL", "\"a\\u0000b\""},
	[SURROGATE] = {"a lone surrogate", "\"\\udfff\""},
	[NOT_UTF8] = {"broken UTF-8", "\"\xff\""},
	[ARRAY] = {"an array", "[]"},
	[OBJECT] = {"an object", "{}"},
	[DEEP] = {"300,000 arrays in each other", NULL},
	[AFTER_WRONG] = {"there twice, the last right", NULL},
	[AFTER_RIGHT] = {"there twice, the last null", NULL},
};

enum reading {
	ITEMS,
	TOKEN,
	TOTAL,
	TYPE,
	EVENT_AT,
	CONTENT_TYPE,
	DATA,
	UID,
	LOCALE,
	TITLE,
	UPDATED_AT,
	VERSION,
	PUBLISHED_AT
};

#define T1 "2020-12-05T15:43:05.355Z"
#define READS_T1 "= 2020-12-05T15:43:05.355Z"
#define READS_T1_MS "= 1607182985355"
#define T2 "2020-04-29T08:05:56.000Z"
#define READS_T2_MS "= 1588147556000"
#define TEXT_T1 "\"" T1 "\""
#define TEXT_T2 "\"" T2 "\""

/* The field under test goes where the @ is, with its key. */
#define PAGE(item) "{\"items\":[" item "],\"sync_token\":\"abc\"}"
#define EVENT(type, rest) PAGE("{\"type\":\"" type "\",\"event_at\":\"" T1 "\"," rest "}")
#define PUBLISHED(rest) EVENT("entry_published", "\"content_type_uid\":\"blog\"," rest)
#define DELETED(rest) EVENT("entry_deleted", "\"content_type_uid\":\"blog\"," rest)
#define ENTRY PUBLISHED("\"data\":{\"uid\":\"u\",\"locale\":\"en\"}")
#define DETAILS "\"publish_details\":{\"locale\":\"en-gb\",\"time\":\"" T2 "\"}"

#define IN_ITEM [NOT_UTF8] = "faulty: not valid UTF-8", [DEEP] = "faulty: nested too deeply"

/* clang-format off */
static const struct field {
	const char *name;
	const char *key;
	const char *right;
	const char *page;
	enum reading reading;
	const char *otherwise;   /* what comes of the forms that are not listed */
	const char *come[FORMS];
} fields[] = {
	{"items", "items", "[1,2,3]", "{\"sync_token\":\"abc\",@}", ITEMS, "refused: it has no list of items",
	 {[ARRAY] = "= 0", [DEEP] = "faulty: nested too deeply", [AFTER_WRONG] = "faulty: not an object"}},
	{"sync_token", "sync_token", "\"abc\"", "{\"items\":[],@}", TOKEN, "refused: its token is not a string",
	 {[MISSING] = "refused: it has neither a pagination_token nor a sync_token",
	  [NOTHING] = "refused: it has neither a pagination_token nor a sync_token",
	  [EMPTY_TEXT] = "refused: its token is empty", [TEXT] = "= end x",
	  [LONG_TEXT] = "refused: its token is 10485760 bytes long",
	  [WITH_NUL] = "refused: its token holds control characters",
	  [SURROGATE] = "refused: its token is not valid UTF-8", [NOT_UTF8] = "refused: its token is not valid UTF-8",
	  [AFTER_WRONG] = "= end abc",
	  [AFTER_RIGHT] = "refused: it has neither a pagination_token nor a sync_token"}},
	{"pagination_token", "pagination_token", "\"abc\"", "{@,\"items\":[]}", TOKEN,
	 "refused: its token is not a string",
	 {[MISSING] = "refused: it has neither a pagination_token nor a sync_token",
	  [NOTHING] = "refused: it has neither a pagination_token nor a sync_token",
	  [EMPTY_TEXT] = "refused: its token is empty", [TEXT] = "= more x",
	  [LONG_TEXT] = "refused: its token is 10485760 bytes long",
	  [WITH_NUL] = "refused: its token holds control characters",
	  [SURROGATE] = "refused: its token is not valid UTF-8", [NOT_UTF8] = "refused: its token is not valid UTF-8",
	  [AFTER_WRONG] = "= more abc",
	  [AFTER_RIGHT] = "refused: it has neither a pagination_token nor a sync_token"}},
	{"pagination_token beside a sync_token", "pagination_token", "\"abc\"",
	 "{@,\"items\":[],\"sync_token\":\"abc\"}", TOKEN, "refused: it has both a pagination_token and a sync_token",
	 {[MISSING] = "= end abc", [NOTHING] = "= end abc", [AFTER_RIGHT] = "= end abc"}},
	{"sync_token beside a pagination_token", "sync_token", "\"abc\"",
	 "{\"pagination_token\":\"abc\",\"items\":[],@}", TOKEN,
	 "refused: it has both a pagination_token and a sync_token",
	 {[MISSING] = "= more abc", [NOTHING] = "= more abc", [AFTER_RIGHT] = "= more abc"}},
	{"total_count", "total_count", "7", "{\"items\":[],@,\"sync_token\":\"abc\"}", TOTAL, "= -1",
	 {[ZERO] = "= 0", [AFTER_WRONG] = "= 7"}},
	{"skip", "skip", "7", "{\"items\":[],@,\"sync_token\":\"abc\"}", TOKEN, "= end abc", {0}},
	{"limit", "limit", "7", "{\"items\":[],@,\"sync_token\":\"abc\"}", TOKEN, "= end abc", {0}},
	{"a member of the page that nobody knows", "news", "7", "{\"items\":[],@,\"sync_token\":\"abc\"}", ITEMS, "= 0",
	 {0}},

	{"type", "type", "\"entry_deleted\"",
	 PAGE("{@,\"event_at\":\"" T1 "\",\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"u\",\"locale\":\"en\"}}"),
	 TYPE, "faulty: unknown item type", {IN_ITEM, [AFTER_WRONG] = "= entry_deleted"}},
	{"event_at", "event_at", TEXT_T1,
	 PAGE("{\"type\":\"entry_deleted\",@,\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"u\"}}"), EVENT_AT,
	 "faulty: no usable event time", {IN_ITEM, [AFTER_WRONG] = READS_T1_MS}},
	{"event_at beside a time of publishing", "event_at", TEXT_T1,
	 PAGE("{\"type\":\"entry_published\",\"content_type_uid\":\"blog\",\"data\":{\"uid\":\"u\"," DETAILS "},@}"),
	 EVENT_AT, READS_T2_MS, {IN_ITEM, [AFTER_WRONG] = READS_T1_MS}},
	{"content_type_uid of an entry", "content_type_uid", "\"blog\"",
	 EVENT("entry_published", "@,\"data\":{\"uid\":\"u\"," DETAILS "}"), CONTENT_TYPE, "faulty: no content type",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= blog"}},
	{"content_type_uid of an asset", "content_type_uid", "\"sys_assets\"",
	 EVENT("asset_published", "@,\"data\":{\"uid\":\"u\"," DETAILS "}"), CONTENT_TYPE, "= ", {IN_ITEM}},
	{"content_type_uid of a removed asset", "content_type_uid", "\"sys_assets\"",
	 EVENT("asset_deleted", "\"data\":{\"uid\":\"u\",\"locale\":\"en\"},@"), CONTENT_TYPE, "= ", {IN_ITEM}},
	{"content_type_uid of content_type_deleted", "content_type_uid", "\"blog\"",
	 EVENT("content_type_deleted", "@,\"data\":{}"), CONTENT_TYPE, "faulty: no content type",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= blog"}},
	{"data of an entry", "data", "{\"uid\":\"u\",\"locale\":\"en\"}", PUBLISHED("@"), DATA,
	 "faulty: data is not an object",
	 {IN_ITEM, [OBJECT] = "faulty: no uid", [AFTER_WRONG] = "= {\\\"uid\\\":\\\"u\\\",\\\"locale\\\":\\\"en\\\"}"}},
	{"data of a removal", "data", "{\"uid\":\"u\"}", EVENT("asset_unpublished", "@"), DATA,
	 "faulty: data is not an object",
	 {IN_ITEM, [OBJECT] = "faulty: no uid", [AFTER_WRONG] = "= {\\\"uid\\\":\\\"u\\\"}"}},
	{"data of content_type_deleted", "data", "{}", EVENT("content_type_deleted", "\"content_type_uid\":\"blog\",@"),
	 CONTENT_TYPE, "= blog", {IN_ITEM}},
	{"a member of the item that nobody knows", "news", "7",
	 DELETED("@,\"data\":{\"uid\":\"u\"}"), UID, "= u", {IN_ITEM}},

	{"uid of an entry", "uid", "\"u\"", PUBLISHED("\"data\":{@," DETAILS "}"), UID, "faulty: no uid",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= u"}},
	{"uid of a removal", "uid", "\"u\"", DELETED("\"data\":{\"locale\":\"en\",@}"), UID, "faulty: no uid",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= u"}},
	{"uid of an asset", "uid", "\"u\"", EVENT("asset_published", "\"data\":{@," DETAILS "}"), UID, "faulty: no uid",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= u"}},
	{"locale of an entry", "locale", "\"en\"", PUBLISHED("\"data\":{\"uid\":\"u\",@}"), LOCALE, "faulty: no locale",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= en"}},
	{"locale of an entry beside that of publishing", "locale", "\"en\"",
	 PUBLISHED("\"data\":{\"uid\":\"u\",@," DETAILS "}"), LOCALE, "= en-gb", {IN_ITEM}},
	{"locale of publishing", "locale", "\"en\"",
	 PUBLISHED("\"data\":{\"uid\":\"u\",\"publish_details\":{@}}"), LOCALE, "faulty: no locale",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= en"}},
	{"locale of publishing beside that of the entry", "locale", "\"en-gb\"",
	 PUBLISHED("\"data\":{\"uid\":\"u\",\"locale\":\"en\",\"publish_details\":{@}}"), LOCALE, "faulty: no locale",
	 {IN_ITEM, [MISSING] = "= en", [NOTHING] = "= en", [EMPTY_TEXT] = "= en", [TEXT] = "= x",
	  [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b", [SURROGATE] = "= \\udfff",
	  [AFTER_WRONG] = "= en-gb", [AFTER_RIGHT] = "= en"}},
	{"locale of a removal", "locale", "\"en\"", DELETED("\"data\":{\"uid\":\"u\",@}"), LOCALE, "faulty: no locale",
	 {IN_ITEM, [MISSING] = "= ", [NOTHING] = "= ", [EMPTY_TEXT] = "= ", [TEXT] = "= x",
	  [LONG_TEXT] = "faulty: name too long", [WITH_NUL] = "= a\\u0000b", [SURROGATE] = "= \\udfff",
	  [AFTER_WRONG] = "= en", [AFTER_RIGHT] = "= "}},
	{"title", "title", "\"T\"", PUBLISHED("\"data\":{\"uid\":\"u\",@," DETAILS "}"), TITLE, "= ",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "= 10485760 bytes", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = "= T"}},
	{"updated_at", "updated_at", TEXT_T1, PUBLISHED("\"data\":{\"uid\":\"u\",@," DETAILS "}"), UPDATED_AT, "= ",
	 {IN_ITEM, [TEXT] = "= x", [LONG_TEXT] = "= 10485760 bytes", [WITH_NUL] = "= a\\u0000b",
	  [SURROGATE] = "= \\udfff", [AFTER_WRONG] = READS_T1}},
	{"_version", "_version", "7", PUBLISHED("\"data\":{\"uid\":\"u\",@," DETAILS "}"), VERSION, "= 0",
	 {IN_ITEM, [NEGATIVE] = "= -1", [AFTER_WRONG] = "= 7"}},
	{"publish_details", "publish_details", "{\"locale\":\"en-gb\"}",
	 PUBLISHED("\"data\":{\"uid\":\"u\",@}"), LOCALE, "faulty: no locale", {IN_ITEM, [AFTER_WRONG] = "= en-gb"}},
	{"publish_details beside a locale", "publish_details", "{\"locale\":\"en-gb\"}",
	 PUBLISHED("\"data\":{\"uid\":\"u\",\"locale\":\"en\",@}"), LOCALE, "= en",
	 {IN_ITEM, [AFTER_WRONG] = "= en-gb"}},
	{"publish_details of a removal", "publish_details", "{\"locale\":\"en-gb\"}",
	 DELETED("\"data\":{\"uid\":\"u\",@}"), LOCALE, "= ", {IN_ITEM, [AFTER_WRONG] = "= en-gb"}},
	{"time of publishing", "time", TEXT_T2,
	 PUBLISHED("\"data\":{\"uid\":\"u\",\"publish_details\":{\"locale\":\"en\",@}}"), PUBLISHED_AT, READS_T1_MS,
	 {IN_ITEM, [AFTER_WRONG] = READS_T2_MS}},
	{"an authored field", "body", "7", PUBLISHED("\"data\":{\"uid\":\"u\",@," DETAILS "}"), UID, "= u", {IN_ITEM}},
};
/* clang-format on */

static void append_times(struct buf *out, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_append_text(out, text);
}

static void append_run(struct buf *out, char c, size_t times)
{
	if (buf_reserve(out, times) < 0)
		return;
	memset(out->text + out->len, c, times);
	out->len += times;
	out->text[out->len] = '\0';
}

static void append_value(struct buf *out, enum form form)
{
	switch (form) {
	case HUGE_NUMBER:
		append_run(out, '9', DIGITS);
		break;
	case LONG_TEXT:
		buf_append_char(out, '"');
		append_run(out, 'n', LONG_BYTES);
		buf_append_char(out, '"');
		break;
	case DEEP:
		append_run(out, '[', LEVELS);
		append_run(out, ']', LEVELS);
		break;
	default:
		buf_append_text(out, forms[form].value);
		break;
	}
}

static void append_field(struct buf *out, const struct field *field, enum form form)
{
	switch (form) {
	case MISSING:
		buf_append_text(out, "\"-\":0");
		break;
	case AFTER_WRONG:
		buf_printf(out, "\"%s\":\"wrong\",\"%s\":%s", field->key, field->key, field->right);
		break;
	case AFTER_RIGHT:
		buf_printf(out, "\"%s\":%s,\"%s\":null", field->key, field->right, field->key);
		break;
	default:
		buf_printf(out, "\"%s\":", field->key);
		append_value(out, form);
		break;
	}
}

static void append_page(struct buf *out, const struct field *field, enum form form)
{
	const char *at = strchr(field->page, '@');
	buf_append(out, field->page, (size_t)(at - field->page));
	append_field(out, field, form);
	buf_append_text(out, at + 1);
}

static struct slice text_read(const struct item *item, enum reading reading)
{
	switch (reading) {
	case TYPE:
		return slice_of(item_type_name(item->type));
	case CONTENT_TYPE:
		return item->content_type;
	case DATA:
		return item->data;
	case UID:
		return item->uid;
	case LOCALE:
		return item->locale;
	case TITLE:
		return item->title;
	default:
		return item->updated_at;
	}
}

/* As JSON has it, without the quotes; of long texts only how long. */
static void append_text_read(struct buf *out, struct slice text)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	if (text.len > 100) {
		buf_printf(out, "%zu bytes", text.len);
		return;
	}
	json_append_string(&json, text);
	buf_append(out, json.text + 1, json.len - 2);
}

static void append_reading(struct buf *out, const struct page *page, enum reading reading)
{
	const struct item *item = page->items;
	buf_append_text(out, "= ");
	switch (reading) {
	case ITEMS:
		buf_printf(out, "%zu", page->count);
		break;
	case TOKEN:
		buf_printf(out, "%s %s", page->more ? "more" : "end", page->token);
		break;
	case TOTAL:
		buf_printf(out, "%lld", page->total);
		break;
	case EVENT_AT:
		buf_printf(out, "%" PRId64, item->event_at);
		break;
	case PUBLISHED_AT:
		buf_printf(out, "%" PRId64, item->published_at);
		break;
	case VERSION:
		buf_printf(out, "%lld", item->version);
		break;
	default:
		append_text_read(out, text_read(item, reading));
		break;
	}
}

/* Parses the body and says what comes of it. */
static void try(struct buf *body, enum reading reading, struct buf *come)
{
	static const char prefix[] = "the answer is not a page of the Sync API: ";
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	struct err err = {""};
	body->text = realloc(body->text, body->len); /* so that a sanitizer sees who reads on */
	body->cap = body->len;
	int rc = page_parse(body, &page, &err);
	if (rc == -EPROTO && strncmp(err.text, prefix, strlen(prefix)) == 0)
		buf_printf(come, "refused: %s", err.text + strlen(prefix));
	else if (rc < 0)
		buf_printf(come, "%s: %s", strerror(-rc), err.text);
	else if (page.count > 0 && page.items[0].fault)
		buf_printf(come, "faulty: %s", page.items[0].fault);
	else
		append_reading(come, &page, reading);
}

static void test_fields(void)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		for (int form = 0; form < FORMS; form++) {
			CLEANUP(buf_finish) struct buf body = BUF_INIT;
			CLEANUP(buf_finish) struct buf come = BUF_INIT;
			const char *want = fields[i].come[form] ? fields[i].come[form] : fields[i].otherwise;
			append_page(&body, &fields[i], (enum form)form);
			try(&body, fields[i].reading, &come);
			is_str(buf_text(&come), want, "%s: %s", fields[i].name, forms[form].name);
		}
	}
}

/* What is not about the form of one field. `text` comes `times` times between `start` and `end`. */
static const struct {
	const char *name;
	const char *start, *text;
	size_t times;
	const char *end;
	enum reading reading;
	const char *come;
} pages[] = {
	{"a page", ENTRY, "", 0, "", ITEMS, "= 1"},
	{"no answer", "", "", 0, "", ITEMS, "refused: not JSON: the text ends where a value was expected at byte 0"},
	{"both tokens null", "{\"items\":[],\"sync_token\":null,\"pagination_token\":null}", "", 0, "", TOKEN,
	 "refused: it has neither a pagination_token nor a sync_token"},
	{"the keys of the tokens in capitals", "{\"items\":[],\"SYNC_TOKEN\":\"abc\"}", "", 0, "", TOKEN,
	 "refused: it has neither a pagination_token nor a sync_token"},
	{"the longest token", "{\"items\":[],\"sync_token\":\"", "x", PAGE_TOKEN_MAX - 1, "\\u0078\"}", TOTAL, "= -1"},
	{"one byte more", "{\"items\":[],\"sync_token\":\"", "x", PAGE_TOKEN_MAX, "\\u0078\"}", TOTAL,
	 "refused: its token is 4097 bytes long"},
	{"a token of spaces", "{\"items\":[],\"sync_token\":\"", " ", 3, "\"}", TOKEN, "= end    "},
	{"most items", "{\"sync_token\":\"abc\",\"items\":[{}", ",{}", PAGE_ITEMS_MAX - 1, "]}", ITEMS,
	 "faulty: unknown item type"},
	{"one item too many", "{\"sync_token\":\"abc\",\"items\":[{}", ",{}", PAGE_ITEMS_MAX, "]}", ITEMS,
	 "refused: it has more than 100000 items"},
	{"millions of items", "{\"sync_token\":\"abc\",\"items\":[0", ",0", 3000000, "]}", ITEMS,
	 "refused: it has more than 100000 items"},
	{"a million members", "{\"items\":[],\"sync_token\":\"abc\"", ",\"items\":0,\"skip\":1", 500000,
	 ",\"items\":[]}", ITEMS, "= 0"},
	{"a key of 10 MB", "{\"items\":[],\"sync_token\":\"abc\",\"", "items", LONG_BYTES / 5, "\":0}", ITEMS, "= 0"},
	{"a key of 10 MB of escapes", "{\"items\":[],\"sync_token\":\"abc\",\"", "\\u0069", LONG_BYTES / 6, "\":0}",
	 ITEMS, "= 0"},
	{"an event time of a million digits",
	 "{\"items\":[{\"type\":\"content_type_deleted\",\"content_type_uid\":\"b\",\"event_at\":\"2020-12-05T15:43:05.355",
	 "0", 1000000, "Z\"}],\"sync_token\":\"abc\"}", EVENT_AT, READS_T1_MS},
	{"a version at the end of its range",
	 "{\"sync_token\":\"abc\",\"items\":[{\"type\":\"entry_published\",\"event_at\":\"" T1
	 "\",\"content_type_uid\":\"b\",\"data\":{\"uid\":\"u\",\"locale\":\"en\",\"_version\":9223372036854775807}}]}",
	 "", 0, "", VERSION, "= 9223372036854775807"},
	{"a version one beyond it",
	 "{\"sync_token\":\"abc\",\"items\":[{\"type\":\"entry_published\",\"event_at\":\"" T1
	 "\",\"content_type_uid\":\"b\",\"data\":{\"uid\":\"u\",\"locale\":\"en\",\"_version\":9223372036854775808}}]}",
	 "", 0, "", VERSION, "= 0"},
	{"a total one beyond its range", "{\"items\":[],\"sync_token\":\"abc\",\"total_count\":9223372036854775808}",
	 "", 0, "", TOTAL, "= -1"},
	{"open brackets without end", "", "[", 3000000, "", ITEMS,
	 "refused: not JSON: the text ends where a value was expected at byte 3000000"},
	{"open objects without end", "", "{\"items\":", 1000000, "", ITEMS,
	 "refused: not JSON: the text ends where a value was expected at byte 9000000"},
};

static void test_pages(void)
{
	for (size_t i = 0; i < COUNT(pages); i++) {
		CLEANUP(buf_finish) struct buf body = BUF_INIT;
		CLEANUP(buf_finish) struct buf come = BUF_INIT;
		buf_append_text(&body, pages[i].start);
		append_times(&body, pages[i].text, pages[i].times);
		buf_append_text(&body, pages[i].end);
		try(&body, pages[i].reading, &come);
		is_str(buf_text(&come), pages[i].come, "%s", pages[i].name);
	}
}

int main(void)
{
	test_fields();
	test_pages();
	return tap_done();
}
