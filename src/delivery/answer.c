#include "delivery/answer.h"

#include "delivery/page.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>

/* An element stands inside a list inside an object. */
#define ANSWER_DEPTH (ITEM_DEPTH_MAX + 2)

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

int answer_count(struct json_value list, const char *what, size_t *count, struct err *err)
{
	struct json_iter it = json_iter(list);
	struct json_value element;
	size_t sum = 0;
	if (list.type != JSON_ARRAY)
		return err_set(err, -EPROTO, "it has no list of %s", what);
	while (json_next_element(&it, &element))
		if (++sum > PAGE_ITEMS_MAX)
			return err_set(err, -EPROTO, "it has more than %d %s", PAGE_ITEMS_MAX, what);
	*count = sum;
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

void answer_members(struct json_value object, const struct answer_member *wanted, size_t count)
{
	struct json_iter it = json_iter(object);
	struct json_value key;
	struct json_value value;
	for (size_t i = 0; i < count; i++)
		*wanted[i].value = (struct json_value){JSON_NULL, slice_of("null")};
	if (object.type != JSON_OBJECT)
		return;
	while (json_next_member(&it, &key, &value))
		for (size_t i = 0; i < count; i++)
			if (json_string_is(key, wanted[i].key))
				*wanted[i].value = value;
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
