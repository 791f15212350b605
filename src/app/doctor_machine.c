#include "app/examine.h"
#include "fs/mounts.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEVICE "/dev/fuse"
#define FUSE_CONF "/etc/fuse.conf"
#define ANSWER_MS 5000

static void examine_device(struct findings *findings)
{
	CLEANUP(cleanup_close) int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		finding_ok(findings, "fuse", DEVICE " can be opened");
	else if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		finding_failed(findings, "fuse", -EPERM,
			       "there is no " DEVICE
			       ": load the kernel's module (modprobe fuse); in a container, start it "
			       "with --device " DEVICE " --cap-add SYS_ADMIN");
	else
		finding_failed(findings, "fuse", -EPERM, DEVICE " cannot be opened: %s: chmod 666 " DEVICE ", as root",
			       strerror(errno));
}

/* Where a command is found, by $PATH. */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *folders = getenv("PATH");
	for (const char *at = folders; at && *at;) {
		size_t len = strcspn(at, ":");
		snprintf(path, size, "%.*s/%s", (int)len, at, name);
		if (access(path, X_OK) == 0)
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

static void examine_helper(struct findings *findings)
{
	char path[4096];
	struct stat st;
	bool root = geteuid() == 0;
	if (!find_program("fusermount3", path, sizeof(path))) {
		if (root)
			finding_ok(findings, "fusermount3", "is not there, and root needs it for nothing");
		else
			finding_failed(findings, "fusermount3", -EPERM,
				       "is not in the PATH, and nobody but root mounts without it: install the package "
				       "fuse3");
		return;
	}
	bool raised = stat(path, &st) == 0 && (st.st_mode & S_ISUID) && st.st_uid == 0;
	if (raised || root)
		finding_ok(findings, "fusermount3", "%s", path);
	else
		finding_failed(findings, "fusermount3", -EPERM,
			       "%s does not run as root, so it cannot mount for others: chmod u+s %s, as root", path,
			       path);
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = list; at && *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (strncmp(at, word, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

static bool conf_allows_other(void)
{
	FILE *conf = fopen(FUSE_CONF, "re");
	char line[256];
	bool allowed = false;
	while (conf && !allowed && fgets(line, sizeof(line), conf)) {
		const char *at = line + strspn(line, " \t");
		size_t len = strcspn(at, " \t\r\n");
		allowed = len == strlen("user_allow_other") && strncmp(at, "user_allow_other", len) == 0;
	}
	if (conf)
		fclose(conf);
	return allowed;
}

void examine_fuse(struct findings *findings, const struct config *config)
{
	examine_device(findings);
	examine_helper(findings);
	if (!has_word(config->mount_options, "allow_other") && !has_word(config->mount_options, "allow_root"))
		return;
	if (geteuid() == 0 || conf_allows_other())
		finding_ok(findings, "allow_other", "others may be let in");
	else
		finding_failed(findings, "allow_other", -EPERM,
			       FUSE_CONF
			       " does not allow it to anybody but root: add a line user_allow_other there, as root");
}

/* --- mounts ------------------------------------------------------------------------------------------------------- */

struct tour {
	struct findings *findings;
	unsigned count;
	unsigned well;
};

static void visit(void *context, const struct mounts_entry *entry)
{
	struct tour *tour = context;
	const char *mountpoint = entry->mountpoint;
	int rc = mounts_ask(mountpoint, ANSWER_MS);
	tour->count++;
	if (rc == -ENOTCONN)
		finding_failed(
			tour->findings, "mount", -EHOSTUNREACH,
			"the program behind %s is gone: contentfs mount puts a new one there, fusermount3 -u %s takes "
			"it away",
			mountpoint, mountpoint);
	else if (rc == -ETIMEDOUT)
		finding_failed(tour->findings, "mount", -EHOSTUNREACH,
			       "the program behind %s does not answer: see its log; killing it and mounting anew loses "
			       "nothing",
			       mountpoint);
	else
		tour->well++; /* that of somebody else need not tell us anything */
}

void examine_mounts(struct findings *findings)
{
	struct tour tour = {.findings = findings};
	struct err err = {0};
	int rc = mounts_each(visit, &tour, &err);
	if (rc < 0)
		finding_warning(findings, "mounts", "%s", err.text);
	else if (tour.well == tour.count)
		finding_ok(findings, "mounts", "%u, none of them dead", tour.count);
}

void examine_mount(struct findings *findings, const char *mountpoint)
{
	const struct mounts_entry entry = {.mountpoint = mountpoint};
	struct tour tour = {.findings = findings};
	visit(&tour, &entry);
	if (tour.well > 0)
		finding_ok(findings, "mount", "%s answers", mountpoint);
}
