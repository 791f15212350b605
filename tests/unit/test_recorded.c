/*
 * The parser against real answers of the service. They are not part of the repository: the folder named by
 * CONTENTFS_RECORDED holds one JSON file each. Every file is read a second time by cJSON, and both must agree.
 */
#include "delivery/page.h"
#include "delivery/refusal.h"
#include "tap.h"
#include "util/cleanup.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void cleanup_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static bool read_file(const char *folder, const char *name, struct buf *text)
{
	char path[4096];
	char part[4096];
	size_t len;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return ok(false, "%s can be read", name);
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		buf_append(text, part, len);
	fclose(file);
	return true;
}

static const cJSON *member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* "" for what is no string; no recorded name holds a NUL. */
static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(member(object, key));
	return text ? text : "";
}

/* Knows the forms that were recorded, "…T15:43:05.355Z" and "…T00:00:000Z", and no others. */
static long long ms_of(const char *text)
{
	struct tm t = {0};
	int seconds = 0, ms = 0;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
		   &seconds, &ms) < 6)
		return -1;
	if (text[strlen(text) - 5] == ':') { /* 000Z: a third part of three digits is milliseconds */
		seconds = 0;
		ms = atoi(text + strlen(text) - 4);
	}
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	t.tm_sec = seconds;
	return (long long)timegm(&t) * 1000 + ms;
}

static const char *published_locale(const cJSON *data)
{
	const char *locale = text_of(member(data, "publish_details"), "locale");
	return *locale ? locale : text_of(data, "locale");
}

static void compare_item(const struct item *item, const cJSON *want, const char *file, int index)
{
	const cJSON *data = member(want, "data");
	const char *type = text_of(want, "type");
	const char *time = text_of(member(data, "publish_details"), "time");
	bool is_asset = strncmp(type, "asset_", 6) == 0;
	bool is_type = strcmp(type, "content_type_deleted") == 0;
	bool is_published = strstr(type, "_published") != NULL;
	CLEANUP(cleanup_json) cJSON *again = cJSON_ParseWithLength(item->data.at, item->data.len);
	CLEANUP(cleanup_json) cJSON *source = cJSON_ParseWithLength(item->source.at, item->source.len);
	if (!is_str(item->fault, NULL, "%s item %d: no fault", file, index))
		return;
	is_str(item_type_name(item->type), type, "%s item %d: type", file, index);
	is_slice(item->content_type, slice_of(is_asset ? "" : text_of(want, "content_type_uid")),
		 "%s item %d: content type", file, index);
	is_slice(item->uid, slice_of(is_type ? "" : text_of(data, "uid")), "%s item %d: uid", file, index);
	is_slice(item->locale, slice_of(is_type ? "" : published_locale(data)), "%s item %d: locale", file, index);
	is_int(item->event_at, ms_of(text_of(want, "event_at")), "%s item %d: event_at", file, index);
	is_int(item->published_at, ms_of(*time ? time : text_of(want, "event_at")), "%s item %d: published_at", file,
	       index);
	is_slice(item->title, slice_of(is_published ? text_of(data, "title") : ""), "%s item %d: title", file, index);
	is_slice(item->updated_at, slice_of(is_published ? text_of(data, "updated_at") : ""), "%s item %d: updated_at",
		 file, index);
	ok(cJSON_Compare(again, data, true), "%s item %d: data", file, index);
	ok(cJSON_Compare(source, want, true), "%s item %d: source", file, index);
}

static void compare_page(struct buf *text, const cJSON *want, const char *file)
{
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	const cJSON *items = member(want, "items");
	const cJSON *total = member(want, "total_count");
	bool more = member(want, "pagination_token") != NULL;
	struct err err = {0};
	if (!is_int(page_parse(text, &page, &err), 0, "%s: a page %s", file, err.text))
		return;
	is_int(page.more, more, "%s: more", file);
	is_str(page.token, text_of(want, more ? "pagination_token" : "sync_token"), "%s: token", file);
	is_int(page.total, total ? total->valueint : -1, "%s: total", file);
	if (!is_int((long long)page.count, cJSON_GetArraySize(items), "%s: items", file))
		return;
	const cJSON *item = items->child;
	for (int i = 0; item; i++, item = item->next)
		compare_item(&page.items[i], item, file, i);
}

static void compare_content_types(struct buf *text, const cJSON *want, const char *file)
{
	CLEANUP(content_type_list_finish) struct content_type_list list = CONTENT_TYPE_LIST_INIT;
	const cJSON *type = member(want, "content_types")->child;
	is_int(content_type_list_parse(text, &list, NULL), 0, "%s: content types", file);
	is_int((long long)list.skipped, 0, "%s: none is skipped", file);
	for (size_t i = 0; i < list.count && type; i++, type = type->next) {
		struct slice data = list.types[i].data;
		CLEANUP(cleanup_json) cJSON *again = cJSON_ParseWithLength(data.at, data.len);
		is_slice(list.types[i].uid, slice_of(text_of(type, "uid")), "%s type %zu: uid", file, i);
		is_slice(list.types[i].title, slice_of(text_of(type, "title")), "%s type %zu: title", file, i);
		is_int(list.types[i].updated_ms, ms_of(text_of(type, "updated_at")), "%s type %zu: updated_at", file,
		       i);
		ok(cJSON_Compare(again, type, true), "%s type %zu: data", file, i);
	}
	is_int((long long)list.count, cJSON_GetArraySize(member(want, "content_types")), "%s: all of them", file);
}

/* What was recorded from elsewhere in the API. */
static void refuse(struct buf *text, const char *file)
{
	struct page page = PAGE_INIT;
	struct content_type_list list = CONTENT_TYPE_LIST_INIT;
	struct buf copy = BUF_INIT;
	buf_append(&copy, text->text, text->len);
	is_int(page_parse(text, &page, NULL), -EPROTO, "%s: not a page", file);
	is_int(content_type_list_parse(&copy, &list, NULL), -EPROTO, "%s: not a list of content types", file);
}

static void read_answer(const char *folder, const char *file)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	if (!read_file(folder, file, &text))
		return;
	CLEANUP(cleanup_json) cJSON *want = cJSON_ParseWithLength(text.text, text.len);
	if (!ok(want != NULL, "%s: JSON", file))
		return;
	if (cJSON_IsArray(member(want, "items")) && (member(want, "sync_token") || member(want, "pagination_token")))
		compare_page(&text, want, file);
	else if (cJSON_IsArray(member(want, "content_types")))
		compare_content_types(&text, want, file);
	else
		refuse(&text, file);
}

static void judge(long status, const char *body, enum delivery_outcome want, const char *name)
{
	struct err err = {0};
	is_int(refusal_outcome(status, slice_of(body), slice_of(""), &err), want, "%s: HTTP %ld", name, status);
	ok(err.text[0] != '\0', "%s: %s", name, err.text);
}

/* Errors whose status was not recorded get the one that the API has for them, or may have. */
static void read_errors(const char *folder)
{
	static const struct {
		const char *file;
		long status;
		enum delivery_outcome want;
	} rows[] = {
		{"error-141-sync_token.json", 422, DELIVERY_TOKEN_REFUSED},
		{"error-141-sync_token.json", 400, DELIVERY_TOKEN_REFUSED},
		{"error-141-environment-token-mismatch.json", 422, DELIVERY_CREDENTIALS_REFUSED},
		{"datasync-404.json", 404, DELIVERY_NONSENSE},
	};
	CLEANUP(buf_finish) struct buf recorded = BUF_INIT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(buf_finish) struct buf text = BUF_INIT;
		if (read_file(folder, rows[i].file, &text))
			judge(rows[i].status, buf_text(&text), rows[i].want, rows[i].file);
	}
	if (!read_file(folder, "swift-errors.json", &recorded))
		return;
	CLEANUP(cleanup_json) cJSON *errors = cJSON_Parse(recorded.text);
	ok(cJSON_GetArraySize(errors) > 0, "there are recorded errors");
	for (const cJSON *error = errors ? errors->child : NULL; error; error = error->next) {
		CLEANUP(cleanup_free) char *body = cJSON_Print(member(error, "body"));
		bool of_type = cJSON_GetNumberValue(member(member(error, "body"), "error_code")) == 118;
		judge((long)cJSON_GetNumberValue(member(error, "status")), body,
		      of_type ? DELIVERY_TYPE_UNKNOWN : DELIVERY_QUERY_REFUSED, "a recorded error");
	}
}

static int is_json(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

int main(void)
{
	struct dirent **files = NULL;
	const char *folder = getenv("CONTENTFS_RECORDED");
	int count = folder ? scandir(folder, &files, is_json, alphasort) : -1;
	ok(count > 0, "there are recorded answers");
	for (int i = 0; i < count; i++) {
		read_answer(folder, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	if (count > 0)
		read_errors(folder);
	return tap_done();
}
