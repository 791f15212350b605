/* Walking, decoding and writing JSON; random documents against the model. The check has test_json_check.c. */
#include "json_model.h"
#include "tap.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A literal that may hold NUL. */
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		literal, sizeof(literal) - 1                                                                           \
	}

/* The canonical description of json_model.h, made with the functions under test. */
static void describe_string(struct json_value string, struct buf *canon)
{
	CLEANUP(buf_finish) struct buf decoded = BUF_INIT;
	json_string_decode(string, &decoded);
	buf_append_char(canon, '"');
	for (size_t i = 0; i < decoded.len;) {
		const unsigned char *b = (const unsigned char *)decoded.text + i;
		if (b[0] < 0x80) {
			canon_code(canon, b[0]);
			i += 1;
		} else if (b[0] < 0xe0) {
			canon_code(canon, (b[0] & 0x1fu) << 6 | (b[1] & 0x3fu));
			i += 2;
		} else if (b[0] < 0xf0) {
			canon_code(canon, (b[0] & 0x0fu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu));
			i += 3;
		} else {
			canon_code(canon,
				   (b[0] & 0x07u) << 18 | (b[1] & 0x3fu) << 12 | (b[2] & 0x3fu) << 6 | (b[3] & 0x3fu));
			i += 4;
		}
	}
	buf_append_char(canon, '"');
}

static void describe(struct json_value value, struct buf *canon)
{
	struct json_iter it = json_iter(value);
	struct json_value key, inner;
	switch (value.type) {
	case JSON_STRING:
		describe_string(value, canon);
		break;
	case JSON_ARRAY:
		buf_append_char(canon, '[');
		while (json_next_element(&it, &inner))
			describe(inner, canon);
		buf_append_char(canon, ']');
		break;
	case JSON_OBJECT:
		buf_append_char(canon, '{');
		while (json_next_member(&it, &key, &inner)) {
			describe_string(key, canon);
			describe(inner, canon);
		}
		buf_append_char(canon, '}');
		break;
	default:
		buf_printf(canon, "%.*s;", SLICE_FMT(value.text));
		break;
	}
}

/* Checks text that is known to be good. */
static struct json_value value_of(const char *text)
{
	struct json_value value = {JSON_NULL, {"", 0}};
	struct err err = {""};
	if (json_check(slice_of(text), 100, &value, &err) < 0)
		ok(false, "%s: %s", text, err.text);
	return value;
}

/* The value that was come to, entered if there is something to enter, and left after some steps inside. */
static struct json_value stroll(struct json_iter *it, int steps)
{
	struct json_iter inner;
	struct json_value key, value;
	if (!json_enter(it, &inner)) {
		json_take(it, &value);
		return value;
	}
	while (steps-- > 0 && (json_come_to_element(&inner) || json_next_key(&inner, &key)))
		stroll(&inner, steps);
	json_leave(it, &inner, &value);
	return value;
}

static const struct {
	const char *name;
	const char *text;
	const char *parts; /* each element, or key=member, and a bar */
} walks[] = {
	{"an empty array", "[]", ""},
	{"an empty object", "{}", ""},
	{"an empty array with space in it", "[ \n ]", ""},
	{"one element", "[1]", "1|"},
	{"elements of all types", "[null,true,false,-1.5e3,\"a\",[],{}]", "null|true|false|-1.5e3|\"a\"|[]|{}|"},
	{"elements with white space", "[ 1 ,\t\"a\"\n, [ 2 ] , { } ]", "1|\"a\"|[ 2 ]|{ }|"},
	{"nested brackets", "[[1,[2,3]],{\"a\":{\"b\":[]}},4]", "[1,[2,3]]|{\"a\":{\"b\":[]}}|4|"},
	{"brackets and commas inside strings", "[\"],[\",[\"}\",\"\\\"]\"],5]", "\"],[\"|[\"}\",\"\\\"]\"]|5|"},
	{"a backslash before the closing quote", "[\"\\\\\",\"\\\\\\\"\"]", "\"\\\\\"|\"\\\\\\\"\"|"},
	{"members in their order", "{\"b\":1,\"a\":2}", "\"b\"=1|\"a\"=2|"},
	{"members with white space", "{ \"a\" : 1 , \"b\"\n:\n[ ] }", "\"a\"=1|\"b\"=[ ]|"},
	{"a key that comes twice", "{\"a\":1,\"a\":2}", "\"a\"=1|\"a\"=2|"},
	{"keys with colons, commas and quotes", "{\"a:,\\\"\":{\":\":1},\"\":\"\"}",
	 "\"a:,\\\"\"={\":\":1}|\"\"=\"\"|"},
	{"a number, which has nothing inside", "12", ""},
	{"a string, which has nothing inside", "\"[1]\"", ""},
	{"null, which has nothing inside", "null", ""},
};

static void test_walks(void)
{
	for (size_t i = 0; i < COUNT(walks); i++) {
		CLEANUP(buf_finish) struct buf parts = BUF_INIT;
		struct json_value value = value_of(walks[i].text);
		struct json_value key, inner;
		struct json_iter it = json_iter(value);
		while (json_next_element(&it, &inner))
			buf_printf(&parts, "%.*s|", SLICE_FMT(inner.text));
		if (value.type == JSON_ARRAY)
			ok(!json_next_element(&it, &inner), "walking %s: the end stays the end", walks[i].name);
		it = json_iter(value);
		while (json_next_member(&it, &key, &inner))
			buf_printf(&parts, "%.*s=%.*s|", SLICE_FMT(key.text), SLICE_FMT(inner.text));
		is_str(buf_text(&parts), walks[i].parts, "walking %s", walks[i].name);
		for (int steps = 0; steps < 4; steps++) {
			buf_reset(&parts);
			it = json_iter(value);
			while (json_come_to_element(&it)) {
				inner = stroll(&it, steps);
				buf_printf(&parts, "%.*s|", SLICE_FMT(inner.text));
			}
			while (json_next_key(&it, &key)) {
				inner = stroll(&it, steps);
				buf_printf(&parts, "%.*s=%.*s|", SLICE_FMT(key.text), SLICE_FMT(inner.text));
			}
			is_str(buf_text(&parts), walks[i].parts, "walking %s, %d steps into it", walks[i].name, steps);
		}
		it = json_iter_alone(value);
		ok(json_next_element(&it, &inner) && slice_eq(inner.text, value.text) &&
			   !json_next_element(&it, &inner),
		   "%s alone", walks[i].name);
	}
}

static const struct {
	const char *name;
	const char *text;
	const char *key;
	const char *found; /* NULL: there is none */
} gets[] = {
	{"the first member", "{\"a\":1,\"b\":2}", "a", "1"},
	{"the last member", "{\"a\":1,\"b\":2}", "b", "2"},
	{"no member of that name", "{\"a\":1,\"b\":2}", "c", NULL},
	{"a key that begins like another", "{\"ab\":1,\"a\":2}", "a", "2"},
	{"of two, the last", "{\"a\":1,\"b\":2,\"a\":3}", "a", "3"},
	{"one that is written with escapes", "{\"\\u0061\\/\":1}", "a/", "1"},
	{"the empty key", "{\"a\":1,\"\":2}", "", "2"},
	{"no key of an inner object", "{\"a\":{\"b\":1}}", "b", NULL},
	{"no key that is only a text", "{\"a\":\"b\"}", "b", NULL},
	{"nothing in an empty object", "{}", "a", NULL},
	{"nothing in an array", "[\"a\",1]", "a", NULL},
	{"nothing in a string", "\"a\"", "a", NULL},
};

static void test_gets(void)
{
	for (size_t i = 0; i < COUNT(gets); i++) {
		struct json_value found = {JSON_NULL, slice_of("none")};
		bool there = json_get(value_of(gets[i].text), gets[i].key, &found);
		const char *want = gets[i].found ? gets[i].found : "none";
		is_slice(found.text, slice_of(want), "json_get finds %s", gets[i].name);
		is_int(there, gets[i].found != NULL, "json_get says so: %s", gets[i].name);
	}
}

static const struct {
	const char *name;
	const char *json;
	struct slice decoded;
} strings[] = {
	{"an empty string", "\"\"", TEXT("")},
	{"plain text", "\"abc def\"", TEXT("abc def")},
	{"UTF-8 as it is", "\"\xc3\xa9\xf0\x9f\x98\x80\"", TEXT("\xc3\xa9\xf0\x9f\x98\x80")},
	{"the short escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", TEXT("\"\\/\b\f\n\r\t")},
	{"a NUL", "\"a\\u0000b\"", TEXT("a\0b")},
	{"hex digits of both cases", "\"\\u00e9\\u00E9\\uFfFd\"", TEXT("\xc3\xa9\xc3\xa9\xef\xbf\xbd")},
	{"the edges of one, two and three bytes", "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
	 TEXT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
	{"a pair of surrogates", "\"\\ud83d\\ude00\"", TEXT("\xf0\x9f\x98\x80")},
	{"the first and the last pair", "\"\\ud800\\udc00\\udbff\\udfff\"", TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
	{"a lone high surrogate", "\"\\ud800\"", TEXT("\xed\xa0\x80")},
	{"a lone low surrogate", "\"\\udfff\"", TEXT("\xed\xbf\xbf")},
	{"a pair the wrong way round", "\"\\ude00\\ud83d\"", TEXT("\xed\xb8\x80\xed\xa0\xbd")},
	{"a high one before a pair", "\"\\ud83d\\ud83d\\ude00\"", TEXT("\xed\xa0\xbd\xf0\x9f\x98\x80")},
	{"a high one before another escape", "\"\\ud83d\\n\"", TEXT("\xed\xa0\xbd\n")},
	{"a high one before text that looks like a low one", "\"\\ud83dude00\"",
	 TEXT("\xed\xa0\xbd"
	      "ude00")},
	{"a backslash before text that looks like an escape", "\"\\\\u0041\"", TEXT("\\u0041")},
	{"text around escapes", "\"one\\ttwo\\u0020three\"", TEXT("one\ttwo three")},
};

static void test_strings(void)
{
	CLEANUP(buf_finish) struct buf out = BUF_INIT;
	for (size_t i = 0; i < COUNT(strings); i++) {
		buf_reset(&out);
		buf_append_text(&out, "> ");
		is_int(json_string_decode(value_of(strings[i].json), &out), 0, "decoding %s works", strings[i].name);
		struct slice decoded = slice_make(out.text + 2, out.len - 2);
		is_slice(decoded, strings[i].decoded, "decoding %s appends the text", strings[i].name);
		ok(out.text[out.len] == '\0', "decoding %s ends with a NUL", strings[i].name);
		if (!memchr(decoded.at, '\0', decoded.len))
			ok(json_string_is(value_of(strings[i].json), decoded.at), "json_string_is knows %s",
			   strings[i].name);
	}
	buf_reset(&out);
	is_int(json_string_decode(value_of("12"), &out), -EINVAL, "a number is no string to decode");
	is_int((long long)out.len, 0, "a number decodes to nothing");
}

static const struct {
	const char *name;
	const char *json;
	const char *text;
} unlike[] = {
	{"a string and a longer one", "\"ab\"", "abc"},
	{"a string and a shorter one", "\"abc\"", "ab"},
	{"a string and the empty one", "\"a\"", ""},
	{"the empty string and one", "\"\"", "a"},
	{"what looks the same only in the source", "\"a\\n\"", "a\\n"},
	{"a NUL and the end", "\"a\\u0000\"", "a"},
	{"a text behind a NUL", "\"\\u0000a\"", ""},
	{"an escape and a longer text", "\"\\u0061\"", "aa"},
	{"an escape of three bytes and two of them", "\"\\u20ac\"", "\xe2\x82"},
	{"a number and its digits", "12", "12"},
	{"null and its letters", "null", "null"},
	{"an array and a string", "[\"a\"]", "a"},
};

static void test_unlike(void)
{
	for (size_t i = 0; i < COUNT(unlike); i++)
		ok(!json_string_is(value_of(unlike[i].json), unlike[i].text), "%s differ", unlike[i].name);
}

static const struct {
	const char *json;
	int rc;
	long long number;
} integers[] = {
	{"0", 0, 0},
	{"-0", 0, 0},
	{"7", 0, 7},
	{"-12", 0, -12},
	{"9223372036854775807", 0, LLONG_MAX},
	{"-9223372036854775808", 0, LLONG_MIN},
	{"9223372036854775808", -EINVAL, 99},
	{"-9223372036854775809", -EINVAL, 99},
	{"92233720368547758070", -EINVAL, 99},
	{"1.0", -EINVAL, 99},
	{"1e3", -EINVAL, 99},
	{"1E0", -EINVAL, 99},
	{"\"1\"", -EINVAL, 99},
	{"null", -EINVAL, 99},
	{"[1]", -EINVAL, 99},
};

static void test_integers(void)
{
	for (size_t i = 0; i < COUNT(integers); i++) {
		long long number = 99;
		int rc = json_integer(value_of(integers[i].json), &number);
		is_int(rc, integers[i].rc, "json_integer reads %s or not", integers[i].json);
		is_int(number, integers[i].number, "json_integer of %s", integers[i].json);
	}
}

static const struct {
	const char *name;
	struct slice text;
	const char *json;
} written[] = {
	{"nothing", TEXT(""), "\"\""},
	{"plain text", TEXT("abc /<>&'\x7f"), "\"abc /<>&'\x7f\""},
	{"a quote and a backslash", TEXT("a\"b\\c"), "\"a\\\"b\\\\c\""},
	{"control characters with a short form", TEXT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
	{"control characters without one", TEXT("\0\x01\x0b\x1f"), "\"\\u0000\\u0001\\u000b\\u001f\""},
	{"UTF-8", TEXT("\xc2\x80\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
	 "\"\xc2\x80\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	{"surrogates of three bytes", TEXT("\xed\xa0\x80 \xed\xb8\x80 \xed\xbf\xbf"), "\"\\ud800 \\ude00 \\udfff\""},
	{"a stray tail byte", TEXT("a\x80z"), "\"a\xef\xbf\xbdz\""},
	{"bytes that are never in UTF-8", TEXT("\xfe\xff"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	{"a character cut short", TEXT("a\xe2\x82"), "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
	{"a surrogate cut short", TEXT("\xed\xa0"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
	{"an overlong slash", TEXT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
};

static void test_written(void)
{
	CLEANUP(buf_finish) struct buf out = BUF_INIT;
	for (size_t i = 0; i < COUNT(written); i++) {
		buf_reset(&out);
		is_int(json_append_string(&out, written[i].text), 0, "writing %s works", written[i].name);
		is_str(buf_text(&out), written[i].json, "writing %s", written[i].name);
	}
	buf_reset(&out);
	is_int(json_append_string(&out, slice_make(NULL, 0)), 0, "writing no bytes at all works");
	is_str(buf_text(&out), "\"\"", "no bytes at all are an empty string");
}

static bool reads_as(struct slice text, const struct buf *want)
{
	CLEANUP(buf_finish) struct buf canon = BUF_INIT;
	struct json_value value;
	struct err err = {""};
	int rc = json_check(text, 100, &value, &err);
	if (rc == 0)
		describe(value, &canon);
	if (rc == 0 && slice_eq(buf_slice(&canon), buf_slice(want)))
		return true;
	diag("%d %s", rc, err.text);
	diag_slice("text", text);
	diag_slice(" got", buf_slice(&canon));
	diag_slice("want", buf_slice(want));
	return false;
}

static void test_random(struct rng rng)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	CLEANUP(buf_finish) struct buf canon = BUF_INIT;
	long rounds = rng_rounds(5000);
	long good = 0;
	for (; good < rounds; good++) {
		buf_reset(&text);
		buf_reset(&canon);
		model_random(&rng, &text, &canon);
		if (!reads_as(buf_slice(&text), &canon))
			break;
	}
	is_int(good, rounds, "random documents read as what they were made from");
}

/* Text that nobody checked may give nonsense, but nothing may be read outside of it and everything must end. */
static void walk_unchecked(struct slice text)
{
	static const enum json_type types[] = {JSON_ARRAY, JSON_OBJECT, JSON_STRING, JSON_NUMBER};
	CLEANUP(buf_finish) struct buf canon = BUF_INIT;
	struct json_value found;
	long long number;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct json_value value = {types[i], text};
		struct json_iter it = json_iter(value);
		struct json_value key, inner;
		while (json_next_element(&it, &inner) || json_next_member(&it, &key, &inner))
			;
		it = json_iter(value);
		while (json_come_to_element(&it) || json_next_key(&it, &key))
			stroll(&it, 8);
		json_get(value, "a", &found);
		json_string_is(value, "a\n\xf0\x9f\x98\x80");
		json_integer(value, &number);
		json_string_decode(value, &canon);
	}
	json_append_string(&canon, text);
	json_check_utf8(text, NULL);
}

static const char *const broken[] = {
	"\\x", "\\", "\\u", "\\u12", "\\ud83d\\u", "\\\xff", "\\u12g4", "\\ud83d\\ud83", "\"", "\n",
};

/* Room is made for no more than the text takes, so a broken escape must not become longer than it was. */
static void test_broken(void)
{
	for (size_t i = 0; i < COUNT(broken); i++) {
		bool good = true;
		for (int times = 1; times < 100 && good; times++) {
			CLEANUP(buf_finish) struct buf text = BUF_INIT;
			CLEANUP(buf_finish) struct buf out = BUF_INIT;
			buf_append_char(&text, '"');
			for (int n = 0; n < times; n++)
				buf_append_text(&text, broken[i]);
			buf_append_char(&text, '"');
			struct json_value string = {JSON_STRING, buf_slice(&text)};
			good = json_string_decode(string, &out) == 0 && out.len <= text.len - 2;
		}
		ok(good, "strings full of \"%s\", which nobody checked, do not grow", broken[i]);
	}
}

static bool agrees_with_model(struct slice text)
{
	CLEANUP(buf_finish) struct buf canon = BUF_INIT;
	CLEANUP(buf_finish) struct buf want = BUF_INIT;
	struct json_value value;
	struct err err = {""};
	int rc = json_check(text, JSON_ANY_DEPTH, &value, &err);
	bool good = model_read(text, &want);
	/* The bytes of broken UTF-8 are not described the same way; there, only the verdict counts. */
	if (rc == 0 && json_check_utf8(text, NULL) == 0)
		describe(value, &canon);
	if ((rc == 0) == good && (canon.len == 0 || slice_eq(buf_slice(&canon), buf_slice(&want))))
		return true;
	diag_slice("text", text);
	diag("json_check says %d %s, the model %s", rc, err.text, good ? "accepts" : "refuses");
	return false;
}

static void test_mutated(struct rng rng)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	CLEANUP(buf_finish) struct buf canon = BUF_INIT;
	long rounds = rng_rounds(20000);
	long good = 0;
	long valid = 0;
	for (; good < rounds; good++) {
		buf_reset(&text);
		buf_reset(&canon);
		model_random(&rng, &text, &canon);
		model_mutate(&rng, &text);
		/* Right up to the end of the memory, so that a sanitizer sees who reads on. */
		CLEANUP(cleanup_free) char *exact = malloc(text.len + 1);
		memcpy(exact + 1, text.text, text.len);
		struct slice mutant = slice_make(exact + 1, text.len);
		walk_unchecked(mutant);
		if (!agrees_with_model(mutant))
			break;
		valid += json_check(mutant, 100, &(struct json_value){0}, NULL) == 0;
	}
	is_int(good, rounds, "mutated documents are judged and read as the model does");
	ok(valid > rounds / 20, "enough of them (%ld of %ld) are still valid", valid, rounds);
}

static void test_random_strings(struct rng rng)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	CLEANUP(buf_finish) struct buf decoded = BUF_INIT;
	long rounds = rng_rounds(5000);
	long good = 0;
	for (; good < rounds; good++) {
		char bytes[40];
		struct slice text = slice_make(bytes, rng_below(&rng, sizeof(bytes) + 1));
		for (size_t i = 0; i < text.len; i++)
			bytes[i] = rng_once_in(&rng, 3) ? rng_byte(&rng) : (char)rng_below(&rng, 0x80);
		buf_reset(&json);
		buf_reset(&decoded);
		json_append_string(&json, text);
		struct json_value value;
		if (json_check(buf_slice(&json), 1, &value, NULL) < 0 || json_check_utf8(buf_slice(&json), NULL) < 0)
			break;
		json_string_decode(value, &decoded);
		if (json_check_utf8(text, NULL) == 0 && !slice_eq(buf_slice(&decoded), text))
			break;
	}
	is_int(good, rounds, "random bytes are written as valid JSON, and UTF-8 comes back as it was");
}

int main(void)
{
	struct rng rng = rng_create();
	test_walks();
	test_gets();
	test_strings();
	test_unlike();
	test_integers();
	test_written();
	test_broken();
	test_random(rng);
	test_mutated(rng);
	test_random_strings(rng);
	return tap_done();
}
