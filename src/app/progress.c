#include "app/progress.h"

#include "util/clock.h"
#include "util/log.h"
#include "util/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_MS 100
#define LOG_EVERY_MS 60000
#define COLUMNS 80 /* of a terminal that does not say */
#define ERASER "\r\033[K"

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);
	return value && *value;
}

/* A terminal that knows no control sequences, or does not say which it is. */
static bool is_dumb(void)
{
	const char *term = getenv("TERM");
	return !term || !*term || strcmp(term, "dumb") == 0;
}

void progress_start(struct progress *progress, const char *what, const char *unit, bool quiet)
{
	int64_t now = clock_monotonic_ms();
	bool terminal = isatty(STDERR_FILENO) == 1;
	*progress = (struct progress){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.way = quiet      ? PROGRESS_NONE
		       : terminal ? PROGRESS_TERMINAL
				  : PROGRESS_LOG,
		.count = {.what = what, .unit = unit},
		.plain = is_dumb(),
		.colour = !is_dumb() && !is_set("NO_COLOR"),
		.started_at = now,
		.due_at = terminal ? now : now + LOG_EVERY_MS,
	};
}

/* Asked for each time, so that a window may change its size without anybody being told. */
static unsigned columns_of_terminal(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

/* In one write, as messages are. */
static void draw(const struct progress *progress)
{
	char text[PROGRESS_LINE_SIZE];
	char line[PROGRESS_LINE_SIZE * 2];
	unsigned columns = columns_of_terminal();
	progress_line(&progress->count, columns, progress->colour, text);
	int len;
	if (progress->plain) { /* what the line before had more is overwritten */
		int width = columns > 1 && columns < PROGRESS_LINE_SIZE ? (int)columns - 1 : 0;
		len = snprintf(line, sizeof(line), "\r%-*s", width, text);
	} else {
		len = snprintf(line, sizeof(line), "\r%s\033[K", text);
	}
	log_set_eraser(progress->plain ? "\n" : ERASER);
	ssize_t written = write(STDERR_FILENO, line, (size_t)len);
	(void)written; /* the terminal is gone: nobody looks */
}

static void show(struct progress *progress)
{
	int64_t now = clock_monotonic_ms();
	if (progress->way == PROGRESS_NONE || now < progress->due_at)
		return;
	progress->count.elapsed_ms = now - progress->started_at;
	if (progress->way == PROGRESS_TERMINAL) {
		draw(progress);
		progress->due_at = now + REDRAW_MS;
	} else {
		char text[PROGRESS_LINE_SIZE];
		log_notice("%s", progress_sentence(&progress->count, text));
		progress->due_at = now + LOG_EVERY_MS;
	}
}

void progress_draw(struct progress *progress, uint64_t done, uint64_t total)
{
	progress_draw_bytes(progress, done, total, 0, 0);
}

void progress_draw_bytes(struct progress *progress, uint64_t done, uint64_t total, uint64_t bytes, uint64_t bytes_total)
{
	struct progress_count *count = &progress->count;
	pthread_mutex_lock(&progress->lock);
	if (!progress->begun) { /* work that goes on counts what it has done now */
		count->before = done;
		count->bytes_before = bytes;
	}
	progress->begun = true;
	count->done = done;
	count->total = total;
	count->bytes = bytes;
	count->bytes_total = bytes_total;
	show(progress);
	pthread_mutex_unlock(&progress->lock);
}

void progress_wait(struct progress *progress, const char *what)
{
	char *waiting = progress->count.waiting;
	pthread_mutex_lock(&progress->lock);
	snprintf(waiting, sizeof(progress->count.waiting), "%s", what ? what : "");
	make_printable(waiting, strlen(waiting));
	if (progress->way == PROGRESS_TERMINAL)
		progress->due_at = 0; /* nothing else may come for long */
	show(progress);
	pthread_mutex_unlock(&progress->lock);
}

void progress_end(struct progress *progress)
{
	pthread_mutex_lock(&progress->lock);
	bool drawn = progress->way == PROGRESS_TERMINAL && progress->due_at > progress->started_at;
	const char *end = progress->plain ? "\n" : ERASER;
	log_set_eraser(NULL);
	if (drawn) {
		ssize_t written = write(STDERR_FILENO, end, strlen(end));
		(void)written;
	}
	progress->way = PROGRESS_NONE;
	pthread_mutex_unlock(&progress->lock);
}
