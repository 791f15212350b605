#include "app/mount.h"

#include "app/asset_cache.h"
#include "app/confine.h"
#include "app/daemon.h"
#include "app/engine.h"
#include "app/exit_status.h"
#include "app/progress.h"
#include "app/refresher.h"
#include "app/signals.h"
#include "app/status.h"
#include "app/supervisor.h"
#include "config/token.h"
#include "fs/fs.h"
#include "fs/keeper.h"
#include "fs/mounts.h"
#include "fs/unmount.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define CLAIM_MS 10000 /* how long one that was there before gets to end */
#define CLAIM_PAUSE_MS 20

struct mount {
	struct config *config;
	char *mountpoint; /* absolute */
	struct daemon daemon;
	struct keeper keeper;
	struct supervisor supervisor;
	struct engine engine;
	struct assets *assets;
	struct fs *fs;
	struct refresher refresher;
	bool has_refresher;
	struct progress progress; /* the refresh thread's until it is ended */
	int place_fd;             /* the folder that is mounted on, locked as long as this mount lives */
	_Atomic uint64_t items;   /* of the run under way */
	int signal_fd;
	int ended_fd; /* the kernel has let go */
	int state_fd; /* the refresher's state changed */
	pthread_mutex_t status_lock;
	struct store_reader *status_reader; /* guarded by status_lock, as is the next */
	unsigned status_stores;             /* which store it reads: see struct refresher_view */
};

/* --- what the parts ask of each other ----------------------------------------------------------------------------- */

static void on_committed(void *context)
{
	struct mount *mount = context;
	fs_changed(mount->fs);
}

static void on_progress(void *context, uint64_t pages, uint64_t items, uint64_t total)
{
	struct mount *mount = context;
	(void)pages;
	atomic_store(&mount->items, items);
	progress_draw(&mount->progress, items, total);
}

static void on_waiting(void *context, const char *what, int64_t ms)
{
	struct mount *mount = context;
	refresher_note_wait(&mount->refresher, what, ms);
	progress_wait(&mount->progress, what);
}

static void on_rest(void *context, int64_t ms)
{
	struct mount *mount = context;
	refresher_rest(&mount->refresher, ms);
}

static void on_turn(void *context)
{
	struct mount *mount = context;
	refresher_note_turn(&mount->refresher);
}

static void on_refresh(void *context)
{
	struct mount *mount = context;
	refresher_want(&mount->refresher);
}

static void raise_event(int fd)
{
	const uint64_t one = 1;
	ssize_t written = write(fd, &one, sizeof(one));
	(void)written; /* it is raised already */
}

static void on_ended(void *context)
{
	const struct mount *mount = context;
	raise_event(mount->ended_fd);
}

static void on_damaged(void *context)
{
	struct mount *mount = context;
	refresher_note_damage(&mount->refresher);
}

static void on_learned(void *context)
{
	struct mount *mount = context;
	refresher_note_lesson(&mount->refresher);
}

static void on_changed(void *context, struct slice url, int64_t generation)
{
	struct mount *mount = context;
	refresher_note_changed(&mount->refresher, url, generation);
}

/* With status_lock held. What cannot be opened is read as it was. */
static void follow_store(struct mount *mount, unsigned stores)
{
	struct store_reader *reader = NULL;
	if (mount->status_stores == stores || reader_open(&reader, mount->config->store, NULL) < 0)
		return;
	reader_close(mount->status_reader);
	mount->status_reader = reader;
	mount->status_stores = stores;
}

static int on_status(void *context, struct buf *json)
{
	struct mount *mount = context;
	struct refresher_view view;
	refresher_look(&mount->refresher, &view);
	struct fs_counts counts;
	fs_count_requests(mount->fs, &counts);
	struct assets_counts assets;
	assets_count(mount->assets, &assets);
	const struct status_live live = {
		.mountpoint = mount->mountpoint,
		.pid = (int)getpid(),
		.syncing = view.syncing,
		.next_poll_ms = view.next_poll_ms,
		.waiting_for = view.waiting_for.text[0] ? view.waiting_for.text : NULL,
		.wait_ms = view.wait_ms,
		.last_error = view.ran ? view.last_error.text : NULL,
		.last_status = exit_status(view.last_rc),
		.service_calls = delivery_count(mount->engine.delivery),
		.requests = counts.cacheable,
		.operation_names = fs_operation_names,
		.operations = counts.by_operation,
		.operation_count = FS_OPERATIONS,
		.assets = &assets,
	};
	const struct status_place place = {mount->config->store, mount->config->cache, assets.cache_limit};
	pthread_mutex_lock(&mount->status_lock);
	follow_store(mount, view.stores);
	int rc = status_append(json, mount->status_reader, &place, &live, NULL);
	pthread_mutex_unlock(&mount->status_lock);
	return rc;
}

/* --- putting it together ------------------------------------------------------------------------------------------ */

static int resolve_mountpoint(const char *path, char **out, struct err *err)
{
	struct stat st;
	if (mount_is_dead(path)) {
		log_notice("the program behind the mount on %s is gone: replacing it", path);
		int rc = unmount(path, true, err);
		if (rc < 0)
			return rc;
	}
	CLEANUP(cleanup_free) char *full = realpath(path, NULL);
	if (!full || stat(full, &st) < 0) {
		int rc = -errno;
		if (rc == -ENOENT)
			return err_set(err, rc, "the mount point %s does not exist: mkdir %s", path, path);
		return err_set(err, rc == -EACCES ? -EPERM : rc, "cannot use the mount point %s: %s", path,
			       strerror(-rc));
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(err, -ENOTDIR, "the mount point %s is not a directory: name one", path);
	*out = full;
	full = NULL;
	return 0;
}

/*
 * One mount of contentfs a place. The folder below is locked, so that of two that come at once one finds the other's mount;
 * who comes right after an umount waits until the one before has ended, and let go of its store. A folder that cannot be
 * opened or locked is no reason not to mount.
 */
static int claim_mountpoint(struct mount *mount, struct err *err)
{
	const struct timespec pause = {.tv_nsec = CLAIM_PAUSE_MS * 1000000};
	mount->place_fd = open(mount->mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int64_t until = clock_monotonic_ms() + CLAIM_MS;;) {
		if (mounts_have(mount->mountpoint))
			return err_set(err, -EBUSY, "a contentfs is mounted on %s already: contentfs umount %s ends it",
				       mount->mountpoint, mount->mountpoint);
		if (mount->place_fd < 0 || flock(mount->place_fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return 0;
		if (clock_monotonic_ms() > until)
			return err_set(
				err, -EBUSY,
				"another program holds %s, maybe a contentfs that is ending or beginning: try again",
				mount->mountpoint);
		nanosleep(&pause, NULL);
	}
}

static int make_events(struct mount *mount, struct err *err)
{
	mount->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	mount->state_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mount->ended_fd < 0 || mount->state_fd < 0)
		return err_set(err, -errno, "cannot make an event: %s", strerror(errno));
	return signals_take(&mount->signal_fd, err);
}

static bool is_covered(const struct mount *mount, const char *path)
{
	size_t len = strlen(mount->mountpoint);
	return strncmp(path, mount->mountpoint, len) == 0 && (path[len] == '/' || path[len] == '\0' || len == 1);
}

/* What lies below its own mount could be opened by nobody once it is covered. The cache need not be there yet. */
static int check_places(const struct mount *mount, struct err *err)
{
	CLEANUP(cleanup_free) char *store = realpath(mount->config->store, NULL);
	if (!store)
		return err_set(err, -errno, "cannot find the store %s: %s", mount->config->store, strerror(errno));
	CLEANUP(cleanup_free) char *cache = realpath(mount->config->cache, NULL);
	if (is_covered(mount, store))
		return err_set(err, -EINVAL,
			       "the store %s would be covered by the mount on %s: mount elsewhere, or use --store",
			       store, mount->mountpoint);
	if (is_covered(mount, cache ? cache : mount->config->cache))
		return err_set(err, -EINVAL,
			       "the cache %s would be covered by the mount on %s: mount elsewhere, or use --cache",
			       mount->config->cache, mount->mountpoint);
	return 0;
}

/* Who mounts is another process from here on. */
static int start_keeper(struct mount *mount, struct err *err)
{
	const struct keeper_config config = {
		.mountpoint = mount->mountpoint,
		.source = mount->config->profile,
		.mount_options = mount->config->mount_options,
		.secret = mount->config->token,
	};
	return keeper_start(&mount->keeper, &config, err);
}

static int open_parts(struct mount *mount, struct err *err)
{
	const struct sync_hooks hooks = {mount, on_committed, on_progress, on_waiting, on_rest, on_turn};
	int rc = engine_open(&mount->engine, mount->config, &hooks, err);
	if (rc == 0)
		rc = check_places(mount, err);
	if (rc == 0)
		rc = confine(mount->config, err);
	if (rc == 0)
		rc = reader_open(&mount->status_reader, mount->config->store, err);
	struct store_sync_state state;
	if (rc == 0)
		rc = reader_sync_state(mount->status_reader, &state, err);
	if (rc == 0)
		rc = refresher_init(&mount->refresher, &mount->engine, mount->config, mount->state_fd, state.complete,
				    err);
	if (rc < 0)
		return rc;
	mount->has_refresher = true;
	rc = asset_cache_open(&mount->assets, mount->config, mount->engine.host, on_changed, mount, err);
	if (rc < 0)
		return rc;
	token_wipe(&mount->config->token); /* the parts have what they need of it */
	const struct fs_config config = {
		.store_path = mount->config->store,
		.assets = mount->assets,
		.keeper = &mount->keeper,
		.mount_options = mount->config->mount_options,
		.uid = mount->config->uid,
		.gid = mount->config->gid,
		.umask = mount->config->umask,
		.announced = state.announced,
	};
	const struct fs_hooks fs_hooks = {mount, on_status, on_refresh, on_damaged, on_learned, on_ended};
	return fs_create(&mount->fs, &config, &fs_hooks, err);
}

static int start_parts(struct mount *mount, struct err *err)
{
	progress_start(&mount->progress, "first sync", "items", mount->config->quiet);
	supervisor_watch(&mount->supervisor, &mount->refresher, mount->fs);
	int rc = fs_start(mount->fs, err);
	return rc < 0 ? rc : refresher_start(&mount->refresher, mount->fs, err);
}

/* The sync stops before the file system that it announces to, and both before the store. Reads of assets that wait are
 * answered first: what the announcer tells the kernel may have to wait for one of them. */
static void close_parts(struct mount *mount)
{
	if (mount->has_refresher)
		refresher_stop(&mount->refresher);
	progress_end(&mount->progress);
	assets_stop(mount->assets);
	fs_stop(mount->fs);
	assets_destroy(mount->assets);
	fs_destroy(mount->fs);
	keeper_end(&mount->keeper);
	if (mount->has_refresher)
		refresher_finish(&mount->refresher);
	reader_close(mount->status_reader);
	engine_close(&mount->engine);
	supervisor_close(&mount->supervisor);
	cleanup_close(&mount->place_fd);
	cleanup_close(&mount->signal_fd);
	cleanup_close(&mount->ended_fd);
	cleanup_close(&mount->state_fd);
	pthread_mutex_destroy(&mount->status_lock);
	free(mount->mountpoint);
}

/* --- living with it ----------------------------------------------------------------------------------------------- */

static void clear_event(int fd)
{
	uint64_t count;
	ssize_t len = read(fd, &count, sizeof(count));
	(void)len;
}

static bool is_of_this_machine(int rc)
{
	return rc == -ENOSPC || rc == -EIO || rc == -EROFS || rc == -EDQUOT || rc == -EBUSY || rc == -EUCLEAN;
}

/* The state of the first run has changed: lets the terminal go, or gives up. */
static int follow_state(struct mount *mount, struct err *err)
{
	struct refresher_view view;
	refresher_look(&mount->refresher, &view);
	switch (view.state) {
	case REFRESHER_READY:
		progress_end(&mount->progress);
		return daemon_ready(&mount->daemon, err);
	case REFRESHER_FAILED:
		if (mount->daemon.ready_fd < 0 && is_of_this_machine(view.last_rc))
			return 0; /* what is there is being read, and may go on when the disk does */
		return err_set(err, view.last_rc, "the first sync failed: %s", view.last_error.text);
	default:
		return 0;
	}
}

/* Until it is unmounted or a signal says so. */
static int watch(struct mount *mount, struct err *err)
{
	int rc = follow_state(mount, err);
	while (rc == 0) {
		supervisor_tell(&mount->supervisor, atomic_load(&mount->items));
		struct pollfd fds[] = {
			{.fd = mount->signal_fd, .events = POLLIN},
			{.fd = mount->ended_fd, .events = POLLIN},
			{.fd = mount->state_fd, .events = POLLIN},
		};
		if (poll(fds, 3, supervisor_wait_ms(&mount->supervisor)) < 0 && errno != EINTR)
			return err_set(err, -errno, "cannot wait: %s", strerror(errno));
		if (fds[0].revents || fds[1].revents) {
			bool waited_for = mount->daemon.ready_fd >= 0;
			return waited_for
				       ? err_set(err, -ECANCELED,
						 "ended before the first sync did; the next start goes on from there")
				       : 0;
		}
		if (fds[2].revents) {
			clear_event(mount->state_fd);
			rc = follow_state(mount, err);
		}
	}
	return rc;
}

static int live(struct mount *mount, struct err *err)
{
	supervisor_open(&mount->supervisor);
	int rc = claim_mountpoint(mount, err);
	if (rc == 0)
		rc = make_events(mount, err);
	if (rc == 0)
		rc = start_keeper(mount, err);
	if (rc == 0)
		rc = open_parts(mount, err);
	if (rc == 0)
		rc = start_parts(mount, err);
	if (rc == 0)
		rc = watch(mount, err);
	supervisor_stopping(&mount->supervisor);
	close_parts(mount);
	return rc;
}

int mount_run(struct config *config, const char *mountpoint, bool foreground, int *status, struct err *err)
{
	struct mount mount = {
		.config = config,
		.daemon = DAEMON_NONE,
		.keeper = KEEPER_NONE,
		.supervisor = SUPERVISOR_NONE,
		.place_fd = -1,
		.signal_fd = -1,
		.ended_fd = -1,
		.state_fd = -1,
		.status_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	*status = 0;
	int rc = resolve_mountpoint(mountpoint, &mount.mountpoint, err);
	if (rc < 0)
		return rc;
	if (!foreground) {
		rc = daemon_start(&mount.daemon, status, err);
		if (rc != 0) {
			free(mount.mountpoint);
			return rc < 0 ? rc : 0;
		}
	}
	if (chdir("/") < 0) /* so that the folder it was started in can be unmounted */
		log_debug("cannot leave the current folder: %s", strerror(errno));
	return live(&mount, err);
}
