/* status, refresh and umount of a mount: through its own files, so that whoever may look may ask. */
#include "cli/mounted.h"

#include "app/exit_status.h"
#include "cli/command.h"
#include "fs/protocol.h"
#include "fs/unmount.h"
#include "util/cleanup.h"
#include "util/json.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sysexits.h>

#define STATUS_MAX (16u << 20)
#define END_MS 60000 /* how long the program behind a mount gets to end: what it has begun to store, it stores */

static int explain(const char *mountpoint, int rc, struct err *err)
{
	switch (rc) {
	case -ENOENT:
	case -ENOTDIR:
	case -ENOTTY:
	case -EINVAL:
		return err_set(err, -EINVAL, "no contentfs is mounted on %s: contentfs list shows where one is",
			       mountpoint);
	case -ENOTCONN:
	case -ECONNABORTED:
		return err_set(err, -EHOSTUNREACH,
			       "the program behind %s is gone: contentfs mount puts a new one there, "
			       "contentfs umount %s takes it away",
			       mountpoint, mountpoint);
	case -EACCES:
		return err_set(err, rc, "%s: %s (a mount is for its own user, unless it was made with -o allow_other)",
			       mountpoint, strerror(-rc));
	case -EINTR:
		return err_set(err, -ECANCELED, "interrupted; the sync goes on");
	default:
		return err_set(err, rc, "%s: %s", mountpoint, strerror(-rc));
	}
}

static int read_all(int fd, struct buf *text)
{
	for (;;) {
		if (text->len > STATUS_MAX)
			return -EFBIG;
		if (buf_reserve(text, 65536) < 0)
			return -ENOMEM;
		ssize_t len = read(fd, text->text + text->len, 65535);
		if (len < 0)
			return -errno;
		if (len == 0)
			return 0;
		text->len += (size_t)len;
		text->text[text->len] = '\0';
	}
}

int mounted_status(const char *mountpoint, struct buf *json, struct err *err)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	buf_printf(&path, "%s/" FS_CONTROL_DIRECTORY "/" FS_STATUS_FILE, mountpoint);
	if (path.failed)
		return err_oom(err);
	CLEANUP(cleanup_close) int fd = open(path.text, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : read_all(fd, json);
	return rc < 0 ? explain(mountpoint, rc, err) : 0;
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

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

/* The cache that the mount reads from, unless another one was named, and its limit, unless another one was. */
static int adopt_cache(struct json_value status, struct config *config, struct err *err)
{
	struct json_value cache;
	struct json_value limit;
	long long bytes;
	if (config->cache || !json_get(status, "cache", &cache))
		return 0;
	if (!config->cache_bytes_given && json_get(cache, "limit_bytes", &limit) && json_integer(limit, &bytes) == 0 &&
	    bytes > 0)
		config->cache_bytes = bytes;
	return adopt(cache, "folder", &config->cache, err);
}

/* As the mount names it, or by another name. */
static bool is_store(struct json_value status, const char *store)
{
	struct json_value value;
	struct stat here;
	struct stat there;
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	if (!json_get(status, "store", &value) || json_string_decode(value, &path) < 0)
		return true;
	if (strcmp(buf_text(&path), store) == 0)
		return true;
	return stat(buf_text(&path), &there) == 0 && stat(store, &here) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

int mounted_adopt(struct config *config, const char *mountpoint, struct err *err)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	struct json_value status;
	struct json_value branch;
	int rc = mounted_status(mountpoint, &json, err);
	if (rc < 0)
		return rc;
	if (json_check(buf_slice(&json), 8, &status, err) < 0)
		return err_prefix(err, -EPROTO, "the status cannot be read");
	rc = adopt(status, "store", &config->store, err);
	if (rc == 0 && !is_store(status, config->store))
		rc = err_set(err, -EINVAL, "the mount on %s shows another store than %s: name one of them", mountpoint,
			     config->store);
	if (rc == 0)
		rc = adopt(status, "host", &config->host, err);
	if (rc == 0)
		rc = adopt_cache(status, config, err);
	if (rc == 0)
		rc = adopt(status, "api_key", &config->api_key, err);
	if (rc == 0 && json_get(status, "branch", &branch) && !json_string_is(branch, CONFIG_MAIN_BRANCH))
		rc = adopt(status, "branch", &config->branch, err); /* that one is not told the service */
	return rc < 0 ? rc : adopt(status, "environment", &config->environment, err);
}

/* --- refresh ------------------------------------------------------------------------------------------------------ */

int command_refresh(struct invocation *invocation, struct err *err)
{
	CLEANUP(cleanup_close) int fd = open(invocation->operand, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fs_refresh_reply reply = {0};
	if (fd < 0 || ioctl(fd, FS_IOC_REFRESH, &reply) < 0)
		return exit_status(explain(invocation->operand, -errno, err));
	reply.message[sizeof(reply.message) - 1] = '\0';
	return exit_status(reply.status == 0 ? 0 : err_set(err, -reply.status, "%s", reply.message));
}

/* --- umount ------------------------------------------------------------------------------------------------------- */

static pid_t pid_of(const char *mountpoint, struct err *err)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	struct json_value status;
	struct json_value pid;
	long long number = 0;
	int rc = mounted_status(mountpoint, &json, err);
	if (rc < 0)
		return rc;
	if (json_check(buf_slice(&json), 8, &status, NULL) < 0 || !json_get(status, "pid", &pid) ||
	    json_integer(pid, &number) < 0 || number <= 1)
		return err_set(err, -EINVAL, "no contentfs is mounted on %s: contentfs list shows where one is",
			       mountpoint);
	return (pid_t)number;
}

/* By a descriptor: a number would still be there while nobody has reaped the process. */
static int wait_for_end(int process, pid_t pid, struct err *err)
{
	struct pollfd end = {.fd = process, .events = POLLIN};
	if (process < 0)
		return 0; /* it was gone before */
	if (poll(&end, 1, END_MS) == 0)
		return err_set(
			err, -EBUSY,
			"unmounted, but process %d has not ended yet: until it has, its store cannot be mounted again",
			(int)pid);
	return 0;
}

int command_umount(struct invocation *invocation, struct err *err)
{
	if (mount_is_dead(invocation->operand)) {
		log_notice("the program behind %s is gone: its mount is taken away", invocation->operand);
		return exit_status(unmount(invocation->operand, true, err));
	}
	pid_t pid = pid_of(invocation->operand, err);
	if (pid < 0)
		return exit_status(pid);
	CLEANUP(cleanup_free) char *path = realpath(invocation->operand, NULL); /* it may be a symbolic link to it */
	CLEANUP(cleanup_close) int process = pidfd_open(pid, 0);
	int rc = unmount(path ? path : invocation->operand, false, err);
	return exit_status(rc < 0 ? rc : wait_for_end(process, pid, err));
}
