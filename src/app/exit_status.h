/* Which of sysexits.h stands for a failure (see util/err.h). */
#ifndef CONTENTFS_APP_EXIT_STATUS_H
#define CONTENTFS_APP_EXIT_STATUS_H

/* rc is 0 or a negative errno. */
int exit_status(int rc);

#endif
