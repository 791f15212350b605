#include "random.h"
#include "tap.h"
#include "util/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define DAY_MS INT64_C(86400000)

static const struct {
	const char *name;
	const char *text;
	int64_t ms;
} times[] = {
	{"a time as the service writes it", "2020-12-05T15:43:05.355Z", 1607182985355},
	{"the epoch", "1970-01-01T00:00:00.000Z", 0},
	{"the last millisecond before the epoch", "1969-12-31T23:59:59.999Z", -1},
	{"no fraction", "2020-12-05T15:43:05Z", 1607182985000},
	{"a fraction of one digit", "2020-12-05T15:43:05.3Z", 1607182985300},
	{"a fraction of two digits", "2020-12-05T15:43:05.35Z", 1607182985350},
	{"a fraction of nine digits, cut and not rounded", "2020-12-05T15:43:05.355999999Z", 1607182985355},
	{"a fraction of very many digits", "2020-12-05T15:43:05.00199999999999999999999999999999Z", 1607182985001},
	{"a fraction behind a comma", "2020-12-05T15:43:05,355Z", 1607182985355},
	{"a fraction before the epoch", "1969-12-31T23:59:58.5Z", -1500},
	{"no seconds", "2020-12-05T15:43Z", 1607182980000},
	{"a bare date", "2020-12-05", 1607126400000},
	{"milliseconds in the place of seconds, as in the vendor's samples", "2017-11-23T00:00:000Z", 1511395200000},
	{"milliseconds in the place of seconds, not 0", "2017-11-23T10:30:355Z", 1511433000355},
	{"milliseconds in the place of seconds, with an offset", "2017-11-23T00:00:000+01:00", 1511391600000},
	{"an offset of no hours", "2020-12-05T15:43:05.355+00:00", 1607182985355},
	{"an offset to the east", "2020-12-05T21:13:05.355+05:30", 1607182985355},
	{"an offset to the west", "2020-12-05T07:43:05.355-08:00", 1607182985355},
	{"an offset without a colon", "2020-12-05T21:13:05.355+0530", 1607182985355},
	{"an offset of hours only", "2020-12-05T16:43:05.355+01", 1607182985355},
	{"an offset that leads to the day before", "2020-01-01T00:30:00+01:00", 1577835000000},
	{"no offset, which is UTC", "2020-12-05T15:43:05.355", 1607182985355},
	{"small letters", "2020-12-05t15:43:05.355z", 1607182985355},
	{"a space for the T", "2020-12-05 15:43:05.355Z", 1607182985355},
	{"a leap day", "2020-02-29T00:00:00Z", 1582934400000},
	{"a leap day of a year that 400 divides", "2000-02-29T00:00:00Z", 951782400000},
	{"the day behind February of a year that is no leap year", "1900-03-01T00:00:00Z", -2203891200000},
	{"a leap second, which is the first one after it", "2016-12-31T23:59:60Z", 1483228800000},
	{"the year 0001, which some programs use for none", "0001-01-01T00:00:00Z", -62135596800000},
	{"the last millisecond of the year 9999", "9999-12-31T23:59:59.999Z", 253402300799999},
	{"behind the 32-bit seconds", "2038-01-19T03:14:08Z", 2147483648000},
};

static void test_times(void)
{
	for (size_t i = 0; i < COUNT(times); i++) {
		int64_t ms = 12345;
		is_int(time_parse_iso(slice_of(times[i].text), &ms), 0, "reading works: %s", times[i].name);
		is_int(ms, times[i].ms, "%s", times[i].name);
	}
}

static const struct {
	const char *name;
	struct slice text;
} garbage[] = {
#define TEXT(literal)                                                                                                  \
	{                                                                                                              \
		literal, sizeof(literal) - 1                                                                           \
	}
	{"nothing", TEXT("")},
	{"a word", TEXT("yesterday")},
	{"a number", TEXT("1607182985")},
	{"a year", TEXT("2020")},
	{"a month", TEXT("2020-12")},
	{"a date without dashes", TEXT("20201205")},
	{"a date with slashes", TEXT("2020/12/05")},
	{"a date of the week calendar", TEXT("2020-W49-6")},
	{"a year of two digits", TEXT("20-12-05")},
	{"a year of five digits", TEXT("12020-12-05")},
	{"a year with a sign", TEXT("-2020-12-05")},
	{"a month of one digit", TEXT("2020-1-05")},
	{"month 0", TEXT("2020-00-05")},
	{"month 13", TEXT("2020-13-05")},
	{"day 0", TEXT("2020-12-00")},
	{"day 32", TEXT("2020-12-32")},
	{"day 31 of a shorter month", TEXT("2020-04-31")},
	{"February 30", TEXT("2020-02-30")},
	{"February 29 of a year that 4 does not divide", TEXT("2019-02-29")},
	{"February 29 of a year that 100 divides", TEXT("2100-02-29")},
	{"a day of one digit", TEXT("2020-12-5T00:00:00Z")},
	{"a T without a time", TEXT("2020-12-05T")},
	{"a date with a Z", TEXT("2020-12-05Z")},
	{"a date with an offset", TEXT("2020-12-05+01:00")},
	{"an hour without minutes", TEXT("2020-12-05T15Z")},
	{"hour 24", TEXT("2020-12-05T24:00:00Z")},
	{"minute 60", TEXT("2020-12-05T15:60:00Z")},
	{"second 61", TEXT("2020-12-05T15:43:61Z")},
	{"a second of one digit", TEXT("2020-12-05T15:43:5Z")},
	{"no second behind the colon", TEXT("2020-12-05T15:43:Z")},
	{"a point without a fraction", TEXT("2020-12-05T15:43:05.Z")},
	{"a third part of four digits", TEXT("2020-12-05T15:43:0555Z")},
	{"a third part of three digits with a fraction", TEXT("2020-12-05T15:43:055.5Z")},
	{"a time without colons", TEXT("2020-12-05T154305Z")},
	{"two Z", TEXT("2020-12-05T15:43:05ZZ")},
	{"a Z and an offset", TEXT("2020-12-05T15:43:05Z+01:00")},
	{"a sign without an offset", TEXT("2020-12-05T15:43:05+")},
	{"an offset of one digit", TEXT("2020-12-05T15:43:05+1")},
	{"an offset of three digits", TEXT("2020-12-05T15:43:05+010")},
	{"an offset without minutes behind the colon", TEXT("2020-12-05T15:43:05+01:")},
	{"an offset of 24 hours", TEXT("2020-12-05T15:43:05+24:00")},
	{"an offset of 60 minutes", TEXT("2020-12-05T15:43:05+01:60")},
	{"a name of a time zone", TEXT("2020-12-05T15:43:05 UTC")},
	{"a space before it", TEXT(" 2020-12-05T15:43:05Z")},
	{"a space behind it", TEXT("2020-12-05T15:43:05Z ")},
	{"a newline behind it", TEXT("2020-12-05T15:43:05Z\n")},
	{"a NUL behind it", TEXT("2020-12-05T15:43:05Z\0")},
	{"a NUL for the T", TEXT("2020-12-05\0"
				 "15:43:05Z")},
	{"a NUL for the Z", TEXT("2020-12-05T15:43:05\0")},
	{"digits of another script", TEXT("\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa0-12-05")},
#undef TEXT
};

static void test_garbage(void)
{
	for (size_t i = 0; i < COUNT(garbage); i++) {
		int64_t ms = 12345;
		is_int(time_parse_iso(garbage[i].text, &ms), -EINVAL, "%s is no time", garbage[i].name);
		is_int(ms, 12345, "%s leaves the output alone", garbage[i].name);
	}
	int64_t ms = 12345;
	is_int(time_parse_iso(slice_make(NULL, 0), &ms), -EINVAL, "no bytes at all are no time");
}

/* Each cut of a good time is refused or good, and nothing behind the cut is looked at. */
static void test_cuts(void)
{
	static const char whole[] = "2020-12-05T15:43:05.355+05:30";
	static const size_t good[] = {10, 16, 19, 21, 22, 23, 26, 29};
	for (size_t len = 0; len < sizeof(whole); len++) {
		bool want = false;
		for (size_t i = 0; i < COUNT(good); i++)
			want = want || good[i] == len;
		int64_t ms;
		int rc = time_parse_iso(slice_make(whole, len), &ms);
		is_int(rc, want ? 0 : -EINVAL, "\"%.*s\" is %s", (int)len, whole, want ? "a time" : "none");
	}
}

static const struct {
	int64_t ms;
	const char *text;
} formats[] = {
	{0, "1970-01-01T00:00:00.000Z"},
	{-1, "1969-12-31T23:59:59.999Z"},
	{1607182985355, "2020-12-05T15:43:05.355Z"},
	{951782400000, "2000-02-29T00:00:00.000Z"},
	{-DAY_MS, "1969-12-31T00:00:00.000Z"},
	{-62135596800000, "0001-01-01T00:00:00.000Z"},
	{253402300799999, "9999-12-31T23:59:59.999Z"},
	{253402300800000, "10000-01-01T00:00:00.000Z"},
	{INT64_MAX, "292278994-08-17T07:12:55.807Z"},
	{INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
};

static void test_formats(void)
{
	for (size_t i = 0; i < COUNT(formats); i++) {
		char out[TIME_ISO_SIZE];
		is_str(time_format_iso(formats[i].ms, out), formats[i].text, "writing %" PRId64 " ms", formats[i].ms);
	}
}

/* What the C library makes of it. */
static void format_with_libc(int64_t ms, char out[TIME_ISO_SIZE])
{
	int64_t below = ((ms % 1000) + 1000) % 1000;
	time_t seconds = (time_t)((ms - below) / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	snprintf(out, TIME_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)below);
}

static bool goes_round(int64_t ms)
{
	char want[TIME_ISO_SIZE];
	char got[TIME_ISO_SIZE];
	int64_t back = 0;
	format_with_libc(ms, want);
	time_format_iso(ms, got);
	int rc = time_parse_iso(slice_of(want), &back);
	if (strcmp(got, want) == 0 && rc == 0 && back == ms)
		return true;
	diag("%" PRId64 ": written as %s, libc says %s, read as %" PRId64 " (%d)", ms, got, want, back, rc);
	return false;
}

static void test_against_libc(struct rng rng)
{
	const int64_t first = -62167219200000; /* 0000-01-01 */
	const int64_t last = 253402300799999;  /* the end of 9999 */
	int day = -400 * 365;
	while (day < 400 * 365 && goes_round(day * DAY_MS))
		day++;
	is_int(day, 400 * 365, "each day of 400 years before and after the epoch is as in the C library, both ways");
	long rounds = rng_rounds(100000);
	long good = 0;
	while (good < rounds && goes_round(first + (int64_t)(rng_next(&rng) % (uint64_t)(last - first + 1))))
		good++;
	is_int(good, rounds, "random times of the years 0 to 9999 are as in the C library, both ways");
}

static void test_random_bytes(struct rng rng)
{
	long rounds = rng_rounds(200000);
	long good = 0;
	for (; good < rounds; good++) {
		char text[] = "2020-12-05T15:43:05.355+05:30";
		int64_t ms = 12345;
		for (size_t i = 1 + rng_below(&rng, 3); i > 0; i--)
			text[rng_below(&rng, sizeof(text) - 1)] =
				rng_once_in(&rng, 4) ? rng_byte(&rng) : "0123456789-+:.TZ"[rng_below(&rng, 16)];
		int rc = time_parse_iso(slice_make(text, rng_below(&rng, sizeof(text))), &ms);
		if ((rc != 0 && rc != -EINVAL) || (rc != 0 && ms != 12345))
			break;
	}
	is_int(good, rounds, "mutated times are read or refused");
}

static void test_clocks(void)
{
	int64_t before = clock_monotonic_ms();
	int64_t wall = clock_wall_ms();
	int64_t wall_ns = clock_wall_ns();
	nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
	int64_t passed = clock_monotonic_ms() - before;
	ok(passed >= 2 && passed < 60000, "the monotonic clock counts milliseconds (%" PRId64 " in 3)", passed);
	ok(llabs(wall - (int64_t)time(NULL) * 1000) < 60000, "the wall clock counts milliseconds since the epoch");
	ok(llabs(wall_ns / 1000000 - wall) < 60000, "the wall clock counts nanoseconds, too");
}

int main(void)
{
	struct rng rng = rng_create();
	test_times();
	test_garbage();
	test_cuts();
	test_formats();
	test_against_libc(rng);
	test_random_bytes(rng);
	test_clocks();
	return tap_done();
}
