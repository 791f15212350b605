/* Bringing assets into the cache ahead of their readers, from what a store says of them. */
#ifndef CONTENTFS_APP_FETCH_H
#define CONTENTFS_APP_FETCH_H

#include "config/config.h"
#include "util/err.h"

#include <stddef.h>

/*
 * Fetches all assets of the store that stand at or below one of the places in the tree ("assets/en-us"; "" is everything),
 * with a line of progress if stderr is a terminal. 0 if all are in the cache now. Else those that are not are listed on
 * stderr: -EHOSTUNREACH if some could not be had, -ENOSPC if the cache has no room for them all. -EINVAL if there is no
 * such place or no store. `config` is complete. Blocks; what was fetched before a kill stays.
 */
int fetch_run(const struct config *config, char *const *places, size_t count, struct err *err);

#endif
