/* The list behind -o, in the manner of mount(8). */
#ifndef CONTENTFS_CONFIG_MOUNT_OPTIONS_H
#define CONTENTFS_CONFIG_MOUNT_OPTIONS_H

#include "config/config.h"
#include "util/err.h"

/* Takes "allow_other,uid=1000,…" into the config, behind what earlier lists said. An option that is not known is refused. */
int mount_options_set(struct config *config, const char *list, struct err *err);

#endif
