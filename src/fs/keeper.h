/*
 * The keeper: a process that mounts and unmounts for one that has given up the right to. Mounting needs CAP_SYS_ADMIN, or
 * the setuid program fusermount3, and so does unmounting at the very end; the process that speaks to the service should
 * have neither. The keeper is forked from it at the start, knows no network and no store, and does two things when it is
 * told to by a byte. Of root's capabilities it keeps those two that mounting takes.
 *
 * When the other process ends without a word (killed, say) the keeper ends too and leaves the dead mount: programs get an
 * error there, and not an empty folder.
 */
#ifndef CONTENTFS_FS_KEEPER_H
#define CONTENTFS_FS_KEEPER_H

#include "util/err.h"

#include <sys/types.h>

struct keeper {
	pid_t process;
	int fd; /* to speak to it; -1 if there is none */
};

#define KEEPER_NONE                                                                                                    \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

struct keeper_config {
	const char *mountpoint;    /* absolute */
	const char *source;        /* what the kernel's list of mounts calls it; NULL: "contentfs" */
	const char *mount_options; /* for the kernel and libfuse: "allow_other,nodev"; NULL for none */
	char *secret;              /* wiped in the keeper, which has no use for it; NULL for none */
};

/* Forks it. Before any thread is started, and before a privilege is given up. */
int keeper_start(struct keeper *keeper, const struct keeper_config *config, struct err *err);

/* Mounts; a descriptor of the FUSE device, to be closed by the caller, or a negative errno. libfuse and fusermount3 say
 * themselves, to standard error, what they mind. */
int keeper_mount(const struct keeper *keeper, struct err *err);

/* Unmounts, lazily where it is in use. */
int keeper_unmount(const struct keeper *keeper, struct err *err);

/* Lets it go, and waits for its end. None is fine. */
void keeper_end(struct keeper *keeper);

#endif
