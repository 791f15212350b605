/* Mounting, unmounting, and the life of the threads. */
#include "fs/fs.h"

#include "fs/internal.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const fs_operation_names[FS_OPERATIONS] = {
	[OP_LOOKUP] = "lookup", [OP_GETATTR] = "getattr", [OP_READ] = "read",     [OP_READDIR] = "readdir",
	[OP_OPEN] = "open",     [OP_XATTR] = "xattr",     [OP_STATFS] = "statfs",
};

void fs_count(struct fs *fs, enum operation operation)
{
	atomic_fetch_add_explicit(&fs->requests[operation], 1, memory_order_relaxed);
}

void fs_count_requests(struct fs *fs, struct fs_counts *counts)
{
	*counts = (struct fs_counts){0};
	for (int i = 0; i < FS_OPERATIONS; i++) {
		counts->by_operation[i] = atomic_load_explicit(&fs->requests[i], memory_order_relaxed);
		if (i != OP_XATTR && i != OP_STATFS)
			counts->cacheable += counts->by_operation[i];
	}
}

static int init_locks(struct fs *fs)
{
	/* Without the preference a stream of requests could keep the announcer waiting for ever. */
	pthread_rwlockattr_t prefer_writer;
	pthread_rwlockattr_init(&prefer_writer);
	pthread_rwlockattr_setkind_np(&prefer_writer, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	int rc = pthread_rwlock_init(&fs->answering, &prefer_writer);
	pthread_rwlockattr_destroy(&prefer_writer);

	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(&fs->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (rc == 0)
		rc = pthread_mutex_init(&fs->lock, NULL);
	if (rc == 0) {
		rc = pthread_key_create(&fs->worker_key, NULL);
		fs->has_worker_key = rc == 0;
	}
	return -rc;
}

int fs_session_create(struct fuse_session **out, const char *source, const char *mount_options,
		      const struct fuse_lowlevel_ops *operations, void *userdata, struct err *err)
{
	CLEANUP(buf_finish) struct buf options = BUF_INIT;
	buf_printf(&options, "ro,default_permissions,fsname=%s,subtype=contentfs%s%s", source ? source : "contentfs",
		   mount_options ? "," : "", mount_options ? mount_options : "");
	if (options.failed)
		return err_oom(err);
	char name[] = "contentfs";
	char flag[] = "-o";
	char *arguments[] = {name, flag, options.text, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, arguments);
	*out = fuse_session_new(&args, operations, sizeof(*operations), userdata);
	fuse_opt_free_args(&args);
	return *out ? 0
		    : err_set(err, -EINVAL, "the mount options '%s' are not accepted: see -o in contentfs mount --help",
			      mount_options ? mount_options : "");
}

/* The options are those of the mount, of which libfuse heeds some while it answers. */
static int mount_session(struct fs *fs, const struct fs_config *config, struct err *err)
{
	struct fuse_lowlevel_ops operations = fs_operations;
	char path[32];
	fs_refuse_writes(&operations);
	int rc = fs_session_create(&fs->session, NULL, config->mount_options, &operations, fs, err);
	if (rc < 0)
		return rc;
	int device = keeper_mount(config->keeper, err);
	if (device < 0)
		return device;
	snprintf(path, sizeof(path), "/dev/fd/%d", device); /* libfuse: what is mounted already */
	fs->mounted = fuse_session_mount(fs->session, path) == 0;
	if (fs->mounted)
		return 0;
	close(device);
	keeper_unmount(config->keeper, NULL);
	return err_set(err, -EIO, "libfuse does not take the descriptor of the FUSE device");
}

int fs_create(struct fs **out, const struct fs_config *config, const struct fs_hooks *hooks, struct err *err)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	if (!fs)
		return err_oom(err);
	fs->config = *config;
	fs->hooks = *hooks;
	fs->announced = config->announced;
	fs->store_path = strdup(config->store_path);
	int rc = init_locks(fs);
	if (rc == 0)
		rc = listings_init(fs);
	if (rc < 0 || !fs->store_path)
		rc = err_oom(err);
	if (rc == 0)
		rc = mount_session(fs, config, err);
	if (rc < 0) {
		fs_destroy(fs);
		return rc;
	}
	*out = fs;
	return 0;
}

int fs_start(struct fs *fs, struct err *err)
{
	int rc = ahead_start(fs, err);
	if (rc == 0)
		rc = workers_start(fs, err);
	return rc < 0 ? rc : announcer_start(fs, err);
}

/* The workers go last: the others may be waiting for an answer that only they give. */
void fs_stop(struct fs *fs)
{
	if (!fs)
		return;
	announcer_stop(fs);
	ahead_stop(fs);
	control_answer(fs, UINT64_MAX, ECANCELED, "contentfs is ending");
	workers_stop(fs);
	control_answer(fs, UINT64_MAX, ECANCELED, "contentfs is ending");
}

/* So that nobody's unmounting has to be undone: what was unmounted, or has its connection aborted, shows as an error. */
static bool kernel_has_let_go(const struct fs *fs)
{
	struct pollfd device = {.fd = fuse_session_fd(fs->session)};
	return poll(&device, 1, 0) == 1 && (device.revents & POLLERR);
}

/* The descriptor goes first: what unmounting may have to wait for ends with it. */
static void end_session(struct fs *fs)
{
	struct err err = {0};
	bool mounted = fs->mounted && !kernel_has_let_go(fs);
	if (fs->session)
		fuse_session_destroy(fs->session);
	if (mounted && keeper_unmount(fs->config.keeper, &err) < 0)
		log_error("%s", err.text);
}

void fs_destroy(struct fs *fs)
{
	if (!fs)
		return;
	fs_stop(fs);
	end_session(fs);
	watch_finish(fs);
	remote_finish(fs);
	ahead_finish(fs);
	listings_finish(fs);
	buf_finish(&fs->status);
	if (fs->has_worker_key)
		pthread_key_delete(fs->worker_key);
	pthread_mutex_destroy(&fs->lock);
	pthread_cond_destroy(&fs->changed);
	pthread_rwlock_destroy(&fs->answering);
	free(fs->store_path);
	free(fs);
}
