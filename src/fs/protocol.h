/* What a program may ask of a mounted contentfs beyond reading files: an ioctl on its mount point. */
#ifndef CONTENTFS_FS_PROTOCOL_H
#define CONTENTFS_FS_PROTOCOL_H

#include <stdint.h>
#include <sys/ioctl.h>

#define FS_CONTROL_DIRECTORY ".contentfs"
#define FS_STATUS_FILE "status.json"

struct fs_refresh_reply {
	int32_t status;     /* 0: the tree shows what the service has; else a positive errno as util/err.h means it */
	char message[1020]; /* the reason, NUL-terminated; empty after a success */
};

/* Sync now. Returns when the run that this asked for has ended and the kernel knows of every change. */
#define FS_IOC_REFRESH _IOR('C', 1, struct fs_refresh_reply)

#endif
