/* The line that long work shows on a terminal; of a first run: pages, items, rate. Nothing where stderr is no terminal. */
#ifndef CONTENTFS_APP_PROGRESS_H
#define CONTENTFS_APP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown;         /* stderr is a terminal */
	bool drawn;         /* there is a line to end */
	int64_t started_at; /* monotonic ms */
	int64_t drawn_at;
	uint64_t items_before;
};

void progress_start(struct progress *progress);

/* Draws the line anew, some times a second at most. Of one thread. */
void progress_draw(struct progress *progress, uint64_t pages, uint64_t items);

/* The same for a line of another kind. */
void progress_draw_line(struct progress *progress, const char *line);

/* Ends the line, if there is one. */
void progress_end(struct progress *progress);

#endif
