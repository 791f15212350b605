/* Numbers, sizes and times as people write and read them. */
#include "tap.h"
#include "util/human.h"

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MINUTE 60000LL
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct {
	uint64_t number;
	const char *want;
} counts[] = {
	{0, "0"},
	{999, "999"},
	{1000, "1,000"},
	{12345, "12,345"},
	{123456, "123,456"},
	{1234567, "1,234,567"},
	{UINT64_MAX, "18,446,744,073,709,551,615"},
};

static const struct {
	int64_t bytes;
	const char *want;
} sizes[] = {
	{-1, "0 bytes"},    {0, "0 bytes"},    {999, "999 bytes"},      {1000, "1.0 kB"},       {1234, "1.2 kB"},
	{9949, "9.9 kB"},   {9951, "10.0 kB"}, {999499, "999 kB"},      {999500, "1.0 MB"},     {34000000, "34.0 MB"},
	{99949, "99.9 kB"}, {99951, "100 kB"}, {10LL << 30, "10.7 GB"}, {1500000000, "1.5 GB"}, {INT64_MAX, "9.2 EB"},
};

static const struct {
	int64_t ms;
	const char *want;
} durations[] = {
	{-5, "0 s"},
	{0, "0 s"},
	{99, "0 s"},
	{300, "0.3 s"},
	{1000, "1 s"},
	{9999, "9.9 s"},
	{10000, "10 s"},
	{59999, "59 s"},
	{MINUTE, "1 min"},
	{2 * MINUTE + 5000, "2 min 5 s"},
	{HOUR - 1, "59 min 59 s"},
	{HOUR, "1 h"},
	{HOUR + 59999, "1 h"},
	{3 * HOUR + 4 * MINUTE, "3 h 4 min"},
	{DAY, "1 day"},
	{DAY + 2 * HOUR, "1 day 2 h"},
	{400 * DAY, "400 days"},
	{INT64_MAX, "106751991167 days 7 h"},
};

static void test_writing(void)
{
	char text[HUMAN_SIZE];
	for (size_t i = 0; i < COUNT(counts); i++)
		is_str(human_count(counts[i].number, text), counts[i].want, "the number %s", counts[i].want);
	for (size_t i = 0; i < COUNT(sizes); i++)
		is_str(human_bytes(sizes[i].bytes, text), sizes[i].want, "%lld bytes", (long long)sizes[i].bytes);
	for (size_t i = 0; i < COUNT(durations); i++)
		is_str(human_duration(durations[i].ms, text), durations[i].want, "%lld ms", (long long)durations[i].ms);
}

static const struct {
	const char *text;
	int64_t want; /* -1: refused */
} times[] = {
	{"0", 0},
	{"90", 90000},
	{"90s", 90000},
	{"90 s", 90000},
	{"15min", 15 * MINUTE},
	{"15m", 15 * MINUTE},
	{"2h", 2 * HOUR},
	{"1h30m", 90 * MINUTE},
	{"1h 30m", 90 * MINUTE},
	{"1d", DAY},
	{"250ms", 250},
	{"36500d", 36500 * DAY},
	{"36501d", -1},
	{"", -1},
	{"soon", -1},
	{"s", -1},
	{"-1", -1},
	{"1.5h", -1},
	{"1y", -1},
	{"5 ", -1},
	{" 5", -1},
	{"99999999999999999999", -1},
	{"5s!", -1},
	{"5S", -1},
};

static void test_reading(void)
{
	for (size_t i = 0; i < COUNT(times); i++) {
		struct err err = {0};
		int64_t ms = -7;
		int rc = human_parse_duration(times[i].text, "age", &ms, &err);
		is_int(rc, times[i].want < 0 ? -EINVAL : 0, "'%s' is a time or not", times[i].text);
		is_int(ms, times[i].want < 0 ? -7 : times[i].want, "'%s' is read", times[i].text);
		ok((rc < 0) == (strstr(err.text, "the age '") != NULL), "with a message only if not: '%s'", err.text);
	}
}

int main(void)
{
	test_writing();
	test_reading();
	return tap_done();
}
