#include "util/human.h"

#include "util/slice.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

char *human_count(uint64_t number, char out[HUMAN_SIZE])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	int at = 0;
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

char *human_bytes(int64_t bytes, char out[HUMAN_SIZE])
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
	double number = bytes > 0 ? (double)bytes : 0;
	int unit = 0;
	for (; number >= 999.5; unit++)
		number /= 1000;
	/* 99.95 would be written as 100.0 */
	snprintf(out, HUMAN_SIZE, "%.*f %s", unit > 0 && number < 99.95 ? 1 : 0, number, units[unit]);
	return out;
}

char *human_duration(int64_t ms, char out[HUMAN_SIZE])
{
	static const struct {
		int64_t seconds;
		const char *large, *small; /* how many of which units stand beside each other */
		int64_t small_seconds;
	} steps[] = {
		{86400, "days", "h", 3600},
		{3600, "h", "min", 60},
		{60, "min", "s", 1},
	};
	if (ms < 10000) {
		int64_t tenths = ms > 0 ? ms / 100 : 0;
		if (tenths % 10 == 0)
			snprintf(out, HUMAN_SIZE, "%lld s", (long long)tenths / 10);
		else
			snprintf(out, HUMAN_SIZE, "%lld.%lld s", (long long)tenths / 10, (long long)tenths % 10);
		return out;
	}
	int64_t seconds = ms / 1000;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t count = seconds / steps[i].seconds;
		int64_t rest = seconds % steps[i].seconds / steps[i].small_seconds;
		if (count == 0)
			continue;
		const char *unit = i == 0 && count == 1 ? "day" : steps[i].large;
		if (rest > 0)
			snprintf(out, HUMAN_SIZE, "%lld %s %lld %s", (long long)count, unit, (long long)rest,
				 steps[i].small);
		else
			snprintf(out, HUMAN_SIZE, "%lld %s", (long long)count, unit);
		return out;
	}
	snprintf(out, HUMAN_SIZE, "%lld s", (long long)seconds);
	return out;
}

/* Milliseconds of a unit; 0 if it is none. */
static int64_t unit_ms(struct slice word)
{
	static const struct {
		const char *word;
		int64_t ms;
	} units[] = {
		{"", 1000},     {"s", 1000},     {"sec", 1000},     {"m", 60000},       {"min", 60000},
		{"h", 3600000}, {"d", 86400000}, {"day", 86400000}, {"days", 86400000}, {"ms", 1},
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_is(word, units[i].word))
			return units[i].ms;
	return 0;
}

int human_parse_duration(const char *text, const char *what, int64_t *ms, struct err *err)
{
	static const int64_t max = 100LL * 365 * 86400 * 1000;
	int64_t sum = 0;
	const char *at = text;
	bool understood = *at != '\0';
	while (understood && *at) {
		int64_t number = 0;
		const char *begin = at;
		for (; isdigit((unsigned char)*at) && number <= max; at++)
			number = number * 10 + (*at - '0');
		understood = at > begin && number <= max;
		at += at[0] == ' ' && isalpha((unsigned char)at[1]);
		const char *word = at;
		while (isalpha((unsigned char)*at))
			at++;
		int64_t unit = unit_ms(slice_make(word, (size_t)(at - word)));
		understood = understood && unit > 0 && number <= max / unit && sum + number * unit <= max;
		sum += understood ? number * unit : 0;
		while (*at == ' ' && at[1])
			at++;
	}
	if (!understood)
		return err_set(err, -EINVAL, "the %s '%s' is no time, as in 90, 90s, 15min, 2h or 1d", what, text);
	*ms = sum;
	return 0;
}
