#include "app/confine.h"

#include "guard/guard.h"
#include "http/http.h"
#include "util/cleanup.h"
#include "util/folder.h"
#include "util/log.h"

#include <errno.h>
#include <string.h>

static int make_cache(const char *path, struct err *err)
{
	struct err why = {0};
	int rc = folder_make(path, &why);
	if (rc == -EINVAL)
		return err_set(err, rc, "the cache: %s", why.text);
	if (rc < 0)
		log_warning("assets are not kept: %s", why.text);
	return 0;
}

int confine(const struct config *config, struct err *err)
{
	int rc = http_load(err); /* from wherever it is */
	if (rc == 0 && config->cache)
		rc = make_cache(config->cache, err);
	if (rc < 0)
		return rc;
	CLEANUP(cleanup_free) char *folder = strdup(config->store);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	if (!slash)
		return err_oom(err);
	slash[slash == folder] = '\0';
	const char *const writable[] = {folder, config->cache, NULL};
	return guard_confine(writable, err);
}
