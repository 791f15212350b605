#include "assets/range.h"

#include <string.h>
#include <strings.h>

/* Files are not larger than what off_t can say; with room for a digit more. */
#define BYTES_MAX (INT64_MAX / 100)

static bool read_number(const char **at, int64_t *number)
{
	int64_t sum = 0;
	const char *c = *at;
	for (; *c >= '0' && *c <= '9'; c++) {
		sum = sum * 10 + (*c - '0');
		if (sum > BYTES_MAX)
			return false;
	}
	if (c == *at)
		return false;
	*at = c;
	*number = sum;
	return true;
}

static bool skip(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* "0-499", as { 0, 500 }, or "*". */
static bool read_range(const char **at, struct content_range *range)
{
	int64_t last;
	if (skip(at, '*'))
		return true;
	if (!read_number(at, &range->begin) || !skip(at, '-') || !read_number(at, &last) || last < range->begin)
		return false;
	range->end = last + 1;
	return true;
}

bool content_range_read(const char *header, struct content_range *out)
{
	struct content_range range = {.begin = -1, .end = -1, .total = -1};
	const char *at = header + strspn(header, " \t");
	if (strncasecmp(at, "bytes", 5) != 0)
		return false;
	at += 5;
	at += strspn(at, " \t");
	if (!read_range(&at, &range) || !skip(&at, '/'))
		return false;
	if (!skip(&at, '*') && !read_number(&at, &range.total))
		return false;
	at += strspn(at, " \t");
	if (*at || (range.total >= 0 && range.end > range.total) || (range.begin < 0 && range.total < 0))
		return false;
	*out = range;
	return true;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct range range_window(struct range before, int64_t begin, int64_t wanted, int64_t size, int64_t max)
{
	int64_t len = WINDOW_MIN;
	bool goes_on = before.end > before.begin && begin > before.begin && begin <= before.end + WINDOW_MIN;
	if (goes_on)
		len = 2 * (before.end - before.begin);
	if (len < WINDOW_MIN)
		len = WINDOW_MIN;
	if (len < wanted - begin)
		len = piece_begin(wanted - begin + PIECE_BYTES - 1);
	len = piece_begin(least(len, max));
	return (struct range){begin, least(begin + len, size)};
}
