/*
 * Which threads read directories through, and how far they are trusted to go on doing so: pure bookkeeping of what the
 * kernel asks for, by thread. Who has followed a trail of files is trusted to read what it lists next, up to so many bytes;
 * a few files are left out of what is put before it, and asking for one of those, or following a trail again, proves that
 * it does read, which renews the trust. Private to fs/.
 */
#ifndef CONTENTFS_FS_FOLLOWER_H
#define CONTENTFS_FS_FOLLOWER_H

#include "fs/trail.h"

#include <stdbool.h>
#include <sys/types.h>

#define FOLLOWERS 4                 /* at once; the one that was not heard of for longest makes room */
#define FOLLOWER_TRUST (64LL << 20) /* bytes of page cache without a proof */
#define FOLLOWER_PROOF 1021         /* one of so many files is one */

struct follower {
	pid_t thread;
	int64_t trust;     /* bytes that are left */
	uint64_t used;     /* 0: there is none */
	int64_t directory; /* that it listed last; 0: none yet */
	int place;         /* of the trail there */
	uint64_t trail;
	uint64_t listing; /* the higher, the newer */
	int64_t from;     /* the cookie behind which it was seen to begin */
};

struct followers {
	struct follower follower[FOLLOWERS];
	uint64_t clock;
};

/* Whether the file is one that is left out of what is put before a reader in trust. */
bool follower_is_proof(int64_t ino);

/* A thread asked for a file; `through` if it has come along a trail in the order of listings. Thread 0 is nobody: the kernel
 * calls all those so that it cannot tell from each other. */
void followers_note(struct followers *followers, pid_t thread, int64_t ino, bool through);

/*
 * A thread lists a directory: the kernel knows it up to this cookie (0: it begins), and this file comes next (0: none).
 * Returns what is known of the thread if it is trusted, with the trail that it is now on; else NULL.
 */
const struct follower *followers_list(struct followers *followers, struct trails *trails, pid_t thread,
				      int64_t directory, int64_t cookie, int64_t next);

/* So much was put there of what the thread lists. Returns whether it is still trusted. */
bool followers_spend(struct followers *followers, pid_t thread, int64_t bytes);

#endif
