/*
 * Unit tests in TAP, the Test Anything Protocol (version 12, plan at the end). Each check prints one line, "ok" or
 * "not ok", with a sentence that says what holds; a failed one says what it got and wanted. All of them return whether
 * they passed and go on.
 *
 *   int main(void)
 *   {
 *           is_int(1 + 1, 2, "one and one make %s", "two");
 *           return tap_done();
 *   }
 */
#ifndef CONTENTFS_TESTS_TAP_H
#define CONTENTFS_TESTS_TAP_H

#include "util/slice.h"

#include <stdbool.h>

bool ok(bool passed, const char *name, ...) __attribute__((format(printf, 2, 3)));
bool is_int(long long got, long long want, const char *name, ...) __attribute__((format(printf, 3, 4)));
bool is_str(const char *got, const char *want, const char *name, ...) __attribute__((format(printf, 3, 4)));
bool is_slice(struct slice got, struct slice want, const char *name, ...) __attribute__((format(printf, 3, 4)));

/* For what this machine cannot do. Where CI is set in the environment, that is a failure. */
void skip(const char *why, const char *name, ...) __attribute__((format(printf, 2, 3)));

/* A line, or several, for whoever reads the log of a failure. */
void diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same with bytes that may be anything, cut where they get long. */
void diag_slice(const char *what, struct slice bytes);

/* Prints the plan. The exit status for main: 0 if there were checks and all passed. */
int tap_done(void);

#endif
