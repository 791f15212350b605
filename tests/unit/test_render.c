#include "json_model.h"
#include "tap.h"
#include "tree/render.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	const char *json;
	const char *text; /* without the newline at the end */
} renderings[] = {
	/* Layout. */
	{"null stands alone", "null", "null"},
	{"true stands alone", "true", "true"},
	{"false stands alone", "false", "false"},
	{"a string stands alone", "\"a\"", "\"a\""},
	{"an empty object stays on its line", "{}", "{}"},
	{"an empty array stays on its line", "[]", "[]"},
	{"an empty object loses the space in it", "{ \n }", "{}"},
	{"an empty array loses the space in it", "[\t]", "[]"},
	{"an object has a member a line", "{\"b\":1,\"a\":2}", "{\n  \"b\": 1,\n  \"a\": 2\n}"},
	{"an array has an element a line", "[1,\"a\",null]", "[\n  1,\n  \"a\",\n  null\n]"},
	{"each level has two spaces more", "{\"a\":[{\"b\":[1]}]}",
	 "{\n  \"a\": [\n    {\n      \"b\": [\n        1\n      ]\n    }\n  ]\n}"},
	{"empty ones inside stay on their line", "{\"a\":{},\"b\":[],\"c\":[[],{}]}",
	 "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    [],\n    {}\n  ]\n}"},
	{"other white space is dropped", " {\r\n\t\"a\" :\n[ 1 ,2\t] , \"b\":3 }\n",
	 "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": 3\n}"},
	{"a key that comes twice comes twice", "{\"a\":1,\"a\":1}", "{\n  \"a\": 1,\n  \"a\": 1\n}"},
	{"the empty key", "{\"\":\"\"}", "{\n  \"\": \"\"\n}"},

	/* Numbers. */
	{"a big integer keeps its digits", "12345678901234567890", "12345678901234567890"},
	{"an exponent stays one", "1e21", "1e21"},
	{"a capital exponent with signs and zeros stays so", "-1.50E+007", "-1.50E+007"},
	{"a trailing zero stays", "1.10", "1.10"},
	{"minus zero stays", "[-0,-0.0]", "[\n  -0,\n  -0.0\n]"},
	{"a tiny number stays", "1e-400", "1e-400"},

	/* Strings. */
	{"UTF-8 is written as itself", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
	 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	{"escaped letters become plain", "\"\\u0041\\u00e9\\u20AC\"", "\"A\xc3\xa9\xe2\x82\xac\""},
	{"a pair of escapes becomes one character", "\"\\ud83d\\uDE00\"", "\"\xf0\x9f\x98\x80\""},
	{"a slash needs no escape", "\"a\\/b\\u002f\"", "\"a/b/\""},
	{"a quote and a backslash keep theirs", "\"\\\"\\\\\\u0022\\u005C\"", "\"\\\"\\\\\\\"\\\\\""},
	{"short escapes stay short", "\"\\b\\f\\n\\r\\t\"", "\"\\b\\f\\n\\r\\t\""},
	{"long forms of short escapes become short", "\"\\u0008\\u000C\\u000a\\u000D\\u0009\"", "\"\\b\\f\\n\\r\\t\""},
	{"other control characters stay escaped", "\"\\u0000\\u0001\\u000B\\u001F\"",
	 "\"\\u0000\\u0001\\u000b\\u001f\""},
	{"DEL and what is above it are written as themselves", "\"\\u007f\\u0080\\u2028\"",
	 "\"\x7f\xc2\x80\xe2\x80\xa8\""},
	{"a lone high surrogate stays escaped", "\"\\uD800x\"", "\"\\ud800x\""},
	{"a lone low surrogate stays escaped", "\"\\uDFFF\"", "\"\\udfff\""},
	{"a pair the wrong way round stays escaped", "\"\\ude00\\ud83d\"", "\"\\ude00\\ud83d\""},
	{"only the partners of three surrogates join", "\"\\ud83d\\ud83d\\ude00\"", "\"\\ud83d\xf0\x9f\x98\x80\""},
	{"keys are strings like others", "{\"\\u0061\\/\\n\":1}", "{\n  \"a/\\n\": 1\n}"},
	{"punctuation in strings is not layout", "{\"a,{\":\"]:[\\\",\"}", "{\n  \"a,{\": \"]:[\\\",\"\n}"},
	{"a backslash before the closing quote", "[\"\\\\\",\"\\\\\"]", "[\n  \"\\\\\",\n  \"\\\\\"\n]"},
	{"what looks like an escape is none behind a backslash", "\"\\\\u0041\"", "\"\\\\u0041\""},
};

static void test_renderings(void)
{
	for (size_t i = 0; i < COUNT(renderings); i++) {
		CLEANUP(buf_finish) struct buf out = BUF_INIT;
		CLEANUP(buf_finish) struct buf want = BUF_INIT;
		buf_printf(&want, "%s\n", renderings[i].text);
		is_int(render_json(slice_of(renderings[i].json), &out), 0, "rendering works: %s", renderings[i].name);
		is_str(buf_text(&out), buf_text(&want), "%s", renderings[i].name);
		is_int((long long)out.len, (long long)want.len, "the length is right: %s", renderings[i].name);
	}
}

static void test_appending(void)
{
	CLEANUP(buf_finish) struct buf out = BUF_INIT;
	buf_append_text(&out, "before ");
	render_json(slice_of("[1]"), &out);
	render_json(slice_of("{}"), &out);
	is_str(buf_text(&out), "before [\n  1\n]\n{}\n", "a rendering is put behind what is there");
}

/* Each string length, so that each way to end in, before and behind a word of eight bytes comes by. */
static void test_lengths(void)
{
	static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	for (int len = 0; len <= 20; len++) {
		CLEANUP(buf_finish) struct buf json = BUF_INIT;
		CLEANUP(buf_finish) struct buf want = BUF_INIT;
		CLEANUP(buf_finish) struct buf out = BUF_INIT;
		char run[32];
		snprintf(run, sizeof(run), "%.*s", len, plain);
		buf_printf(&json, "[\"%s\",\"%s\\u0041%s\",\"%s\"]", run, run, run, run);
		buf_printf(&want, "[\n  \"%s\",\n  \"%sA%s\",\n  \"%s\"\n]\n", run, run, run, run);
		render_json(buf_slice(&json), &out);
		is_str(buf_text(&out), buf_text(&want), "strings of %d plain bytes are copied", len);
	}
}

static void test_depth(void)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	CLEANUP(buf_finish) struct buf want = BUF_INIT;
	CLEANUP(buf_finish) struct buf out = BUF_INIT;
	enum { DEPTH = 600 };
	for (int i = 0; i < DEPTH; i++) {
		buf_append_text(&json, "[[],");
		buf_printf(&want, "[\n%*s[],\n%*s", 2 * (i + 1), "", 2 * (i + 1), "");
	}
	buf_append_text(&json, "0");
	buf_append_text(&want, "0");
	for (int i = DEPTH - 1; i >= 0; i--) {
		buf_append_text(&json, "]");
		buf_printf(&want, "\n%*s]", 2 * i, "");
	}
	buf_append_text(&want, "\n");
	is_int(render_json(buf_slice(&json), &out), 0, "a deep document can be rendered");
	ok(slice_eq(buf_slice(&out), buf_slice(&want)), "a deep document, which grows a lot, is indented rightly");
}

/* Nobody may render what was not checked, but it must stay inside the buffer. */
static void test_broken(void)
{
	static const char *const broken[] = {"\"\\x", "\\x", "\\", "\\u", "\\ud83d\\u", ":",
					     "}",     "]]",  "{:", "[,",  "\"a\":",     ","};
	for (size_t i = 0; i < COUNT(broken); i++) {
		bool good = true;
		for (int times = 1; times < 100 && good; times++) {
			CLEANUP(buf_finish) struct buf json = BUF_INIT;
			CLEANUP(buf_finish) struct buf out = BUF_INIT;
			buf_append_char(&json, times % 2 ? '"' : '[');
			for (int n = 0; n < times; n++)
				buf_append_text(&json, broken[i]);
			good = render_json(buf_slice(&json), &out) == 0;
			good = good && out.len < out.cap && out.text[out.len] == '\0';
		}
		ok(good, "documents full of %s, which nobody checked, stay inside the buffer", broken[i]);
	}
}

static void test_no_memory(void)
{
	struct buf out = BUF_INIT;
	buf_append_text(&out, "before");
	out.failed = true;
	is_int(render_json(slice_of("[1]"), &out), -ENOMEM, "a failed buffer takes no rendering");
	is_str(buf_text(&out), "before", "a failed buffer keeps what it had");
	buf_finish(&out);
}

/* Whether the backslash at `at` begins an escape that JSON demands. */
static bool is_demanded(const char *at)
{
	if (at[1] == 'u')
		return strncmp(at, "\\u00", 4) == 0 || strncmp(at, "\\ud", 3) == 0;
	return at[1] != '\0' && strchr("\"\\bfnrt", at[1]);
}

/* Whether there is no escape but those, and no white space but that of the layout. `text` ends with a NUL. */
static bool is_minimal(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at == '\t' || *at == '\r')
			return false;
		if (*at == '\\' && !is_demanded(at++))
			return false;
	}
	return true;
}

static const char *what_is_wrong(struct slice json, const struct buf *canon)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	CLEANUP(buf_finish) struct buf again = BUF_INIT;
	CLEANUP(buf_finish) struct buf read = BUF_INIT;
	struct json_value value;
	if (render_json(json, &text) < 0)
		return "it cannot be rendered";
	if (json_check(buf_slice(&text), 100, &value, NULL) < 0 || json_check_utf8(buf_slice(&text), NULL) < 0)
		return "its rendering is not valid";
	if (!model_read(buf_slice(&text), &read) || !slice_eq(buf_slice(&read), buf_slice(canon)))
		return "its rendering has another value";
	if (value.text.len + 1 != text.len || text.text[text.len - 1] != '\n' || text.text[text.len] != '\0')
		return "its rendering does not end with one newline and a NUL";
	if (!is_minimal(buf_text(&text)))
		return "its rendering has escapes or white space without need";
	if (render_json(value.text, &again) < 0 || !slice_eq(buf_slice(&again), buf_slice(&text)))
		return "its rendering changes when it is rendered again";
	return NULL;
}

static bool renders_well(struct slice json, const struct buf *canon)
{
	const char *wrong = what_is_wrong(json, canon);
	if (wrong) {
		diag("%s", wrong);
		diag_slice("json", json);
	}
	return !wrong;
}

static void test_random(struct rng rng)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	CLEANUP(buf_finish) struct buf canon = BUF_INIT;
	long rounds = rng_rounds(5000);
	long good = 0;
	for (; good < rounds; good++) {
		buf_reset(&json);
		buf_reset(&canon);
		model_random(&rng, &json, &canon);
		if (!renders_well(buf_slice(&json), &canon))
			break;
	}
	is_int(good, rounds, "random documents are rendered: valid, the same by value, minimal, and once for all");
}

static void test_mutated(struct rng rng)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	CLEANUP(buf_finish) struct buf canon = BUF_INIT;
	long rounds = rng_rounds(20000);
	long good = 0;
	for (; good < rounds; good++) {
		CLEANUP(buf_finish) struct buf out = BUF_INIT;
		buf_reset(&json);
		buf_reset(&canon);
		model_random(&rng, &json, &canon);
		model_mutate(&rng, &json);
		/* Right up to the end of the memory, so that a sanitizer sees who reads on. */
		CLEANUP(cleanup_free) char *exact = malloc(json.len + 1);
		memcpy(exact + 1, json.text, json.len);
		struct slice mutant = slice_make(exact + 1, json.len);
		/* Nobody may render what was not checked, but it must not write where it should not either. */
		render_json(mutant, &out);
		struct json_value value;
		if (json_check(mutant, 100, &value, NULL) < 0 || json_check_utf8(mutant, NULL) < 0)
			continue;
		buf_reset(&canon);
		if (!model_read(mutant, &canon) || !renders_well(value.text, &canon))
			break;
	}
	is_int(good, rounds, "mutated documents that are still valid are rendered as well");
}

int main(void)
{
	struct rng rng = rng_create();
	test_renderings();
	test_appending();
	test_lengths();
	test_depth();
	test_broken();
	test_no_memory();
	test_random(rng);
	test_mutated(rng);
	return tap_done();
}
