/* The assets' module with what the settings say. */
#ifndef CONTENTFS_APP_ASSET_CACHE_H
#define CONTENTFS_APP_ASSET_CACHE_H

#include "assets/assets.h"
#include "config/config.h"

/*
 * Opens the cache for a stack. `host`: the service's URL. If the stack secures its assets, the token goes to the asset hosts
 * of the region, and to the host itself where another one was set. `changed` and `context`: see struct assets_config; NULL
 * where nobody is to be told. After any fork.
 */
int asset_cache_open(struct assets **out, const struct config *config, const char *host,
		     void (*changed)(void *context, struct slice url, int64_t generation), void *context,
		     struct err *err);

#endif
