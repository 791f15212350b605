/* The list of content types. What cannot be used is counted and passed over: the next run asks for the list again. */
#include "delivery/answer.h"
#include "delivery/page.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>

/* The next one: 1, 0 at the end of the list, -ENOMEM, or -EPROTO if it is not usable. */
static int next_type(const struct answer *answer, struct json_iter *list, struct page_strings **strings,
		     struct content_type *type)
{
	struct json_value element, uid, title, updated_at, version;
	const struct answer_member wanted[] = {
		WANTED("uid", &uid),
		WANTED("title", &title),
		WANTED("updated_at", &updated_at),
		WANTED("_version", &version),
	};
	if (!answer_next(list, &element, wanted, sizeof(wanted) / sizeof(wanted[0])))
		return 0;
	if (answer_element_fault(answer, element))
		return -EPROTO;
	*type = (struct content_type){.data = element.text, .version = answer_number(version)};
	if (answer_text(uid, strings, &type->uid) < 0 || answer_text(title, strings, &type->title) < 0 ||
	    answer_text(updated_at, strings, &type->updated_at) < 0 ||
	    answer_time(updated_at, strings, &type->updated_ms) == -ENOMEM)
		return -ENOMEM;
	return type->uid.len > 0 && type->uid.len <= ITEM_NAME_MAX ? 1 : -EPROTO;
}

static int read_types(struct content_type_list *list, const struct answer *answer, struct json_value types,
		      struct err *err)
{
	struct json_iter it = json_iter(types);
	struct content_type type;
	int rc;
	if (types.type != JSON_ARRAY)
		return err_set(err, -EPROTO, "it has no list of content types");
	while ((rc = next_type(answer, &it, &list->strings, &type)) != 0) {
		void *room = list->types;
		int made = rc == -ENOMEM ? err_oom(err)
					 : answer_make_room(&room, sizeof(type), list->count + list->skipped,
							    "content types", err);
		if (made < 0)
			return made;
		list->types = room;
		if (rc > 0)
			list->types[list->count++] = type;
		else
			list->skipped++;
	}
	return 0;
}

static int read_list(struct content_type_list *list, struct err *err)
{
	struct answer answer;
	struct json_value types, total;
	const struct answer_member wanted[] = {WANTED("content_types", &types), WANTED("count", &total)};
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
