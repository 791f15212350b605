/*
 * Which directories are being read through, one file after the other: pure bookkeeping of the files that the kernel asks
 * for, by their inode numbers, which grow in the order that directories are listed in, but for files that have changed: those
 * keep their place and get a new number, which looks like a step out of order. Some programs go by that order (grep -r, tar),
 * others turn it round (rg), and each may be at several places of a directory. Private to fs/.
 */
#ifndef CONTENTFS_FS_TRAIL_H
#define CONTENTFS_FS_TRAIL_H

#include <stdint.h>
#include <sys/types.h>

#define TRAILS 8      /* at once; the one that was not followed for longest makes room */
#define TRAIL_STEPS 4 /* files that make a trail, if they come in order */

/* How far off the next file's number may be: those between belong to other directories, too, and a program may have
 * several files open at once. */
#define TRAIL_NEAR 4096

struct trail {
	uint64_t id; /* 0: unused; no two trails have the same */
	int64_t directory;
	int64_t last;  /* the file that was asked for last */
	int64_t reach; /* up to where nothing need be asked for any more */
	int lean;      /* steps upwards less steps downwards, within TRAIL_STEPS */
	pid_t thread;  /* that took the last step */
	int steps;     /* that it took upwards without anybody else's or one downwards between, TRAIL_STEPS at most */
	uint64_t used;
};

struct trails {
	struct trail trail[TRAILS];
	uint64_t clock;
};

/* A thread asks for a file of the directory. Returns where the trail is that seems to go on from there, or -1. */
int trails_step(struct trails *trails, pid_t thread, int64_t directory, int64_t ino);

/* The directory is listed by one that is known to read directories through: the file comes next. Returns where its trail is,
 * of which one step is enough to show it. */
int trails_list(struct trails *trails, int64_t directory, int64_t ino);

/* The files of a trail need not be asked for up to this one. Nothing if there is no such trail any more. */
void trails_reach(struct trails *trails, uint64_t id, int64_t ino);

#endif
