/* Nesting: any depth is read with little memory and no recursion, and what is missing of that memory is -ENOMEM. */
#include "tap.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define NO_MEMORY 1024 /* levels that are checked without allocating */
#define MILLIONS 2000000

/* The linker puts these in the places of malloc and realloc, for the module as well. */
static long allocations_left = -1; /* none fails while it is negative */
static long allocations;

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool may_allocate(void)
{
	allocations++;
	if (allocations_left > 0)
		allocations_left--;
	else if (allocations_left == 0)
		return false;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	return may_allocate() ? __real_realloc(old, size) : NULL;
}

/* `open` so many times, the middle, `close` so many times. */
static void nest(struct buf *out, const char *open, const char *middle, const char *close, int times)
{
	buf_reset(out);
	for (int i = 0; i < times; i++)
		buf_append_text(out, open);
	buf_append_text(out, middle);
	for (int i = 0; i < times; i++)
		buf_append_text(out, close);
}

static const struct depth_case {
	const char *name;
	const char *open, *middle, *close;
	int times;
	int limit;
	int rc;
} depth_cases[] = {
	{"a scalar at the lowest limit", "", "1", "", 0, 1, 0},
	{"an array at its limit", "[", "", "]", 1, 1, 0},
	{"an array beyond its limit", "[", "", "]", 2, 1, -EOVERFLOW},
	{"arrays at their limit", "[", "1", "]", 100, 100, 0},
	{"arrays one beyond their limit", "[", "1", "]", 101, 100, -EOVERFLOW},
	{"objects at their limit", "{\"a\":", "1", "}", 64, 64, 0},
	{"objects one beyond their limit", "{\"a\":", "1", "}", 65, 64, -EOVERFLOW},
	{"both in turns, over many words of bits", "[{\"a\":", "[]", "}]", 500, 1001, 0},
	{"siblings behind deep ones", "[[],{\"a\":{}},", "0", ",{},[]]", 200, 202, 0},
	{"siblings that are the deepest, too deep", "[[],{\"a\":{}},", "0", ",{},[]]", 200, 201, -EOVERFLOW},
	{"what needs no memory", "[", "", "]", NO_MEMORY, JSON_ANY_DEPTH, 0},
	{"one level deeper than that", "[", "", "]", NO_MEMORY + 1, JSON_ANY_DEPTH, 0},
	{"twice as deep", "{\"a\":", "0", "}", 2 * NO_MEMORY, JSON_ANY_DEPTH, 0},
	{"one level deeper than twice", "{\"a\":", "0", "}", 2 * NO_MEMORY + 1, JSON_ANY_DEPTH, 0},
	{"millions of levels", "{\"a\":[", "", "]}", MILLIONS, JSON_ANY_DEPTH, 0},
	{"millions of levels at their limit", "{\"a\":[", "", "]}", MILLIONS, 2 * MILLIONS, 0},
	{"millions of levels one beyond their limit", "{\"a\":[", "", "]}", MILLIONS, 2 * MILLIONS - 1, -EOVERFLOW},
	{"millions of levels where ten are allowed", "[", "", "]", MILLIONS, 10, -EOVERFLOW},
	{"millions of levels up and down, three times", "[[[],", "{}", ",[[]]]]", MILLIONS / 2, JSON_ANY_DEPTH, 0},
	{"millions of levels and a wrong bracket within", "[", "}", "]", MILLIONS, 10, -EPROTO},
	{"millions of levels and no end", "[", "", "", MILLIONS, 10, -EPROTO},
	{"too deep and broken, which is broken", "[", "x", "]", 20, 10, -EPROTO},
	{"deep and with the wrong bracket", "[", "", "}", 90, 100, -EPROTO},
	{"deep and never closed", "[", "", "", 90, 100, -EPROTO},
	{"deep and broken", "[", "x", "]", NO_MEMORY, JSON_ANY_DEPTH, -EPROTO},
};

static void test_depth(void)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	for (size_t i = 0; i < COUNT(depth_cases); i++) {
		const struct depth_case *t = &depth_cases[i];
		struct json_value value = {JSON_TRUE, {"untouched", 9}};
		struct err err = {""};
		nest(&text, t->open, t->middle, t->close, t->times);
		is_int(json_check(buf_slice(&text), t->limit, &value, &err), t->rc, "%s", t->name);
		if (t->rc == -EOVERFLOW)
			ok(strstr(err.text, "deeper"), "%s: \"%s\"", t->name, err.text);
		is_slice(value.text, t->rc == 0 ? buf_slice(&text) : slice_of("untouched"), "%s: the value", t->name);
	}
}

/* Each allocation that a deep text needs fails once. */
static void test_no_memory(void)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	struct json_value value = {JSON_TRUE, {"untouched", 9}};
	nest(&text, "[", "", "]", NO_MEMORY);
	allocations = 0;
	is_int(json_check(buf_slice(&text), JSON_ANY_DEPTH, &value, NULL), 0, "a usual depth is checked");
	is_int(allocations, 0, "without allocating anything");

	nest(&text, "[", "", "]", 5 * NO_MEMORY);
	value.text = slice_of("untouched");
	int rc;
	long fails = 0;
	do {
		struct err err = {""};
		allocations_left = fails;
		rc = json_check(buf_slice(&text), 100 * NO_MEMORY, &value, &err);
		allocations_left = -1;
		if (rc == 0)
			break;
		is_int(rc, -ENOMEM, "allocation %ld fails: %s", fails + 1, err.text);
		is_slice(value.text, slice_of("untouched"), "allocation %ld fails: no value", fails + 1);
	} while (++fails < 100);
	is_int(rc, 0, "when none fails the text is accepted");
	is_int(fails, 3, "which takes three of them");
}

static const struct {
	const char *name;
	const char *open, *middle, *close;
	int times;
	int depth; /* of the whole */
} deeper_cases[] = {
	{"a number", "", "1", "", 0, 0},
	{"brackets in a string", "", "\"[[[{{{\"", "", 0, 0},
	{"an empty array", "[", "", "]", 1, 1},
	{"arrays", "[", "1", "]", 30, 30},
	{"objects", "{\"]\":", "1", "}", 30, 30},
	{"siblings that are the deepest", "[[],{\"a\":{}},", "0", ",{},[]]", 30, 32},
	{"very deep", "[{\"a\":", "0", "}]", MILLIONS, 2 * MILLIONS},
};

static void test_is_deeper(void)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	for (size_t i = 0; i < COUNT(deeper_cases); i++) {
		struct json_value value;
		int depth = deeper_cases[i].depth;
		const char *name = deeper_cases[i].name;
		nest(&text, deeper_cases[i].open, deeper_cases[i].middle, deeper_cases[i].close, deeper_cases[i].times);
		if (!is_int(json_check(buf_slice(&text), JSON_ANY_DEPTH, &value, NULL), 0, "%s: JSON", name))
			continue;
		ok(!json_is_deeper(value, depth), "%s: not deeper than %d", name, depth);
		if (depth > 0)
			ok(json_is_deeper(value, depth - 1), "%s: deeper than %d", name, depth - 1);
	}
}

/* Each level is one member that is looked up, so a deep text must not be walked by calling oneself. */
static void test_walking(void)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	struct json_value value, member;
	nest(&text, "{\"a\":[", "", "],\"b\":7}", MILLIONS);
	is_int(json_check(buf_slice(&text), JSON_ANY_DEPTH, &value, NULL), 0, "a deep object");
	ok(json_get(value, "b", &member), "has a member behind the deep one");
	is_slice(member.text, slice_of("7"), "which is read");
}

int main(void)
{
	test_depth();
	test_no_memory();
	test_is_deeper();
	test_walking();
	return tap_done();
}
