/* `contentfs sync`: brings the store up to date and ends. */
#ifndef CONTENTFS_APP_ONCE_H
#define CONTENTFS_APP_ONCE_H

#include "config/config.h"
#include "util/err.h"

/* Tries again what may pass, a few times. Blocks for the network. `config` is complete. */
int once_run(const struct config *config, struct err *err);

#endif
