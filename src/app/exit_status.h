/* Which of sysexits.h stands for a failure (see util/err.h). */
#ifndef CONTENTFS_APP_EXIT_STATUS_H
#define CONTENTFS_APP_EXIT_STATUS_H

#include "util/err.h"

/* rc is 0 or a negative errno. */
int exit_status(int rc);

/* The same for a command that only reads the store. What others do about a damaged one is put behind the reason. */
int exit_status_of_reader(int rc, struct err *err);

#endif
