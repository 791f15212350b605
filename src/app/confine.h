/* Which files a process of a stack may reach once it has begun to speak to the service. */
#ifndef CONTENTFS_APP_CONFINE_H
#define CONTENTFS_APP_CONFINE_H

#include "config/config.h"
#include "util/err.h"

/*
 * Gives up everything but the folders of the store and, where the settings name one, of the cache: see guard/guard.h. Makes
 * the cache's folder: one that is made later is out of reach. -EINVAL if others could put something in its place; one
 * that cannot be made is done without. Before any thread is started.
 */
int confine(const struct config *config, struct err *err);

#endif
