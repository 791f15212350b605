#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

static void *spin(void *argument)
{
	struct crowd *crowd = argument;
	while (!atomic_load(&crowd->over))
		;
	return NULL;
}

void crowd_begin(struct crowd *crowd)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	atomic_store(&crowd->over, false);
	if (sched_getaffinity(0, sizeof(crowd->before), &crowd->before) < 0 ||
	    sched_setaffinity(0, sizeof(one), &one) < 0 || pthread_create(&crowd->thread, NULL, spin, crowd) != 0) {
		printf("Bail out! no crowd is to be had\n");
		exit(1);
	}
}

void crowd_end(struct crowd *crowd)
{
	atomic_store(&crowd->over, true);
	pthread_join(crowd->thread, NULL);
	sched_setaffinity(0, sizeof(crowd->before), &crowd->before);
}
