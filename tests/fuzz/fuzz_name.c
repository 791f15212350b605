/*
 * File names. The first byte chooses the suffix, the second where the rest is cut into two raw names: both become valid
 * names, different ones if they differ. What was not cut short can be turned back.
 */
#include "fuzz.h"
#include "tree/name.h"
#include "util/cleanup.h"
#include "util/json.h"

static const char *const suffixes[] = {"", ".json", ".a-long-suffix.x"};

static void check_name(const char *name, size_t len, const char *suffix)
{
	MUST(len > 0 && len <= NAME_BYTES_MAX && len == strlen(name) && !strchr(name, '/'));
	MUST(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
	MUST(strcmp(name + len - strlen(suffix), suffix) == 0);
	MUST(json_check_utf8(slice_make(name, len), NULL) == 0);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		MUST(c >= 0x20 && c != 0x7f && (c != 0xc2 || (unsigned char)name[i + 1] >= 0xa0));
	}
}

static int hex(char digit)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = memchr(digits, digit, 16);
	MUST(at);
	return (int)(at - digits);
}

static void check_way_back(struct slice raw, const char *name, size_t len)
{
	CLEANUP(buf_finish) struct buf back = BUF_INIT;
	bool empty = len == 1 && name[0] == '%';
	for (size_t i = 0; i < len && !empty; i++) {
		char c = name[i];
		if (c == '%') {
			c = (char)(hex(name[i + 1]) << 4 | hex(name[i + 2]));
			i += 2;
		}
		buf_append_char(&back, c);
	}
	MUST(slice_eq(buf_slice(&back), raw));
}

static void check_pair(struct slice a, struct slice b, const char *suffix)
{
	char name_a[NAME_BYTES_MAX + 1];
	char name_b[NAME_BYTES_MAX + 1];
	size_t len_a = name_encode(a, suffix, name_a);
	size_t len_b = name_encode(b, suffix, name_b);
	check_name(name_a, len_a, suffix);
	check_name(name_b, len_b, suffix);
	MUST((strcmp(name_a, name_b) == 0) == slice_eq(a, b));
	if (!strstr(name_a, "%~"))
		check_way_back(a, name_a, len_a - strlen(suffix));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	const char *suffix = suffixes[bytes[0] % (sizeof(suffixes) / sizeof(suffixes[0]))];
	struct slice raw = slice_make((const char *)bytes + 2, len - 2);
	size_t cut = (size_t)bytes[1] * raw.len / 255;
	struct slice a = slice_make(raw.at, cut);
	struct slice b = slice_make(raw.at + cut, raw.len - cut);
	check_pair(a, b, suffix);
	check_pair(raw, a, suffix);
	/* A raw name may look like the name that another one gets. */
	char name[NAME_BYTES_MAX + 1];
	size_t name_len = name_encode(raw, suffix, name);
	check_pair(raw, slice_make(name, name_len), suffix);
	check_pair(raw, slice_make(name, name_len - strlen(suffix)), suffix);
	return 0;
}
