#include "faulty_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

const char *const disk_operation_names[DISK_OPERATIONS + 1] = {
	[DISK_OPEN] = "open", [DISK_READ] = "read",           [DISK_WRITE] = "write",
	[DISK_SYNC] = "sync", [DISK_TRUNCATE] = "truncate",   [DISK_SIZE] = "size",
	[DISK_LOCK] = "lock", [DISK_SHARE] = "shared memory", [DISK_ANY] = "operation",
};

const char *const disk_fault_names[DISK_FAULTS] = {
	[DISK_EIO] = "I/O error",        [DISK_ENOSPC] = "full disk",    [DISK_EDQUOT] = "quota",
	[DISK_EROFS] = "read-only disk", [DISK_EPERM] = "no permission",
};

static const int fault_errno[DISK_FAULTS] = {
	[DISK_EIO] = EIO, [DISK_ENOSPC] = ENOSPC, [DISK_EDQUOT] = EDQUOT, [DISK_EROFS] = EROFS, [DISK_EPERM] = EPERM,
};

static const int io_error[DISK_OPERATIONS] = {
	[DISK_OPEN] = SQLITE_CANTOPEN,
	[DISK_READ] = SQLITE_IOERR_CORRUPTFS /* as SQLite's own has it for EIO */,
	[DISK_WRITE] = SQLITE_IOERR_WRITE,
	[DISK_SYNC] = SQLITE_IOERR_FSYNC,
	[DISK_TRUNCATE] = SQLITE_IOERR_TRUNCATE,
	[DISK_SIZE] = SQLITE_IOERR_FSTAT,
	[DISK_LOCK] = SQLITE_IOERR_LOCK,
	[DISK_SHARE] = SQLITE_IOERR_SHMSIZE,
};

static struct {
	enum disk_operation operation;
	enum disk_fault fault;
	int left; /* operations until it happens; 0: no fault is due */
	bool for_good;
	bool happened;
} disk;

void disk_fail(enum disk_operation operation, enum disk_fault fault, int nth, bool for_good)
{
	disk.operation = operation;
	disk.fault = fault;
	disk.left = nth;
	disk.for_good = for_good;
	disk.happened = false;
}

bool disk_heal(void)
{
	disk.left = 0;
	return disk.happened;
}

/* What the operation comes to instead; SQLITE_OK if it is to be done. */
static int fault(enum disk_operation operation)
{
	if (disk.left == 0 || (disk.operation != DISK_ANY && disk.operation != operation))
		return SQLITE_OK;
	if (disk.left > 1) {
		disk.left--;
		return SQLITE_OK;
	}
	if (!disk.for_good)
		disk.left = 0;
	disk.happened = true;
	errno = fault_errno[disk.fault];
	/* As SQLite's own VFS has it: a full disk is known as such where something is written, permissions where it locks. */
	if (operation == DISK_LOCK && disk.fault == DISK_EPERM)
		return SQLITE_PERM;
	return operation == DISK_WRITE && disk.fault == DISK_ENOSPC ? SQLITE_FULL : io_error[operation];
}

/* --- files -------------------------------------------------------------------------------------------------------- */

struct faulty_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct, in the same memory */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct faulty_file *)file)->real;
}

#define REAL(file) (real_of(file)->pMethods)

static int file_close(sqlite3_file *file)
{
	return REAL(file)->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
	int code = fault(DISK_READ);
	return code ? code : REAL(file)->xRead(real_of(file), bytes, len, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	int code = fault(DISK_WRITE);
	return code ? code : REAL(file)->xWrite(real_of(file), bytes, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = fault(DISK_TRUNCATE);
	return code ? code : REAL(file)->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	int code = fault(DISK_SYNC);
	return code ? code : REAL(file)->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int code = fault(DISK_SIZE);
	return code ? code : REAL(file)->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
	int code = fault(DISK_LOCK);
	return code ? code : REAL(file)->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return REAL(file)->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
	return REAL(file)->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int op, void *argument)
{
	return REAL(file)->xFileControl(real_of(file), op, argument);
}

static int file_sector(sqlite3_file *file)
{
	return REAL(file)->xSectorSize(real_of(file));
}

static int file_device(sqlite3_file *file)
{
	return REAL(file)->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	int code = fault(DISK_SHARE);
	return code ? code : REAL(file)->xShmMap(real_of(file), region, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return REAL(file)->xShmLock(real_of(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	REAL(file)->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int delete)
{
	return REAL(file)->xShmUnmap(real_of(file), delete);
}

/* Version 2: no memory-mapped reading, which would go past xRead. */
static const sqlite3_io_methods file_methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_device,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* --- the VFS ------------------------------------------------------------------------------------------------------ */

static sqlite3_vfs *real_vfs;
static sqlite3_vfs faulty_vfs;

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	(void)vfs;
	struct faulty_file *faulty = (struct faulty_file *)file;
	*faulty = (struct faulty_file){.real = (sqlite3_file *)(faulty + 1)};
	int code = fault(DISK_OPEN);
	if (code == SQLITE_OK)
		code = real_vfs->xOpen(real_vfs, name, faulty->real, flags, out_flags);
	if (code == SQLITE_OK)
		faulty->base.pMethods = &file_methods;
	return code;
}

static int vfs_last_error(sqlite3_vfs *vfs, int len, char *text)
{
	(void)vfs, (void)len, (void)text;
	return errno;
}

void disk_register(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	faulty_vfs = *real_vfs;
	faulty_vfs.zName = "faulty";
	faulty_vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
	faulty_vfs.xOpen = vfs_open;
	faulty_vfs.xGetLastError = vfs_last_error;
	faulty_vfs.pNext = NULL;
	if (sqlite3_vfs_register(&faulty_vfs, 1) != SQLITE_OK) {
		puts("Bail out! the faulty VFS cannot be registered");
		exit(1);
	}
}
