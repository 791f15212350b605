#include "config/token.h"

#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define TOKEN_MAX 512

void token_wipe(char **token)
{
	if (!*token)
		return;
	explicit_bzero(*token, strlen(*token));
	free(*token);
	*token = NULL;
}

int token_set(const char *token, char **out, struct err *err)
{
	size_t len = strlen(token);
	if (len == 0 || len > TOKEN_MAX)
		return err_set(err, -EINVAL, "the delivery token is %s", len ? "too long to be one" : "empty");
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return err_set(err, -EINVAL, "the delivery token has a character in it that no token has");
	char *copy = strdup(token);
	if (!copy)
		return err_oom(err);
	token_wipe(out);
	*out = copy;
	return 0;
}

static int check_access(int fd, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		int rc = -errno;
		return err_set(err, rc, "cannot look at %s: %s", path, strerror(-rc));
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s is not a file with a token", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(err, -EINVAL, "%s belongs to somebody else", path);
	if (st.st_mode & 077)
		return err_set(err, -EINVAL, "others may read %s: chmod 600 %s", path, path);
	return 0;
}

int token_read(const char *path, char **out, struct err *err)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		int rc = -errno;
		return err_set(err, -EINVAL, "cannot read the delivery token from %s: %s", path, strerror(-rc));
	}
	int rc = check_access(fd, path, err);
	if (rc < 0)
		return rc;
	char text[TOKEN_MAX + 3];
	ssize_t len = read(fd, text, sizeof(text) - 1);
	if (len < 0) {
		rc = -errno;
		return err_set(err, rc, "cannot read %s: %s", path, strerror(-rc));
	}
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	rc = token_set(text, out, err);
	explicit_bzero(text, sizeof(text));
	return rc < 0 ? err_prefix(err, rc, "%s", path) : 0;
}
