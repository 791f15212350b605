#include "app/examine.h"
#include "assets/assets.h"
#include "util/cleanup.h"
#include "util/human.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define ROOM_MIN (16LL << 20)     /* of the store's disk: less, and the next larger delta fails */
#define ROOM_ENOUGH (256LL << 20) /* less, and it may be soon */

void examine_token(struct findings *findings, const struct config *config, bool mounted)
{
	if (config->token_fault.text[0])
		finding_failed(findings, "token", -EINVAL, "%s", config->token_fault.text);
	else if (config->token)
		finding_ok(findings, "token", "there is one");
	else if (mounted)
		finding_warning(
			findings, "token",
			"the mount has it and tells nobody: set CONTENTSTACK_DELIVERY_TOKEN to have it checked");
}

/* The path itself, or what is nearest above it and there. False if it cannot be found out. */
static bool find_nearest(const char *path, char nearest[PATH_MAX], struct stat *st)
{
	if (strlen(path) >= PATH_MAX)
		return false;
	strcpy(nearest, path);
	while (stat(nearest, st) < 0) {
		char *slash = strrchr(nearest, '/');
		if ((errno != ENOENT && errno != ENOTDIR) || !slash || strcmp(nearest, "/") == 0)
			return false;
		slash[slash == nearest] = '\0';
	}
	return true;
}

static bool may_write(const char *folder)
{
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
}

/* A folder that is made where it is not there; `option` names another. Whether there is one to go on with. */
static bool examine_folder(struct findings *findings, const char *check, const char *folder, const char *option,
			   char nearest[PATH_MAX])
{
	struct stat st;
	if (!find_nearest(folder, nearest, &st)) {
		finding_failed(findings, check, -EPERM, "cannot look at %s: %s: let it be read, or use %s", folder,
			       strerror(errno), option);
		return false;
	}
	bool there = strcmp(nearest, folder) == 0;
	if (!S_ISDIR(st.st_mode))
		finding_failed(findings, check, -EPERM, "%s is no folder: move it away, or use %s", nearest, option);
	else if (!may_write(nearest))
		finding_failed(findings, check, -EPERM, "%s cannot be written to: %s: chmod or chown it, or use %s",
			       nearest, strerror(errno), option);
	else if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX) && there)
		finding_failed(findings, check, -EPERM, "others may change what is in %s: chmod go-w %s", folder,
			       folder);
	else
		finding_ok(findings, check, "%s %s", folder, there ? "can be written to" : "is made when it is needed");
	return S_ISDIR(st.st_mode);
}

static void examine_file(struct findings *findings, const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return; /* it is made as it should be */
	if (st.st_uid != geteuid())
		finding_failed(findings, "store file", -EPERM, "%s belongs to somebody else: chown it, or use --store",
			       path);
	else if (st.st_mode & 077)
		finding_failed(findings, "store file", -EPERM, "others may read %s: chmod 600 %s", path, path);
	else
		finding_ok(findings, "store file", "nobody else may read it");
}

/* Bytes that may be written there; -1 with a finding if nothing may. */
static int64_t examine_disk(struct findings *findings, const char *check, const char *folder, const char *option)
{
	struct statvfs st;
	if (statvfs(folder, &st) < 0) {
		finding_failed(findings, check, -EIO, "cannot look at the disk of %s: %s", folder, strerror(errno));
		return -1;
	}
	if (st.f_flag & ST_RDONLY) {
		finding_failed(findings, check, -EROFS, "the disk of %s is read-only: make it writable, or use %s",
			       folder, option);
		return -1;
	}
	if (st.f_files > 0 && st.f_favail == 0) {
		finding_failed(findings, check, -ENOSPC,
			       "the disk of %s takes no more files: make room there, or use %s", folder, option);
		return -1;
	}
	return (int64_t)st.f_bavail * (int64_t)st.f_frsize;
}

static void examine_store_disk(struct findings *findings, const char *folder)
{
	char text[HUMAN_SIZE];
	int64_t room = examine_disk(findings, "store disk", folder, "--store");
	if (room < 0)
		return;
	human_bytes(room, text);
	if (room < ROOM_MIN)
		finding_failed(findings, "store disk", -ENOSPC, "%s are free: make room there, or use --store", text);
	else if (room < ROOM_ENOUGH)
		finding_warning(findings, "store disk", "only %s are free: make room there, or use --store", text);
	else
		finding_ok(findings, "store disk", "%s are free", text);
}

static void examine_cache_disk(struct findings *findings, const struct config *config, const char *folder)
{
	char text[HUMAN_SIZE];
	char growth[HUMAN_SIZE];
	int64_t room = examine_disk(findings, "cache disk", folder, "--cache");
	if (room < 0)
		return;
	int64_t grows = config->cache_bytes - assets_cached_bytes(config->cache);
	human_bytes(room, text);
	if (room < grows)
		finding_warning(
			findings, "cache disk",
			"%s are free, and the cache may grow by %s: make room there, or use a smaller --cache-size",
			text, human_bytes(grows, growth));
	else
		finding_ok(findings, "cache disk", "%s are free", text);
}

void examine_places(struct findings *findings, const struct config *config)
{
	char nearest[PATH_MAX];
	CLEANUP(cleanup_free) char *folder = config->store ? strdup(config->store) : NULL;
	if (folder) {
		char *slash = strrchr(folder, '/'); /* the path is absolute */
		slash[slash == folder] = '\0';
		if (examine_folder(findings, "store folder", folder, "--store", nearest))
			examine_store_disk(findings, nearest);
		examine_file(findings, config->store);
	}
	if (config->cache && examine_folder(findings, "cache folder", config->cache, "--cache", nearest))
		examine_cache_disk(findings, config, nearest);
}
