#include "sync/courtesy.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SHARE_IN_LINE 10 /* others want the processors if one in so many ns of work was stood in line for */

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0};
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct work work_now(void)
{
	struct rusage usage = {0};
	getrusage(RUSAGE_THREAD, &usage);
	return (struct work){clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_THREAD_CPUTIME_ID), usage.ru_nivcsw};
}

void courtesy_begin(struct courtesy *courtesy)
{
	courtesy->begin = work_now();
}

void courtesy_end(struct courtesy *courtesy)
{
	const struct work *begin = &courtesy->begin;
	const struct work now = work_now();
	if (begin->wall_ns == 0)
		return;
	courtesy->work.wall_ns += now.wall_ns - begin->wall_ns;
	courtesy->work.cpu_ns += now.cpu_ns - begin->cpu_ns;
	courtesy->work.preempted += now.preempted - begin->preempted;
	courtesy->begin = (struct work){0};
}

/* --- others ------------------------------------------------------------------------------------------------------- */

static struct {
	pthread_once_t once;
	int loadavg; /* -1: not to be had, and only the thread's own waits tell of others */
	long processors;
} machine = {.once = PTHREAD_ONCE_INIT};

static void open_machine(void)
{
	machine.loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	machine.processors = sysconf(_SC_NPROCESSORS_ONLN);
}

void courtesy_prepare(void)
{
	pthread_once(&machine.once, open_machine);
}

/* Who shares the processors out by session may give one to this thread for itself, and the other to all the rest; so the
 * thread's own share does not tell. The fourth field of proc_loadavg(5) is how many are running or want to. On a single
 * processor the thread that fetches is likely to be one of them, and is no stranger. */
static bool is_machine_full(void)
{
	char text[128];
	long runnable = 0;
	courtesy_prepare();
	ssize_t len = machine.loadavg < 0 ? -1 : pread(machine.loadavg, text, sizeof(text) - 1, 0);
	if (len < 0 || machine.processors <= 0)
		return false;
	text[len] = '\0';
	long own = machine.processors == 1;
	return sscanf(text, "%*s %*s %*s %ld/", &runnable) == 1 && runnable > machine.processors + own;
}

/* Time without a processor may also have been a wait for the disk: who was never preempted stood in no line. */
static bool stood_in_line(const struct work *work)
{
	return work->preempted > 0 && (work->wall_ns - work->cpu_ns) * SHARE_IN_LINE >= work->cpu_ns;
}

int64_t courtesy_rest(struct courtesy *courtesy)
{
	if (courtesy->work.cpu_ns < COURTESY_WORK_NS)
		return 0;
	if (machine.processors == 1)
		courtesy->work.preempted = 0; /* by the thread that fetches, too */
	return courtesy_due(courtesy, is_machine_full());
}

int64_t courtesy_due(struct courtesy *courtesy, bool full)
{
	struct work *work = &courtesy->work;
	if (work->cpu_ns < COURTESY_WORK_NS)
		return 0;
	int64_t rest = full || stood_in_line(work) ? work->cpu_ns / 1000000 * COURTESY_SHARE : 0;
	int64_t left = COURTESY_ALL_MS_MAX - courtesy->rested_ms;
	*work = (struct work){0};
	if (rest > COURTESY_REST_MS_MAX)
		rest = COURTESY_REST_MS_MAX;
	if (rest > left)
		rest = left;
	courtesy->rested_ms += rest;
	return rest;
}
