/*
 * Lets a thread that answers the kernel hang.
 *
 *   SHIM_HANG=FILE   whoever answers with attributes waits for as long as the file is there
 */
#define FUSE_USE_VERSION 35

#include "next.h"

#include <fuse_lowlevel.h>
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
