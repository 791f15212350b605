#include "app/asset_cache.h"

#include "delivery/region.h"

#include <errno.h>
#include <stddef.h>

int asset_cache_open(struct assets **out, const struct config *config, const char *host,
		     void (*changed)(void *context, struct slice url, int64_t generation), void *context,
		     struct err *err)
{
	struct region_asset_hosts region;
	const char *hosts[REGION_ASSET_HOSTS + 2] = {NULL};
	size_t count = 0;
	if (config->secure_assets && !config->token)
		return err_set(err, -EINVAL,
			       "the delivery token is missing, which secured assets need: set "
			       "CONTENTSTACK_DELIVERY_TOKEN or use --delivery-token-file");
	/* Another host than a region's may stand before that region, which is named then. */
	region_asset_hosts(config->region ? region_host(config->region) : host, &region);
	for (size_t i = 0; region.url[i]; i++)
		hosts[count++] = region.url[i];
	hosts[count++] = host;
	const struct assets_config assets = {
		.folder = config->cache,
		.cache_bytes = config->cache_bytes,
		.patience_ms = config->patience_ms,
		.base = host,
		.token = config->secure_assets ? config->token : NULL,
		.environment = config->environment,
		.hosts = hosts,
		.changed = changed,
		.context = context,
	};
	return assets_create(out, &assets, err);
}
