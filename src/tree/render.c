/*
 * The text is rewritten token by token: once it is known to be well formed, the tokens alone say where lines begin, and
 * no stack is needed. What makes it fast: bytes are written straight into the buffer, and room is asked for only where
 * the output can get longer than the input: where a line begins, and behind a colon. Text that was not checked gives
 * nonsense, but stays inside the buffer as well.
 */
#include "tree/render.h"

#include "util/json_scan.h"
#include "util/utf8.h"

#include <errno.h>

#define INDENT 2

struct renderer {
	const char *at;
	const char *end;
	char *to; /* inside out->text; what is left of the input, a newline and a NUL always fit behind it */
	struct buf *out;
	size_t start; /* where in out->text the rendering begins */
	size_t depth;
};

/* Makes the promise of `to` true for `extra` more bytes. */
static int ensure_room(struct renderer *r, size_t extra)
{
	size_t used = (size_t)(r->to - r->out->text);
	if (used - r->start > RENDER_BYTES_MAX)
		return -E2BIG;
	size_t need = extra + (size_t)(r->end - r->at) + 1;
	if (need < r->out->cap - used)
		return 0;
	r->out->len = used;
	if (buf_reserve(r->out, need) < 0)
		return -ENOMEM;
	r->to = r->out->text + used;
	return 0;
}

static int begin_line(struct renderer *r)
{
	size_t spaces = r->depth * INDENT;
	int rc = ensure_room(r, 1 + spaces);
	if (rc < 0)
		return rc;
	*r->to++ = '\n';
	memset(r->to, ' ', spaces);
	r->to += spaces;
	return 0;
}

/* Copies string bytes up to one that has a meaning of its own. */
static void copy_plain(struct renderer *r)
{
	while ((size_t)(r->end - r->at) >= JSON_WORD) {
		uint64_t word;
		memcpy(&word, r->at, JSON_WORD);
		memcpy(r->to, &word, JSON_WORD);
		uint64_t bits = json_special_bits(word);
		size_t plain = bits ? json_first_special(bits) : JSON_WORD;
		r->at += plain;
		r->to += plain;
		if (bits)
			return;
	}
	while (r->at < r->end && !json_is_special(*r->at))
		*r->to++ = *r->at++;
}

static char *put_unit(char *to, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef";
	*to++ = '\\';
	*to++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*to++ = digits[unit >> shift & 0xf];
	return to;
}

/* Writes one character that was escaped in the source, in no more bytes than it had there. */
static char *put_character(char *to, uint32_t code)
{
	static const char letters[] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\'};
	if (code < sizeof(letters) && letters[code]) {
		*to++ = '\\';
		*to++ = letters[code];
		return to;
	}
	if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff))
		return put_unit(to, code);
	return utf8_put(to, code);
}

static void render_string(struct renderer *r)
{
	*r->to++ = *r->at++;
	for (;;) {
		copy_plain(r);
		if (r->at == r->end)
			return;
		if (*r->at != '\\') {
			*r->to++ = *r->at++;
			return;
		}
		uint32_t code;
		r->at = json_read_escape(r->at, r->end, &code);
		r->to = put_character(r->to, code);
	}
}

static bool is_punctuation(char c)
{
	return c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']' || c == '"' || json_is_space(c);
}

/* A number, true, false or null, as it is. */
static void render_word(struct renderer *r)
{
	do
		*r->to++ = *r->at++;
	while (r->at < r->end && !is_punctuation(*r->at));
}

static int render_open(struct renderer *r)
{
	*r->to++ = *r->at++;
	r->at = json_skip_space(r->at, r->end);
	if (r->at < r->end && (*r->at == '}' || *r->at == ']')) {
		*r->to++ = *r->at++;
		return 0;
	}
	r->depth++;
	return begin_line(r);
}

static int render_close(struct renderer *r)
{
	if (r->depth > 0)
		r->depth--;
	int rc = begin_line(r);
	if (rc < 0)
		return rc;
	*r->to++ = *r->at++;
	return 0;
}

static int render_colon(struct renderer *r)
{
	int rc = ensure_room(r, 1);
	if (rc < 0)
		return rc;
	*r->to++ = *r->at++;
	*r->to++ = ' ';
	return 0;
}

static int render_token(struct renderer *r)
{
	switch (*r->at) {
	case '"':
		render_string(r);
		return 0;
	case '{':
	case '[':
		return render_open(r);
	case '}':
	case ']':
		return render_close(r);
	case ',':
		*r->to++ = *r->at++;
		return begin_line(r);
	case ':':
		return render_colon(r);
	default:
		render_word(r);
		return 0;
	}
}

int render_json(struct slice json, struct buf *out)
{
	struct renderer r = {.at = json.at, .end = json.at + json.len, .out = out};
	/* Compact text of the API grows by about a third. */
	if (buf_reserve(out, json.len + json.len / 2 + 1) < 0)
		return -ENOMEM;
	r.start = out->len;
	r.to = out->text + r.start;
	while ((r.at = json_skip_space(r.at, r.end)) < r.end) {
		int rc = render_token(&r);
		if (rc < 0) {
			out->len = r.start;
			out->text[r.start] = '\0';
			return rc;
		}
	}
	*r.to++ = '\n';
	*r.to = '\0';
	out->len = (size_t)(r.to - out->text);
	return 0;
}
