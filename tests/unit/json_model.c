#include "json_model.h"

#include "util/utf8.h"

#include <ctype.h>

void canon_string_unit(struct buf *canon, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef";
	char hex[4] = {digits[unit >> 12 & 0xf], digits[unit >> 8 & 0xf], digits[unit >> 4 & 0xf], digits[unit & 0xf]};
	buf_append(canon, hex, sizeof(hex));
}

void canon_code(struct buf *canon, uint32_t code)
{
	if (code >= 0x10000) {
		canon_string_unit(canon, 0xd800 + ((code - 0x10000) >> 10));
		canon_string_unit(canon, 0xdc00 + ((code - 0x10000) & 0x3ff));
	} else {
		canon_string_unit(canon, code);
	}
}

/* ---- reading ---- */

struct reader {
	const char *at;
	const char *end;
	struct buf *canon;
};

static bool read_value(struct reader *r);

static int peek(const struct reader *r)
{
	return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != (unsigned char)c)
		return false;
	r->at++;
	return true;
}

static void space(struct reader *r)
{
	while (take(r, ' ') || take(r, '\t') || take(r, '\r') || take(r, '\n'))
		;
}

static bool read_word(struct reader *r, const char *word)
{
	for (const char *c = word; *c; c++)
		if (!take(r, *c))
			return false;
	buf_printf(r->canon, "%s;", word);
	return true;
}

static bool take_digits(struct reader *r)
{
	const char *start = r->at;
	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
	return r->at > start;
}

static bool read_number(struct reader *r)
{
	const char *start = r->at;
	take(r, '-');
	if (!take(r, '0') && !take_digits(r))
		return false;
	if (take(r, '.') && !take_digits(r))
		return false;
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+'))
			take(r, '-');
		if (!take_digits(r))
			return false;
	}
	buf_append(r->canon, start, (size_t)(r->at - start));
	buf_append_char(r->canon, ';');
	return true;
}

static bool read_hex4(struct reader *r)
{
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		int c = tolower(peek(r));
		if (c >= '0' && c <= '9')
			unit = unit * 16 + (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			unit = unit * 16 + (uint32_t)(c - 'a' + 10);
		else
			return false;
		r->at++;
	}
	canon_string_unit(r->canon, unit);
	return true;
}

static bool read_escape(struct reader *r)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	if (take(r, 'u'))
		return read_hex4(r);
	for (size_t i = 0; letters[i]; i++) {
		if (take(r, letters[i])) {
			canon_string_unit(r->canon, (unsigned char)meant[i]);
			return true;
		}
	}
	return false;
}

/* Bytes that are not UTF-8 are described as units beyond Unicode, because json_check leaves them to json_check_utf8. */
static void read_character(struct reader *r)
{
	const unsigned char *b = (const unsigned char *)r->at;
	size_t len = utf8_length(r->at, (size_t)(r->end - r->at));
	r->at += len > 0 ? len : 1;
	if (len == 0)
		buf_printf(r->canon, "!%02x", b[0]);
	else if (len == 1)
		canon_code(r->canon, b[0]);
	else if (len == 2)
		canon_code(r->canon, (b[0] & 0x1fu) << 6 | (b[1] & 0x3fu));
	else if (len == 3)
		canon_code(r->canon, (b[0] & 0x0fu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu));
	else
		canon_code(r->canon,
			   (b[0] & 0x07u) << 18 | (b[1] & 0x3fu) << 12 | (b[2] & 0x3fu) << 6 | (b[3] & 0x3fu));
}

static bool read_string(struct reader *r)
{
	if (!take(r, '"'))
		return false;
	buf_append_char(r->canon, '"');
	while (!take(r, '"')) {
		if (peek(r) < 0x20)
			return false;
		if (take(r, '\\')) {
			if (!read_escape(r))
				return false;
		} else {
			read_character(r);
		}
	}
	buf_append_char(r->canon, '"');
	return true;
}

static bool read_member(struct reader *r)
{
	space(r);
	if (!read_string(r))
		return false;
	space(r);
	return take(r, ':') && read_value(r);
}

static bool read_all(struct reader *r, char open, char close, bool (*read_one)(struct reader *))
{
	take(r, open);
	buf_append_char(r->canon, open);
	space(r);
	if (!take(r, close)) {
		do {
			if (!read_one(r))
				return false;
		} while (take(r, ','));
		if (!take(r, close))
			return false;
	}
	buf_append_char(r->canon, close);
	return true;
}

static bool read_bare_value(struct reader *r)
{
	switch (peek(r)) {
	case '{':
		return read_all(r, '{', '}', read_member);
	case '[':
		return read_all(r, '[', ']', read_value);
	case '"':
		return read_string(r);
	case 't':
		return read_word(r, "true");
	case 'f':
		return read_word(r, "false");
	case 'n':
		return read_word(r, "null");
	default:
		return read_number(r);
	}
}

static bool read_value(struct reader *r)
{
	space(r);
	if (!read_bare_value(r))
		return false;
	space(r);
	return true;
}

bool model_read(struct slice text, struct buf *canon)
{
	struct reader r = {text.at, text.at + text.len, canon};
	if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	return read_value(&r) && r.at == r.end;
}

/* ---- writing at random ---- */

struct writer {
	struct rng *rng;
	struct buf *text;
	struct buf *canon;
};

static void write_value(struct writer *w, int depth);

static void write_space(struct writer *w)
{
	if (rng_once_in(w->rng, 3))
		for (size_t i = rng_below(w->rng, 12); i > 0; i--)
			buf_append_char(w->text, " \t\r\n"[rng_below(w->rng, 4)]);
}

static void write_word(struct writer *w, const char *word)
{
	buf_append_text(w->text, word);
	buf_printf(w->canon, "%s;", word);
}

static void write_digits(struct writer *w, struct buf *number)
{
	for (size_t i = 1 + rng_below(w->rng, rng_once_in(w->rng, 8) ? 30 : 4); i > 0; i--)
		buf_append_char(number, (char)('0' + rng_below(w->rng, 10)));
}

static void write_number(struct writer *w)
{
	struct buf number = BUF_INIT;
	if (rng_once_in(w->rng, 3))
		buf_append_char(&number, '-');
	if (rng_once_in(w->rng, 4)) {
		buf_append_char(&number, '0');
	} else {
		buf_append_char(&number, (char)('1' + rng_below(w->rng, 9)));
		write_digits(w, &number);
	}
	if (rng_once_in(w->rng, 3)) {
		buf_append_char(&number, '.');
		write_digits(w, &number);
	}
	if (rng_once_in(w->rng, 4)) {
		buf_append_char(&number, "eE"[rng_below(w->rng, 2)]);
		buf_append_text(&number, (const char *[]){"", "+", "-"}[rng_below(w->rng, 3)]);
		write_digits(w, &number);
	}
	write_word(w, buf_text(&number));
	buf_finish(&number);
}

static uint32_t random_code(struct rng *rng)
{
	static const uint32_t edges[] = {0,      0x1f,   0x7f,   0x80,   0x9f,   0x7ff,   0x800,   0x2028,
					 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff, 0x10000, 0x1f600, 0x10ffff,
					 '"',    '\\',   '/',    '\b',   '\f',   '\n',    '\r',    '\t'};
	switch (rng_below(rng, 8)) {
	case 0:
		return edges[rng_below(rng, sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return 0xd800 + (uint32_t)rng_below(rng, 0x800);
	case 2:
		return (uint32_t)rng_below(rng, 0x110000);
	case 3:
		return (uint32_t)rng_below(rng, 0x20);
	default:
		return 0x20 + (uint32_t)rng_below(rng, 0x5f);
	}
}

static void write_unit(struct writer *w, uint32_t unit)
{
	buf_printf(w->text, rng_once_in(w->rng, 2) ? "\\u%04x" : "\\u%04X", (unsigned int)unit);
}

static bool write_short_escape(struct writer *w, uint32_t code)
{
	static const char meant[] = "\"\\/\b\f\n\r\t";
	const char *found = code > 0 && code < 0x80 ? strchr(meant, (int)code) : NULL;
	if (!found)
		return false;
	buf_append_char(w->text, '\\');
	buf_append_char(w->text, "\"\\/bfnrt"[found - meant]);
	return true;
}

static void write_character(struct writer *w, uint32_t code)
{
	bool surrogate = code >= 0xd800 && code <= 0xdfff;
	bool must = code < 0x20 || code == '"' || code == '\\' || surrogate;
	canon_code(w->canon, code);
	if (!must && !rng_once_in(w->rng, 6)) {
		char bytes[UTF8_BYTES_MAX];
		buf_append(w->text, bytes, (size_t)(utf8_put(bytes, code) - bytes));
		return;
	}
	if (rng_once_in(w->rng, 2) && write_short_escape(w, code))
		return;
	if (code >= 0x10000) {
		write_unit(w, 0xd800 + ((code - 0x10000) >> 10));
		write_unit(w, 0xdc00 + ((code - 0x10000) & 0x3ff));
	} else {
		write_unit(w, code);
	}
}

static void write_string(struct writer *w)
{
	buf_append_char(w->text, '"');
	buf_append_char(w->canon, '"');
	for (size_t i = rng_below(w->rng, rng_once_in(w->rng, 10) ? 100 : 12); i > 0; i--)
		write_character(w, random_code(w->rng));
	buf_append_char(w->text, '"');
	buf_append_char(w->canon, '"');
}

static void write_all(struct writer *w, char open, char close, int depth)
{
	buf_append_char(w->text, open);
	buf_append_char(w->canon, open);
	write_space(w);
	for (size_t i = rng_below(w->rng, 6); i > 0; i--) {
		if (open == '{') {
			write_space(w);
			write_string(w);
			write_space(w);
			buf_append_char(w->text, ':');
		}
		write_value(w, depth - 1);
		if (i > 1)
			buf_append_char(w->text, ',');
	}
	buf_append_char(w->text, close);
	buf_append_char(w->canon, close);
}

static void write_value(struct writer *w, int depth)
{
	write_space(w);
	switch (rng_below(w->rng, depth > 0 ? 12 : 6)) {
	case 0:
		write_word(w, (const char *[]){"null", "true", "false"}[rng_below(w->rng, 3)]);
		break;
	case 1:
	case 2:
		write_number(w);
		break;
	case 3:
	case 4:
	case 5:
		write_string(w);
		break;
	case 6:
	case 7:
	case 8:
		write_all(w, '[', ']', depth);
		break;
	default:
		write_all(w, '{', '}', depth);
		break;
	}
	write_space(w);
}

void model_random(struct rng *rng, struct buf *text, struct buf *canon)
{
	struct writer w = {rng, text, canon};
	write_value(&w, (int)rng_below(rng, 8));
}

void model_mutate(struct rng *rng, struct buf *text)
{
	static const char telling[] = "{}[]\",:\\ \n\t0123456789-+.eEutrfalsn/b\x1f\x7f\xc3\xa9";
	for (size_t i = 1 + rng_below(rng, 4); i > 0 && text->len > 0; i--) {
		char *place = text->text + rng_below(rng, text->len);
		char byte = rng_once_in(rng, 4) ? rng_byte(rng) : telling[rng_below(rng, sizeof(telling) - 1)];
		size_t behind = (size_t)(text->text + text->len - place) - 1;
		if (rng_once_in(rng, 3)) {
			memmove(place, place + 1, behind);
			text->len--;
		} else {
			*place = byte;
		}
	}
}
