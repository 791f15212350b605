/* The calendar is computed here, not by the C library: its functions depend on the locale and the time zone. */
#include "util/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define MS_PER_SECOND 1000
#define MS_PER_MINUTE (60 * INT64_C(1000))
#define MS_PER_HOUR (60 * MS_PER_MINUTE)
#define MS_PER_DAY (24 * MS_PER_HOUR)

static struct timespec read_clock(clockid_t id)
{
	struct timespec now = {0};
	clock_gettime(id, &now);
	return now;
}

static int64_t to_ms(struct timespec t)
{
	return (int64_t)t.tv_sec * MS_PER_SECOND + t.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
	return to_ms(read_clock(CLOCK_MONOTONIC));
}

struct timespec clock_monotonic_in(int64_t ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return until;
}

int64_t clock_wall_ms(void)
{
	return to_ms(read_clock(CLOCK_REALTIME));
}

int64_t clock_wall_ns(void)
{
	struct timespec now = read_clock(CLOCK_REALTIME);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. Years are counted from March, so that
 * the leap day is the last one, and in eras of 400 years, which all have the same number of days.
 */
#define DAYS_PER_ERA 146097
#define DAYS_0000_03_01_TO_1970 719468

static int64_t days_from_date(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * DAYS_PER_ERA + day_of_era - DAYS_0000_03_01_TO_1970;
}

static void date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	days += DAYS_0000_03_01_TO_1970;
	int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	int64_t day_of_era = days - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = (int)(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
	int march_month = (5 * day_of_year + 2) / 153;
	*day = day_of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

/* The reading functions below take from the front of *rest; they return false if it does not start with that. */

static bool is_digit(struct slice s, size_t at)
{
	return at < s.len && s.at[at] >= '0' && s.at[at] <= '9';
}

static void advance(struct slice *rest, size_t count)
{
	*rest = slice_make(rest->at + count, rest->len - count);
}

/* One of the characters of `any`; *found says which, if it is not NULL. */
static bool take_char(struct slice *rest, const char *any, char *found)
{
	if (rest->len == 0 || rest->at[0] == '\0' || !strchr(any, rest->at[0]))
		return false;
	if (found)
		*found = rest->at[0];
	advance(rest, 1);
	return true;
}

/* Exactly `count` digits, whatever follows, with a value of `min` to `max`. */
static bool take_number(struct slice *rest, size_t count, int min, int max, int *value)
{
	int sum = 0;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(*rest, i))
			return false;
		sum = sum * 10 + (rest->at[i] - '0');
	}
	if (sum < min || sum > max)
		return false;
	*value = sum;
	advance(rest, count);
	return true;
}

static bool take_date(struct slice *rest, int64_t *days)
{
	int year, month, day;
	if (!take_number(rest, 4, 0, 9999, &year) || !take_char(rest, "-", NULL) ||
	    !take_number(rest, 2, 1, 12, &month) || !take_char(rest, "-", NULL) ||
	    !take_number(rest, 2, 1, days_in_month(year, month), &day))
		return false;
	*days = days_from_date(year, month, day);
	return true;
}

/* One digit or more behind the point; those after the third are cut off. */
static bool take_fraction(struct slice *rest, int *ms)
{
	size_t count = 0;
	int sum = 0;
	for (; is_digit(*rest, count); count++)
		if (count < 3)
			sum = sum * 10 + (rest->at[count] - '0');
	if (count == 0)
		return false;
	for (size_t i = count; i < 3; i++)
		sum *= 10;
	*ms = sum;
	advance(rest, count);
	return true;
}

/* Seconds with their fraction, or the three digits of milliseconds that the vendor's samples have in their place. A
 * leap second counts as the first one after it, as in POSIX. */
static bool take_seconds(struct slice *rest, int *ms)
{
	int second, fraction = 0;
	if (is_digit(*rest, 2))
		return take_number(rest, 3, 0, 999, ms);
	if (!take_number(rest, 2, 0, 60, &second))
		return false;
	if (take_char(rest, ".,", NULL) && !take_fraction(rest, &fraction))
		return false;
	*ms = second * MS_PER_SECOND + fraction;
	return true;
}

static bool take_time(struct slice *rest, int64_t *ms)
{
	int hour, minute, below = 0;
	if (!take_number(rest, 2, 0, 23, &hour) || !take_char(rest, ":", NULL) || !take_number(rest, 2, 0, 59, &minute))
		return false;
	if (take_char(rest, ":", NULL) && !take_seconds(rest, &below))
		return false;
	*ms = hour * MS_PER_HOUR + minute * MS_PER_MINUTE + below;
	return true;
}

/* Z, +HH, +HHMM or +HH:MM; nothing is UTC as well. */
static bool take_offset(struct slice *rest, int64_t *ms)
{
	char sign;
	int hour, minute = 0;
	*ms = 0;
	if (rest->len == 0 || take_char(rest, "Zz", NULL))
		return true;
	if (!take_char(rest, "+-", &sign) || !take_number(rest, 2, 0, 23, &hour))
		return false;
	bool colon = take_char(rest, ":", NULL);
	if ((colon || rest->len > 0) && !take_number(rest, 2, 0, 59, &minute))
		return false;
	*ms = hour * MS_PER_HOUR + minute * MS_PER_MINUTE;
	if (sign == '-')
		*ms = -*ms;
	return true;
}

int time_parse_iso(struct slice text, int64_t *ms)
{
	int64_t days, time = 0, offset = 0;
	if (!take_date(&text, &days))
		return -EINVAL;
	bool bare = text.len == 0;
	if (!bare && (!take_char(&text, "Tt ", NULL) || !take_time(&text, &time) || !take_offset(&text, &offset)))
		return -EINVAL;
	if (text.len > 0)
		return -EINVAL;
	*ms = days * MS_PER_DAY + time - offset;
	return 0;
}

char *time_format_iso(int64_t ms, char out[TIME_ISO_SIZE])
{
	int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
	int rest = (int)((ms % MS_PER_DAY + MS_PER_DAY) % MS_PER_DAY);
	int64_t year;
	int month, day;
	date_from_days(days, &year, &month, &day);
	snprintf(out, TIME_ISO_SIZE, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day,
		 rest / (int)MS_PER_HOUR, rest / (int)MS_PER_MINUTE % 60, rest / MS_PER_SECOND % 60,
		 rest % MS_PER_SECOND);
	return out;
}
