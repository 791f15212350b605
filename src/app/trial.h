/* Whether the service lets settings have what they ask for, before anything is kept of either. */
#ifndef CONTENTFS_APP_TRIAL_H
#define CONTENTFS_APP_TRIAL_H

#include "config/config.h"
#include "util/err.h"

/* Asks for the first page of a first sync, once. *total is how many entries and assets there are to be had, -1 if the
 * service does not say. Else as util/err.h has it. Needs host, stack, token and environment; blocks for the network. */
int trial_run(const struct config *config, long long *total, struct err *err);

#endif
