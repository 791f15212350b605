/* What a line of progress says. Pure. */
#ifndef CONTENTFS_APP_PROGRESS_TEXT_H
#define CONTENTFS_APP_PROGRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_LINE_SIZE 512

/* Where the total of bytes is known, the share, the rate and the time left are those of bytes: units are not alike then. */
struct progress_count {
	const char *what; /* that is done, as in "first sync" */
	const char *unit; /* what is counted */
	uint64_t done;
	uint64_t before; /* of these, what was done already when the work was taken up */
	uint64_t total;  /* 0 if it is not known. Believed only as far as it can be: it may be less than what is done */
	uint64_t bytes;  /* that came; 0 is not shown */
	uint64_t bytes_before; /* of these, like `before` */
	uint64_t bytes_total;  /* like `total` */
	int64_t elapsed_ms;    /* since it was taken up */
	char waiting[160];     /* what it waits for; "" for nothing */
};

/*
 * The line for a terminal of so many columns, which it does not fill to the last, with a bar if the total is known. What
 * there is no room for is left out, the least important first. `colour`: with sequences that colour the bar, which take no
 * columns. Returns out.
 */
char *progress_line(const struct progress_count *count, unsigned columns, bool colour, char out[PROGRESS_LINE_SIZE]);

/* The same as a sentence for a log. Returns out. */
char *progress_sentence(const struct progress_count *count, char out[PROGRESS_LINE_SIZE]);

#endif
