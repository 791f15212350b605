#include "app/progress.h"

#include "util/clock.h"

#include <stdio.h>
#include <unistd.h>

#define REDRAW_MS 100

void progress_start(struct progress *progress)
{
	*progress = (struct progress){.shown = isatty(STDERR_FILENO) == 1, .started_at = clock_monotonic_ms()};
}

static bool is_due(const struct progress *progress, int64_t now)
{
	return progress->shown && !(progress->drawn && now - progress->drawn_at < REDRAW_MS);
}

static void draw(struct progress *progress, const char *line, int64_t now)
{
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
	progress->drawn = true;
	progress->drawn_at = now;
}

void progress_draw_line(struct progress *progress, const char *line)
{
	int64_t now = clock_monotonic_ms();
	if (is_due(progress, now))
		draw(progress, line, now);
}

void progress_draw(struct progress *progress, uint64_t pages, uint64_t items)
{
	int64_t now = clock_monotonic_ms();
	char line[128];
	if (!is_due(progress, now))
		return;
	if (!progress->drawn)
		progress->items_before = items; /* a run that goes on counts what it has done now */
	int64_t elapsed = now - progress->started_at;
	uint64_t rate = elapsed > 0 ? (items - progress->items_before) * 1000 / (uint64_t)elapsed : 0;
	snprintf(line, sizeof(line), "first sync: %llu pages, %llu items, %llu items/s", (unsigned long long)pages,
		 (unsigned long long)items, (unsigned long long)rate);
	draw(progress, line, now);
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
	progress->shown = false;
}
