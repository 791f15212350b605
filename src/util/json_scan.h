/*
 * The inner loops of reading JSON text, shared by json*.c and whoever rewrites checked text (tree/render.c). Strings
 * make up most of the bytes that the service sends, so their plain bytes are looked at eight at a time.
 */
#ifndef CONTENTFS_UTIL_JSON_SCAN_H
#define CONTENTFS_UTIL_JSON_SCAN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *json_skip_space(const char *at, const char *end)
{
	while (at < end && (unsigned char)*at <= ' ' && json_is_space(*at))
		at++;
	return at;
}

/* Whether a byte inside a string has a meaning of its own: the quote, the backslash, or a control character. */
static inline bool json_is_special(char c)
{
	return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

#define JSON_WORD sizeof(uint64_t)

/*
 * The same for the eight bytes of a word in memory order: 0 if none is special, else the lowest set bit is the top bit
 * of the first one that is. (Higher bits may be wrong: the subtractions borrow from the byte above a hit, never from
 * the one above a miss.)
 */
static inline uint64_t json_special_bits(uint64_t word)
{
	const uint64_t each = 0x0101010101010101u;
	word = le64toh(word);
	uint64_t quote = word ^ each * '"';
	uint64_t backslash = word ^ each * '\\';
	uint64_t hits = ((quote - each) & ~quote) | ((backslash - each) & ~backslash) | ((word - each * 0x20) & ~word);
	return hits & each * 0x80;
}

/* Which byte of the word the first hit is. `bits` is not 0. */
static inline size_t json_first_special(uint64_t bits)
{
	return (size_t)__builtin_ctzll(bits) / 8;
}

/* The first special byte from `at` on, or `end`. */
static inline const char *json_skip_plain(const char *at, const char *end)
{
	while ((size_t)(end - at) >= JSON_WORD) {
		uint64_t word;
		memcpy(&word, at, JSON_WORD);
		uint64_t bits = json_special_bits(word);
		if (bits)
			return at + json_first_special(bits);
		at += JSON_WORD;
	}
	while (at < end && !json_is_special(*at))
		at++;
	return at;
}

/*
 * Reads the escape whose backslash is at `at` (before `end`) and returns the place behind it. Two escapes that make up
 * one character beyond U+FFFF are read together; *code is a surrogate only if its partner is missing. In text that was
 * not checked a broken escape is a question mark. In any case the character in UTF-8 is no longer than its escape, and
 * nothing at or behind `end` is read.
 */
const char *json_read_escape(const char *at, const char *end, uint32_t *code);

/* The four hexadecimal digits at `digits`, or -1 if they are not that. */
int json_hex4(const char *digits);

#endif
