#include "tree/name.h"

#include "util/digest.h"
#include "util/utf8.h"

#include <stdbool.h>

#define SUFFIX_BYTES_MAX 16
#define ESCAPE_LEN 3
#define UNIT_BYTES_MAX (2 * ESCAPE_LEN)

#define HASH_MARK "%~"
#define HASH_MARK_LEN 2
#define HASH_DIGITS 32
#define HASH_PART_LEN (HASH_MARK_LEN + HASH_DIGITS)

static size_t put_escape(char *to, char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char b = (unsigned char)byte;
	to[0] = '%';
	to[1] = digits[b >> 4];
	to[2] = digits[b & 0xf];
	return ESCAPE_LEN;
}

static bool is_harmless(const char *at, size_t len)
{
	unsigned char first = (unsigned char)at[0];
	if (len == 1)
		return first >= 0x20 && first != 0x7f && first != '/' && first != '%';
	bool control = first == 0xc2 && (unsigned char)at[1] < 0xa0;
	return !control;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Writes what the first character of `raw` becomes, all of which is kept or cut together. Returns how many bytes were
 * read; *len says how many were written. */
static size_t encode_unit(struct slice raw, char unit[UNIT_BYTES_MAX], size_t *len)
{
	size_t taken = utf8_length(raw.at, raw.len);
	if (taken > 0 && is_harmless(raw.at, taken)) {
		memcpy(unit, raw.at, taken);
		*len = taken;
		return taken;
	}
	if (taken == 0)
		taken = 1;
	*len = 0;
	for (size_t i = 0; i < taken; i++)
		*len += put_escape(unit + *len, raw.at[i]);
	return taken;
}

static size_t put_hash(struct slice raw, char *to)
{
	memcpy(to, HASH_MARK, HASH_MARK_LEN);
	digest_hex(raw, to + HASH_MARK_LEN, HASH_DIGITS);
	return HASH_PART_LEN;
}

/* The part before the suffix, of at most `room` bytes. */
static size_t encode_stem(struct slice raw, size_t room, char *out)
{
	size_t len = 0;
	size_t cut = 0; /* how much of it stays if the hash has to follow */
	for (size_t at = 0; at < raw.len;) {
		char unit[UNIT_BYTES_MAX];
		size_t unit_len;
		at += encode_unit(slice_make(raw.at + at, raw.len - at), unit, &unit_len);
		if (len + unit_len > room)
			return cut + put_hash(raw, out + cut);
		memcpy(out + len, unit, unit_len);
		len += unit_len;
		if (len + HASH_PART_LEN <= room)
			cut = len;
	}
	return len;
}

size_t name_encode(struct slice raw, const char *suffix, char out[NAME_BYTES_MAX + 1])
{
	size_t suffix_len = strnlen(suffix, SUFFIX_BYTES_MAX);
	size_t len = 0;
	if (raw.len == 0)
		out[len++] = '%';
	else if (slice_is(raw, ".") || slice_is(raw, ".."))
		for (size_t i = 0; i < raw.len; i++)
			len += put_escape(out + len, raw.at[i]);
	else
		len = encode_stem(raw, NAME_BYTES_MAX - suffix_len, out);
	memcpy(out + len, suffix, suffix_len);
	len += suffix_len;
	out[len] = '\0';
	return len;
}

size_t name_encode_folder(struct slice raw, char out[NAME_BYTES_MAX + 1])
{
	static const char ending[] = ".json";
	const size_t len = sizeof(ending) - 1;
	if (raw.len < len || memcmp(raw.at + raw.len - len, ending, len) != 0)
		return name_encode(raw, "", out);
	return name_encode(slice_make(raw.at, raw.len - len), "%2Ejson", out);
}

/* The ending of a file's name with its dot; "" if it has none that programs would know. */
static void find_ending(struct slice raw, char ending[SUFFIX_BYTES_MAX + 1])
{
	size_t len = 0;
	while (len < raw.len && len < SUFFIX_BYTES_MAX && is_alphanumeric(raw.at[raw.len - 1 - len]))
		len++;
	bool found = len > 0 && len < SUFFIX_BYTES_MAX && len < raw.len - 1 && raw.at[raw.len - 1 - len] == '.';
	if (found)
		memcpy(ending, raw.at + raw.len - 1 - len, len + 1);
	ending[found ? len + 1 : 0] = '\0';
}

size_t name_encode_file(struct slice raw, char out[NAME_BYTES_MAX + 1])
{
	char ending[SUFFIX_BYTES_MAX + 1];
	size_t len = name_encode(raw, "", out);
	find_ending(raw, ending);
	/* The mark of a name that was cut stands in no other. */
	if (!ending[0] || !strstr(out, HASH_MARK))
		return len;
	return name_encode(slice_make(raw.at, raw.len - strlen(ending)), ending, out);
}

int32_t name_hash(struct slice name)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.at[i]) * 16777619u;
	return (int32_t)hash;
}
