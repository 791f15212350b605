#include "sync/pace.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void pace_sent(struct pace *pace, int64_t now)
{
	pace->sent[pace->count++ % PACE_WINDOW] = now;
	if (pace->left > 0)
		pace->left--;
}

/* Requests sent within the last second. */
static int64_t sent_lately(const struct pace *pace, int64_t now)
{
	unsigned known = pace->count < PACE_WINDOW ? pace->count : PACE_WINDOW;
	int64_t sum = 0;
	for (unsigned i = 0; i < known; i++)
		sum += now - pace->sent[i] <= PACE_SECOND_MS;
	return sum;
}

/* One request of the last second was too many. The first such answer may be due to others who share the limit. */
static void slow_down(struct pace *pace, int64_t now)
{
	int64_t since = now - pace->limited_at;
	int64_t fine = sent_lately(pace, now) - 1;
	int64_t spacing = PACE_SECOND_MS / (fine > 0 ? fine : 1);
	if (since < PACE_SECOND_MS / 2)
		return;
	pace->limited_at = now;
	if (since > PACE_MEMORY_MS)
		return;
	spacing = later(spacing + spacing / 10, pace->spacing_ms * 3 / 2);
	pace->spacing_ms = spacing < PACE_SPACING_MAX_MS ? spacing : PACE_SPACING_MAX_MS;
	pace->changed_at = now;
}

static void speed_up(struct pace *pace, int64_t now)
{
	if (pace->spacing_ms == 0 || now - pace->changed_at < PACE_MEMORY_MS)
		return;
	pace->spacing_ms = pace->spacing_ms > 4 ? pace->spacing_ms / 2 : 0;
	pace->changed_at = now;
}

void pace_keep_away(struct pace *pace, int64_t ms, int64_t now)
{
	pace->not_before = later(pace->not_before, now + (ms < PACE_ASKED_MAX_MS ? ms : PACE_ASKED_MAX_MS));
}

void pace_heard(struct pace *pace, const struct delivery_advice *advice, bool limited, unsigned in_flight, int64_t now)
{
	int64_t reset = advice->reset_ms >= 0 ? advice->reset_ms : PACE_SECOND_MS;
	if (reset > PACE_WAIT_MAX_MS)
		reset = PACE_WAIT_MAX_MS;
	if (advice->retry_after_ms >= 0)
		pace_keep_away(pace, advice->retry_after_ms, now);
	if (limited) {
		slow_down(pace, now);
		pace->left = -1;
		if (advice->retry_after_ms < 0)
			pace_keep_away(pace, reset, now);
		return;
	}
	speed_up(pace, now);
	pace->left = advice->remaining < 0                    ? -1
		     : advice->remaining > (int64_t)in_flight ? advice->remaining - in_flight
							      : 0;
	if (pace->left == 0)
		pace_keep_away(pace, reset, now);
}

int64_t pace_next(const struct pace *pace, unsigned in_flight, int64_t now)
{
	if (pace->left == 0 && in_flight > 0)
		return INT64_MAX;
	int64_t next = later(now, pace->not_before);
	if (pace->spacing_ms > 0 && pace->count > 0)
		next = later(next, pace->sent[(pace->count - 1) % PACE_WINDOW] + pace->spacing_ms);
	return next;
}
