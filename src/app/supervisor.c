#include "app/supervisor.h"

#include "util/clock.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_MS 1000

void supervisor_open(struct supervisor *supervisor)
{
	*supervisor = (struct supervisor)SUPERVISOR_NONE;
	notify_open(&supervisor->notify);
}

void supervisor_close(struct supervisor *supervisor)
{
	notify_close(&supervisor->notify);
}

void supervisor_watch(struct supervisor *supervisor, struct refresher *refresher, struct fs *fs)
{
	supervisor->refresher = refresher;
	supervisor->fs = fs;
	supervisor->got_on_at = clock_monotonic_ms();
}

static void describe(const struct refresher_view *view, uint64_t items, char *text, size_t size)
{
	bool ready = view->state == REFRESHER_READY;
	if (view->ran && view->last_rc < 0)
		snprintf(text, size, "%s: %.200s", ready ? "Showing what is there; the last sync failed" : "No content",
			 view->last_error.text);
	else if (!ready && view->waiting_for.text[0])
		snprintf(text, size, "First sync: %" PRIu64 " items; waiting: %.150s", items, view->waiting_for.text);
	else if (!ready)
		snprintf(text, size, "First sync: %" PRIu64 " items", items);
	else
		snprintf(text, size, view->ran ? "Up to date" : "Showing what is there; asking for news");
}

static void tell_status(struct supervisor *supervisor, const struct refresher_view *view, uint64_t items)
{
	char text[sizeof(supervisor->status)];
	describe(view, items, text, sizeof(text));
	if (strcmp(text, supervisor->status) == 0)
		return;
	strcpy(supervisor->status, text);
	notify_send(&supervisor->notify, "STATUS=%s", text);
}

/* What it comes to if a thread is stuck is up to the manager, as a rule a new start. */
static bool gets_on(struct supervisor *supervisor)
{
	int64_t now = clock_monotonic_ms();
	if (refresher_gets_on(supervisor->refresher, &supervisor->turns))
		supervisor->got_on_at = now;
	return now - supervisor->got_on_at < supervisor->notify.watchdog_ms &&
	       fs_busy_ms(supervisor->fs) < supervisor->notify.watchdog_ms;
}

void supervisor_tell(struct supervisor *supervisor, uint64_t items)
{
	struct refresher_view view;
	if (supervisor->notify.fd < 0)
		return;
	refresher_look(supervisor->refresher, &view);
	tell_status(supervisor, &view, items);
	if (view.state == REFRESHER_READY && !supervisor->ready) {
		supervisor->ready = true;
		notify_send(&supervisor->notify, "READY=1\nMAINPID=%d", (int)getpid());
	}
	if (supervisor->notify.watchdog_ms > 0 && gets_on(supervisor))
		notify_send(&supervisor->notify, "WATCHDOG=1");
}

void supervisor_stopping(struct supervisor *supervisor)
{
	notify_send(&supervisor->notify, "STOPPING=1\nSTATUS=Unmounting");
}

int supervisor_wait_ms(const struct supervisor *supervisor)
{
	int64_t ms = supervisor->notify.watchdog_ms / 3; /* sd_watchdog_enabled(3) advises half of it */
	if (supervisor->notify.fd < 0)
		return -1;
	if (!supervisor->ready && (ms == 0 || ms > PROGRESS_MS))
		return PROGRESS_MS;
	return ms > 0 ? (int)(ms < 60000 ? ms : 60000) : -1;
}
