/* Somebody else who wants the processor: for tests of what is done about it. */
#ifndef CONTENTFS_TESTS_CROWD_H
#define CONTENTFS_TESTS_CROWD_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct crowd {
	pthread_t thread;
	atomic_bool over;
	cpu_set_t before;
};

/* From here on the calling thread shares one processor with a thread that never sleeps. */
void crowd_begin(struct crowd *crowd);
void crowd_end(struct crowd *crowd);

#endif
