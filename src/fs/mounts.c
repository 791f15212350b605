#include "fs/mounts.h"

#include "fs/protocol.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define TABLE "/proc/self/mountinfo"
#define KILLED_MS 1000
#define POINT_FIELD 4 /* see proc(5): counted from 0 */
#define TYPE "fuse.contentfs"

/* A space, a tab, a newline and a backslash stand there as \040 and so on. */
static void decode(char *text)
{
	char *to = text;
	for (const char *at = text; *at; to++) {
		unsigned value = 0;
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] && at[3]) {
			for (int i = 1; i <= 3; i++)
				value = value * 8 + (unsigned)(at[i] - '0');
			*to = (char)value;
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

/* The fields behind the mount point are of a varying number, up to one that is "-"; then come type and source. */
bool mounts_parse(char *line, struct mounts_entry *entry)
{
	char *rest = line;
	char *mountpoint = NULL;
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i <= POINT_FIELD; i++)
		mountpoint = strsep(&rest, " ");
	char *field = mountpoint;
	while (field && strcmp(field, "-") != 0)
		field = strsep(&rest, " ");
	const char *type = strsep(&rest, " ");
	char *source = strsep(&rest, " ");
	if (!source || strcmp(type, TYPE) != 0)
		return false;
	decode(mountpoint);
	decode(source);
	*entry = (struct mounts_entry){mountpoint, source};
	return true;
}

static void close_table(FILE **table)
{
	if (*table)
		fclose(*table);
}

int mounts_each(void (*each)(void *context, const struct mounts_entry *entry), void *context, struct err *err)
{
	CLEANUP(close_table) FILE *table = fopen(TABLE, "re");
	CLEANUP(cleanup_free) char *line = NULL;
	size_t size = 0;
	if (!table) {
		int rc = -errno;
		return err_set(err, rc, "cannot read " TABLE ": %s", strerror(-rc));
	}
	while (getline(&line, &size, table) >= 0) {
		struct mounts_entry entry;
		if (mounts_parse(line, &entry))
			each(context, &entry);
	}
	return 0;
}

struct search {
	const char *mountpoint;
	bool found;
};

static void compare(void *context, const struct mounts_entry *entry)
{
	struct search *search = context;
	search->found |= strcmp(entry->mountpoint, search->mountpoint) == 0;
}

bool mounts_have(const char *mountpoint)
{
	struct search search = {.mountpoint = mountpoint};
	mounts_each(compare, &search, NULL);
	return search.found;
}

/* Two questions that the kernel never answers for the program: one that a dead mount fails, one that another file system
 * does. */
static int ask(const char *mountpoint, const char *status)
{
	struct statvfs st;
	if (statvfs(mountpoint, &st) < 0)
		return errno == ECONNABORTED ? ENOTCONN : errno;
	CLEANUP(cleanup_close) int fd = open(status, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? 0 : errno == ENOENT || errno == ENOTDIR ? EINVAL : errno;
}

/* In a process of its own, which can be killed while it waits. */
int mounts_ask(const char *mountpoint, int64_t ms)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	if (buf_printf(&path, "%s/" FS_CONTROL_DIRECTORY "/" FS_STATUS_FILE, mountpoint) < 0)
		return -ENOMEM;
	pid_t child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		_exit(ask(mountpoint, path.text));
	CLEANUP(cleanup_close) int process = pidfd_open(child, 0);
	struct pollfd end = {.fd = process, .events = POLLIN};
	bool late = process >= 0 && poll(&end, 1, (int)ms) == 0;
	int status = 0;
	if (late)
		kill(child, SIGKILL);
	if (late && poll(&end, 1, KILLED_MS) == 0)
		return -ETIMEDOUT; /* the program has taken the question: only its answer lets the child go */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return late ? -ETIMEDOUT : WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}
