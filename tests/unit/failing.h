/*
 * Allocations, SQL steps and reads that fail on command. Linked into a test, this stands before the functions of libc and
 * SQLite in every library of the process; it counts and fails only what the thread does that armed it. Not for programs
 * that a sanitizer watches, which has allocation functions of its own.
 */
#ifndef CONTENTFS_TESTS_FAILING_H
#define CONTENTFS_TESTS_FAILING_H

#include <stdbool.h>

enum failing {
	FAILING_ALLOCATION, /* malloc, calloc, realloc */
	FAILING_STEP,       /* sqlite3_step: SQLITE_IOERR, nothing done */
	FAILING_READ,       /* pread on a file: EIO; recv: ECONNRESET */
};

/* The nth of its kind from now on fails, the first is 1; and with `on` all later ones too. */
void failing_arm(enum failing what, long nth, bool on);

/* Nothing fails any more. Whether something did. */
bool failing_disarm(void);

/* Allocations of this thread that were not freed. */
long failing_live(void);

#endif
