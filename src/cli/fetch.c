/* contentfs fetch: which store and which places in the tree are meant, then app does the work. */
#include "app/fetch.h"

#include "app/exit_status.h"
#include "cli/command.h"
#include "cli/mounted.h"
#include "util/cleanup.h"
#include "util/json.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Takes a setting from a mount's status, unless it was given. */
static int adopt(struct json_value status, const char *key, char **setting, struct err *err)
{
	struct json_value value;
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	if (*setting || !json_get(status, key, &value) || value.type != JSON_STRING)
		return 0;
	if (json_string_decode(value, &text) < 0)
		return err_oom(err);
	*setting = text.text;
	text = (struct buf)BUF_INIT;
	return 0;
}

/* The cache that the mount reads from, unless another one was named. */
static int adopt_cache(struct json_value status, struct config *config, struct err *err)
{
	struct json_value cache;
	struct json_value limit;
	long long bytes;
	if (config->cache || !json_get(status, "cache", &cache))
		return 0;
	if (json_get(cache, "limit_bytes", &limit) && json_integer(limit, &bytes) == 0 && bytes > 0)
		config->cache_bytes = bytes;
	return adopt(cache, "folder", &config->cache, err);
}

static int adopt_mount(struct config *config, const char *mountpoint, struct err *err)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	struct json_value status;
	int rc = mounted_status(mountpoint, &json, err);
	if (rc < 0)
		return rc;
	if (json_check(buf_slice(&json), 8, &status, err) < 0)
		return err_prefix(err, -EPROTO, "the status cannot be read");
	rc = adopt(status, "store", &config->store, err);
	if (rc == 0)
		rc = adopt(status, "host", &config->host, err);
	if (rc == 0)
		rc = adopt_cache(status, config, err);
	return rc < 0 ? rc : adopt(status, "environment", &config->environment, err);
}

/* How much of an absolute path is the mount point that it is in: where the device changes. 0 if it is in none. */
static size_t mountpoint_len(const char *path)
{
	struct stat here;
	struct stat above;
	char upper[PATH_MAX];
	size_t len = strlen(path);
	if (len >= sizeof(upper) || lstat(path, &here) < 0)
		return 0;
	memcpy(upper, path, len + 1);
	while (len > 1) {
		char *slash = strrchr(upper, '/');
		size_t upper_len = slash == upper ? 1 : (size_t)(slash - upper);
		upper[upper_len] = '\0';
		if (lstat(upper, &above) < 0)
			return 0;
		if (above.st_dev != here.st_dev)
			return len;
		len = upper_len;
	}
	return 0;
}

/* A path in a mount becomes the place in the tree, and the mount says which store it is of. */
static int resolve(struct config *config, char *operand, char **place, struct err *err)
{
	*place = operand;
	if (strncmp(operand, "assets", 6) == 0 && (operand[6] == '/' || operand[6] == '\0'))
		return 0;
	CLEANUP(cleanup_free) char *path = realpath(operand, NULL);
	size_t len = path ? mountpoint_len(path) : 0;
	if (!path)
		return err_set(err, -EINVAL, "%s: %s (a place in a mount is meant, or in the tree, as in assets/en-us)",
			       operand, strerror(errno));
	CLEANUP(cleanup_free) char *mountpoint = strndup(path, len);
	*place = strdup(path + len);
	if (!mountpoint || !*place)
		return err_oom(err);
	if (len == 0)
		return err_set(err, -EINVAL, "%s is in no mount of contentfs", operand);
	return adopt_mount(config, mountpoint, err);
}

int command_fetch(struct invocation *invocation, struct err *err)
{
	struct config *config = &invocation->config;
	size_t count = (size_t)invocation->operand_count;
	CLEANUP(cleanup_free) char **places = calloc(count + 1, sizeof(*places));
	int rc = places ? 0 : err_oom(err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = resolve(config, invocation->operands[i], &places[i], err);
	if (rc == 0)
		rc = config_complete(config, false, err);
	if (rc == 0)
		rc = config_complete_assets(config, err);
	if (rc == 0)
		rc = fetch_run(config, places, count, err);
	for (size_t i = 0; places && i < count; i++)
		if (places[i] != invocation->operands[i])
			free(places[i]);
	return exit_status(rc);
}
