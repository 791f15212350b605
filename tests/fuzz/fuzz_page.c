/* Answers with items and with content types, and items that are read again. */
#include "delivery/page.h"
#include "fuzz.h"
#include "util/cleanup.h"
#include "util/json.h"

static bool is_inside(struct slice part, struct slice whole)
{
	return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static bool is_name(struct slice name)
{
	return name.len > 0 && name.len <= ITEM_NAME_MAX;
}

static bool is_object(struct slice text)
{
	struct json_value value;
	return json_check(text, ITEM_DEPTH_MAX, &value, NULL) == 0 && value.type == JSON_OBJECT &&
	       value.text.len == text.len && json_check_utf8(text, NULL) == 0;
}

static void check_good_item(const struct item *item)
{
	bool whole_type = item->type == ITEM_CONTENT_TYPE_DELETED;
	bool entry = item->type == ITEM_ENTRY_PUBLISHED || item->type == ITEM_ENTRY_UNPUBLISHED ||
		     item->type == ITEM_ENTRY_DELETED;
	bool published = item->type == ITEM_ENTRY_PUBLISHED || item->type == ITEM_ASSET_PUBLISHED;
	MUST(item->typed);
	MUST(is_object(item->source));
	MUST(is_name(item->content_type) == (entry || whole_type));
	MUST(is_name(item->uid) == !whole_type);
	MUST(is_name(item->locale) || !published);
	MUST(item->known == (is_name(item->locale) && !whole_type));
	MUST(is_inside(item->data, item->source));
	MUST(is_object(item->data) || (whole_type && item->data.len == 0));
}

static void check_faulty_item(const struct item *item)
{
	MUST(item->typed || !item->known);
	MUST(!item->known || (is_name(item->uid) && is_name(item->locale)));
	MUST(json_check_utf8(item->uid, NULL) == 0 && item->uid.len <= ITEM_NAME_MAX);
	MUST(json_check_utf8(item->locale, NULL) == 0 && item->locale.len <= ITEM_NAME_MAX);
	MUST(json_check_utf8(item->content_type, NULL) == 0 && item->content_type.len <= ITEM_NAME_MAX);
	MUST(item->data.len == 0 && item->title.len == 0 && item->updated_at.len == 0);
}

static void must_be_same(const struct item *a, const struct item *b)
{
	MUST(a->fault == b->fault);
	MUST(a->typed == b->typed && a->known == b->known && a->type == b->type);
	MUST(slice_eq(a->content_type, b->content_type));
	MUST(slice_eq(a->locale, b->locale));
	MUST(slice_eq(a->uid, b->uid));
	MUST(a->event_at == b->event_at && a->published_at == b->published_at && a->version == b->version);
	MUST(slice_eq(a->title, b->title));
	MUST(slice_eq(a->updated_at, b->updated_at));
	MUST(slice_eq(a->data, b->data));
	MUST(slice_eq(a->source, b->source));
}

static void check_page(const struct page *page)
{
	MUST(page->token && page->token[0] && strlen(page->token) <= PAGE_TOKEN_MAX);
	MUST(page->total >= -1);
	for (size_t i = 0; i < page->count; i++) {
		const struct item *item = &page->items[i];
		CLEANUP(lone_item_finish) struct lone_item lone = LONE_ITEM_INIT;
		CLEANUP(buf_finish) struct buf source = exact_copy(item->source);
		MUST(is_inside(item->source, buf_slice(&page->body)));
		if (item->fault)
			check_faulty_item(item);
		else
			check_good_item(item);
		MUST(item_parse(buf_slice(&source), &lone, NULL) == 0);
		must_be_same(item, &lone.item);
	}
}

static void try_page(struct slice text)
{
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	struct buf body = exact_copy(text);
	struct err err = {""};
	if (page_parse(&body, &page, &err) == 0)
		check_page(&page);
	else
		MUST(err.text[0] && !page.body.text);
	MUST(!body.text);
}

static void try_content_types(struct slice text)
{
	CLEANUP(content_type_list_finish) struct content_type_list list = CONTENT_TYPE_LIST_INIT;
	struct buf body = exact_copy(text);
	if (content_type_list_parse(&body, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.count; i++) {
		MUST(is_name(list.types[i].uid));
		MUST(is_object(list.types[i].data) && is_inside(list.types[i].data, buf_slice(&list.body)));
	}
}

/* The text as the only item of a page. */
static void try_item(struct slice text)
{
	CLEANUP(lone_item_finish) struct lone_item lone = LONE_ITEM_INIT;
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	struct buf body = BUF_INIT;
	bool marked = text.len > 0 && text.at[0] == '\xef'; /* a byte order mark has no place inside a page */
	if (marked || item_parse(text, &lone, NULL) < 0)
		return;
	buf_append_text(&body, "{\"items\":[");
	buf_append(&body, text.at, text.len);
	buf_append_text(&body, "],\"sync_token\":\"t\"}");
	MUST(page_parse(&body, &page, NULL) == 0 && page.count == 1);
	check_page(&page);
	must_be_same(&page.items[0], &lone.item);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_make((const char *)bytes, len);
	try_page(text);
	try_content_types(text);
	try_item(text);
	return 0;
}
