/*
 * Checking and walking JSON text. The check is one pass without recursion: which of the open brackets are objects is a
 * stack of bits, which moves to the heap when it gets high. Walking trusts the check and only looks for where values
 * end; it stays inside the text even if nobody checked it. Strings are decoded and encoded in json_string.c.
 */
#include "util/json.h"

#include "util/cleanup.h"
#include "util/json_scan.h"
#include "util/utf8.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define BYTE_ORDER_MARK_LEN 3

#define USUAL_WORDS 16 /* for 1024 levels, more than what is not refused has */

struct checker {
	const char *end;
	uint64_t *objects; /* a bit for each open bracket: whether it is an object; `usual`, or on the heap */
	size_t words;      /* how many there is room for */
	size_t depth;      /* open brackets */
	size_t limit;
	const char *deep;  /* the first bracket beyond the limit, or NULL */
	const char *fault; /* where and why the text is not JSON, or NULL */
	const char *why;
	uint64_t usual[USUAL_WORDS]; /* words are cleared as they come into use */
};

static void checker_finish(struct checker *c)
{
	if (c->objects != c->usual)
		free(c->objects);
}

/* Everything that checks returns the place behind what it read, or NULL: after this, or for lack of memory. */
static const char *fail(struct checker *c, const char *at, const char *why)
{
	c->fault = at;
	c->why = why;
	return NULL;
}

static bool in_object(const struct checker *c)
{
	size_t level = c->depth - 1;
	return c->objects[level / 64] >> (level % 64) & 1;
}

/* At most one bit for each byte of the text, whatever it says. */
static bool grow(struct checker *c)
{
	bool usual = c->objects == c->usual;
	uint64_t *more = realloc(usual ? NULL : c->objects, 2 * c->words * sizeof(*more));
	if (!more)
		return false;
	if (usual)
		memcpy(more, c->usual, sizeof(c->usual));
	c->objects = more;
	c->words *= 2;
	return true;
}

/* False for lack of memory. */
static bool push(struct checker *c, const char *at)
{
	if (c->depth >= c->limit && !c->deep)
		c->deep = at;
	if (c->depth == c->words * 64 && !grow(c))
		return false;
	uint64_t *word = &c->objects[c->depth / 64];
	size_t bit = c->depth % 64;
	if (bit == 0)
		*word = 0;
	*word &= ~((uint64_t)1 << bit);
	*word |= (uint64_t)(*at == '{') << bit;
	c->depth++;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && is_digit(*at))
		at++;
	return at;
}

static const char *check_digits(struct checker *c, const char *at)
{
	if (at == c->end || !is_digit(*at))
		return fail(c, at, "a digit was expected");
	return skip_digits(at, c->end);
}

static const char *check_number(struct checker *c, const char *at)
{
	if (*at == '-')
		at++;
	if (at < c->end && *at == '0')
		at++;
	else
		at = check_digits(c, at);
	if (at && at < c->end && *at == '.')
		at = check_digits(c, at + 1);
	if (at && at < c->end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < c->end && (*at == '+' || *at == '-'))
			at++;
		at = check_digits(c, at);
	}
	return at;
}

static const char *check_escape(struct checker *c, const char *at)
{
	if (c->end - at < 2)
		return fail(c, c->end, "the text ends inside a string");
	switch (at[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return at + 2;
	case 'u':
		if (c->end - at >= 6 && json_hex4(at + 2) >= 0)
			return at + 6;
		return fail(c, at, "four hexadecimal digits were expected after \\u");
	default:
		return fail(c, at, "an escape that JSON does not have");
	}
}

static const char *check_string(struct checker *c, const char *at)
{
	at++;
	for (;;) {
		at = json_skip_plain(at, c->end);
		if (at == c->end)
			return fail(c, at, "the text ends inside a string");
		if (*at == '"')
			return at + 1;
		if (*at != '\\')
			return fail(c, at, "a control character inside a string");
		at = check_escape(c, at);
		if (!at)
			return NULL;
	}
}

static const char *check_word(struct checker *c, const char *at, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(c->end - at) < len || memcmp(at, word, len) != 0)
		return fail(c, at, "a value was expected");
	return at + len;
}

static const char *check_scalar(struct checker *c, const char *at)
{
	if (at == c->end)
		return fail(c, at, "the text ends where a value was expected");
	switch (*at) {
	case '"':
		return check_string(c, at);
	case 't':
		return check_word(c, at, "true");
	case 'f':
		return check_word(c, at, "false");
	case 'n':
		return check_word(c, at, "null");
	default:
		if (*at == '-' || is_digit(*at))
			return check_number(c, at);
		return fail(c, at, "a value was expected");
	}
}

/* A key and its colon. */
static const char *check_key(struct checker *c, const char *at)
{
	at = json_skip_space(at, c->end);
	if (at == c->end || *at != '"')
		return fail(c, at, "a key was expected");
	at = check_string(c, at);
	if (!at)
		return NULL;
	at = json_skip_space(at, c->end);
	if (at == c->end || *at != ':')
		return fail(c, at, "a colon was expected");
	return at + 1;
}

/* Opens brackets down to the first value that is a scalar or has nothing inside, and reads that. */
static const char *check_down(struct checker *c, const char *at)
{
	for (;;) {
		at = json_skip_space(at, c->end);
		if (at == c->end || (*at != '{' && *at != '['))
			return check_scalar(c, at);
		bool object = *at == '{';
		if (!push(c, at))
			return NULL;
		at = json_skip_space(at + 1, c->end);
		if (at < c->end && *at == (object ? '}' : ']')) {
			c->depth--;
			return at + 1;
		}
		if (object)
			at = check_key(c, at);
		if (!at)
			return NULL;
	}
}

/* Behind a value: closes the brackets that end here, up to the comma before the next value, or to the last of them. */
static const char *check_up(struct checker *c, const char *at)
{
	while (c->depth > 0) {
		bool object = in_object(c);
		at = json_skip_space(at, c->end);
		if (at == c->end)
			return fail(c, at, object ? "the text ends inside an object" : "the text ends inside an array");
		if (*at == ',')
			return object ? check_key(c, at + 1) : at + 1;
		if (*at != (object ? '}' : ']'))
			return fail(c, at, object ? "a comma or } was expected" : "a comma or ] was expected");
		c->depth--;
		at++;
	}
	return at;
}

static const char *check_value(struct checker *c, const char *at)
{
	do {
		at = check_down(c, at);
		if (at)
			at = check_up(c, at);
	} while (at && c->depth > 0);
	return at;
}

static enum json_type type_of(char first)
{
	switch (first) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static const char *skip_byte_order_mark(const char *at, const char *end)
{
	bool there = end - at >= BYTE_ORDER_MARK_LEN && memcmp(at, BYTE_ORDER_MARK, BYTE_ORDER_MARK_LEN) == 0;
	return there ? at + BYTE_ORDER_MARK_LEN : at;
}

int json_check(struct slice text, int depth, struct json_value *value, struct err *err)
{
	const char *start = text.len > 0 ? text.at : "";
	CLEANUP(checker_finish) struct checker c;
	c.end = start + text.len;
	c.objects = c.usual;
	c.words = USUAL_WORDS;
	c.depth = 0;
	c.limit = (size_t)depth;
	c.deep = c.fault = NULL;
	const char *first = json_skip_space(skip_byte_order_mark(start, c.end), c.end);
	const char *behind = check_value(&c, first);
	if (behind) {
		const char *rest = json_skip_space(behind, c.end);
		if (rest < c.end)
			behind = fail(&c, rest, "something follows the value");
	}
	if (c.fault)
		return err_set(err, -EPROTO, "not JSON: %s at byte %zu", c.why, (size_t)(c.fault - start));
	if (!behind)
		return err_oom(err);
	if (c.deep)
		return err_set(err, -EOVERFLOW, "JSON nested deeper than %d at byte %zu", depth,
			       (size_t)(c.deep - start));
	*value = (struct json_value){type_of(*first), slice_make(first, (size_t)(behind - first))};
	return 0;
}

/* The first byte over 0x7f from `at` on, or `end`. */
static const char *skip_ascii(const char *at, const char *end)
{
	while ((size_t)(end - at) >= JSON_WORD) {
		uint64_t word;
		memcpy(&word, at, JSON_WORD);
		if (word & 0x8080808080808080u)
			break;
		at += JSON_WORD;
	}
	while (at < end && (unsigned char)*at < 0x80)
		at++;
	return at;
}

int json_check_utf8(struct slice text, struct err *err)
{
	const char *at = text.len > 0 ? text.at : "";
	const char *end = at + text.len;
	while ((at = skip_ascii(at, end)) < end) {
		size_t len = utf8_length(at, (size_t)(end - at));
		if (len == 0)
			return err_set(err, -EPROTO, "not UTF-8 at byte %zu", (size_t)(at - text.at));
		at += len;
	}
	return 0;
}

static const char *skip_string(const char *at, const char *end)
{
	at++;
	while ((at = json_skip_plain(at, end)) < end) {
		if (*at == '"')
			return at + 1;
		at += *at == '\\' && end - at >= 2 ? 2 : 1;
	}
	return at;
}

/* To the end of the container at `at`, or only to the first bracket beyond `limit`. */
static const char *skip_container(const char *at, const char *end, size_t limit)
{
	size_t depth = 0;
	while (at < end) {
		switch (*at) {
		case '"':
			at = skip_string(at, end);
			continue;
		case '{':
		case '[':
			if (depth == limit)
				return at;
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		default:
			break;
		}
		at++;
		if (depth == 0)
			break;
	}
	return at;
}

static bool ends_scalar(char c)
{
	return c == ',' || c == '}' || c == ']' || json_is_space(c);
}

static const char *skip_value(const char *at, const char *end)
{
	if (*at == '"')
		return skip_string(at, end);
	if (*at == '{' || *at == '[')
		return skip_container(at, end, SIZE_MAX);
	do
		at++;
	while (at < end && !ends_scalar(*at));
	return at;
}

bool json_is_deeper(struct json_value value, int depth)
{
	const char *end = value.text.at + value.text.len;
	if (value.type != JSON_OBJECT && value.type != JSON_ARRAY)
		return false;
	return skip_container(value.text.at, end, (size_t)depth) < end;
}

struct json_iter json_iter(struct json_value container)
{
	if ((container.type != JSON_OBJECT && container.type != JSON_ARRAY) || container.text.len < 2)
		return (struct json_iter){NULL, NULL, '\0'};
	const char *at = container.text.at;
	return (struct json_iter){at + 1, at + container.text.len, container.type == JSON_OBJECT ? '}' : ']'};
}

struct json_iter json_iter_alone(struct json_value value)
{
	return (struct json_iter){value.text.at, value.text.at + value.text.len, ']'};
}

/* Goes to the next thing inside the brackets, if they are of the kind that `close` ends, or behind them. */
static bool find_next(struct json_iter *it, char close)
{
	if (it->close != close)
		return false;
	const char *at = json_skip_space(it->at, it->end);
	if (at < it->end && *at == ',')
		at = json_skip_space(at + 1, it->end);
	it->at = at;
	if (at < it->end && *at != close)
		return true;
	it->at += at < it->end;
	it->close = '\0';
	return false;
}

void json_take(struct json_iter *it, struct json_value *value)
{
	const char *start = it->at;
	it->at = skip_value(start, it->end);
	*value = (struct json_value){type_of(*start), slice_make(start, (size_t)(it->at - start))};
}

bool json_come_to_element(struct json_iter *it)
{
	return find_next(it, ']');
}

bool json_next_key(struct json_iter *it, struct json_value *key)
{
	if (!find_next(it, '}'))
		return false;
	json_take(it, key);
	it->at = json_skip_space(it->at, it->end);
	if (it->at < it->end && *it->at == ':')
		it->at = json_skip_space(it->at + 1, it->end);
	return it->at < it->end;
}

bool json_next_element(struct json_iter *it, struct json_value *value)
{
	bool more = json_come_to_element(it);
	if (more)
		json_take(it, value);
	return more;
}

bool json_next_member(struct json_iter *it, struct json_value *key, struct json_value *value)
{
	bool more = json_next_key(it, key);
	if (more)
		json_take(it, value);
	return more;
}

bool json_enter(const struct json_iter *it, struct json_iter *inner)
{
	if (*it->at != '{' && *it->at != '[')
		return false;
	*inner = (struct json_iter){it->at + 1, it->end, *it->at == '{' ? '}' : ']'};
	return true;
}

void json_leave(struct json_iter *it, struct json_iter *inner, struct json_value *value)
{
	const char *start = it->at;
	struct json_value key;
	while (json_next_element(inner, value) || json_next_member(inner, &key, value))
		;
	it->at = inner->at;
	*value = (struct json_value){type_of(*start), slice_make(start, (size_t)(it->at - start))};
}

bool json_get(struct json_value object, const char *key, struct json_value *value)
{
	struct json_iter it = json_iter(object);
	struct json_value name;
	struct json_value member;
	bool found = false;
	while (json_next_member(&it, &name, &member)) {
		if (json_string_is(name, key)) {
			*value = member;
			found = true;
		}
	}
	return found;
}

int json_integer(struct json_value number, long long *out)
{
	const char *at = number.text.at;
	const char *end = at + number.text.len;
	if (number.type != JSON_NUMBER || number.text.len == 0)
		return -EINVAL;
	int sign = *at == '-' ? -1 : 1;
	if (sign < 0)
		at++;
	if (at == end)
		return -EINVAL;
	long long sum = 0;
	for (; at < end; at++) {
		if (!is_digit(*at))
			return -EINVAL;
		if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, sign * (*at - '0'), &sum))
			return -EINVAL;
	}
	*out = sum;
	return 0;
}
