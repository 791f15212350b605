/*
 * Lets the wall clock of a process jump, while its monotonic clock goes on, or goes faster than it does.
 *
 *   SHIM_CLOCK=FILE   seconds to add to the wall clock. Read anew at each look at the clock, so the test may write another
 *                     number at any time; without the file, or with none in it, the clock is right
 *
 *   SHIM_SPEED=N      the monotonic clock runs N times as fast, from the first look at it on, and poll(2) waits for an Nth
 *                     of the time. Other waits last as long as ever
 *
 * The kernel's own clock stays: a wait until a time of the wall clock (pthread_cond_timedwait without a monotonic
 * condition) lasts as long as the jump, which is what a test should find out.
 */
#include "next.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t offset(void)
{
	char text[32];
	const char *file = getenv("SHIM_CLOCK");
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return (time_t)strtoll(text, NULL, 10);
}

static int next_clock_gettime(clockid_t id, struct timespec *now)
{
	static int (*next)(clockid_t, struct timespec *);
	SHIM_NEXT(next, "clock_gettime");
	return next(id, now);
}

#define SECOND_NS 1000000000LL

static long long ns_of(const struct timespec *time)
{
	return time->tv_sec * SECOND_NS + time->tv_nsec;
}

static void speed_up(struct timespec *now)
{
	static long long first;
	const char *text = getenv("SHIM_SPEED");
	long long ns = ns_of(now);
	long long unset = 0;
	if (!text)
		return;
	if (!__atomic_compare_exchange_n(&first, &unset, ns, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		ns = unset + (ns - unset) * strtoll(text, NULL, 10);
	*now = (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

int poll(struct pollfd *fds, nfds_t count, int ms)
{
	static int (*next)(struct pollfd *, nfds_t, int);
	const char *speed = getenv("SHIM_SPEED");
	SHIM_NEXT(next, "poll");
	if (shim_fails_for("poll", (long)count))
		return -1;
	return next(fds, count, speed && ms > 0 ? ms / atoi(speed) + 1 : ms);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc = next_clock_gettime(id, now);
	if (rc == 0 && id == CLOCK_MONOTONIC)
		speed_up(now);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		now->tv_sec += offset();
	return rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;
	(void)zone; /* obsolete */
	if (clock_gettime(CLOCK_REALTIME, &precise) < 0)
		return -1;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
