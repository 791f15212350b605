/* The list of content types. What cannot be used is counted and passed over: the next run asks for the list again. */
#include "delivery/answer.h"
#include "delivery/page.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>

/* 0, -ENOMEM, or -EPROTO if it is not usable. */
static int read_type(const struct answer *answer, struct json_value element, struct page_strings **strings,
		     struct content_type *type)
{
	struct json_value uid, title, updated_at, version;
	const struct answer_member wanted[] = {
		{"uid", &uid},
		{"title", &title},
		{"updated_at", &updated_at},
		{"_version", &version},
	};
	if (answer_element_fault(answer, element))
		return -EPROTO;
	answer_members(element, wanted, sizeof(wanted) / sizeof(wanted[0]));
	*type = (struct content_type){.data = element.text, .version = answer_number(version)};
	if (answer_text(uid, strings, &type->uid) < 0 || answer_text(title, strings, &type->title) < 0 ||
	    answer_text(updated_at, strings, &type->updated_at) < 0 ||
	    answer_time(updated_at, strings, &type->updated_ms) == -ENOMEM)
		return -ENOMEM;
	return type->uid.len > 0 && type->uid.len <= ITEM_NAME_MAX ? 0 : -EPROTO;
}

static int read_types(struct content_type_list *list, const struct answer *answer, struct json_value types,
		      struct err *err)
{
	struct json_iter it = json_iter(types);
	struct json_value element;
	size_t count;
	int rc = answer_count(types, "content types", &count, err);
	if (rc < 0)
		return rc;
	list->types = calloc(count + 1, sizeof(*list->types));
	if (!list->types)
		return err_oom(err);
	while (json_next_element(&it, &element)) {
		rc = read_type(answer, element, &list->strings, &list->types[list->count]);
		if (rc == -ENOMEM)
			return err_oom(err);
		if (rc == 0)
			list->count++;
		else
			list->skipped++;
	}
	return 0;
}

static int read_list(struct content_type_list *list, struct err *err)
{
	struct answer answer;
	struct json_value types, total;
	const struct answer_member wanted[] = {{"content_types", &types}, {"count", &total}};
	int rc = answer_read(buf_slice(&list->body), &answer, err);
	if (rc < 0)
		return rc;
	answer_members(answer.root, wanted, sizeof(wanted) / sizeof(wanted[0]));
	list->total = total.type == JSON_NUMBER ? answer_number(total) : -1;
	return read_types(list, &answer, types, err);
}

int content_type_list_parse(struct buf *body, struct content_type_list *list, struct err *err)
{
	CLEANUP(content_type_list_finish) struct content_type_list read = {.body = *body};
	*body = (struct buf)BUF_INIT;
	int rc = read_list(&read, err);
	if (rc < 0)
		return err_prefix(err, rc, "the answer is not a list of content types");
	*list = read;
	read = (struct content_type_list)CONTENT_TYPE_LIST_INIT;
	return 0;
}

void content_type_list_finish(struct content_type_list *list)
{
	page_strings_free(list->strings);
	free(list->types);
	buf_finish(&list->body);
	*list = (struct content_type_list)CONTENT_TYPE_LIST_INIT;
}
