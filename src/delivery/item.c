/*
 * Which item of which type an event is about. Decides by `type` alone: assets come with a content_type_uid of
 * "sys_assets", with another one, or with none (D, R).
 */
#include "delivery/item.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const type_names[] = {
	[ITEM_ENTRY_PUBLISHED] = "entry_published",
	[ITEM_ENTRY_UNPUBLISHED] = "entry_unpublished",
	[ITEM_ENTRY_DELETED] = "entry_deleted",
	[ITEM_ASSET_PUBLISHED] = "asset_published",
	[ITEM_ASSET_UNPUBLISHED] = "asset_unpublished",
	[ITEM_ASSET_DELETED] = "asset_deleted",
	[ITEM_CONTENT_TYPE_DELETED] = "content_type_deleted",
};

/* The values that an item is read from; null where there is none. */
struct parts {
	struct json_value type, event_at, content_type, data;
	struct json_value uid, locale, title, updated_at, version, publish; /* of `data` */
	struct json_value published_locale, published_at;                   /* of `publish` */
};

const char *item_type_name(enum item_type type)
{
	return type_names[type];
}

static void take_apart(struct json_value element, struct parts *p)
{
	const struct answer_member of_item[] = {
		{"type", &p->type},
		{"event_at", &p->event_at},
		{"content_type_uid", &p->content_type},
		{"data", &p->data},
	};
	const struct answer_member of_data[] = {
		{"uid", &p->uid},          {"locale", &p->locale},
		{"title", &p->title},      {"updated_at", &p->updated_at},
		{"_version", &p->version}, {"publish_details", &p->publish},
	};
	const struct answer_member of_publish[] = {
		{"locale", &p->published_locale},
		{"time", &p->published_at},
	};
	answer_members(element, of_item, COUNT(of_item));
	answer_members(p->data, of_data, COUNT(of_data));
	answer_members(p->publish, of_publish, COUNT(of_publish));
}

static bool find_type(struct json_value value, enum item_type *type)
{
	for (size_t i = 0; value.type == JSON_STRING && i < COUNT(type_names); i++) {
		if (json_string_is(value, type_names[i])) {
			*type = (enum item_type)i;
			return true;
		}
	}
	return false;
}

static bool is_published(enum item_type type)
{
	return type == ITEM_ENTRY_PUBLISHED || type == ITEM_ASSET_PUBLISHED;
}

static bool is_entry(enum item_type type)
{
	return type == ITEM_ENTRY_PUBLISHED || type == ITEM_ENTRY_UNPUBLISHED || type == ITEM_ENTRY_DELETED;
}

/* A part of the item's key. `missing` is the fault if there is none. */
static int read_name(struct item *item, struct json_value value, const char *missing, struct page_strings **strings,
		     struct slice *name)
{
	int rc = answer_text(value, strings, name);
	if (rc < 0)
		return rc;
	if (name->len == 0)
		item->fault = missing;
	else if (name->len > ITEM_NAME_MAX)
		item->fault = "name too long";
	return 0;
}

/* The locale it was published in, which is not always the one it was written in (R). A removal may come without: then
 * it counts for every locale (I), so what is there but no string must not pass for "without". */
static int read_locale(struct item *item, const struct parts *p, struct page_strings **strings)
{
	struct json_value locale = answer_is_empty(p->published_locale) ? p->locale : p->published_locale;
	if (!is_published(item->type) && answer_is_empty(locale))
		return 0;
	return read_name(item, locale, "no locale", strings, &item->locale);
}

/* Each of the two times stands in for the other. */
static int read_times(struct item *item, const struct parts *p, struct page_strings **strings)
{
	int event = answer_time(p->event_at, strings, &item->event_at);
	int published = answer_time(p->published_at, strings, &item->published_at);
	if (event == -ENOMEM || published == -ENOMEM)
		return -ENOMEM;
	if (published < 0)
		item->published_at = item->event_at;
	if (event < 0)
		item->event_at = item->published_at;
	if (event < 0 && published < 0)
		item->fault = "no usable event time";
	return 0;
}

/* What a reader of the tree sees beside the text. */
static int read_details(struct item *item, const struct parts *p, struct page_strings **strings)
{
	int rc = answer_text(p->title, strings, &item->title);
	if (rc == 0)
		rc = answer_text(p->updated_at, strings, &item->updated_at);
	item->version = answer_number(p->version);
	return rc;
}

static int read_key(struct item *item, const struct parts *p, struct page_strings **strings)
{
	int rc = 0;
	bool whole_type = item->type == ITEM_CONTENT_TYPE_DELETED;
	if (whole_type || is_entry(item->type))
		rc = read_name(item, p->content_type, "no content type", strings, &item->content_type);
	if (rc == 0 && !item->fault && !whole_type)
		rc = read_name(item, p->uid, "no uid", strings, &item->uid);
	if (rc == 0 && !item->fault && !whole_type)
		rc = read_locale(item, p, strings);
	return rc;
}

/* Goes on only while nothing is wrong. `item` has its type. */
static int read_item(struct item *item, const struct parts *p, struct page_strings **strings)
{
	if (p->data.type == JSON_OBJECT)
		item->data = p->data.text;
	else if (item->type != ITEM_CONTENT_TYPE_DELETED)
		item->fault = "data is not an object";
	if (item->fault)
		return 0;
	int rc = read_times(item, p, strings);
	if (rc == 0 && !item->fault)
		rc = read_key(item, p, strings);
	if (rc == 0 && !item->fault && is_published(item->type))
		rc = read_details(item, p, strings);
	return rc;
}

int item_read(const struct answer *answer, struct json_value element, struct page_strings **strings, struct item *item)
{
	struct parts p;
	*item = (struct item){.source = element.text, .fault = answer_element_fault(answer, element)};
	if (item->fault)
		return 0;
	take_apart(element, &p);
	if (find_type(p.type, &item->type))
		return read_item(item, &p, strings);
	item->fault = "unknown item type";
	return 0;
}
