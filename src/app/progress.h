/*
 * How far long work is: a line that is drawn anew on a terminal, and one line a minute in the log where stderr is none.
 * What it says is up to progress_text.h.
 */
#ifndef CONTENTFS_APP_PROGRESS_H
#define CONTENTFS_APP_PROGRESS_H

#include "app/progress_text.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum progress_way { PROGRESS_NONE, PROGRESS_TERMINAL, PROGRESS_LOG };

struct progress {
	pthread_mutex_t lock; /* guards what follows: who works and who ends it may be two threads */
	enum progress_way way;
	struct progress_count count;
	bool begun;         /* something was done */
	bool plain;         /* the terminal knows no control sequences */
	bool colour;        /* and is allowed some */
	int64_t started_at; /* monotonic ms */
	int64_t due_at;     /* of the next line */
};

/* `what` and `unit` ("first sync", "items") are borrowed as long as it goes on. `quiet`: nothing is shown. */
void progress_start(struct progress *progress, const char *what, const char *unit, bool quiet);

/* So much is done, of a total that may be wrong, or 0. Shows it, some times a second at most. */
void progress_draw(struct progress *progress, uint64_t done, uint64_t total);

/* The same for work that goes by bytes: so many came, of a total that may be wrong, or 0. */
void progress_draw_bytes(struct progress *progress, uint64_t done, uint64_t total, uint64_t bytes,
			 uint64_t bytes_total);

/* The work waits for `what` (copied), or goes on again for NULL. */
void progress_wait(struct progress *progress, const char *what);

/* Takes the line away, if there is one. Nothing is shown from then on. */
void progress_end(struct progress *progress);

#endif
