/*
 * The JSON of an answer: checked once as a whole, then read by the names that are asked for. Private to this folder.
 */
#ifndef CONTENTFS_DELIVERY_ANSWER_H
#define CONTENTFS_DELIVERY_ANSWER_H

#include "util/err.h"
#include "util/json.h"
#include "util/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole answer: an object with a list, such as `items`, of which each element is to stand or fall by itself. */
struct answer {
	struct json_value root;
	bool deep;   /* something is nested too deeply: look at each element */
	bool broken; /* something is not valid UTF-8: look at each element */
};

/* Checks `text`, which is to be nested no deeper than `depth`: JSON that is deeper or not valid UTF-8 is taken, and
 * said to be so. -EPROTO if it is not JSON, or -ENOMEM. `answer` points into `text`. */
int answer_check(struct slice text, int depth, struct answer *answer, struct err *err);

/* Reads `body`. -EPROTO if it is not a JSON object, or -ENOMEM. `answer` points into `body`. */
int answer_read(struct slice body, struct answer *answer, struct err *err);

/* Sees to it that *elements, of `size` bytes each, has room for one more than `count`. -EPROTO if these are PAGE_ITEMS_MAX,
 * which `what` names, or -ENOMEM. */
int answer_make_room(void **elements, size_t size, size_t count, const char *what, struct err *err);

/* What makes an element of the list unusable whatever it says: not an object, deeper than ITEM_DEPTH_MAX, not valid
 * UTF-8. A static text, or NULL. */
const char *answer_element_fault(const struct answer *answer, struct json_value element);

/* A member that is asked for; of several with this key the last counts, and a missing one reads as null. `inner` is what is
 * asked for of the value itself, if it is an object; NULL for nothing. */
struct answer_member {
	const char *key;
	struct json_value *value;
	const struct answer_member *inner;
	size_t inner_count;
};

#define WANTED(key, value)                                                                                             \
	{                                                                                                              \
		key, value, NULL, 0                                                                                    \
	}

/* Fills all `wanted` in one go over `object`. What is not an object has no members. */
void answer_members(struct json_value object, const struct answer_member *wanted, size_t count);

/* Fills `element` with the next one of a list, and all `wanted` of it, in one go. False at the end of the list. */
bool answer_next(struct json_iter *list, struct json_value *element, const struct answer_member *wanted, size_t count);

/* Whether nothing was said: null, missing, or the empty string. */
bool answer_is_empty(struct json_value value);

/* Decoded strings, for as long as their page. Starts as NULL. */
struct page_strings;

/* The text of a string value: a slice of its source where that is the text already, else decoded into *strings. Empty
 * for a value that is not a string. 0 or -ENOMEM. */
int answer_text(struct json_value value, struct page_strings **strings, struct slice *text);

/* The time in a string value, in ms since the epoch. 0, -ENOMEM, or -EINVAL if there is none to be read. */
int answer_time(struct json_value value, struct page_strings **strings, int64_t *ms);

/* A whole number such as _version; 0 if it is none. */
long long answer_number(struct json_value value);

void page_strings_free(struct page_strings *strings); /* NULL is fine */

#endif
