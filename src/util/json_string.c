/* JSON strings: decoding, comparing and writing them. What a lone surrogate becomes is said in json.h. */
#include "util/json.h"
#include "util/json_scan.h"
#include "util/utf8.h"

#include <errno.h>
#include <stdint.h>

#define REPLACEMENT_TEXT "\xef\xbf\xbd"

/* What a broken escape stands for in text that was not checked: one byte, no more than the least that it can take,
 * since decoding makes room for as many bytes as the text has. */
#define BROKEN '?'

/* Set in the table for each hexadecimal digit beside its value, so that four of them are tested with one &. */
#define HEX 0x10

static const unsigned char hex_digit[256] = {
	['0'] = HEX | 0,  ['1'] = HEX | 1,  ['2'] = HEX | 2,  ['3'] = HEX | 3,  ['4'] = HEX | 4,  ['5'] = HEX | 5,
	['6'] = HEX | 6,  ['7'] = HEX | 7,  ['8'] = HEX | 8,  ['9'] = HEX | 9,  ['a'] = HEX | 10, ['b'] = HEX | 11,
	['c'] = HEX | 12, ['d'] = HEX | 13, ['e'] = HEX | 14, ['f'] = HEX | 15, ['A'] = HEX | 10, ['B'] = HEX | 11,
	['C'] = HEX | 12, ['D'] = HEX | 13, ['E'] = HEX | 14, ['F'] = HEX | 15,
};

int json_hex4(const char *digits)
{
	const unsigned char *d = (const unsigned char *)digits;
	int a = hex_digit[d[0]], b = hex_digit[d[1]], c = hex_digit[d[2]], e = hex_digit[d[3]];
	if (!(a & b & c & e & HEX))
		return -1;
	return (a & 0xf) << 12 | (b & 0xf) << 8 | (c & 0xf) << 4 | (e & 0xf);
}

/* The code unit of the \uXXXX at `at`, or -1 if there is no such escape. */
static int read_unit(const char *at, const char *end)
{
	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	return json_hex4(at + 2);
}

static const char *read_unicode(const char *at, const char *end, uint32_t *code)
{
	int unit = read_unit(at, end);
	if (unit < 0) {
		*code = BROKEN;
		return at + 2;
	}
	at += 6;
	*code = (uint32_t)unit;
	if (unit < 0xd800 || unit > 0xdbff)
		return at;
	int low = read_unit(at, end);
	if (low < 0xdc00 || low > 0xdfff)
		return at;
	*code = 0x10000u + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return at + 6;
}

static uint32_t short_escape(char letter)
{
	switch (letter) {
	case '"':
	case '\\':
	case '/':
		return (unsigned char)letter;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return BROKEN;
	}
}

const char *json_read_escape(const char *at, const char *end, uint32_t *code)
{
	if (end - at < 2) {
		*code = BROKEN;
		return end;
	}
	if (at[1] == 'u')
		return read_unicode(at, end, code);
	*code = short_escape(at[1]);
	return at + 2;
}

/* What is between the quotes. */
static struct slice inside(struct json_value string)
{
	if (string.type != JSON_STRING || string.text.len < 2)
		return slice_make("", 0);
	return slice_make(string.text.at + 1, string.text.len - 2);
}

static bool escaped_string_is(struct slice raw, struct slice want)
{
	const char *at = raw.at;
	const char *end = at + raw.len;
	while (at < end) {
		char decoded[UTF8_BYTES_MAX];
		struct slice part;
		if (*at == '\\') {
			uint32_t code;
			at = json_read_escape(at, end, &code);
			part = slice_make(decoded, (size_t)(utf8_put(decoded, code) - decoded));
		} else {
			const char *stop = memchr(at, '\\', (size_t)(end - at));
			part = slice_make(at, (size_t)((stop ? stop : end) - at));
			at += part.len;
		}
		if (part.len > want.len || memcmp(part.at, want.at, part.len) != 0)
			return false;
		want = slice_make(want.at + part.len, want.len - part.len);
	}
	return want.len == 0;
}

bool json_string_is(struct json_value string, const char *text)
{
	if (string.type != JSON_STRING)
		return false;
	struct slice raw = inside(string);
	struct slice want = slice_of(text);
	if (memchr(raw.at, '\\', raw.len))
		return escaped_string_is(raw, want);
	return slice_eq(raw, want);
}

int json_string_decode(struct json_value string, struct buf *out)
{
	if (string.type != JSON_STRING)
		return -EINVAL;
	struct slice raw = inside(string);
	/* No escape stands for more bytes than it has itself. */
	if (buf_reserve(out, raw.len) < 0)
		return -ENOMEM;
	const char *at = raw.at;
	const char *end = at + raw.len;
	char *to = out->text + out->len;
	while (at < end) {
		const char *stop = memchr(at, '\\', (size_t)(end - at));
		size_t run = (size_t)((stop ? stop : end) - at);
		memcpy(to, at, run);
		to += run;
		at += run;
		if (at < end) {
			uint32_t code;
			at = json_read_escape(at, end, &code);
			to = utf8_put(to, code);
		}
	}
	*to = '\0';
	out->len = (size_t)(to - out->text);
	return 0;
}

/* The first byte that cannot be written as it is: one that JSON wants escaped, or one that is not UTF-8. */
static const char *skip_writable(const char *at, const char *end)
{
	while (at < end && !json_is_special(*at)) {
		size_t len = utf8_length(at, (size_t)(end - at));
		if (len == 0)
			break;
		at += len;
	}
	return at;
}

/* Writes what skip_writable stopped at. Returns how many bytes of the text that was. */
static size_t append_escape(struct buf *out, const char *at, size_t left)
{
	static const char letters[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	unsigned char c = (unsigned char)*at;
	if (c == '"' || c == '\\') {
		buf_append(out, (char[]){'\\', (char)c}, 2);
	} else if (c < 0x20 && letters[c]) {
		buf_append(out, (char[]){'\\', letters[c]}, 2);
	} else if (c < 0x20) {
		buf_printf(out, "\\u%04x", c);
	} else if (utf8_is_surrogate(at, left)) {
		unsigned int unit = 0xd000u | (unsigned int)(at[1] & 0x3f) << 6 | (unsigned int)(at[2] & 0x3f);
		buf_printf(out, "\\u%04x", unit);
		return 3;
	} else {
		buf_append_text(out, REPLACEMENT_TEXT);
	}
	return 1;
}

int json_append_string(struct buf *out, struct slice text)
{
	const char *at = text.len > 0 ? text.at : "";
	const char *end = at + text.len;
	if (buf_reserve(out, text.len + 2) < 0)
		return -ENOMEM;
	buf_append_char(out, '"');
	while (at < end) {
		const char *stop = skip_writable(at, end);
		buf_append(out, at, (size_t)(stop - at));
		at = stop;
		if (at < end)
			at += append_escape(out, at, (size_t)(end - at));
	}
	return buf_append_char(out, '"');
}
