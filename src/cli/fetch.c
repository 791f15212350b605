/* contentfs fetch: which store and which places in the tree are meant, then app does the work. */
#include "app/fetch.h"

#include "app/exit_status.h"
#include "cli/command.h"
#include "cli/mounted.h"
#include "util/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
		return err_set(err, -EINVAL, "%s is in no mount of contentfs: contentfs list shows where one is",
			       operand);
	return mounted_adopt(config, mountpoint, err);
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
	return exit_status_of_reader(rc, err);
}
