#include "http/headers.h"
#include "tap.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW INT64_C(784111777500)    /* Sun, 06 Nov 1994 08:49:37.5 GMT */
#define LATER INT64_C(1700000000500) /* 2023-11-14T22:13:20.5Z */
#define DAY INT64_C(86400000)

static const struct {
	const char *header;
	int64_t want;
} rows[] = {
	{NULL, -1},
	{"", -1},
	{" ", -1},
	{"0", 0},
	{"1", 1000},
	{"007", 7000},
	{" 120\t", 120000},
	{"86400", DAY},
	{"86401", DAY},
	{"9223372036854775807", DAY},
	{"99999999999999999999999999999999", DAY},
	{"-1", -1},
	{"+1", -1},
	{"1.5", -1},
	{"1 2", -1},
	{"1s", -1},
	{"0x10", -1},
	{"1e3", -1},
	{"soon", -1},
	{"Sun, 06 Nov 1994 08:49:37 GMT", 0},
	{"Sun, 06 Nov 1994 08:49:38 GMT", 500},
	{"Sun, 06 Nov 1994 08:50:37 GMT", 59500},
	{" Sun, 06 Nov 1994 08:50:37 GMT", 59500},
	{"Sunday, 06-Nov-94 08:50:37 GMT", 59500},
	{"Sun Nov  6 08:50:37 1994", 59500},
	{"Sat, 05 Nov 1994 08:49:37 GMT", 0},
	{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	{"Fri, 31 Dec 9999 23:59:59 GMT", DAY},
	{"Sun, 99 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Foo 1994 08:49:37 GMT", -1},
};

static const struct {
	const char *header;
	int64_t want;
} resets[] = {
	{NULL, -1},
	{"", -1},
	{"never", -1},
	{"-1", -1},
	{"Sun, 06 Nov 1994 08:50:37 GMT", -1},
	{"0", 0},
	{"1", 1000},
	{"60", 60000},
	{"86401", DAY},
	{"999999999", DAY},
	{"1000000000", 0},
	{"1700000000", 0},
	{"1700000001", 500},
	{"1700000060", 59500},
	{"1700886400", DAY},
	{"1700000060000", 59500},
	{"1699999999999", 0},
	{"99999999999999999999", DAY},
};

static const struct {
	const char *header;
	int64_t want;
} reset_times[] = {
	{NULL, -1},
	{"", -1},
	{"soon", -1},
	{"60", -1},
	{"2023-11-14T22:13:19.000Z", 0},
	{"2023-11-14T22:13:21.000Z", 500},
	{" 2023-11-14T22:14:20.250Z ", 59750},
	{"2023-11-14T23:14:20+01:00", 59500},
	{"2999-01-01T00:00:00.000Z", DAY},
};

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(retry_after_ms(rows[i].header, NOW), rows[i].want, "Retry-After: %s",
		       rows[i].header ? rows[i].header : "(none)");
	for (size_t i = 0; i < COUNT(resets); i++)
		is_int(retry_after_reset_ms(resets[i].header, LATER), resets[i].want, "x-ratelimit-reset: %s",
		       resets[i].header ? resets[i].header : "(none)");
	for (size_t i = 0; i < COUNT(reset_times); i++)
		is_int(retry_after_time_ms(reset_times[i].header, LATER), reset_times[i].want,
		       "x-ratelimit-reset-time: %s", reset_times[i].header ? reset_times[i].header : "(none)");
	is_int(retry_after_ms("1", INT64_MAX), 1000, "seconds do not depend on the clock");
	is_int(retry_after_ms("Sun, 06 Nov 1994 08:50:37 GMT", -DAY), DAY, "a clock before 1970");
	return tap_done();
}
