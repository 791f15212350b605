#include "http/headers.h"
#include "tap.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW INT64_C(784111777500) /* Sun, 06 Nov 1994 08:49:37.5 GMT */
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
	{"784111777", 0},
	{"784111778", 500},
	{"784111837", 59500},
	{"784998177", DAY},
	{"99999999999999999999", DAY},
};

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(retry_after_ms(rows[i].header, NOW), rows[i].want, "Retry-After: %s",
		       rows[i].header ? rows[i].header : "(none)");
	for (size_t i = 0; i < COUNT(resets); i++)
		is_int(retry_after_reset_ms(resets[i].header, NOW), resets[i].want, "x-ratelimit-reset: %s",
		       resets[i].header ? resets[i].header : "(none)");
	is_int(retry_after_ms("1", INT64_MAX), 1000, "seconds do not depend on the clock");
	is_int(retry_after_ms("Sun, 06 Nov 1994 08:50:37 GMT", -DAY), DAY, "a clock before 1970");
	return tap_done();
}
