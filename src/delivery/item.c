/*
 * Which item of which type an event is about. Decides by `type` alone: assets come with a content_type_uid of
 * "sys_assets", with another one, or with none (D, R).
 */
#include "delivery/item.h"

#include <errno.h>

#define TIME_MAX 4102444800000 /* 2100-01-01, ms since the epoch: after a later event nothing newer would ever count */

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

/* The next element of the list. False at its end. */
static bool take_apart(struct json_iter *list, struct json_value *element, struct parts *p)
{
	const struct answer_member of_publish[] = {
		WANTED("locale", &p->published_locale),
		WANTED("time", &p->published_at),
	};
	const struct answer_member of_data[] = {
		WANTED("uid", &p->uid),          WANTED("locale", &p->locale),
		WANTED("title", &p->title),      WANTED("updated_at", &p->updated_at),
		WANTED("_version", &p->version), {"publish_details", &p->publish, of_publish, COUNT(of_publish)},
	};
	const struct answer_member of_item[] = {
		WANTED("type", &p->type),
		WANTED("event_at", &p->event_at),
		WANTED("content_type_uid", &p->content_type),
		{"data", &p->data, of_data, COUNT(of_data)},
	};
	return answer_next(list, element, of_item, COUNT(of_item));
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

static bool is_published(const struct item *item)
{
	return item->typed && (item->type == ITEM_ENTRY_PUBLISHED || item->type == ITEM_ASSET_PUBLISHED);
}

static bool is_asset(const struct item *item)
{
	return item->typed && (item->type == ITEM_ASSET_PUBLISHED || item->type == ITEM_ASSET_UNPUBLISHED ||
			       item->type == ITEM_ASSET_DELETED);
}

static bool is_content_type(const struct item *item)
{
	return item->typed && item->type == ITEM_CONTENT_TYPE_DELETED;
}

/* The first thing that is wrong is what is said; the rest is read all the same. */
static void blame(struct item *item, const char *fault)
{
	if (!item->fault)
		item->fault = fault;
}

/* A part of the item's key. `missing` is the fault if there is none. */
static int read_name(struct item *item, struct json_value value, const char *missing, struct page_strings **strings,
		     struct slice *name)
{
	struct slice text = {0};
	int rc = answer_text(value, strings, &text);
	if (rc < 0)
		return rc;
	if (text.len == 0)
		blame(item, missing);
	else if (text.len > ITEM_NAME_MAX)
		blame(item, "name too long");
	else
		*name = text;
	return 0;
}

/* The locale it was published in, which is not always the one it was written in (R). A removal may come without: then
 * it counts for every locale (I), so what is there but no string must not pass for "without". */
static int read_locale(struct item *item, const struct parts *p, struct page_strings **strings)
{
	struct json_value locale = answer_is_empty(p->published_locale) ? p->locale : p->published_locale;
	if (!is_published(item) && answer_is_empty(locale))
		return 0;
	return read_name(item, locale, "no locale", strings, &item->locale);
}

static int read_time(struct json_value value, struct page_strings **strings, int64_t *ms)
{
	int64_t time;
	int rc = answer_time(value, strings, &time);
	if (rc == 0 && time > TIME_MAX)
		return -EINVAL;
	if (rc == 0)
		*ms = time;
	return rc;
}

/* Each of the two times stands in for the other. */
static int read_times(struct item *item, const struct parts *p, struct page_strings **strings)
{
	int event = read_time(p->event_at, strings, &item->event_at);
	int published = read_time(p->published_at, strings, &item->published_at);
	if (event == -ENOMEM || published == -ENOMEM)
		return -ENOMEM;
	if (published < 0)
		item->published_at = item->event_at;
	if (event < 0)
		item->event_at = item->published_at;
	if (event < 0 && published < 0)
		blame(item, "no usable event time");
	return 0;
}

static int read_key(struct item *item, const struct parts *p, struct page_strings **strings)
{
	int rc = 0;
	if (!is_asset(item))
		rc = read_name(item, p->content_type, "no content type", strings, &item->content_type);
	if (rc == 0 && !is_content_type(item))
		rc = read_name(item, p->uid, "no uid", strings, &item->uid);
	if (rc == 0 && !is_content_type(item))
		rc = read_locale(item, p, strings);
	return rc;
}

/* -1 for what is no size: a reader learns the true one from whoever has the file. */
static int64_t size_in(struct slice text)
{
	int64_t size = 0;
	if (text.len == 0)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		size = size * 10 + (text.at[i] - '0');
		if (size > ITEM_FILE_MAX)
			return -1;
	}
	return size;
}

static struct slice last_part(struct slice url)
{
	size_t end = 0;
	while (end < url.len && url.at[end] != '?' && url.at[end] != '#')
		end++;
	size_t from = end;
	while (from > 0 && url.at[from - 1] != '/')
		from--;
	return slice_make(url.at + from, end - from);
}

/* A folder of the media library is no file; it is not published either, but nothing says so. */
static int read_file(struct json_value data, struct page_strings **strings, struct item_file *file)
{
	struct json_value url, name, media_type, size, is_dir;
	const struct answer_member wanted[] = {
		WANTED("url", &url),        WANTED("filename", &name), WANTED("content_type", &media_type),
		WANTED("file_size", &size), WANTED("is_dir", &is_dir),
	};
	struct item_file read = {.size = -1};
	answer_members(data, wanted, COUNT(wanted));
	struct slice digits = size.text; /* of a number */
	int rc = answer_text(url, strings, &read.url);
	if (rc == 0)
		rc = answer_text(name, strings, &read.name);
	if (rc == 0)
		rc = answer_text(media_type, strings, &read.media_type);
	if (rc == 0 && size.type == JSON_STRING)
		rc = answer_text(size, strings, &digits);
	if (rc < 0)
		return rc;
	if (read.url.len == 0 || read.url.len > ITEM_URL_MAX || is_dir.type == JSON_TRUE)
		return 0;
	if (read.name.len == 0)
		read.name = last_part(read.url);
	read.size = size_in(digits);
	*file = read;
	return 0;
}

/* What a reader of the tree sees beside the text. */
static int read_details(struct item *item, const struct parts *p, struct page_strings **strings)
{
	int rc = answer_text(p->title, strings, &item->title);
	if (rc == 0)
		rc = answer_text(p->updated_at, strings, &item->updated_at);
	if (rc == 0 && item->type == ITEM_ASSET_PUBLISHED)
		rc = read_file(p->data, strings, &item->file);
	return rc;
}

/* Bytes that are no text may be another name than the one that was meant. */
static void forget_broken(struct slice *name)
{
	if (json_check_utf8(*name, NULL) < 0)
		*name = (struct slice){0};
}

static bool has_key(const struct item *item)
{
	return item->typed && !is_content_type(item) && (is_asset(item) || item->content_type.len > 0) &&
	       item->uid.len > 0 && item->locale.len > 0;
}

static int read_item(struct item *item, const struct parts *p, struct page_strings **strings)
{
	item->typed = find_type(p->type, &item->type);
	if (!item->typed)
		blame(item, "unknown item type");
	if (p->data.type != JSON_OBJECT && !is_content_type(item))
		blame(item, "data is not an object");
	if (is_published(item))
		item->version = answer_number(p->version);
	int rc = read_times(item, p, strings);
	if (rc == 0)
		rc = read_key(item, p, strings);
	if (rc < 0 || item->fault)
		return rc;
	if (p->data.type == JSON_OBJECT)
		item->data = p->data.text;
	return is_published(item) ? read_details(item, p, strings) : 0;
}

static int read_element(const struct answer *answer, struct json_value element, const struct parts *p,
			struct page_strings **strings, struct item *item)
{
	struct item read = {.source = element.text, .fault = answer_element_fault(answer, element)};
	int rc = read_item(&read, p, strings);
	if (rc < 0)
		return rc;
	if (read.fault) {
		forget_broken(&read.content_type);
		forget_broken(&read.uid);
		forget_broken(&read.locale);
	}
	read.known = has_key(&read);
	*item = read;
	return 0;
}

int item_next(const struct answer *answer, struct json_iter *list, struct page_strings **strings, struct item *item)
{
	struct json_value element;
	struct parts p;
	if (!take_apart(list, &element, &p))
		return 0;
	int rc = read_element(answer, element, &p, strings, item);
	return rc < 0 ? rc : 1;
}

int item_parse(struct slice source, struct lone_item *lone, struct err *err)
{
	struct lone_item read = LONE_ITEM_INIT;
	struct answer answer;
	int rc = answer_check(source, ITEM_DEPTH_MAX, &answer, err);
	if (rc < 0)
		return rc;
	struct json_iter it = json_iter_alone(answer.root);
	rc = item_next(&answer, &it, &read.strings, &read.item);
	if (rc < 0) {
		lone_item_finish(&read);
		return err_oom(err);
	}
	*lone = read;
	return 0;
}

void lone_item_finish(struct lone_item *lone)
{
	page_strings_free(lone->strings);
	*lone = (struct lone_item)LONE_ITEM_INIT;
}
