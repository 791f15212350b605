/*
 * What a process gives up, so that whoever should come to rule it (through a fault in what reads the service's answers,
 * say) can do little with it. Nothing here can be taken back. docs/security.md says what each guard is against.
 *
 * The kernel keeps most of this for each thread: guard_confine is called before there is a second one, and all later ones
 * inherit it. Knows nothing of what the program is for.
 */
#ifndef CONTENTFS_GUARD_GUARD_H
#define CONTENTFS_GUARD_GUARD_H

#include "util/err.h"

#include <stdint.h>

/* For the first line of main: files are made for their owner only, and what is in memory is for nobody's eyes: no core dump,
 * no debugger of the same user, no /proc/PID/environ. */
void guard_begin(void);

/* Capabilities, as bits 1 << CAP_x. */
#define GUARD_NO_CAPABILITIES 0

/*
 * Keeps those of the capabilities that it has and that are in the set, and gives up the others for ever; no program that it
 * starts has more rights than it has itself, setuid or not. 0 or a negative errno.
 */
int guard_drop_privileges(uint64_t kept, struct err *err);

/*
 * Reaches no file from here on, but: may do as it likes below the folders in `writable` (NULL-terminated; those that are not
 * there are left out), and may read what libraries need (/usr, /etc, the folder that /etc/resolv.conf leads to). Starts
 * no program, listens on no TCP port, signals no process but itself, connects to no abstract socket. Files that are open stay so.
 * Sockets in the file system can be connected to, as the libraries must.
 *
 * 0 also where the kernel has no Landlock, or one that is too old (before 5.19 it does not let a file move between
 * folders), with a line in the log; a negative errno if what can be had could not.
 */
int guard_confine_files(const char *const *writable, struct err *err);

/* Both: what a process does that has everything it needs. */
int guard_confine(const char *const *writable, struct err *err);

#endif
