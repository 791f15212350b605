/* Ranges, and what an answer's head says of them. */
#include "assets/range.h"
#include "assets/verdict.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIB (1 << 20)

static void test_headers(void)
{
	static const struct {
		const char *header;
		bool fine;
		struct content_range want;
	} rows[] = {
		{"bytes 0-499/1234", true, {0, 500, 1234}},
		{" Bytes  0-0/1 ", true, {0, 1, 1}},
		{"bytes 5-9/*", true, {5, 10, -1}},
		{"bytes */1234", true, {-1, -1, 1234}},
		{"bytes */0", true, {-1, -1, 0}},
		{"bytes 0-499/499", false, {0}},
		{"bytes 9-5/100", false, {0}},
		{"bytes */*", false, {0}},
		{"bytes -5/10", false, {0}},
		{"bytes 5-/10", false, {0}},
		{"bytes 0-4", false, {0}},
		{"bytes 0-4/", false, {0}},
		{"bytes 0-4/10, 6-7/10", false, {0}},
		{"bytes=0-4/10", false, {0}},
		{"lines 0-4/10", false, {0}},
		{"bytes 0-99999999999999999999/99999999999999999999", false, {0}},
		{"", false, {0}},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct content_range got = {0};
		is_int(content_range_read(rows[i].header, &got), rows[i].fine, "\"%s\" %s", rows[i].header,
		       rows[i].fine ? "is understood" : "is not");
		is_int(got.begin, rows[i].want.begin, "begin");
		is_int(got.end, rows[i].want.end, "end");
		is_int(got.total, rows[i].want.total, "total");
	}
}

static void test_windows(void)
{
	static const struct {
		const char *name;
		struct range before;
		int64_t begin, wanted, size, max;
		struct range want;
	} rows[] = {
		{"the first", {0, 0}, 0, 4096, 80 * MIB, WINDOW_MAX, {0, MIB}},
		{"at the end", {0, 0}, 80 * MIB, 80 * MIB + 5, 80 * MIB + 5, WINDOW_MAX, {80 * MIB, 80 * MIB + 5}},
		{"the second", {0, MIB}, MIB, MIB + 1, 80 * MIB, WINDOW_MAX, {MIB, 3 * MIB}},
		{"the last size", {0, 8 * MIB}, 8 * MIB, 8 * MIB + 1, 80 * MIB, WINDOW_MAX, {8 * MIB, 16 * MIB}},
		{"a small limit", {0, MIB}, MIB, MIB + 1, 80 * MIB, WINDOW_MIN, {MIB, 2 * MIB}},
		{"a jump", {0, 8 * MIB}, 40 * MIB, 40 * MIB + 1, 80 * MIB, WINDOW_MAX, {40 * MIB, 41 * MIB}},
		{"a jump back", {8 * MIB, 16 * MIB}, MIB, MIB + 1, 80 * MIB, WINDOW_MAX, {MIB, 2 * MIB}},
		{"a large read", {0, 0}, 0, 3 * MIB - 5, 80 * MIB, WINDOW_MAX, {0, 3 * MIB}},
		{"a very large read", {0, 0}, 0, 70 * MIB, 80 * MIB, WINDOW_MAX, {0, 8 * MIB}},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct range got =
			range_window(rows[i].before, rows[i].begin, rows[i].wanted, rows[i].size, rows[i].max);
		is_int(got.begin, rows[i].want.begin, "%s window: begin", rows[i].name);
		is_int(got.end, rows[i].want.end, "%s window: end", rows[i].name);
	}
}

static void test_heads(void)
{
	static const struct range first = {0, 100};
	static const struct range later = {100, 200};
	static const struct {
		const char *name;
		struct http_answer head;
		const struct range *asked;
		enum verdict verdict;
		int64_t begin, end, total;
	} rows[] = {
		{"all", {.status = 200, .length = 9}, NULL, VERDICT_BYTES, 0, 9, 9},
		{"all, without a length", {.status = 200, .length = -1}, NULL, VERDICT_BYTES, 0, -1, -1},
		{"all instead of a range", {.status = 200, .length = 900}, &later, VERDICT_BYTES, 0, 900, 900},
		{"a range",
		 {.status = 206, .length = 100, .content_range = "bytes 100-199/900"},
		 &later,
		 VERDICT_BYTES,
		 100,
		 200,
		 900},
		{"a range in chunks",
		 {.status = 206, .length = -1, .content_range = "bytes 100-149/*"},
		 &later,
		 VERDICT_BYTES,
		 100,
		 150,
		 -1},
		{"another range",
		 {.status = 206, .length = 100, .content_range = "bytes 100-199/900"},
		 &first,
		 VERDICT_RETRY,
		 0,
		 0,
		 -1},
		{"a range of another length",
		 {.status = 206, .length = 99, .content_range = "bytes 0-99/900"},
		 &first,
		 VERDICT_RETRY,
		 0,
		 0,
		 -1},
		{"a range nobody asked for",
		 {.status = 206, .length = 100, .content_range = "bytes 0-99/900"},
		 NULL,
		 VERDICT_RETRY,
		 0,
		 0,
		 -1},
		{"no range", {.status = 206, .length = 100}, &first, VERDICT_RETRY, 0, 0, -1},
		{"beyond", {.status = 416, .content_range = "bytes */50"}, &later, VERDICT_BEYOND, 0, 0, 50},
		{"beyond what", {.status = 416}, &later, VERDICT_BEYOND, 0, 0, -1},
		{"beyond all", {.status = 416}, NULL, VERDICT_FAIL, 0, 0, -1},
		{"encoded", {.status = 200, .content_encoding = "gzip"}, NULL, VERDICT_FAIL, 0, 0, -1},
		{"encoded as itself",
		 {.status = 200, .content_encoding = "Identity", .length = 9},
		 NULL,
		 VERDICT_BYTES,
		 0,
		 9,
		 9},
		{"moved", {.status = 308}, NULL, VERDICT_REDIRECT, 0, 0, -1},
		{"not modified", {.status = 304}, NULL, VERDICT_FAIL, 0, 0, -1},
		{"no content", {.status = 204}, NULL, VERDICT_FAIL, 0, 0, -1},
		{"bad request", {.status = 400}, NULL, VERDICT_FAIL, 0, 0, -1},
		{"forbidden", {.status = 403}, NULL, VERDICT_FAIL, 0, 0, -1},
		{"gone", {.status = 410}, NULL, VERDICT_FAIL, 0, 0, -1},
		{"too slow", {.status = 408}, NULL, VERDICT_RETRY, 0, 0, -1},
		{"too many", {.status = 429}, NULL, VERDICT_RETRY, 0, 0, -1},
		{"broken", {.status = 500}, NULL, VERDICT_RETRY, 0, 0, -1},
		{"overloaded", {.status = 599}, NULL, VERDICT_RETRY, 0, 0, -1},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {0};
		struct judgement got = judge_head(&rows[i].head, rows[i].asked, TOKEN_NONE, &err);
		is_int(got.verdict, rows[i].verdict, "%s: verdict", rows[i].name);
		is_int(got.begin, rows[i].begin, "%s: begin", rows[i].name);
		is_int(got.end, rows[i].end, "%s: end", rows[i].name);
		is_int(got.total, rows[i].total, "%s: total", rows[i].name);
		ok((got.verdict == VERDICT_RETRY || got.verdict == VERDICT_FAIL) == (err.text[0] != '\0'),
		   "%s: a reason where there should be one: %s", rows[i].name, err.text);
	}
}

static void test_refusals(void)
{
	static const struct {
		enum token_use token;
		const char *says;
	} rows[] = {
		{TOKEN_NONE, "try --secure-assets"},
		{TOKEN_SENT, "refuses the token"},
		{TOKEN_WITHHELD, "none of the stack's asset hosts"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct http_answer head = {.status = 403};
		struct err err = {0};
		is_int(judge_head(&head, NULL, rows[i].token, &err).verdict, VERDICT_FAIL, "a refusal");
		ok(strstr(err.text, rows[i].says) != NULL, "says what to do: %s", err.text);
	}
}

static void test_media(void)
{
	static const struct {
		const char *got, *want;
		bool page;
	} rows[] = {
		{"image/png", "image/png", false},
		{"", "image/png", false},
		{"text/html", "image/png", true},
		{"Text/HTML; charset=utf-8", "image/png", true},
		{"application/xhtml+xml", "image/png", true},
		{"application/json", "image/png", true},
		{"application/json", "application/geo+json", false},
		{"application/json;charset=utf-8", "Application/JSON", false},
		{"application/json", "text/plain", false},
		{"text/html", "Text/HTML; q=1", false},
		{"text/html", "", false},
		{"text/html", "text/plain", true},
		{"application/octet-stream", "image/png", false},
		{"image/x-png", "image/png", false},
		{"text/htmlx", "image/png", false},
		{"text/plain; charset=utf-8", "image/png", true},
		{"text/plain", "video/mp4", true},
		{"text/plain", "text/csv", false},
		{"text/plain", "application/pdf", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(media_is_page(rows[i].got, slice_of(rows[i].want)), rows[i].page, "\"%s\" for \"%s\"",
		       rows[i].got, rows[i].want);
}

static void test_belief(void)
{
	static const struct {
		const char *name;
		int64_t claimed, known;
		const char *etag;
		struct {
			int64_t total;
			const char *etag;
			bool sure;
			enum hearing want;
		} heard[4];
		size_t count;
		int64_t size;
		int64_t learnt; /* in place of what is claimed; 0: nothing was */
	} rows[] = {
		{"as claimed", 5, -1, "", {{5, "a", false, HEARD_FIRST}, {5, "a", true, HEARD_THE_SAME}}, 2, 5},
		{"no claim", -1, -1, "", {{5, "a", true, HEARD_FIRST}}, 1, 5},
		{"no claim, unsure", -1, -1, "", {{5, "", false, HEARD_DOUBT}, {5, "", false, HEARD_FIRST}}, 2, 5},
		{"twice another", 5, -1, "", {{7, "", true, HEARD_DOUBT}, {7, "", true, HEARD_FIRST}}, 2, 7},
		{"once another", 5, -1, "", {{3, "", true, HEARD_DOUBT}, {5, "", true, HEARD_FIRST}}, 2, 5},
		{"always another", 5, -1, "", {{3, "", true, HEARD_DOUBT}, {4, "", true, HEARD_DOUBT}}, 2, -1},
		{"a changed tag", 5, 5, "a", {{5, "b", true, HEARD_DOUBT}, {5, "b", true, HEARD_CHANGED}}, 2, 5},
		{"a changed size", 5, 5, "a", {{6, "b", true, HEARD_DOUBT}, {6, "b", true, HEARD_CHANGED}}, 2, 6},
		{"another size under the same tag",
		 5,
		 5,
		 "\"a\"",
		 {{4, "\"a\"", true, HEARD_DOUBT}, {4, "\"a\"", true, HEARD_DOUBT}},
		 2,
		 5},
		{"where the record says nothing",
		 -1,
		 5,
		 "\"a\"",
		 {{4, "\"a\"", true, HEARD_DOUBT}, {4, "\"a\"", true, HEARD_CHANGED}},
		 2,
		 4},
		{"which the record has",
		 4,
		 5,
		 "\"a\"",
		 {{4, "\"a\"", true, HEARD_DOUBT}, {4, "\"a\"", true, HEARD_CHANGED}},
		 2,
		 4},
		{"which the record has, though another was learnt",
		 4,
		 5,
		 "\"a\"",
		 {{4, "\"a\"", true, HEARD_DOUBT}, {4, "\"a\"", true, HEARD_CHANGED}},
		 2,
		 4,
		 5},
		{"no tag", 5, 5, "a", {{5, "", true, HEARD_THE_SAME}}, 1, 5},
		{"a time for a tag", 5, 5, "\"a\"", {{5, "Mon, 01 Jan", true, HEARD_THE_SAME}}, 1, 5},
		{"another time", 5, 5, "Mon, 01 Jan", {{5, "Tue, 02 Jan", true, HEARD_DOUBT}}, 1, 5},
		{"a slip",
		 5,
		 5,
		 "a",
		 {{6, "b", true, HEARD_DOUBT}, {5, "a", true, HEARD_THE_SAME}, {6, "b", true, HEARD_DOUBT}},
		 3,
		 5},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct belief belief = {
			.claimed = rows[i].learnt ? rows[i].learnt : rows[i].claimed,
			.recorded = rows[i].claimed,
			.known.size = rows[i].known,
			.doubted.size = -1,
		};
		strcpy(belief.known.etag, rows[i].etag);
		for (size_t k = 0; k < rows[i].count; k++)
			is_int(belief_hear(&belief, rows[i].heard[k].total, rows[i].heard[k].etag,
					   rows[i].heard[k].sure),
			       rows[i].heard[k].want, "%s: word %zu", rows[i].name, k + 1);
		is_int(belief.known.size, rows[i].size, "%s: size", rows[i].name);
	}
}

/* Of what was known, only the mark of its tag is left. */
static void test_marks(void)
{
	static const struct {
		const char *name, *left;
		int64_t total;
		const char *etag;
		enum hearing want;
		const char *known; /* from then on */
	} rows[] = {
		{"the same tag", "\"a\"", 5, "\"a\"", HEARD_THE_SAME, "\"a\""},
		{"another tag", "\"a\"", 5, "\"b\"", HEARD_DOUBT, ""},
		{"another size under the same tag", "\"a\"", 6, "\"a\"", HEARD_DOUBT, ""},
		{"no tag any more", "\"a\"", 5, "", HEARD_THE_SAME, ""},
		{"a time for a tag", "\"a\"", 5, "Mon, 01 Jan", HEARD_THE_SAME, ""},
		{"the same time", "Mon, 01 Jan", 5, "Mon, 01 Jan", HEARD_THE_SAME, "Mon, 01 Jan"},
		{"another time", "Mon, 01 Jan", 5, "Tue, 02 Jan", HEARD_DOUBT, ""},
		{"a weak tag", "W/\"a\"", 5, "W/\"a\"", HEARD_THE_SAME, "W/\"a\""},
		{"no tag, and none before", "", 5, "", HEARD_THE_SAME, ""},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct belief belief = {
			.claimed = 5,
			.recorded = 5,
			.known = {.size = 5, .mark = tag_mark(rows[i].left)},
			.doubted.size = -1,
		};
		is_int(belief_hear(&belief, rows[i].total, rows[i].etag, true), rows[i].want, "%s", rows[i].name);
		is_str(belief.known.etag, rows[i].known, "%s: what is known", rows[i].name);
	}
}

static void test_questions(void)
{
	static const struct {
		int64_t claimed, doubted, want;
	} rows[] = {
		{10, 5, 5}, {-1, 5, 5}, {5, 0, 0}, {0, 5, 0}, {5, PIECE_BYTES, 0}, {5, PIECE_BYTES + 1, PIECE_BYTES},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct belief belief = {.claimed = rows[i].claimed, .doubted.size = rows[i].doubted};
		is_int(belief_question(&belief).begin, rows[i].want, "%lld claimed, %lld heard",
		       (long long)rows[i].claimed, (long long)rows[i].doubted);
	}
}

int main(void)
{
	test_headers();
	test_windows();
	test_heads();
	test_refusals();
	test_media();
	test_belief();
	test_marks();
	test_questions();
	return tap_done();
}
