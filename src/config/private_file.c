#include "config/private_file.h"

#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define OTHERS_ALL 077
#define OTHERS_WRITE 022

static int check_owner(int fd, const char *path, mode_t *mode, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		int rc = -errno;
		return err_set(err, rc, "cannot look at %s: %s", path, strerror(-rc));
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s is not a file: is it the right place?", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(err, -EINVAL, "%s belongs to somebody else: chown it, or use a file of your own", path);
	*mode = st.st_mode;
	return 0;
}

int private_file_open(const char *path, int *fd, mode_t *mode, struct err *err)
{
	int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (opened < 0) {
		int rc = -errno;
		return err_set(err, rc, "cannot read %s: %s", path, strerror(-rc));
	}
	int rc = check_owner(opened, path, mode, err);
	if (rc < 0)
		close(opened);
	else
		*fd = opened;
	return rc;
}

/* Into memory that is large enough from the start: one that grows would leave copies behind. */
static int read_text(int fd, const char *path, size_t max, struct private_text *text, struct err *err)
{
	ssize_t len;
	while (text->len <= max && (len = read(fd, text->text + text->len, max + 1 - text->len)) != 0) {
		int rc = len < 0 ? -errno : 0;
		if (rc < 0 && rc != -EINTR)
			return err_set(err, rc, "cannot read %s: %s", path, strerror(-rc));
		text->len += len > 0 ? (size_t)len : 0;
	}
	if (text->len > max)
		return err_set(err, -EINVAL, "%s has more than %zu bytes: is it the right file?", path, max);
	text->text[text->len] = '\0';
	if (strlen(text->text) != text->len)
		return err_set(err, -EINVAL, "%s is not a text: is it the right file?", path);
	return 0;
}

int private_text_read(const char *path, size_t max, struct private_text *text, struct err *err)
{
	CLEANUP(cleanup_close) int fd = -1;
	mode_t mode;
	int rc = private_file_open(path, &fd, &mode, err);
	if (rc < 0)
		return rc;
	if (mode & OTHERS_WRITE)
		return err_set(err, -EINVAL, "others may change %s: chmod go-w %s", path, path);
	struct private_text new = {.text = calloc(max + 2, 1), .others_read = (mode & OTHERS_ALL) != 0};
	if (!new.text)
		return err_oom(err);
	rc = read_text(fd, path, max, &new, err);
	if (rc < 0)
		private_text_finish(&new);
	else
		*text = new;
	return rc;
}

void private_text_finish(struct private_text *text)
{
	if (text->text)
		explicit_bzero(text->text, text->len);
	free(text->text);
	*text = (struct private_text){0};
}
