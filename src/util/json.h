/*
 * A strict reader of JSON text (RFC 8259) that hands out slices of it. It exists beside cJSON because contentfs must
 * give back what it read: numbers with their digits, keys in their order, strings with NUL and lone surrogates.
 *
 * json_check() walks a text once and says whether it is well formed. Everything else takes text that was checked,
 * cannot fail for its form, and allocates nothing but what it writes. (Text that was not checked gives nonsense, but is
 * never read beyond its end.) Nothing calls itself: how deep a text is costs no stack. No function keeps a pointer;
 * slices point into the text.
 */
#ifndef CONTENTFS_UTIL_JSON_H
#define CONTENTFS_UTIL_JSON_H

#include "util/buf.h"
#include "util/err.h"
#include "util/slice.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* One value: its type and exactly its bytes in the source (a string with its quotes, no white space around). */
struct json_value {
	enum json_type type;
	struct slice text;
};

/*
 * Checks that `text` is one JSON value with white space around it at most (a UTF-8 byte order mark before it is passed
 * over), nested no deeper than `depth` (1 or more; a scalar has depth 0, `[]` depth 1; JSON_ANY_DEPTH for no limit),
 * and fills *value. -EPROTO with the byte offset and the reason if it is not; -EOVERFLOW if only the depth is too
 * large. The first thousand levels need no memory, each one beyond them a bit or two: -ENOMEM if that cannot be had.
 * Bytes over 0x7f inside strings are not looked at here: see json_check_utf8.
 */
#define JSON_ANY_DEPTH INT_MAX
int json_check(struct slice text, int depth, struct json_value *value, struct err *err);

/* Whether a value of checked text is nested deeper than `depth`, counted as json_check does. */
bool json_is_deeper(struct json_value value, int depth);

/* Whether all of `text` is valid UTF-8 (no surrogates, nothing overlong, nothing over U+10FFFF); -EPROTO with the
 * offset. */
int json_check_utf8(struct slice text, struct err *err);

/*
 * Goes over the members of an object or the elements of an array:
 *
 *   struct json_iter it = json_iter(value);
 *   struct json_value key, member;
 *   while (json_next_member(&it, &key, &member)) ...     // or json_next_element(&it, &element)
 *
 * A value of another type has no members and no elements.
 */
struct json_iter {
	const char *at;
	const char *end;
	char close; /* the bracket that it goes up to; NUL when it has come there */
};

struct json_iter json_iter(struct json_value container);
struct json_iter json_iter_alone(struct json_value value); /* whose only element is the value itself */
bool json_next_member(struct json_iter *it, struct json_value *key, struct json_value *value);
bool json_next_element(struct json_iter *it, struct json_value *value);

/*
 * The same in steps, so that a container inside another one is gone over on the way, and its bytes are looked at once:
 *
 *   while (json_next_key(&it, &key)) {                   // or json_come_to_element(&it)
 *       if (json_enter(&it, &inner)) {
 *           ...                                          // as far as one likes, with `inner`
 *           json_leave(&it, &inner, &value);
 *       } else {
 *           json_take(&it, &value);
 *       }
 *   }
 *
 * Each value that was come to has to be taken or left. json_enter enters objects and arrays; `value` is all of them.
 */
bool json_next_key(struct json_iter *it, struct json_value *key);
bool json_come_to_element(struct json_iter *it);
void json_take(struct json_iter *it, struct json_value *value);
bool json_enter(const struct json_iter *it, struct json_iter *inner);
void json_leave(struct json_iter *it, struct json_iter *inner, struct json_value *value);

/* Whether a string value, decoded, equals `text` (which holds no NUL). Allocates nothing. */
bool json_string_is(struct json_value string, const char *text);

/* The member of `object` under `key`; of several, the last, as most parsers have it. False if there is none. */
bool json_get(struct json_value object, const char *key, struct json_value *value);

/*
 * Appends the decoded string to `out` (not emptied before) as UTF-8. A lone surrogate becomes its three-byte form
 * (ED A0 80 … ED BF BF), which is not valid UTF-8, so that nothing is lost and whoever needs valid text can tell.
 * A NUL is a NUL byte. 0, -ENOMEM, or -EINVAL if the value is not a string. `string` must not point into `out`.
 */
int json_string_decode(struct json_value string, struct buf *out);

/* Reads a whole number in the range of int64_t, written as such. -EINVAL for anything else. */
int json_integer(struct json_value number, long long *out);

/* Appends `text`, which must not point into `out`, as a JSON string with quotes, escaping only what JSON demands (", \
 * and control characters); three-byte surrogates as json_string_decode makes them become \uXXXX again; each other byte
 * that is not part of UTF-8 becomes U+FFFD. 0 or -ENOMEM. */
int json_append_string(struct buf *out, struct slice text);

#endif
