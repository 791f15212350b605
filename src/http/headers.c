#include "http/headers.h"

#include "http/libcurl.h"
#include "util/clock.h"

#include <stdbool.h>
#include <string.h>

/* Every time on the wire is in seconds; what is above this is as good as never and keeps the sums below in range. */
#define SECONDS_MAX ((int64_t)1 << 50)

/* What a number must be if it is a time: later than 2001 in seconds, or than 1973 in ms. */
#define EPOCH_SECONDS_MIN 1000000000
#define EPOCH_MS_MIN 100000000000

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* A run of digits and nothing else but blanks around it. */
static bool read_number(const char *text, int64_t *number)
{
	const char *c = skip_blanks(text);
	int64_t sum = 0;
	if (*c < '0' || *c > '9')
		return false;
	for (; *c >= '0' && *c <= '9'; c++)
		sum = sum < SECONDS_MAX ? sum * 10 + (*c - '0') : SECONDS_MAX;
	if (*skip_blanks(c))
		return false;
	*number = sum < SECONDS_MAX ? sum : SECONDS_MAX;
	return true;
}

static int64_t bounded(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
}

/* curl_getdate guesses at much that is no date of HTTP, a lone "-1" among it; all three forms of RFC 9110 begin with
 * the name of a day. */
static bool read_date(const char *text, int64_t *seconds)
{
	const char *c = skip_blanks(text);
	if (!((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z')))
		return false;
	time_t when = libcurl_load(NULL) == 0 ? curl_getdate(c, NULL) : -1;
	if (when == -1)
		return false;
	*seconds = when < SECONDS_MAX ? (int64_t)when : SECONDS_MAX;
	return true;
}

int64_t retry_after_ms(const char *header, int64_t now_ms)
{
	int64_t seconds;
	if (!header)
		return -1;
	if (read_number(header, &seconds))
		return bounded(seconds * 1000);
	return read_date(header, &seconds) ? bounded(seconds * 1000 - now_ms) : -1;
}

int64_t retry_after_reset_ms(const char *header, int64_t now_ms)
{
	int64_t number;
	if (!header || !read_number(header, &number))
		return -1;
	if (number < EPOCH_SECONDS_MIN)
		return bounded(number * 1000);
	return bounded((number < EPOCH_MS_MIN ? number * 1000 : number) - now_ms);
}

int64_t retry_after_time_ms(const char *header, int64_t now_ms)
{
	int64_t at;
	const char *text = header ? skip_blanks(header) : "";
	size_t len = strcspn(text, " \t");
	return time_parse_iso(slice_make(text, len), &at) == 0 ? bounded(at - now_ms) : -1;
}

int64_t http_date_ms(const char *header)
{
	int64_t seconds;
	return header && read_date(header, &seconds) && seconds >= 0 ? seconds * 1000 : -1;
}

int64_t rate_remaining(const char *header, const char *age)
{
	int64_t left;
	int64_t seconds;
	if (!header || !read_number(header, &left))
		return -1;
	return age && read_number(age, &seconds) && seconds > 0 ? -1 : left;
}
