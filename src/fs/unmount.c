#include "fs/unmount.h"

#include "fs/overhear.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE_MS 2000 /* with those who look in just now: contentfs status, df, a file manager */
#define PAUSE_MS 20

bool mount_is_dead(const char *mountpoint)
{
	struct statvfs st;
	return statvfs(mountpoint, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

/* fusermount3 is how everybody but root unmounts; it says what it minds. */
static int unmount_as_user(const char *mountpoint, bool lazily, struct err *err)
{
	char program[] = "fusermount3";
	char flag[] = "-u";
	char lazy_flag[] = "-uz";
	char end[] = "--";
	CLEANUP(cleanup_free) char *path = strdup(mountpoint);
	if (!path)
		return err_oom(err);
	char *argv[] = {program, lazily ? lazy_flag : flag, end, path, NULL};
	struct overheard overheard;
	pid_t child;
	int status;
	overhear_begin(&overheard);
	int rc = -posix_spawnp(&child, program, NULL, NULL, argv, environ);
	while (rc == 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	const char *said = overhear_end(&overheard);
	if (rc < 0)
		return err_set(err, rc, "cannot run fusermount3 (is the package fuse3 there?): %s", strerror(-rc));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0
		       ? 0
		       : err_set(err, -EBUSY, "%s was not unmounted (%s): is a program in it? (fuser -vm %s)",
				 mountpoint, *said ? said : "no reason was given", mountpoint);
}

static int try_to_unmount(const char *mountpoint, bool lazily, struct err *err)
{
	if (geteuid() != 0)
		return unmount_as_user(mountpoint, lazily, err);
	if (umount2(mountpoint, UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0)) == 0)
		return 0;
	int rc = -errno;
	return rc == -EBUSY ? err_set(err, rc, "%s is in use: a program has its folder or a file there (fuser -vm %s)",
				      mountpoint, mountpoint)
			    : err_set(err, rc, "cannot unmount %s: %s", mountpoint, strerror(-rc));
}

int unmount(const char *mountpoint, bool lazily, struct err *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	for (int64_t until = clock_monotonic_ms() + PATIENCE_MS;;) {
		bool last = lazily || clock_monotonic_ms() >= until;
		struct err local = {0};
		int rc = try_to_unmount(mountpoint, lazily, &local);
		if (rc == 0)
			return 0;
		if (rc != -EBUSY || last)
			return err_set(err, rc, "%s", local.text);
		nanosleep(&pause, NULL);
	}
}
