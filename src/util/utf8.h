/* UTF-8, one character at a time (RFC 3629; the Unicode Standard, table 3-7). Inline for the sake of inner loops. */
#ifndef CONTENTFS_UTIL_UTF8_H
#define CONTENTFS_UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BYTES_MAX 4

static inline bool utf8_is_tail(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/*
 * How many bytes (1 to 4) the character at `text` takes, of which `left` (1 or more) bytes are there. 0 if there is
 * none: a stray tail byte, something cut short, overlong, a surrogate, or over U+10FFFF.
 */
static inline size_t utf8_length(const char *text, size_t left)
{
	const unsigned char *b = (const unsigned char *)text;
	if (b[0] < 0x80)
		return 1;
	if (b[0] < 0xc2 || b[0] > 0xf4 || left < 2 || !utf8_is_tail(b[1]))
		return 0;
	if (b[0] < 0xe0)
		return 2;
	if (left < 3 || !utf8_is_tail(b[2]))
		return 0;
	if (b[0] < 0xf0) {
		bool overlong = b[0] == 0xe0 && b[1] < 0xa0;
		bool surrogate = b[0] == 0xed && b[1] >= 0xa0;
		return overlong || surrogate ? 0 : 3;
	}
	if (left < 4 || !utf8_is_tail(b[3]))
		return 0;
	bool overlong = b[0] == 0xf0 && b[1] < 0x90;
	bool beyond = b[0] == 0xf4 && b[1] >= 0x90;
	return overlong || beyond ? 0 : 4;
}

/* Whether the three bytes at `text` have the form of a surrogate (ED A0 80 to ED BF BF), which UTF-8 does not allow. */
static inline bool utf8_is_surrogate(const char *text, size_t left)
{
	const unsigned char *b = (const unsigned char *)text;
	return left >= 3 && b[0] == 0xed && b[1] >= 0xa0 && b[1] <= 0xbf && utf8_is_tail(b[2]);
}

/* Writes `code` (up to U+10FFFF; a surrogate in its three-byte form) at `to`, which has room for UTF8_BYTES_MAX.
 * Returns the place behind it. */
static inline char *utf8_put(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | (code >> 6));
		*to++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*to++ = (char)(0xe0 | (code >> 12));
		*to++ = (char)(0x80 | ((code >> 6) & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	} else {
		*to++ = (char)(0xf0 | (code >> 18));
		*to++ = (char)(0x80 | ((code >> 12) & 0x3f));
		*to++ = (char)(0x80 | ((code >> 6) & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	return to;
}

#endif
