#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_MAX 2000

static int checks;
static int failures;

/* A "#" in a name would begin a directive, a newline another line. */
static void print_name(const char *name, va_list args)
{
	char text[1024];
	vsnprintf(text, sizeof(text), name, args);
	for (const char *c = text; *c; c++) {
		if (*c == '#')
			fputs("\\#", stdout);
		else if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			printf("\\x%02x", (unsigned char)*c);
		else
			putchar(*c);
	}
}

static bool report(bool passed, const char *name, va_list args)
{
	checks++;
	if (!passed)
		failures++;
	printf("%s %d - ", passed ? "ok" : "not ok", checks);
	print_name(name, args);
	putchar('\n');
	fflush(stdout);
	return passed;
}

bool ok(bool passed, const char *name, ...)
{
	va_list args;
	va_start(args, name);
	report(passed, name, args);
	va_end(args);
	return passed;
}

bool is_int(long long got, long long want, const char *name, ...)
{
	va_list args;
	va_start(args, name);
	bool passed = report(got == want, name, args);
	va_end(args);
	if (!passed)
		diag("  got: %lld\n want: %lld", got, want);
	return passed;
}

bool is_slice(struct slice got, struct slice want, const char *name, ...)
{
	va_list args;
	va_start(args, name);
	bool passed = report(slice_eq(got, want), name, args);
	va_end(args);
	if (!passed) {
		diag_slice(" got", got);
		diag_slice("want", want);
	}
	return passed;
}

bool is_str(const char *got, const char *want, const char *name, ...)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;
	va_list args;
	va_start(args, name);
	bool passed = report(same, name, args);
	va_end(args);
	if (!passed) {
		diag_slice(" got", slice_of(got ? got : "(null)"));
		diag_slice("want", slice_of(want ? want : "(null)"));
	}
	return passed;
}

void skip(const char *why, const char *name, ...)
{
	bool forbidden = getenv("CI") != NULL;
	checks++;
	if (forbidden)
		failures++;
	va_list args;
	va_start(args, name);
	printf("%s %d - ", forbidden ? "not ok" : "ok", checks);
	print_name(name, args);
	va_end(args);
	printf(forbidden ? "\n# skipped, which CI forbids: %s\n" : " # SKIP %s\n", why);
	fflush(stdout);
}

void diag(const char *fmt, ...)
{
	char text[4096];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		printf("# %s\n", line);
	fflush(stdout);
}

void diag_slice(const char *what, struct slice bytes)
{
	printf("# %s: ", what);
	for (size_t i = 0; i < bytes.len && i < SHOWN_MAX; i++) {
		unsigned char c = (unsigned char)bytes.at[i];
		if (c == '\n')
			fputs("\\n", stdout);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	printf("%s (%zu bytes)\n", bytes.len > SHOWN_MAX ? "..." : "", bytes.len);
	fflush(stdout);
}

int tap_done(void)
{
	printf("1..%d\n", checks);
	if (failures > 0)
		diag("%d of %d checks failed", failures, checks);
	return checks > 0 && failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
