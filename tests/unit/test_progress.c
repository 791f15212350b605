/* What a line of progress says, and what it leaves out where there is no room. */
#include "app/progress_text.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FIRST .what = "first sync", .unit = "items"

static const struct {
	const char *name;
	struct progress_count count;
	unsigned columns;
	const char *want;
} lines[] = {
	{"all of it",
	 {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000},
	 120,
	 "first sync  [=================>                      ]  42%  12,345 of 28,900 items  14 s left  1,235/s"},
	{"80 columns",
	 {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000},
	 80,
	 "first sync  [====>     ]  42%  12,345 of 28,900 items  14 s left  1,235/s"},
	{"no room for a bar",
	 {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000},
	 66,
	 "first sync  42%  12,345 of 28,900 items  14 s left  1,235/s"},
	{"nor for the rate",
	 {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000},
	 54,
	 "first sync  42%  12,345 of 28,900 items  14 s left"},
	{"nor for the time",
	 {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000},
	 42,
	 "first sync  42%  12,345 of 28,900 items"},
	{"nor for the numbers", {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000}, 28, "first sync  42%"},
	{"just what it is", {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000}, 12, "first sync"},
	{"or a part of that", {FIRST, .done = 1, .total = 2, .elapsed_ms = 10000}, 6, "first"},
	{"one column", {FIRST, .done = 1, .total = 2, .elapsed_ms = 10000}, 1, "f"},
	{"no columns", {FIRST, .done = 1, .total = 2, .elapsed_ms = 10000}, 0, "f"},
	{"no total", {FIRST, .done = 12345, .elapsed_ms = 10000}, 80, "first sync  12,345 items  1,235/s"},
	{"a total that was too small",
	 {FIRST, .done = 12345, .total = 12344, .elapsed_ms = 10000},
	 80,
	 "first sync  12,345 items  1,235/s"},
	{"the end",
	 {FIRST, .done = 500, .total = 500, .elapsed_ms = 10000},
	 80,
	 "first sync  [==============================]  100%  500 of 500 items  50/s"},
	{"the beginning", {FIRST, .total = 500}, 50, "first sync  [>         ]  0%  0 of 500 items"},
	{"nearly all is not all",
	 {FIRST, .done = 999999, .total = 1000000},
	 48,
	 "first sync  99%  999,999 of 1,000,000 items"},
	{"too early for a rate",
	 {FIRST, .done = 100, .total = 500, .elapsed_ms = 499},
	 40,
	 "first sync  20%  100 of 500 items"},
	{"what was done before is no speed of ours",
	 {FIRST, .done = 1100, .before = 1000, .total = 2100, .elapsed_ms = 1000},
	 58,
	 "first sync  52%  1,100 of 2,100 items  10 s left  100/s"},
	{"nothing done yet",
	 {FIRST, .done = 1000, .before = 1000, .total = 2000, .elapsed_ms = 60000},
	 44,
	 "first sync  50%  1,000 of 2,000 items"},
	{"a wait",
	 {FIRST, .done = 10, .total = 20, .elapsed_ms = 1000, .waiting = "the rate limit of the service"},
	 81,
	 "first sync  50%  10 of 20 items  waiting for the rate limit of the service  10/s"},
	{"bytes",
	 {.what = "fetching", .unit = "assets", .done = 3, .total = 12, .bytes = 3400000, .elapsed_ms = 1000},
	 60,
	 "fetching  25%  3 of 12 assets  3 s left  3/s  3.4 MB"},
	{"bytes of a total, which assets share unevenly",
	 {.what = "fetching",
	  .unit = "assets",
	  .done = 11,
	  .total = 12,
	  .bytes = 20000000,
	  .bytes_before = 10000000,
	  .bytes_total = 100000000,
	  .elapsed_ms = 1000},
	 74,
	 "fetching  20%  11 of 12 assets  8 s left  10.0 MB/s  20.0 MB of 100 MB"},
	{"more bytes than the records say",
	 {.what = "fetching",
	  .unit = "assets",
	  .done = 3,
	  .total = 12,
	  .bytes = 3400000,
	  .bytes_total = 3000000,
	  .elapsed_ms = 1000},
	 60,
	 "fetching  25%  3 of 12 assets  3 s left  3/s  3.4 MB"},
	{"the last bytes of what is not done yet",
	 {.what = "fetching", .unit = "assets", .done = 11, .total = 12, .bytes = 5000, .bytes_total = 5000},
	 40,
	 "fetching  99%  11 of 12 assets"},
	{"numbers without end",
	 {FIRST, .done = UINT64_MAX - 1, .total = UINT64_MAX, .elapsed_ms = INT64_MAX},
	 88,
	 "first sync  99%  18,446,744,073,709,551,614 of 18,446,744,073,709,551,615 items"},
};

static void test_lines(void)
{
	char line[PROGRESS_LINE_SIZE];
	for (size_t i = 0; i < COUNT(lines); i++) {
		is_str(progress_line(&lines[i].count, lines[i].columns, false, line), lines[i].want, "%s",
		       lines[i].name);
		ok(lines[i].columns < 2 || strlen(line) < lines[i].columns, "%s: leaves the last column",
		   lines[i].name);
	}
}

/* A window can be drawn to any width. */
static void test_widths(void)
{
	struct progress_count count = {FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000, .bytes = 5};
	char line[PROGRESS_LINE_SIZE];
	char plain[PROGRESS_LINE_SIZE];
	unsigned too_long = 0;
	unsigned other = 0;
	memset(count.waiting, 'w', sizeof(count.waiting) - 1);
	for (unsigned columns = 0; columns < 2000; columns++) {
		progress_line(&count, columns, false, plain);
		progress_line(&count, columns, true, line);
		too_long += strlen(plain) >= (columns < 2 ? 2 : columns);
		char *begin = strstr(line, "\033[32m");
		char *end = strstr(line, "\033[0m");
		if (begin && end) { /* without the sequences it is the same */
			memmove(end, end + 4, strlen(end + 4) + 1);
			memmove(begin, begin + 5, strlen(begin + 5) + 1);
		}
		other += strcmp(line, plain) != 0;
	}
	is_int(too_long, 0, "no width is filled or passed");
	is_int(other, 0, "colour takes no columns");
}

static const struct {
	struct progress_count count;
	const char *want;
} sentences[] = {
	{{FIRST, .done = 12345, .total = 28900, .elapsed_ms = 10000},
	 "first sync: 12,345 of 28,900 items, 42%, 1,235/s, 14 s left"},
	{{FIRST, .done = 5, .elapsed_ms = 10000, .waiting = "another try"},
	 "first sync: 5 items, 1/s, waiting for another try"},
	{{.what = "fetching", .unit = "assets", .done = 1, .total = 2, .bytes = 1500},
	 "fetching: 1 of 2 assets, 50%, 1.5 kB"},
};

static void test_sentences(void)
{
	char text[PROGRESS_LINE_SIZE];
	for (size_t i = 0; i < COUNT(sentences); i++)
		is_str(progress_sentence(&sentences[i].count, text), sentences[i].want, "the sentence '%s'",
		       sentences[i].want);
}

int main(void)
{
	test_lines();
	test_widths();
	test_sentences();
	return tap_done();
}
