/*
 * Leaving the processors to others while they want them: what becomes visible later in one step can take its time, and
 * who reads a mount meanwhile should not notice. Linux shares the processors out among sessions before it looks at
 * priorities, so a thread that is polite has to rest. Private to sync/.
 */
#ifndef CONTENTFS_SYNC_COURTESY_H
#define CONTENTFS_SYNC_COURTESY_H

#include <stdbool.h>
#include <stdint.h>

#define COURTESY_SHARE 6                /* of rest to one of work */
#define COURTESY_WORK_NS (20 * 1000000) /* after which it is looked at whether others want the processors */
#define COURTESY_REST_MS_MAX 200        /* at once */
#define COURTESY_ALL_MS_MAX (30 * 1000) /* in one run: so much later its changes are seen at most */

/* What the calling thread has done. */
struct work {
	int64_t wall_ns;
	int64_t cpu_ns;
	long preempted; /* times that it had to give a processor to another thread */
};

/* As zeros in the beginning of a run. */
struct courtesy {
	struct work begin;
	struct work work; /* since it was looked at last */
	int64_t rested_ms;
};

/* The thread works from the first to the second, and waits for nothing but a processor, and hardly for a disk. */
void courtesy_begin(struct courtesy *courtesy);
void courtesy_end(struct courtesy *courtesy);

/* It could rest now: for how many ms it should, 0 for not at all. */
int64_t courtesy_rest(struct courtesy *courtesy);

/* The same, if it is known whether more threads of the machine want a processor than there are. Pure. */
int64_t courtesy_due(struct courtesy *courtesy, bool full);

/* Opens what tells of the machine, once for the process: the file may be out of reach later. */
void courtesy_prepare(void);

#endif
