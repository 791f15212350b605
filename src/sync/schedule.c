#include "sync/schedule.h"

#include "util/backoff.h"

#include <errno.h>

#define ECHO_FIRST_MS 1000 /* then twice as long each time */
#define ECHOES 3

static int64_t after_failure(struct schedule *schedule, const struct schedule_event *event, uint32_t random)
{
	static const struct backoff backoff = {SCHEDULE_BACKOFF_MIN_MS / 2, SCHEDULE_BACKOFF_MIN_MS,
					       SCHEDULE_BACKOFF_MAX_MS};
	int64_t wait = backoff_until(&backoff, schedule->failures, 0, random);
	if (schedule->failures < UINT32_MAX)
		schedule->failures++;
	schedule->echoes = 0;
	if (event->rc == -EACCES)
		wait = SCHEDULE_REFUSED_MS / 2 + backoff_jitter(SCHEDULE_REFUSED_MS / 2, random);
	int64_t asked = event->retry_after_ms;
	if (asked > SCHEDULE_RETRY_AFTER_MAX_MS)
		asked = SCHEDULE_RETRY_AFTER_MAX_MS;
	return wait > asked ? wait : asked + backoff_jitter(SCHEDULE_BACKOFF_MIN_MS, random);
}

int64_t schedule_next(struct schedule *schedule, const struct schedule_event *event, uint32_t random)
{
	if (event->rc < 0)
		return after_failure(schedule, event, random);
	schedule->failures = 0;
	if (event->news)
		schedule->echoes = ECHOES;
	int64_t wait = schedule->interval_ms * 9 / 10 + backoff_jitter(schedule->interval_ms / 5, random);
	if (schedule->echoes > 0) {
		int64_t echo = (int64_t)ECHO_FIRST_MS << (ECHOES - schedule->echoes);
		schedule->echoes--;
		if (echo < wait)
			wait = echo;
	}
	return wait > 0 ? wait : 1;
}
