/*
 * What libfuse and fusermount3 have to say they write to stderr. Overheard, it becomes a part of our own message, which may go
 * to the system log, and is one. For processes of one thread.
 */
#ifndef CONTENTFS_FS_OVERHEAR_H
#define CONTENTFS_FS_OVERHEAR_H

#define OVERHEARD_MAX 512

struct overheard {
	int file;  /* stands for stderr meanwhile; -1: all is said aloud */
	int saved; /* stderr as it was */
	char text[OVERHEARD_MAX];
};

void overhear_begin(struct overheard *overheard);

/* What was said, its lines in one; empty if it was nothing. */
const char *overhear_end(struct overheard *overheard);

#endif
