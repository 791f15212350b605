/* json_check and json_check_utf8: what they accept, what they refuse, and where they say that it is wrong. Nesting is in
 * test_json_deep.c. */
#include "tap.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A literal that may hold NUL. */
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		literal, sizeof(literal) - 1                                                                           \
	}

static const struct refused {
	const char *name;
	struct slice text;
	int at; /* the offset that the message names */
} refused[] = {
	/* Nothing, or nothing but space. */
	{"an empty text", TEXT(""), 0},
	{"a space", TEXT(" "), 1},
	{"a byte order mark alone", TEXT("\xef\xbb\xbf"), 3},
	{"half a byte order mark", TEXT("\xef\xbb{}"), 0},
	{"two byte order marks", TEXT("\xef\xbb\xbf\xef\xbb\xbf{}"), 3},
	{"a byte order mark behind a space", TEXT(" \xef\xbb\xbf{}"), 1},
	{"a byte order mark of UTF-16", TEXT("\xfe\xff\0{\0}"), 0},
	{"a NUL", TEXT("\0"), 0},

	/* Around the value. */
	{"two values", TEXT("1 2"), 2},
	{"two arrays", TEXT("[][]"), 2},
	{"a comma behind the value", TEXT("1,"), 1},
	{"a bracket too many", TEXT("[]]"), 2},
	{"a brace too many", TEXT("{}}"), 2},
	{"a NUL behind the value", TEXT("{}\0"), 2},
	{"a form feed as white space", TEXT("\f1"), 0},
	{"a vertical tab as white space", TEXT("[\v1]"), 1},
	{"a no-break space as white space",
	 TEXT("[1,\xc2\xa0"
	      "2]"),
	 3},
	{"a byte order mark behind the value", TEXT("{}\xef\xbb\xbf"), 2},
	{"a comment", TEXT("/* a */1"), 0},
	{"a comment behind the value", TEXT("1// a"), 1},

	/* Words. */
	{"a word of another language", TEXT("undefined"), 0},
	{"a word cut short", TEXT("tru"), 0},
	{"a word cut short in an array", TEXT("[nul]"), 1},
	{"a word with a letter too many", TEXT("truee"), 4},
	{"words with capitals", TEXT("True"), 0},
	{"NULL", TEXT("NULL"), 0},
	{"two words in one", TEXT("[nullnull]"), 5},
	{"a wrong letter", TEXT("fa1se"), 0},
	{"a bare word as a value", TEXT("[a]"), 1},

	/* Numbers. */
	{"a leading zero", TEXT("01"), 1},
	{"a leading zero behind a minus", TEXT("-01"), 2},
	{"two zeros", TEXT("00"), 1},
	{"a leading zero in an array", TEXT("[1,012]"), 4},
	{"a plus", TEXT("+1"), 0},
	{"a minus alone", TEXT("-"), 1},
	{"a minus alone in an array", TEXT("[-]"), 2},
	{"two minuses", TEXT("--1"), 1},
	{"a space behind the minus", TEXT("- 1"), 1},
	{"a point alone", TEXT("."), 0},
	{"nothing before the point", TEXT(".5"), 0},
	{"nothing between minus and point", TEXT("-.5"), 1},
	{"nothing behind the point", TEXT("1."), 2},
	{"nothing between point and exponent", TEXT("1.e3"), 2},
	{"two points", TEXT("1.2.3"), 3},
	{"nothing behind the e", TEXT("1e"), 2},
	{"nothing behind the e's sign", TEXT("1e+"), 3},
	{"two signs of the exponent", TEXT("1e+-1"), 3},
	{"a fraction in the exponent", TEXT("1e1.5"), 3},
	{"two exponents", TEXT("1e2e3"), 3},
	{"an e alone", TEXT("e5"), 0},
	{"a hexadecimal number", TEXT("0x1F"), 1},
	{"NaN", TEXT("NaN"), 0},
	{"nan", TEXT("nan"), 0},
	{"Infinity", TEXT("Infinity"), 0},
	{"minus Infinity", TEXT("-Infinity"), 1},
	{"a thousands separator", TEXT("1_000"), 1},
	{"a suffix", TEXT("1f"), 1},
	{"two numbers with a space", TEXT("[1 2]"), 3},
	{"full-width digits", TEXT("\xef\xbc\x91"), 0},
	{"a number that ends with a NUL", TEXT("[1\0]"), 2},

	/* Strings. */
	{"a quote alone", TEXT("\""), 1},
	{"a string without an end", TEXT("\"abc"), 4},
	{"a long string without an end", TEXT("\"abcdefghijklmnop"), 17},
	{"an end that is escaped", TEXT("\"abc\\\""), 6},
	{"a backslash at the end", TEXT("\"abc\\"), 5},
	{"single quotes", TEXT("'abc'"), 0},
	{"no quote at the start", TEXT("[abc\"]"), 1},
	{"typographic quotes",
	 TEXT("\xe2\x80\x9c"
	      "a\xe2\x80\x9d"),
	 0},
	{"a newline in a string", TEXT("\"a\nb\""), 2},
	{"a carriage return in a string", TEXT("\"a\rb\""), 2},
	{"a tab in a string", TEXT("\"\t\""), 1},
	{"a NUL in a string", TEXT("\"a\0b\""), 2},
	{"U+001F in a string", TEXT("\"a long text and then \x1f\""), 22},
	{"U+0001 in the eighth byte of a word", TEXT("\"1234567\x01\""), 8},
	{"a tab in a key", TEXT("{\"a\tb\":1}"), 3},
	{"an escaped newline", TEXT("\"a\\\nb\""), 2},
	{"an escaped NUL byte", TEXT("\"\\\0\""), 1},
	{"the escape \\x", TEXT("\"\\x41\""), 1},
	{"the escape \\a", TEXT("\"\\a\""), 1},
	{"the escape \\v", TEXT("\"\\v\""), 1},
	{"the escape \\0", TEXT("\"\\0\""), 1},
	{"the escape \\'", TEXT("\"\\'\""), 1},
	{"the escape \\U", TEXT("\"\\U0041\""), 1},
	{"the escape \\e behind good ones", TEXT("\"\\n\\t\\e\""), 5},
	{"an escaped character over 0x7f", TEXT("\"\\\xc3\xa9\""), 1},
	{"\\u without digits", TEXT("\"\\u\""), 1},
	{"\\u with three digits", TEXT("\"\\u123\""), 1},
	{"\\u with three digits and more text", TEXT("\"\\u123 abc\""), 1},
	{"\\u with a letter that is no digit", TEXT("\"\\u12g4\""), 1},
	{"\\u with a sign", TEXT("\"\\u+123\""), 1},
	{"\\u with a space", TEXT("\"\\u 123\""), 1},
	{"\\u cut by the end of the text", TEXT("\"\\u12"), 1},
	{"\\u with 0x", TEXT("\"\\u0x41\""), 1},
	{"\\u with a digit of another script", TEXT("\"\\u00\xd9\xa0\""), 1},
	{"half of a second \\u", TEXT("\"\\ud83d\\ude\""), 7},
	{"an escape outside of a string", TEXT("[\\n]"), 1},
	{"an escape in a bare word", TEXT("[\\u0061]"), 1},

	/* Arrays. */
	{"an array without an end", TEXT("["), 1},
	{"an array without an end behind a value", TEXT("[1"), 2},
	{"an array without an end behind a comma", TEXT("[1,"), 3},
	{"an array closed as an object", TEXT("[1}"), 2},
	{"an empty array closed as an object", TEXT("[}"), 1},
	{"an array that was not opened", TEXT("]"), 0},
	{"a comma at the end of an array", TEXT("[1,]"), 3},
	{"a comma at the start of an array", TEXT("[,1]"), 1},
	{"a comma alone in an array", TEXT("[,]"), 1},
	{"two commas in an array", TEXT("[1,,2]"), 3},
	{"no comma between elements", TEXT("[\"a\" \"b\"]"), 5},
	{"no comma between arrays", TEXT("[[][]]"), 3},
	{"a colon in an array", TEXT("[\"a\":1]"), 4},
	{"a semicolon in an array", TEXT("[1;2]"), 2},
	{"an inner array without an end", TEXT("[[1,2]"), 6},
	{"an inner object closed as an array", TEXT("[{\"a\":1]"), 7},

	/* Objects. */
	{"an object without an end", TEXT("{"), 1},
	{"an object without an end behind a key", TEXT("{\"a\""), 4},
	{"an object without an end behind a colon", TEXT("{\"a\":"), 5},
	{"an object without an end behind a value", TEXT("{\"a\":1"), 6},
	{"an object without an end behind a comma", TEXT("{\"a\":1,"), 7},
	{"an object closed as an array", TEXT("{\"a\":1]"), 6},
	{"an empty object closed as an array", TEXT("{]"), 1},
	{"an object that was not opened", TEXT("}"), 0},
	{"a comma at the end of an object", TEXT("{\"a\":1,}"), 7},
	{"a comma at the start of an object", TEXT("{,\"a\":1}"), 1},
	{"a comma alone in an object", TEXT("{,}"), 1},
	{"two commas in an object", TEXT("{\"a\":1,,\"b\":2}"), 7},
	{"no comma between members", TEXT("{\"a\":1 \"b\":2}"), 7},
	{"a key without a value", TEXT("{\"a\"}"), 4},
	{"a key and a colon without a value", TEXT("{\"a\":}"), 5},
	{"a key, a comma and a value", TEXT("{\"a\",1}"), 4},
	{"a key and a value without a colon", TEXT("{\"a\" 1}"), 5},
	{"two colons", TEXT("{\"a\"::1}"), 5},
	{"an equals sign for a colon", TEXT("{\"a\"=1}"), 4},
	{"a value without a key", TEXT("{:1}"), 1},
	{"a key without quotes", TEXT("{a:1}"), 1},
	{"a key in single quotes", TEXT("{'a':1}"), 1},
	{"a number as a key", TEXT("{1:1}"), 1},
	{"null as a key", TEXT("{null:1}"), 1},
	{"an array as a key", TEXT("{[]:1}"), 1},
	{"a comment between members", TEXT("{\"a\":1,/**/\"b\":2}"), 7},
	{"a member with two values", TEXT("{\"a\":1:2}"), 6},
	{"an inner object without an end", TEXT("{\"a\":{\"b\":1}"), 12},
	{"an inner array closed as an object", TEXT("{\"a\":[1}"), 7},
};

static void test_refused(void)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		const struct refused *t = &refused[i];
		CLEANUP(cleanup_free) char *exact = malloc(t->text.len + 1);
		struct json_value value = {JSON_TRUE, {"untouched", 9}};
		struct err err = {""};
		char end[32];
		/* Right up to the end of the memory, so that a sanitizer sees who reads on. */
		char *copy = exact + 1;
		memcpy(copy, t->text.at, t->text.len);
		int rc = json_check(slice_make(copy, t->text.len), 100, &value, &err);
		snprintf(end, sizeof(end), " at byte %d", t->at);
		const char *found = strstr(err.text, end);
		bool named = found && strlen(found) == strlen(end);
		if (!ok(rc == -EPROTO && named && slice_is(value.text, "untouched"), "%s is refused", t->name)) {
			diag_slice("text", t->text);
			diag("rc %d, \"%s\", want \"...%s\"", rc, err.text, end);
		}
	}
}

static const struct accepted {
	const char *name;
	struct slice text;
	enum json_type type;
	const char *value; /* NULL: all of the text */
} accepted[] = {
	{"null", TEXT("null"), JSON_NULL, NULL},
	{"true", TEXT("true"), JSON_TRUE, NULL},
	{"false", TEXT("false"), JSON_FALSE, NULL},
	{"a digit", TEXT("0"), JSON_NUMBER, NULL},
	{"minus zero", TEXT("-0"), JSON_NUMBER, NULL},
	{"a number of many digits", TEXT("123456789012345678901234567890"), JSON_NUMBER, NULL},
	{"a fraction that ends in zero", TEXT("1.10"), JSON_NUMBER, NULL},
	{"an exponent", TEXT("1e21"), JSON_NUMBER, NULL},
	{"an exponent with signs, zeros and a capital", TEXT("-0.0E-0021"), JSON_NUMBER, NULL},
	{"an exponent with a plus", TEXT("12.5e+400"), JSON_NUMBER, NULL},
	{"an empty string", TEXT("\"\""), JSON_STRING, NULL},
	{"a string of seven bytes", TEXT("\"abcdefg\""), JSON_STRING, NULL},
	{"a string of eight bytes", TEXT("\"abcdefgh\""), JSON_STRING, NULL},
	{"all the escapes", TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABcd\""), JSON_STRING, NULL},
	{"a lone surrogate", TEXT("\"\\ud800\""), JSON_STRING, NULL},
	{"a DEL inside a string", TEXT("\"\x7f\""), JSON_STRING, NULL},
	{"UTF-8 inside a string", TEXT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), JSON_STRING, NULL},
	{"a string that is not UTF-8, which is json_check_utf8's part", TEXT("\"\xff\""), JSON_STRING, NULL},
	{"an empty array", TEXT("[]"), JSON_ARRAY, NULL},
	{"an empty array with a space", TEXT("[ ]"), JSON_ARRAY, NULL},
	{"an empty object", TEXT("{}"), JSON_OBJECT, NULL},
	{"an empty object with a line", TEXT("{\r\n}"), JSON_OBJECT, NULL},
	{"an empty key", TEXT("{\"\":0}"), JSON_OBJECT, NULL},
	{"a key that comes twice", TEXT("{\"a\":1,\"a\":2}"), JSON_OBJECT, NULL},
	{"brackets of all kinds", TEXT("[[],{},[[{\"a\":[{}]}]],0]"), JSON_ARRAY, NULL},
	{"brackets inside a string", TEXT("[\"]}[{\",\"\\\"]\"]"), JSON_ARRAY, NULL},
	{"all white space around", TEXT(" \t\r\n 1 \n\r\t "), JSON_NUMBER, "1"},
	{"white space between all tokens", TEXT(" { \"a\" : [ 1 , 2 ] , \"b\" : null } "), JSON_OBJECT,
	 "{ \"a\" : [ 1 , 2 ] , \"b\" : null }"},
	{"a byte order mark before the value", TEXT("\xef\xbb\xbf {}"), JSON_OBJECT, "{}"},
};

static void test_accepted(void)
{
	for (size_t i = 0; i < COUNT(accepted); i++) {
		const struct accepted *t = &accepted[i];
		struct json_value value = {JSON_NULL, {NULL, 0}};
		struct err err = {""};
		int rc = json_check(t->text, 100, &value, &err);
		is_int(rc, 0, "%s is accepted %s", t->name, err.text);
		is_slice(value.text, t->value ? slice_of(t->value) : t->text, "%s: the value's text", t->name);
		is_int(value.type, t->type, "%s: the value's type", t->name);
	}
	is_int(json_check(slice_of("[1]"), 1, &(struct json_value){0}, NULL), 0, "nobody has to ask for the reason");
	is_int(json_check(slice_of("[1"), 1, &(struct json_value){0}, NULL), -EPROTO, "nor when there is one");
}

static const struct {
	const char *name;
	struct slice text;
	int at; /* -1: valid */
} utf8_cases[] = {
	{"nothing", TEXT(""), -1},
	{"ASCII with NUL and DEL", TEXT("abc\0\x7f 0123456789"), -1},
	{"the first and last of two bytes", TEXT("\xc2\x80\xdf\xbf"), -1},
	{"the first and last of three bytes", TEXT("\xe0\xa0\x80\xef\xbf\xbf"), -1},
	{"the neighbours of the surrogates", TEXT("\xed\x9f\xbf\xee\x80\x80"), -1},
	{"the first and last of four bytes", TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), -1},
	{"ASCII behind something else, for a long while",
	 TEXT("\xc3\xa9"
	      "abcdefghijklmnop\xc3\xa9"),
	 -1},
	{"a tail byte alone", TEXT("ab\x80"), 2},
	{"a character cut by the end", TEXT("01234567\xe2\x82"), 8},
	{"a character cut by another",
	 TEXT("\xe2\x82"
	      "a"),
	 0},
	{"an overlong NUL", TEXT("\xc0\x80"), 0},
	{"an overlong form of three bytes", TEXT("a\xe0\x9f\xbf"), 1},
	{"an overlong form of four bytes", TEXT("\xf0\x8f\xbf\xbf"), 0},
	{"a high surrogate", TEXT("abc\xed\xa0\x80"), 3},
	{"a low surrogate", TEXT("\xed\xbf\xbf"), 0},
	{"a code over U+10FFFF", TEXT("\xf4\x90\x80\x80"), 0},
	{"a form of five bytes", TEXT("\xf8\x88\x80\x80\x80"), 0},
	{"FE and FF", TEXT("\xfe\xff"), 0},
};

static void test_utf8(void)
{
	for (size_t i = 0; i < COUNT(utf8_cases); i++) {
		struct err err = {""};
		char want[64] = "";
		int at = utf8_cases[i].at;
		if (at >= 0)
			snprintf(want, sizeof(want), "not UTF-8 at byte %d", at);
		int rc = json_check_utf8(utf8_cases[i].text, &err);
		is_int(rc, at < 0 ? 0 : -EPROTO, "UTF-8: %s", utf8_cases[i].name);
		is_str(err.text, want, "UTF-8, the message: %s", utf8_cases[i].name);
	}
}

/* By arithmetic: put together what the bits say, then see whether that many bytes are the right number for it. */
static bool is_one_character(const unsigned char *b, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	if ((b[0] & (0xff << (7 - len) & 0xff)) != lead[len])
		return false;
	uint32_t code = b[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return false;
		code = code << 6 | (b[i] & 0x3fu);
	}
	return code >= least[len] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

/* Every sequence that starts over 0x7f, of two and three bytes, and of four with the telling values in the last two. */
static void test_all_utf8(void)
{
	static const unsigned char telling[] = {0x00, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	long wrong[5] = {0};
	unsigned char b[4];
	for (uint32_t n = 0x800000; n < 0x1000000; n++) {
		b[0] = (unsigned char)(n >> 16);
		b[1] = (unsigned char)(n >> 8);
		b[2] = (unsigned char)n;
		wrong[3] += (json_check_utf8(slice_make((char *)b, 3), NULL) == 0) !=
			    (is_one_character(b, 3) || (is_one_character(b, 2) && b[2] < 0x80));
		if (b[2] > 0)
			continue;
		wrong[2] += (json_check_utf8(slice_make((char *)b, 2), NULL) == 0) != is_one_character(b, 2);
		for (size_t i = 0; b[0] >= 0xf0 && i < COUNT(telling) * COUNT(telling); i++) {
			b[2] = telling[i / COUNT(telling)];
			b[3] = telling[i % COUNT(telling)];
			wrong[4] += (json_check_utf8(slice_make((char *)b, 4), NULL) == 0) != is_one_character(b, 4);
		}
	}
	is_int(wrong[2], 0, "UTF-8: all pairs of bytes are judged rightly");
	is_int(wrong[3], 0, "UTF-8: all sequences of three bytes are judged rightly");
	is_int(wrong[4], 0, "UTF-8: sequences of four bytes are judged rightly");
}

int main(void)
{
	test_refused();
	test_accepted();
	test_utf8();
	test_all_utf8();
	return tap_done();
}
