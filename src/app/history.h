/* `contentfs log`: the last changes of a store, for people and for programs. */
#ifndef CONTENTFS_APP_HISTORY_H
#define CONTENTFS_APP_HISTORY_H

#include "util/err.h"

#include <stdbool.h>

struct history_wish {
	long lines;  /* how many of the last changes to begin with */
	bool json;   /* an object a line */
	bool follow; /* go on with what comes, for ever */
};

/* Prints to stdout, the newest last. Also while the store is being written; a store that takes its place is followed.
 * -EIO if stdout takes no more; errors of the store as reader_open has them. Blocks. */
int history_run(const char *store, const struct history_wish *wish, struct err *err);

#endif
