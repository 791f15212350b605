/* The list behind -o, in the manner of mount(8). */
#ifndef CONTENTFS_CONFIG_MOUNT_OPTIONS_H
#define CONTENTFS_CONFIG_MOUNT_OPTIONS_H

#include "config/config.h"
#include "util/err.h"

/* Takes "allow_other,uid=1000,…" into the config, behind what earlier lists said: what the kernel and libfuse are to know,
 * and settings, as in "environment=staging", but for the token itself. Quotes ("…") keep a comma in a value. An option that
 * is not known is refused. */
int mount_options_set(struct config *config, const char *list, struct err *err);

/* The same for a list that mount(8) made: it says rw where nobody said ro. `sloppy`: what is not known is left out. */
int mount_options_from_mount(struct config *config, const char *list, bool sloppy, struct err *err);

#endif
