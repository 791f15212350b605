#include "app/progress_text.h"

#include "util/human.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BAR_STEP 10 /* columns: it does not change its length with every digit of the rest */
#define BAR_MAX 40
#define RATE_AFTER_MS 500 /* before that it is chance */
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

/* What is said, each with what parts it from the one before. */
enum part { PART_WHAT, PART_SHARE, PART_COUNT, PART_WAITING, PART_LEFT, PART_RATE, PART_BYTES, PARTS };

struct parts {
	char text[PARTS][200];
};

static void put(struct parts *parts, enum part part, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void put(struct parts *parts, enum part part, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(parts->text[part], sizeof(parts->text[part]), fmt, args);
	va_end(args);
}

static bool has_total(const struct progress_count *count)
{
	return count->total > 0 && count->total >= count->done;
}

static bool goes_by_bytes(const struct progress_count *count)
{
	return has_total(count) && count->bytes_total > 0 && count->bytes_total >= count->bytes;
}

static uint64_t left_of(const struct progress_count *count)
{
	return goes_by_bytes(count) ? count->bytes_total - count->bytes : count->total - count->done;
}

/* What is done in a second; 0 if it cannot be told. */
static double rate_of(const struct progress_count *count)
{
	bool by_bytes = goes_by_bytes(count);
	uint64_t done = by_bytes ? count->bytes : count->done;
	uint64_t before = by_bytes ? count->bytes_before : count->before;
	if (count->elapsed_ms < RATE_AFTER_MS || done <= before)
		return 0;
	return (double)(done - before) * 1000 / (double)count->elapsed_ms;
}

/* Of 1. */
static double share_of(const struct progress_count *count)
{
	if (goes_by_bytes(count))
		return (double)count->bytes / (double)count->bytes_total;
	return (double)count->done / (double)count->total;
}

/* Rounded down, so that it is 100 only at the end. */
static unsigned percent(const struct progress_count *count)
{
	unsigned percent = (unsigned)(share_of(count) * 100);
	return percent < 100 || count->done == count->total ? percent : 99;
}

static void put_pace(struct parts *parts, const struct progress_count *count)
{
	char number[HUMAN_SIZE];
	double rate = rate_of(count);
	if (rate > 0 && goes_by_bytes(count))
		put(parts, PART_RATE, "%s/s", human_bytes((int64_t)(rate + 0.5), number));
	else if (rate > 0)
		put(parts, PART_RATE, "%s/s", human_count((uint64_t)(rate + 0.5), number));
	if (rate > 0 && has_total(count) && left_of(count) > 0 && !count->waiting[0]) {
		double ms = (double)left_of(count) / rate * 1000;
		int64_t left = ms < 1e15 ? (int64_t)ms : (int64_t)1e15;
		put(parts, PART_LEFT, "%s left", human_duration((left + 999) / 1000 * 1000, number));
	}
}

static void fill(struct parts *parts, const struct progress_count *count)
{
	char done[HUMAN_SIZE];
	char total[HUMAN_SIZE];
	*parts = (struct parts){0};
	put(parts, PART_WHAT, "%s", count->what);
	human_count(count->done, done);
	if (has_total(count)) {
		put(parts, PART_SHARE, "%u%%", percent(count));
		put(parts, PART_COUNT, "%s of %s %s", done, human_count(count->total, total), count->unit);
	} else {
		put(parts, PART_COUNT, "%s %s", done, count->unit);
	}
	if (goes_by_bytes(count))
		put(parts, PART_BYTES, "%s of %s", human_bytes((int64_t)count->bytes, done),
		    human_bytes((int64_t)count->bytes_total, total));
	else if (count->bytes > 0)
		put(parts, PART_BYTES, "%s", human_bytes((int64_t)count->bytes, total));
	if (count->waiting[0])
		put(parts, PART_WAITING, "waiting for %s", count->waiting);
	put_pace(parts, count);
}

static size_t columns_of(const struct parts *parts)
{
	size_t sum = 0;
	for (int i = 0; i < PARTS; i++)
		sum += parts->text[i][0] ? strlen(parts->text[i]) + (sum > 0 ? 2 : 0) : 0;
	return sum;
}

static void append(char out[PROGRESS_LINE_SIZE], const char *text)
{
	size_t len = strlen(out);
	snprintf(out + len, PROGRESS_LINE_SIZE - len, "%s", text);
}

static void append_bar(char out[PROGRESS_LINE_SIZE], const struct progress_count *count, size_t cells, bool colour)
{
	char bar[BAR_MAX + 1];
	size_t full = (size_t)(share_of(count) * (double)cells);
	for (size_t i = 0; i < cells; i++)
		bar[i] = i < full ? '=' : i == full ? '>' : ' ';
	bar[cells] = '\0';
	append(out, colour ? "  [" GREEN : "  [");
	append(out, bar);
	append(out, colour ? PLAIN "]" : "]");
}

char *progress_line(const struct progress_count *count, unsigned columns, bool colour, char out[PROGRESS_LINE_SIZE])
{
	struct parts parts;
	size_t room = columns > 1 ? columns - 1 : 1; /* a cursor behind the last column would be on the next line */
	if (room > PROGRESS_LINE_SIZE / 2)
		room = PROGRESS_LINE_SIZE / 2;
	fill(&parts, count);
	for (int i = PARTS - 1; i > PART_WHAT && columns_of(&parts) > room; i--)
		parts.text[i][0] = '\0';
	if (strlen(parts.text[PART_WHAT]) > room)
		parts.text[PART_WHAT][room] = '\0';
	size_t spare = room - columns_of(&parts);
	size_t bar = spare < 4 ? 0 : (spare - 4) / BAR_STEP * BAR_STEP;
	out[0] = '\0';
	append(out, parts.text[PART_WHAT]);
	if (bar > 0 && has_total(count))
		append_bar(out, count, bar < BAR_MAX ? bar : BAR_MAX, colour);
	for (int i = PART_WHAT + 1; i < PARTS; i++) {
		if (parts.text[i][0]) {
			append(out, "  ");
			append(out, parts.text[i]);
		}
	}
	return out;
}

char *progress_sentence(const struct progress_count *count, char out[PROGRESS_LINE_SIZE])
{
	struct parts parts;
	fill(&parts, count);
	static const enum part order[] = {PART_COUNT, PART_SHARE, PART_BYTES, PART_RATE, PART_WAITING, PART_LEFT};
	snprintf(out, PROGRESS_LINE_SIZE, "%s: ", count->what);
	bool first = true;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const char *text = parts.text[order[i]];
		if (!*text)
			continue;
		append(out, first ? "" : ", ");
		append(out, text);
		first = false;
	}
	return out;
}
