/*
 * A disk that fails when it is told to: SQLite's own VFS with a fault in front of it, registered as the default one. A
 * fault is given to the Nth operation of a kind from now on, or to that one and all that follow. Of one thread.
 */
#ifndef CONTENTFS_TESTS_FAULTY_VFS_H
#define CONTENTFS_TESTS_FAULTY_VFS_H

#include <stdbool.h>

enum disk_operation {
	DISK_OPEN,
	DISK_READ,
	DISK_WRITE,
	DISK_SYNC,
	DISK_TRUNCATE,
	DISK_SIZE,
	DISK_LOCK,
	DISK_SHARE, /* mapping the memory that connections share */
	DISK_OPERATIONS,
};

#define DISK_ANY DISK_OPERATIONS

/* What the operation fails with: SQLite's code where it has one of its own, and the errno behind it. */
enum disk_fault { DISK_EIO, DISK_ENOSPC, DISK_EDQUOT, DISK_EROFS, DISK_EPERM, DISK_FAULTS };

extern const char *const disk_operation_names[DISK_OPERATIONS + 1];
extern const char *const disk_fault_names[DISK_FAULTS];

void disk_register(void);

/* The `nth` operation of that kind fails, counted from 1; `for_good`: so do all after it. */
void disk_fail(enum disk_operation operation, enum disk_fault fault, int nth, bool for_good);

/* No more faults. Whether there was one since disk_fail. */
bool disk_heal(void);

#endif
