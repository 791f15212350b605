/*
 * Lets libfuse be slow, or have something to say.
 *
 *   SHIM_HANG=FILE    whoever answers the kernel with attributes waits for as long as the file is there
 *   SHIM_SAYS=TEXT    a line that it writes to stderr when it has mounted
 *
 * fail.c: "fuse_session_mount()", and "fuse_session_mount(/dev/fd)" of what is mounted already.
 */
#define FUSE_USE_VERSION 35

#include "next.h"

#include <fuse_lowlevel.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int fuse_reply_attr(fuse_req_t req, const struct stat *attr, double timeout)
{
	static int (*next)(fuse_req_t, const struct stat *, double);
	const char *file = getenv("SHIM_HANG");
	SHIM_NEXT(next, "fuse_reply_attr");
	while (file && access(file, F_OK) == 0)
		usleep(10000);
	return next(req, attr, timeout);
}

int fuse_session_mount(struct fuse_session *session, const char *mountpoint)
{
	static int (*next)(struct fuse_session *, const char *);
	const char *says = getenv("SHIM_SAYS");
	bool mounted = strncmp(mountpoint, "/dev/fd/", 8) == 0;
	SHIM_NEXT(next, "fuse_session_mount");
	if (shim_fails("fuse_session_mount", mounted ? "/dev/fd" : ""))
		return -1;
	int rc = next(session, mountpoint);
	if (rc == 0 && !mounted && says)
		fprintf(stderr, "%s\n", says);
	return rc;
}
