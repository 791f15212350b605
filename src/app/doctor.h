/* `contentfs doctor`: looks at what a mount needs, and says what is wrong with it. */
#ifndef CONTENTFS_APP_DOCTOR_H
#define CONTENTFS_APP_DOCTOR_H

#include "config/config.h"
#include "util/err.h"

#include <stdbool.h>

/*
 * Runs all checks, and prints what they come to. `config` has what could be had: from a mount where `mountpoint` is not
 * NULL, which is then the one that is looked at. `trouble`: why it is not complete, "" if it is. 0 if none failed; else what
 * the first stands for. Changes nothing; blocks for the network some seconds, and for the disk as long as reading the store takes.
 */
int doctor_run(const struct config *config, const char *mountpoint, const char *trouble, bool json, struct err *err);

#endif
