#include "delivery/answer.h"

#include "delivery/page.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>

/* An element stands inside a list inside an object. */
#define ANSWER_DEPTH (ITEM_DEPTH_MAX + 2)

#define ELEMENTS_MIN 128 /* room for more than a page has; a power of two */

struct page_strings {
	struct page_strings *next;
	struct buf text;
};

int answer_check(struct slice text, int depth, struct answer *answer, struct err *err)
{
	struct answer read = {0};
	int rc = json_check(text, depth, &read.root, NULL);
	if (rc < 0) {
		read.deep = true;
		rc = json_check(text, JSON_ANY_DEPTH, &read.root, err);
	}
	if (rc < 0)
		return rc;
	read.broken = json_check_utf8(read.root.text, NULL) < 0;
	*answer = read;
	return 0;
}

int answer_read(struct slice body, struct answer *answer, struct err *err)
{
	struct answer read;
	int rc = answer_check(body, ANSWER_DEPTH, &read, err);
	if (rc < 0)
		return rc;
	if (read.root.type != JSON_OBJECT)
		return err_set(err, -EPROTO, "it is not a JSON object");
	*answer = read;
	return 0;
}

int answer_make_room(void **elements, size_t size, size_t count, const char *what, struct err *err)
{
	if (count >= PAGE_ITEMS_MAX)
		return err_set(err, -EPROTO, "it has more than %d %s", PAGE_ITEMS_MAX, what);
	if (count > 0 && (count < ELEMENTS_MIN || (count & (count - 1)) != 0))
		return 0;
	size_t room = count > 0 ? 2 * count : ELEMENTS_MIN;
	void *grown = realloc(*elements, room * size);
	if (!grown)
		return err_oom(err);
	*elements = grown;
	return 0;
}

const char *answer_element_fault(const struct answer *answer, struct json_value element)
{
	if (answer->deep && json_is_deeper(element, ITEM_DEPTH_MAX))
		return "nested too deeply";
	if (answer->broken && json_check_utf8(element.text, NULL) < 0)
		return "not valid UTF-8";
	return element.type == JSON_OBJECT ? NULL : "not an object";
}

static void forget(const struct answer_member *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		*wanted[i].value = (struct json_value){JSON_NULL, slice_of("null")};
		forget(wanted[i].inner, wanted[i].inner_count);
	}
}

static const struct answer_member *find(const struct answer_member *wanted, size_t count, struct json_value key)
{
	for (size_t i = 0; i < count; i++)
		if (json_string_is(key, wanted[i].key))
			return &wanted[i];
	return NULL;
}

/* As deep as what is wanted, and no deeper, however deep the text is. */
static void read_members(struct json_iter *it, const struct answer_member *wanted, size_t count)
{
	struct json_value key;
	struct json_value value;
	struct json_iter inner;
	while (json_next_key(it, &key)) {
		const struct answer_member *member = find(wanted, count, key);
		if (member)
			forget(member, 1);
		if (member && member->inner && json_enter(it, &inner)) {
			read_members(&inner, member->inner, member->inner_count);
			json_leave(it, &inner, &value);
		} else {
			json_take(it, &value);
		}
		if (member)
			*member->value = value;
	}
}

void answer_members(struct json_value object, const struct answer_member *wanted, size_t count)
{
	struct json_iter it = json_iter(object);
	forget(wanted, count);
	read_members(&it, wanted, count);
}

bool answer_next(struct json_iter *list, struct json_value *element, const struct answer_member *wanted, size_t count)
{
	struct json_iter inner;
	if (!json_come_to_element(list))
		return false;
	forget(wanted, count);
	if (json_enter(list, &inner)) {
		read_members(&inner, wanted, count);
		json_leave(list, &inner, element);
	} else {
		json_take(list, element);
	}
	return true;
}

bool answer_is_empty(struct json_value value)
{
	return value.type == JSON_NULL || (value.type == JSON_STRING && value.text.len == 2);
}

static int decode(struct json_value value, struct page_strings **strings, struct slice *text)
{
	struct page_strings *string = calloc(1, sizeof(*string));
	if (!string)
		return -ENOMEM;
	string->next = *strings;
	*strings = string;
	int rc = json_string_decode(value, &string->text);
	if (rc == 0)
		*text = buf_slice(&string->text);
	return rc;
}

int answer_text(struct json_value value, struct page_strings **strings, struct slice *text)
{
	struct slice inner = {0};
	if (value.type == JSON_STRING)
		inner = slice_make(value.text.at + 1, value.text.len - 2);
	if (inner.len > 0 && memchr(inner.at, '\\', inner.len))
		return decode(value, strings, text);
	*text = inner;
	return 0;
}

int answer_time(struct json_value value, struct page_strings **strings, int64_t *ms)
{
	struct slice text = {0};
	int rc = answer_text(value, strings, &text);
	return rc < 0 ? rc : time_parse_iso(text, ms);
}

long long answer_number(struct json_value value)
{
	long long number;
	return json_integer(value, &number) == 0 ? number : 0;
}

void page_strings_free(struct page_strings *strings)
{
	while (strings) {
		struct page_strings *next = strings->next;
		buf_finish(&strings->text);
		free(strings);
		strings = next;
	}
}
