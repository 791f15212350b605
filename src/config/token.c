#include "config/token.h"

#include "config/private_file.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/secret.h"

#include <errno.h>
#include <string.h>

#define TOKEN_MAX 512

void token_wipe(char **token)
{
	secret_free(*token);
	*token = NULL;
}

int token_set(const char *token, char **out, struct err *err)
{
	size_t len = strlen(token);
	if (len == 0 || len > TOKEN_MAX)
		return err_set(err, -EINVAL, "the delivery token is %s: copy it anew from the stack's settings",
			       len ? "too long to be one" : "empty");
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return err_set(err, -EINVAL,
				       "the delivery token has a character in it that no token has: copy it anew from "
				       "the stack's settings");
	char *copy = secret_make("", token);
	if (!copy)
		return err_oom(err);
	token_wipe(out);
	*out = copy;
	return 0;
}

static int read_line(int fd, const char *path, char **out, struct err *err)
{
	char text[TOKEN_MAX + 3];
	ssize_t len = read(fd, text, sizeof(text) - 1);
	if (len < 0) {
		int rc = -errno;
		return err_set(err, rc, "cannot read %s: %s", path, strerror(-rc));
	}
	text[len] = '\0';
	bool is_text = strlen(text) == (size_t)len;
	text[strcspn(text, "\r\n")] = '\0';
	int rc = is_text ? token_set(text, out, err)
			 : err_set(err, -EINVAL, "this is not a text: is it the right file?");
	explicit_bzero(text, sizeof(text));
	return rc < 0 ? err_prefix(err, rc, "%s", path) : 0;
}

int token_read(const char *path, char **out, struct err *err)
{
	CLEANUP(cleanup_close) int fd = -1;
	mode_t mode;
	int rc = private_file_open(path, &fd, &mode, err);
	if (rc < 0)
		return err_prefix(err, -EINVAL, "the delivery token");
	if (mode & 077)
		return err_set(err, -EINVAL, "others may read %s: chmod 600 %s", path, path);
	return read_line(fd, path, out, err);
}

int token_read_credential(const char *folder, char **out, struct err *err)
{
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	mode_t mode;
	if (buf_printf(&path, "%s/" TOKEN_CREDENTIAL, folder) < 0)
		return err_oom(err);
	int rc = private_file_open(path.text, &fd, &mode, err);
	return rc < 0 ? rc : read_line(fd, path.text, out, err);
}
