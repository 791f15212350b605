/* The one file that contentfs writes for a person. */
#include "config/profile_edit.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Others may look into a folder of the machine's, whatever this process keeps from them. */
static int make_folder(const char *folder, mode_t mode)
{
	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chmod(folder, mode) < 0 ? -errno : 0;
}

static int make_folders(const char *path, mode_t mode, struct err *err)
{
	CLEANUP(cleanup_free) char *folder = strdup(path);
	if (!folder)
		return err_oom(err);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int rc = make_folder(folder, mode);
		if (rc < 0)
			return err_set(err, rc, "cannot make the folder %s: %s", folder, strerror(-rc));
		*slash = '/';
	}
	return 0;
}

static int write_all(int fd, struct slice text)
{
	while (text.len > 0) {
		ssize_t written = write(fd, text.at, text.len);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0)
			text = slice_make(text.at + written, text.len - (size_t)written);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* So that the new name outlives a power cut. */
static int sync_folder(const char *path)
{
	CLEANUP(buf_finish) struct buf folder = BUF_INIT;
	buf_append(&folder, path, (size_t)(strrchr(path, '/') - path) + 1);
	CLEANUP(cleanup_close) int fd = folder.failed ? -1 : open(folder.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* mkostemp makes it 0600. */
static int replace(const char *path, struct slice text, struct err *err)
{
	CLEANUP(buf_finish) struct buf beside = BUF_INIT;
	buf_printf(&beside, "%s.XXXXXX", path);
	if (beside.failed)
		return err_oom(err);
	CLEANUP(cleanup_close) int fd = mkostemp(beside.text, O_CLOEXEC);
	int rc = fd < 0 ? -errno : write_all(fd, text);
	if (rc == 0 && rename(beside.text, path) < 0)
		rc = -errno;
	if (rc < 0 && fd >= 0)
		unlink(beside.text);
	if (rc == 0)
		rc = sync_folder(path);
	return rc < 0 ? err_set(err, rc, "cannot write %s: %s", path, strerror(-rc)) : 0;
}

int profile_write(const char *path, struct slice text, unsigned folder_mode, struct err *err)
{
	int rc = make_folders(path, (mode_t)folder_mode, err);
	if (rc < 0)
		return rc;
	CLEANUP(cleanup_free) char *target = realpath(path, NULL);
	return replace(target ? target : path, text, err);
}
