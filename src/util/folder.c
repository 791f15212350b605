/* The way is gone step by step, each from the folder before, and links are followed by hand: what was looked at is what
 * the next step begins at. */
#include "util/folder.h"

#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 40

struct walk {
	int fd;          /* the folder that was reached */
	struct buf here; /* its path, for messages */
	struct buf rest; /* the names that are left */
	uid_t top;       /* who owns "/" has everything anyway, whatever its number is called in this namespace */
	int links;
};

/* EACCES is for what the service refuses. */
static int local_errno(int rc)
{
	return rc == -EACCES ? -EPERM : rc;
}

static void walk_finish(struct walk *walk)
{
	cleanup_close(&walk->fd);
	buf_finish(&walk->here);
	buf_finish(&walk->rest);
}

static bool is_trusted(const struct walk *walk, uid_t owner)
{
	return owner == 0 || owner == geteuid() || owner == walk->top;
}

static int check_folder(const struct walk *walk, const struct stat *st, const char *path, struct err *err)
{
	bool shared =
		(st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid());
	if (!is_trusted(walk, st->st_uid))
		return err_set(
			err, -EINVAL,
			"the folder %s belongs to somebody else (user %u), who could put something in the place of "
			"what is in it: use another folder",
			path, (unsigned)st->st_uid);
	if (shared && !(st->st_mode & S_ISVTX))
		return err_set(
			err, -EINVAL,
			"others may write to the folder %s, and could put something in the place of what is in it: "
			"chmod go-w %s, or use another folder",
			path, path);
	return 0;
}

static int begin_at_top(struct walk *walk)
{
	struct stat st;
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int rc = -errno;
		cleanup_close(&fd);
		return rc;
	}
	cleanup_close(&walk->fd);
	walk->fd = fd;
	walk->top = st.st_uid;
	buf_reset(&walk->here);
	return 0;
}

/* The link's target goes before what is left. */
static int follow(struct walk *walk, int link, const struct stat *st, const char *path, struct err *err)
{
	char target[PATH_MAX];
	if (!is_trusted(walk, st->st_uid))
		return err_set(
			err, -EINVAL,
			"the symbolic link %s belongs to somebody else (user %u), who could let it lead elsewhere: "
			"use another folder",
			path, (unsigned)st->st_uid);
	ssize_t len = readlinkat(link, "", target, sizeof(target));
	if (len < 0 || len == (ssize_t)sizeof(target) || ++walk->links > LINKS_MAX)
		return err_set(err, -EINVAL, "the symbolic link %s leads nowhere", path);
	struct buf rest = BUF_INIT;
	if (buf_printf(&rest, "%.*s/%s", (int)len, target, buf_text(&walk->rest)) < 0) {
		buf_finish(&rest);
		return err_oom(err);
	}
	buf_finish(&walk->rest);
	walk->rest = rest;
	return target[0] == '/' ? begin_at_top(walk) : 0;
}

/* Takes the next name off the rest; false if there is none. */
static bool next_name(struct walk *walk, char name[NAME_MAX + 1])
{
	const char *at = buf_text(&walk->rest);
	at += strspn(at, "/");
	size_t len = strcspn(at, "/");
	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(name, at, len);
	name[len] = '\0';
	memmove(walk->rest.text, at + len, strlen(at + len) + 1);
	return true;
}

static void swap(int *a, int *b)
{
	int before = *a;
	*a = *b;
	*b = before;
}

static int step(struct walk *walk, const char *name, struct err *err)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	struct stat st;
	if (buf_printf(&path, "%s/%s", buf_text(&walk->here), name) < 0)
		return err_oom(err);
	CLEANUP(cleanup_close) int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int rc = local_errno(-errno);
		return err_set(err, rc, "cannot look at the folder %s: %s", path.text, strerror(errno));
	}
	if (S_ISLNK(st.st_mode))
		return follow(walk, fd, &st, path.text, err);
	int rc = S_ISDIR(st.st_mode) ? check_folder(walk, &st, path.text, err)
				     : err_set(err, -ENOTDIR, "%s is not a folder", path.text);
	if (rc < 0)
		return rc;
	swap(&walk->fd, &fd);
	buf_finish(&walk->here);
	walk->here = path;
	path = (struct buf)BUF_INIT;
	return 0;
}

int folder_check(const char *path, struct err *err)
{
	CLEANUP(walk_finish) struct walk walk = {.fd = -1};
	struct err local = {0};
	char name[NAME_MAX + 1];
	err = err ? err : &local;
	if (buf_append_text(&walk.rest, path) < 0)
		return err_oom(err);
	int rc = begin_at_top(&walk);
	if (rc < 0)
		return err_set(err, rc, "cannot open /: %s", strerror(-rc));
	while (rc == 0 && next_name(&walk, name))
		rc = step(&walk, name, err);
	if (rc == -ENOENT) {
		err->text[0] = '\0';
		return 0;
	}
	return rc;
}

int folder_make(const char *path, struct err *err)
{
	CLEANUP(buf_finish) struct buf part = BUF_INIT;
	int rc = folder_check(path, err);
	if (rc < 0)
		return rc;
	if (buf_printf(&part, "%s/", path) < 0)
		return err_oom(err);
	for (char *slash = strchr(part.text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* What is there may be a link that leads nowhere. */
		if (mkdir(part.text, 0700) < 0 && !(errno == EEXIST && access(part.text, F_OK) == 0)) {
			rc = local_errno(-errno);
			return err_set(err, rc, "cannot make the folder %s: %s", part.text, strerror(errno));
		}
		*slash = '/';
	}
	return 0;
}
