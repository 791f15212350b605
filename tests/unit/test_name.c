#include "random.h"
#include "tap.h"
#include "tree/name.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A literal that may hold NUL. */
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		literal, sizeof(literal) - 1                                                                           \
	}

static const struct {
	const char *name;
	struct slice raw;
	const char *suffix;
	const char *want;
} names[] = {
	{"a uid stays as it is", TEXT("blt0a1b2c3d4e5f6a7b"), ".json", "blt0a1b2c3d4e5f6a7b.json"},
	{"a locale stays as it is", TEXT("en-us"), "", "en-us"},
	{"a file name with spaces and signs stays", TEXT("My photo (1), 50\xe2\x82\xac & more~!#$'\"\\*?<>|:;.png"), "",
	 "My photo (1), 50\xe2\x82\xac & more~!#$'\"\\*?<>|:;.png"},
	{"letters of all scripts stay", TEXT("\xc3\xa9\xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x98\x80"), "",
	 "\xc3\xa9\xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x98\x80"},
	{"a slash is escaped", TEXT("a/b"), "", "a%2Fb"},
	{"a path upwards is escaped", TEXT("../../etc/passwd"), "", "..%2F..%2Fetc%2Fpasswd"},
	{"a percent sign is escaped", TEXT("100%"), "", "100%25"},
	{"what looks like an escape is escaped", TEXT("a%2Fb"), "", "a%252Fb"},
	{"what looks like a hash is escaped", TEXT("a%~00"), "", "a%25~00"},
	{"a NUL is escaped", TEXT("a\0b"), "", "a%00b"},
	{"control characters are escaped", TEXT("\x01\t\n\x1f\x7f"), "", "%01%09%0A%1F%7F"},
	{"controls of two bytes are escaped", TEXT("\xc2\x80\xc2\x9b\xc2\x9f"), "", "%C2%80%C2%9B%C2%9F"},
	{"the first character behind them is not", TEXT("\xc2\xa0"), "", "\xc2\xa0"},
	{"a tail byte alone is escaped", TEXT("\x80"), "", "%80"},
	{"bytes that are never in UTF-8 are escaped", TEXT("\xc0\xfe\xff"), "", "%C0%FE%FF"},
	{"a character cut short is escaped", TEXT("a\xe2\x82"), "", "a%E2%82"},
	{"a character cut by a letter is escaped", TEXT("\xe2\x82z"), "", "%E2%82z"},
	{"an overlong slash is escaped", TEXT("\xc0\xaf"), "", "%C0%AF"},
	{"a surrogate is escaped", TEXT("\xed\xa0\x80"), "", "%ED%A0%80"},
	{"this directory is escaped", TEXT("."), "", "%2E"},
	{"the directory above is escaped", TEXT(".."), "", "%2E%2E"},
	{"they are so before a suffix, too", TEXT(".."), ".json", "%2E%2E.json"},
	{"three dots stay", TEXT("..."), "", "..."},
	{"a dot before a name stays", TEXT(".htaccess"), "", ".htaccess"},
	{"an empty name is a percent sign", TEXT(""), "", "%"},
	{"an empty name with a suffix is, too", TEXT(""), ".json", "%.json"},
	{"a percent sign is not an empty name", TEXT("%"), "", "%25"},
};

static void test_names(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		char out[NAME_BYTES_MAX + 1];
		size_t len = name_encode(names[i].raw, names[i].suffix, out);
		is_str(out, names[i].want, "%s", names[i].name);
		is_int((long long)len, (long long)strlen(names[i].want), "the length is right: %s", names[i].name);
	}
	char out[NAME_BYTES_MAX + 1];
	name_encode(slice_make(NULL, 0), "", out);
	is_str(out, "%", "no bytes at all are an empty name");
}

/* Long names: "a" so many times, the unit, "b" so many times. */
static const struct {
	const char *name;
	size_t lead;
	const char *unit;
	size_t trail;
	const char *suffix;
	size_t kept;      /* bytes before the hash, or before the suffix */
	const char *end;  /* the last of them */
	const char *hash; /* as sha256sum has it; NULL: the name is not cut */
} long_names[] = {
	{"255 bytes fit", 255, "", 0, "", 255, "aa", NULL},
	{"256 bytes are cut", 256, "", 0, "", 221, "aa", "02d7160d77e18c6447be80c2e355c7ed"},
	{"250 bytes and a suffix fit", 250, "", 0, ".json", 250, "aa", NULL},
	{"251 bytes and a suffix are cut", 251, "", 0, ".json", 216, "aa", "772f911dd9d6692897188d0b03f718fb"},
	{"an escape that just fits", 252, "/", 0, "", 255, "a%2F", NULL},
	{"an escape that is one byte too long", 253, "/", 0, "", 221, "aa", "80e440b9250a07f664325732ed80b852"},
	{"an escape that ends at the cut", 218, "/", 60, "", 221, "a%2F", "a7a97152c7eb66147eb7aa265f77ff93"},
	{"an escape that lies across the cut", 219, "/", 60, "", 219, "aa", "5206784a09c154d12b512af2dd572cfa"},
	{"an escape that begins at the cut", 221, "/", 60, "", 221, "aa", "05d597668a2c07edbbed4a2834bd945c"},
	{"a character that ends at the cut", 218, "\xe2\x82\xac", 60, "", 221, "a\xe2\x82\xac",
	 "d6712ffe5f4d5e987e7b5101b729ccb4"},
	{"a character that lies across the cut", 219, "\xe2\x82\xac", 60, "", 219, "aa",
	 "6e5a8d8b3d52c1b5da448af29fd0e648"},
	{"four bytes that lie across the cut", 218, "\xf0\x9f\x98\x80", 60, "", 218, "aa",
	 "fbf1948416af20973fc32b7dacd15bf4"},
	{"a control of two bytes across the cut goes as one", 217, "\xc2\x85", 60, "", 217, "aa",
	 "2c85ecf515cf81c11cd537561798dd97"},
	{"a control of two bytes that ends at the cut", 215, "\xc2\x85", 60, "", 221, "a%C2%85",
	 "5c415096d1a8f84e1c7c300f5f304762"},
	{"a character that just fits", 252, "\xe2\x82\xac", 0, "", 255, "a\xe2\x82\xac", NULL},
	{"a character that is one byte too long", 253, "\xe2\x82\xac", 0, "", 221, "aa",
	 "27364b05e2cfd7fbaa762afa13fe814b"},
	{"a very long name", 100000, "", 0, ".json", 216, "aa", "6d1cf22d7cc09b085dfc25ee1a1f3ae0"},
};

static void test_long_names(void)
{
	for (size_t i = 0; i < COUNT(long_names); i++) {
		CLEANUP(buf_finish) struct buf raw = BUF_INIT;
		CLEANUP(buf_finish) struct buf tail = BUF_INIT;
		char out[NAME_BYTES_MAX + 1];
		for (size_t n = 0; n < long_names[i].lead; n++)
			buf_append_char(&raw, 'a');
		buf_append_text(&raw, long_names[i].unit);
		for (size_t n = 0; n < long_names[i].trail; n++)
			buf_append_char(&raw, 'b');
		buf_append_text(&tail, long_names[i].end);
		if (long_names[i].hash)
			buf_printf(&tail, "%%~%s", long_names[i].hash);
		buf_append_text(&tail, long_names[i].suffix);
		size_t want = long_names[i].kept + tail.len - strlen(long_names[i].end);
		size_t len = name_encode(buf_slice(&raw), long_names[i].suffix, out);
		is_int((long long)len, (long long)want, "%s: the length", long_names[i].name);
		is_str(len > tail.len ? out + len - tail.len : out, buf_text(&tail), "%s", long_names[i].name);
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What the name was made from, read back by the rules of name.h. False if it was cut, or no name at all. */
static bool decode(struct slice name, struct buf *raw)
{
	buf_reset(raw);
	if (slice_is(name, "%"))
		return true;
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] != '%') {
			buf_append_char(raw, name.at[i]);
			continue;
		}
		int high = i + 2 < name.len ? hex_value(name.at[i + 1]) : -1;
		int low = i + 2 < name.len ? hex_value(name.at[i + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		buf_append_char(raw, (char)(high << 4 | low));
		i += 2;
	}
	return true;
}

static bool is_file_name(struct slice name)
{
	if (name.len == 0 || name.len > NAME_BYTES_MAX || slice_is(name, ".") || slice_is(name, ".."))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];
		unsigned char next = i + 1 < name.len ? (unsigned char)name.at[i + 1] : 0;
		if (c < 0x20 || c == 0x7f || c == '/' || (c == 0xc2 && next < 0xa0))
			return false;
	}
	return json_check_utf8(name, NULL) == 0;
}

/* The place of the hash in a name that was cut, or NULL. */
static const char *find_hash(struct slice stem)
{
	enum { PART = 34 };
	if (stem.len < PART || memcmp(stem.at + stem.len - PART, "%~", 2) != 0)
		return NULL;
	for (size_t i = stem.len - PART + 2; i < stem.len; i++)
		if (!strchr("0123456789abcdef", stem.at[i]))
			return NULL;
	return stem.at + stem.len - PART;
}

/* What a name must be, whatever it was made from. NULL, or what is wrong. */
static const char *what_is_wrong(struct slice raw, const char *suffix)
{
	CLEANUP(buf_finish) struct buf back = BUF_INIT;
	char out[NAME_BYTES_MAX + 1];
	char again[NAME_BYTES_MAX + 1];
	struct slice name = slice_make(out, name_encode(raw, suffix, out));
	if (!is_file_name(name) || out[name.len] != '\0')
		return "it is not a file name";
	if (name_encode(raw, suffix, again) != name.len || memcmp(again, out, name.len + 1) != 0)
		return "it comes out differently the second time";
	struct slice stem = slice_make(out, name.len - strlen(suffix));
	if (strcmp(out + stem.len, suffix) != 0)
		return "it does not end with the suffix";
	const char *hash = find_hash(stem);
	if (!decode(hash ? slice_make(stem.at, (size_t)(hash - stem.at)) : stem, &back))
		return "it has a broken escape";
	if (hash && name.len < NAME_BYTES_MAX - 5)
		return "it is cut shorter than it has to be";
	if (hash ? back.len >= raw.len || memcmp(back.text, raw.at, back.len) != 0 : !slice_eq(buf_slice(&back), raw))
		return "it does not say what it was made from";
	return NULL;
}

static bool is_well_named(struct slice raw)
{
	const char *wrong = what_is_wrong(raw, "");
	if (!wrong)
		wrong = what_is_wrong(raw, ".json");
	if (!wrong)
		wrong = what_is_wrong(raw, ".sixteen_bytes_x");
	if (wrong) {
		char out[NAME_BYTES_MAX + 1];
		name_encode(raw, "", out);
		diag("%s", wrong);
		diag_slice("raw", raw);
		diag_slice("name", slice_of(out));
	}
	return !wrong;
}

static void test_single_bytes(void)
{
	int byte = 0;
	for (; byte < 256; byte++) {
		char c = (char)byte;
		if (!is_well_named(slice_make(&c, 1)))
			break;
	}
	is_int(byte, 256, "each single byte makes a good name");
}

static void test_pairs(void)
{
	long good = 0;
	for (; good < 65536; good++) {
		char pair[] = {(char)(good >> 8), (char)good};
		if (!is_well_named(slice_make(pair, 2)))
			break;
	}
	is_int(good, 65536, "each pair of bytes makes a good name");
}

static const struct slice units[] = {
	TEXT("a"),
	TEXT("/"),
	TEXT("%"),
	TEXT("\0"),
	TEXT("\xff"),
	TEXT("\xc3\xa9"),
	TEXT("\xe2\x82\xac"),
	TEXT("\xf0\x9f\x98\x80"),
	TEXT("\xc2\x85"),
	TEXT("\xe2\x82"),
	TEXT("."),
	TEXT("%~"),
	TEXT("%2F"),
};

/* Names around the bound, of each unit behind each number of "a", so that each unit lies everywhere over the cut. */
static void test_bound(void)
{
	for (size_t u = 0; u < COUNT(units); u++) {
		char raw[400];
		bool good = true;
		for (size_t lead = 0; lead < 12 && good; lead++) {
			size_t len = lead;
			memset(raw, 'a', lead);
			for (; len + units[u].len < 300 && good; len += units[u].len) {
				memcpy(raw + len, units[u].at, units[u].len);
				good = is_well_named(slice_make(raw, len + units[u].len));
			}
		}
		ok(good, "names full of unit %zu are good around the bound", u);
	}
}

/* A set of names with what they were made from, to see whether two came from different ones. */
struct pair {
	char *raw;
	size_t raw_len;
	char name[NAME_BYTES_MAX + 1];
};

struct pairs {
	struct pair *at;
	size_t count;
	size_t room;
};

static void pairs_add(struct pairs *pairs, struct slice raw)
{
	if (pairs->count == pairs->room)
		return;
	struct pair *p = &pairs->at[pairs->count++];
	p->raw = malloc(raw.len + 1);
	p->raw_len = raw.len;
	memcpy(p->raw, raw.at, raw.len);
	name_encode(raw, "", p->name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

/* How many neighbours have one name, made from different ones. Frees them all. */
static long pairs_finish(struct pairs *pairs)
{
	long clashes = 0;
	qsort(pairs->at, pairs->count, sizeof(pairs->at[0]), compare_names);
	for (size_t i = 1; i < pairs->count; i++) {
		const struct pair *a = &pairs->at[i - 1];
		const struct pair *b = &pairs->at[i];
		if (strcmp(a->name, b->name) != 0 ||
		    slice_eq(slice_make(a->raw, a->raw_len), slice_make(b->raw, b->raw_len)))
			continue;
		clashes++;
		diag("two for the name %s", a->name);
		diag_slice("one", slice_make(a->raw, a->raw_len));
		diag_slice("two", slice_make(b->raw, b->raw_len));
	}
	for (size_t i = 0; i < pairs->count; i++)
		free(pairs->at[i].raw);
	free(pairs->at);
	return clashes;
}

static struct slice random_raw(struct rng *rng, char *bytes, size_t room)
{
	size_t most = rng_once_in(rng, 3) ? room : 6;
	size_t want = rng_below(rng, most);
	size_t len = 0;
	while (len < want) {
		struct slice unit = units[rng_below(rng, COUNT(units))];
		char byte = rng_byte(rng);
		if (rng_once_in(rng, 2))
			unit = slice_make(&byte, 1);
		if (len + unit.len > room)
			break;
		memcpy(bytes + len, unit.at, unit.len);
		len += unit.len;
	}
	return slice_make(bytes, len);
}

/* Random names, the encodings of them as names again, and what differs from them in one byte. */
static void test_random(struct rng rng)
{
	long rounds = rng_rounds(20000);
	struct pairs pairs = {.room = (size_t)rounds * 4};
	pairs.at = calloc(pairs.room, sizeof(pairs.at[0]));
	long good = 0;
	for (; good < rounds; good++) {
		char bytes[400];
		char name[NAME_BYTES_MAX + 1];
		char second[NAME_BYTES_MAX + 1];
		struct slice raw = random_raw(&rng, bytes, sizeof(bytes));
		if (!is_well_named(raw))
			break;
		pairs_add(&pairs, raw);
		struct slice once = slice_make(name, name_encode(raw, "", name));
		if (!is_well_named(once))
			break;
		pairs_add(&pairs, once);
		pairs_add(&pairs, slice_make(second, name_encode(once, "", second)));
		if (raw.len > 0)
			bytes[rng_below(&rng, raw.len)] = rng_byte(&rng);
		pairs_add(&pairs, raw);
	}
	is_int(good, rounds, "random bytes and the names that were made from them make good names");
	size_t count = pairs.count;
	is_int(pairs_finish(&pairs), 0, "no two of %zu random names come out as one", count);
}

/* Whatever two bytes come between others, no two names become one. */
static void test_neighbours(void)
{
	static const char *const rest[] = {"", "2F", "~0123456789abcdef0123456789abcdef"};
	struct pairs pairs = {.room = COUNT(rest) * 65536 + 256};
	pairs.at = calloc(pairs.room, sizeof(pairs.at[0]));
	for (size_t r = 0; r < COUNT(rest); r++) {
		char raw[64];
		strcpy(raw + 2, rest[r]);
		for (long n = 0; n < 65536; n++) {
			raw[0] = (char)(n >> 8);
			raw[1] = (char)n;
			pairs_add(&pairs, slice_make(raw, 2 + strlen(rest[r])));
		}
	}
	for (int byte = 0; byte < 256; byte++)
		pairs_add(&pairs, slice_make((char[]){(char)byte}, 1));
	is_int((long long)pairs.count, (long long)pairs.room, "all pairs of bytes, and more behind them, have names");
	is_int(pairs_finish(&pairs), 0, "no two of them have the same");
}

/* A short name that is what a long one comes out as must not come out the same. */
static void test_forgery(void)
{
	char raw[300];
	char name[NAME_BYTES_MAX + 1];
	char forged[NAME_BYTES_MAX + 1];
	memset(raw, 'a', sizeof(raw));
	struct slice cut = slice_make(name, name_encode(slice_make(raw, sizeof(raw)), "", name));
	name_encode(cut, "", forged);
	ok(strcmp(name, forged) != 0, "a name that looks like one that was cut comes out differently");
}

/* --- assets ------------------------------------------------------------------------------------------------------- */

static void test_folders(void)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{"blt1", "blt1"},
		{"x.json", "x%2Ejson"},
		{"x.json.json", "x.json%2Ejson"},
		{".json", "%%2Ejson"},
		{"x.JSON", "x.JSON"},
		{"json", "json"},
		{"a/b.json", "a%2Fb%2Ejson"},
		{"..", "%2E%2E"},
		{"x%2Ejson", "x%252Ejson"},
		{"", "%"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char name[NAME_BYTES_MAX + 1];
		size_t len = name_encode_folder(slice_of(rows[i].raw), name);
		is_str(name, rows[i].want, "the folder of an asset: %s", rows[i].raw);
		is_int((long long)len, (long long)strlen(name), "and its length");
	}
}

/* A file's name is like any other, but when it is too long its ending stays. */
static void test_files(void)
{
	static const struct {
		const char *start, *ending, *want_end;
	} rows[] = {
		{"a", ".pdf", ".pdf"},
		{"a", ".tar.gz", ".gz"},
		{"a", ".PNG", ".PNG"},
		{"\xe4\xb8\xad", ".jpg", ".jpg"},
		{"a", ".x-y", NULL},
		{"a", ".", NULL},
		{"a", ".fifteenletters1", ".fifteenletters1"},
		{"a", ".sixteenletters12", NULL},
		{"/", ".m4v", ".m4v"},
	};
	static const char *const short_names[] = {"a.png",        ".png",  "a.",  "..",    ".",      "a/b.c",
						  "\xc3\xa9.jpg", "a.b.c", "%.x", "..txt", "...txt", "%~.png"};
	char name[NAME_BYTES_MAX + 1];
	char plain[NAME_BYTES_MAX + 1];
	for (size_t i = 0; i < COUNT(short_names); i++) {
		name_encode_file(slice_of(short_names[i]), name);
		name_encode(slice_of(short_names[i]), "", plain);
		is_str(name, plain, "a short name is like any other: %s", short_names[i]);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		char raw[1024] = "";
		while (strlen(raw) < 600)
			strcat(raw, rows[i].start);
		strcat(raw, rows[i].ending);
		size_t len = name_encode_file(slice_of(raw), name);
		name_encode(slice_of(raw), "", plain);
		ok(len <= NAME_BYTES_MAX && len == strlen(name), "a long one ending in %s fits", rows[i].ending);
		if (rows[i].want_end)
			is_str(name + len - strlen(rows[i].want_end), rows[i].want_end, "and keeps its ending");
		else
			is_str(name, plain, "what is no ending is cut like any other name");
	}
}

int main(void)
{
	struct rng rng = rng_create();
	test_names();
	test_long_names();
	test_single_bytes();
	test_pairs();
	test_bound();
	test_random(rng);
	test_neighbours();
	test_forgery();
	test_folders();
	test_files();
	return tap_done();
}
