/*
 * Rendering: what comes out is valid, says what went in (numbers with their digits, keys in their order, each code unit
 * of each string; told by a second reader of JSON, which also has to agree on what is JSON at all), and is rendered to
 * itself.
 */
#include "fuzz.h"
#include "json_model.h"
#include "tree/render.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>

#define MODEL_DEPTH_MAX 500 /* the model calls itself */

/* Before anybody has checked it. */
static bool may_be_deep(struct slice text)
{
	size_t brackets = 0;
	for (size_t i = 0; i < text.len; i++)
		brackets += text.at[i] == '[' || text.at[i] == '{';
	return brackets > MODEL_DEPTH_MAX;
}

static void must_say_the_same(struct slice a, struct slice b)
{
	CLEANUP(buf_finish) struct buf canon_a = BUF_INIT;
	CLEANUP(buf_finish) struct buf canon_b = BUF_INIT;
	MUST(model_read(a, &canon_a) && model_read(b, &canon_b));
	MUST(slice_eq(buf_slice(&canon_a), buf_slice(&canon_b)));
}

/* A string is rendered as it is encoded by who has decoded it. */
static void check_string(struct json_value string, struct slice rendered)
{
	CLEANUP(buf_finish) struct buf decoded = BUF_INIT;
	CLEANUP(buf_finish) struct buf encoded = BUF_INIT;
	MUST(json_string_decode(string, &decoded) == 0);
	MUST(json_append_string(&encoded, buf_slice(&decoded)) == 0);
	buf_append_char(&encoded, '\n');
	MUST(slice_eq(buf_slice(&encoded), rendered));
}

static void check_rendering(struct json_value value)
{
	CLEANUP(buf_finish) struct buf once = BUF_INIT;
	CLEANUP(buf_finish) struct buf twice = BUF_INIT;
	struct json_value again;
	int rc = render_json(value.text, &once);
	if (rc == -E2BIG) {
		MUST(once.len == 0 && json_is_deeper(value, MODEL_DEPTH_MAX));
		return;
	}
	MUST(rc == 0);
	MUST(json_check(buf_slice(&once), JSON_ANY_DEPTH, &again, NULL) == 0);
	MUST(json_check_utf8(buf_slice(&once), NULL) == 0);
	MUST(again.text.at == once.text && again.text.len == once.len - 1 && once.text[once.len - 1] == '\n');
	MUST(render_json(again.text, &twice) == 0);
	MUST(slice_eq(buf_slice(&once), buf_slice(&twice)));
	if (!json_is_deeper(value, MODEL_DEPTH_MAX))
		must_say_the_same(value.text, again.text);
	if (value.type == JSON_STRING)
		check_string(value, buf_slice(&once));
}

/* Text that nobody checked gives nonsense, but harms nobody. */
static void render_unchecked(struct slice text)
{
	CLEANUP(buf_finish) struct buf out = BUF_INIT;
	int rc = render_json(text, &out);
	MUST(rc == 0 || rc == -E2BIG);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_make((const char *)bytes, len);
	struct json_value value;
	bool valid = json_check(text, JSON_ANY_DEPTH, &value, NULL) == 0;
	bool utf8 = json_check_utf8(text, NULL) == 0;
	bool marked = len > 0 && bytes[0] == 0xef; /* the model knows no byte order mark */
	if (!may_be_deep(text) && utf8 && !marked) {
		CLEANUP(buf_finish) struct buf canon = BUF_INIT;
		MUST(model_read(text, &canon) == valid);
	}
	if (valid && utf8)
		check_rendering(value);
	else
		render_unchecked(text);
	return 0;
}
