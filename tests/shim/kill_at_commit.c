/*
 * Kills the process at a commit of SQLite: what a power switch would do, at the moments where it matters most.
 *
 *   SHIM_KILL_COMMIT=N            the Nth COMMIT, counted from 1
 *   SHIM_KILL_WHEN=before|after   right before it begins, or right after it has ended
 *   SHIM_COMMITS=FILE             appends a line for each COMMIT that has ended, with the time when it began, in seconds
 *                                 since the epoch; and the line "killed" right before the end
 *
 * Counted is in the process that commits; a fork goes on from the count of its parent. A COMMIT that fails (the store is
 * locked, say) does not count. sqlite3_exec comes through here as well, where SQLite is a shared library.
 */
#include "next.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_long ended; /* commits */

static void append(const char *line)
{
	const char *file = getenv("SHIM_COMMITS");
	int fd = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	if (write(fd, line, strlen(line)) < 0)
		abort();
	close(fd);
}

static void kill_at(long number, const char *when)
{
	const char *wanted = getenv("SHIM_KILL_COMMIT");
	const char *moment = getenv("SHIM_KILL_WHEN");
	if (!wanted || strtol(wanted, NULL, 10) != number || strcmp(moment ? moment : "before", when) != 0)
		return;
	append("killed\n");
	kill(getpid(), SIGKILL);
}

static void note_commit(const struct timespec *began)
{
	char line[64];
	snprintf(line, sizeof(line), "%lld.%06ld\n", (long long)began->tv_sec, began->tv_nsec / 1000);
	append(line);
}

int sqlite3_step(sqlite3_stmt *stmt)
{
	static int (*next)(sqlite3_stmt *);
	SHIM_NEXT(next, "sqlite3_step");
	const char *sql = sqlite3_sql(stmt);
	if (!sql || strcmp(sql, "COMMIT") != 0)
		return next(stmt);
	struct timespec began;
	clock_gettime(CLOCK_REALTIME, &began);
	kill_at(ended + 1, "before");
	int code = next(stmt);
	if (code != SQLITE_DONE)
		return code;
	note_commit(&began);
	kill_at(++ended, "after");
	return code;
}
