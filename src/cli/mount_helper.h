/* What mount(8) runs for "mount -t contentfs PROFILE DIR" and for lines of fstab: the same program by another name. */
#ifndef CONTENTFS_CLI_MOUNT_HELPER_H
#define CONTENTFS_CLI_MOUNT_HELPER_H

#include <stdbool.h>

/* Whether the program was called by that name, or by the one for the type that the kernel has (fuse.contentfs). */
bool is_mount_helper(const char *argv0);

/* mount.contentfs SPEC DIR [-sfnv] [-N ns] [-o options] [-t type], as mount(8) calls helpers. SPEC is a profile, or "none".
 * Returns an exit status as mount(8) has them, not of sysexits.h. */
int mount_helper_main(int argc, char **argv);

#endif
