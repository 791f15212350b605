#include "sync/schedule.h"

#include <errno.h>

#define ECHO_FIRST_MS 1000 /* then twice as long each time */
#define ECHOES 3

static int64_t scale(int64_t ms, uint32_t random)
{
	return (int64_t)((double)ms * ((double)random / 4294967296.0));
}

static int64_t after_failure(struct schedule *schedule, const struct schedule_event *event, uint32_t random)
{
	unsigned doublings = schedule->failures < 20 ? schedule->failures : 20;
	if (schedule->failures < UINT32_MAX)
		schedule->failures++;
	schedule->echoes = 0;
	int64_t ceiling = (int64_t)SCHEDULE_BACKOFF_MIN_MS << doublings;
	if (ceiling > SCHEDULE_BACKOFF_MAX_MS)
		ceiling = SCHEDULE_BACKOFF_MAX_MS;
	int64_t wait = SCHEDULE_BACKOFF_MIN_MS / 2 + scale(ceiling, random);
	if (event->rc == -EACCES)
		wait = SCHEDULE_REFUSED_MS / 2 + scale(SCHEDULE_REFUSED_MS / 2, random);
	int64_t asked = event->retry_after_ms;
	if (asked > SCHEDULE_RETRY_AFTER_MAX_MS)
		asked = SCHEDULE_RETRY_AFTER_MAX_MS;
	return wait > asked ? wait : asked + scale(SCHEDULE_BACKOFF_MIN_MS, random);
}

int64_t schedule_next(struct schedule *schedule, const struct schedule_event *event, uint32_t random)
{
	if (event->rc < 0)
		return after_failure(schedule, event, random);
	schedule->failures = 0;
	if (event->news)
		schedule->echoes = ECHOES;
	int64_t wait = schedule->interval_ms * 9 / 10 + scale(schedule->interval_ms / 5, random);
	if (schedule->echoes > 0) {
		int64_t echo = (int64_t)ECHO_FIRST_MS << (ECHOES - schedule->echoes);
		schedule->echoes--;
		if (echo < wait)
			wait = echo;
	}
	return wait > 0 ? wait : 1;
}
