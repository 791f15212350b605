/* The signals that tell the program to end, read from a descriptor. */
#ifndef CONTENTFS_APP_SIGNALS_H
#define CONTENTFS_APP_SIGNALS_H

#include "util/err.h"

/* From here on SIGINT, SIGTERM and SIGHUP are read from *fd, and a broken pipe is an error like another. Before any thread
 * is started. */
int signals_take(int *fd, struct err *err);

#endif
