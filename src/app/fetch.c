#include "app/fetch.h"

#include "app/asset_cache.h"
#include "app/confine.h"
#include "app/engine.h"
#include "app/progress.h"
#include "store/reader.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/human.h"
#include "util/log.h"
#include "util/printable.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNDER_WAY_MAX 64 /* asked for at once; how many are fetched at once is up to assets/ */
#define LOOK_MS 200      /* between looks at how far it is */

enum outcome { WANTED, FETCHED, FAILED, TOO_LARGE };

struct file {
	int64_t ino;
	int64_t bytes; /* as the record says */
	enum outcome outcome;
};

struct fetch {
	struct store_reader *reader;
	struct assets *assets;
	struct file *files; /* `outcome` is guarded by `lock` once they are asked for */
	size_t count;
	size_t cap;
	int64_t bytes; /* of all, as the records say */
	struct progress progress;

	pthread_mutex_t lock;
	pthread_cond_t answered;
	size_t under_way;
	uint64_t done;
	int64_t there; /* bytes of files that did not have to be fetched */
	pthread_t asker;
};

/* --- which ones --------------------------------------------------------------------------------------------------- */

struct children {
	struct node_attr *attrs;
	size_t count;
	size_t cap;
	bool failed;
};

static void children_finish(struct children *children)
{
	free(children->attrs);
}

static bool add_child(void *context, const struct dir_entry *entry)
{
	struct children *children = context;
	if (children->count == children->cap) {
		size_t cap = children->cap ? children->cap * 2 : 64;
		struct node_attr *grown = realloc(children->attrs, cap * sizeof(*grown));
		children->failed = !grown;
		if (!grown)
			return false;
		children->attrs = grown;
		children->cap = cap;
	}
	children->attrs[children->count++] = entry->attr;
	return true;
}

static int add_file(struct fetch *fetch, const struct node_attr *attr, struct err *err)
{
	if (fetch->count == fetch->cap) {
		size_t cap = fetch->cap ? fetch->cap * 2 : 256;
		struct file *grown = realloc(fetch->files, cap * sizeof(*grown));
		if (!grown)
			return err_oom(err);
		fetch->files = grown;
		fetch->cap = cap;
	}
	fetch->files[fetch->count++] = (struct file){.ino = attr->ino, .bytes = attr->size > 0 ? attr->size : 0};
	return 0;
}

/* The tree is four directories deep. */
static int gather(struct fetch *fetch, const struct node_attr *attr, struct err *err)
{
	if (attr->kind == NODE_FILE)
		return add_file(fetch, attr, err);
	if (attr->kind != NODE_DIRECTORY && attr->kind != NODE_FOLDER)
		return 0;
	CLEANUP(children_finish) struct children children = {0};
	int rc = reader_list(fetch->reader, attr->ino, 0, add_child, &children);
	if (rc < 0)
		return err_set(err, rc, "the store cannot be read: %s", strerror(-rc));
	if (children.failed)
		return err_oom(err);
	for (size_t i = 0; rc == 0 && i < children.count; i++)
		rc = gather(fetch, &children.attrs[i], err);
	return rc;
}

static int gather_place(struct fetch *fetch, const char *place, struct err *err)
{
	struct node_attr attr = {.ino = STORE_INO_ASSETS, .kind = NODE_DIRECTORY};
	const char *at = place;
	int64_t ino = STORE_INO_ROOT;
	int rc = 0;
	while (rc == 0 && *(at += strspn(at, "/"))) {
		size_t len = strcspn(at, "/");
		rc = reader_lookup(fetch->reader, ino, slice_make(at, len), &attr);
		ino = attr.ino;
		at += len;
	}
	if (rc == -ENOENT)
		return err_set(err, -EINVAL, "there is no %s in the tree: a place in it is like assets/en-us", place);
	if (rc < 0)
		return err_set(err, rc, "the store cannot be read: %s", strerror(-rc));
	/* Nothing but assets has files like that. */
	if (attr.ino == STORE_INO_ROOT)
		attr.ino = STORE_INO_ASSETS;
	return gather(fetch, &attr, err);
}

static int compare(const void *a, const void *b)
{
	int64_t x = ((const struct file *)a)->ino;
	int64_t y = ((const struct file *)b)->ino;
	return x < y ? -1 : x > y;
}

/* Places may overlap. Counts what is left. */
static void drop_repeats(struct fetch *fetch)
{
	size_t kept = 0;
	fetch->bytes = 0;
	if (fetch->count > 0)
		qsort(fetch->files, fetch->count, sizeof(fetch->files[0]), compare);
	for (size_t i = 0; i < fetch->count; i++) {
		struct file *file = &fetch->files[i];
		if (kept > 0 && file->ino == fetch->files[kept - 1].ino)
			continue;
		if (__builtin_add_overflow(fetch->bytes, file->bytes, &fetch->bytes))
			fetch->bytes = INT64_MAX;
		fetch->files[kept++] = *file;
	}
	fetch->count = kept;
}

/* No more than a warning: records may be wrong about sizes, and the first ones help until the last ones come. */
static void warn_of_size(const struct fetch *fetch, const struct config *config)
{
	char want[HUMAN_SIZE];
	char have[HUMAN_SIZE];
	if (fetch->bytes > config->cache_bytes)
		log_warning(
			"%s of assets are wanted, and the cache may take %s: what comes last will push out what came "
			"first, unless --cache-size is larger",
			human_bytes(fetch->bytes, want), human_bytes(config->cache_bytes, have));
}

/* --- fetching ----------------------------------------------------------------------------------------------------- */

static void answered(void *context, uint64_t ticket, int rc, const struct asset_bytes *bytes)
{
	struct fetch *fetch = context;
	pthread_mutex_lock(&fetch->lock);
	fetch->files[ticket].outcome = rc == 0 ? FETCHED : rc == -ENOSPC ? TOO_LARGE : FAILED;
	if (rc == 0 && pthread_equal(fetch->asker, pthread_self()))
		fetch->there += bytes->size; /* at once: it was in the cache */
	fetch->done++;
	fetch->under_way--;
	pthread_cond_signal(&fetch->answered);
	pthread_mutex_unlock(&fetch->lock);
}

/* With the lock held, which is given back meanwhile. */
static void draw(struct fetch *fetch)
{
	struct assets_counts counts;
	uint64_t done = fetch->done;
	uint64_t there = (uint64_t)fetch->there;
	pthread_mutex_unlock(&fetch->lock);
	assets_count(fetch->assets, &counts);
	progress_draw_bytes(&fetch->progress, done, fetch->count, there + counts.fetched_bytes, (uint64_t)fetch->bytes);
	pthread_mutex_lock(&fetch->lock);
}

/* Until no more than `left` are under way. */
static void wait_until(struct fetch *fetch, size_t left)
{
	pthread_mutex_lock(&fetch->lock);
	while (fetch->under_way > left) {
		struct timespec until = clock_monotonic_in(LOOK_MS);
		pthread_cond_clockwait(&fetch->answered, &fetch->lock, CLOCK_MONOTONIC, &until);
		draw(fetch);
	}
	pthread_mutex_unlock(&fetch->lock);
}

static struct asset_source source_of(const struct node_asset *asset)
{
	return (struct asset_source){
		.url = asset->url,
		.media_type = asset->media_type,
		.size = asset->size,
		.recorded = asset->recorded,
		.generation = asset->generation,
		.name = asset->path,
	};
}

struct asking {
	struct fetch *fetch;
	uint64_t ticket;
};

/* With the row of the store in hand, for a moment: assets/ copies what it keeps. */
static void ask(void *context, const struct node_asset *asset)
{
	const struct asking *asking = context;
	const struct asset_source source = source_of(asset);
	assets_fetch(asking->fetch->assets, &source, answered, asking->fetch, asking->ticket);
}

static int fetch_all(struct fetch *fetch, struct err *err)
{
	int rc = 0;
	fetch->asker = pthread_self();
	for (size_t i = 0; rc == 0 && i < fetch->count; i++) {
		wait_until(fetch, UNDER_WAY_MAX - 1);
		pthread_mutex_lock(&fetch->lock);
		fetch->under_way++;
		pthread_mutex_unlock(&fetch->lock);
		struct asking asking = {fetch, i};
		rc = reader_asset(fetch->reader, fetch->files[i].ino, ask, &asking);
		if (rc == 0)
			continue;
		answered(fetch, i, rc, NULL);
		/* Gone since it was listed: nobody misses it. */
		rc = rc == -ESTALE ? 0 : err_set(err, rc, "the store cannot be read: %s", strerror(-rc));
		fetch->files[i].outcome = FETCHED;
	}
	wait_until(fetch, 0);
	return rc;
}

/* --- what came of it ---------------------------------------------------------------------------------------------- */

struct checking {
	struct fetch *fetch;
	struct file *file;
};

/* What was fetched first may have had to make room for what came last. */
static void check(void *context, const struct node_asset *asset)
{
	const struct checking *checking = context;
	const struct asset_source source = source_of(asset);
	struct file *file = checking->file;
	if (file->outcome == FETCHED && !assets_has(checking->fetch->assets, &source))
		file->outcome = TOO_LARGE;
	if (file->outcome == FETCHED)
		return;
	char path[1024];
	snprintf(path, sizeof(path), "%s", asset->path);
	make_printable(path, strlen(path));
	fprintf(stderr, "%s: %s\n", path, file->outcome == FAILED ? "not fetched" : "no room in the cache");
}

static int conclude(struct fetch *fetch, struct err *err)
{
	size_t failed = 0;
	size_t too_large = 0;
	for (size_t i = 0; i < fetch->count; i++) {
		struct file *file = &fetch->files[i];
		struct checking checking = {fetch, file};
		reader_asset(fetch->reader, file->ino, check, &checking);
		failed += file->outcome == FAILED;
		too_large += file->outcome == TOO_LARGE;
	}
	if (failed > 0)
		return err_set(err, -EHOSTUNREACH,
			       "%zu of %zu assets could not be fetched: the messages above say why; the next contentfs "
			       "fetch goes on from there",
			       failed + too_large, fetch->count);
	if (too_large > 0)
		return err_set(err, -ENOSPC, "%zu of %zu assets have no room in the cache: use a larger --cache-size",
			       too_large, fetch->count);
	return 0;
}

static int open_parts(struct fetch *fetch, const struct config *config, struct err *err)
{
	const char *host = engine_host(config, err);
	if (!host)
		return -EINVAL;
	int rc = reader_open(&fetch->reader, config->store, err);
	if (rc == 0)
		rc = confine(config, err);
	return rc < 0 ? rc : asset_cache_open(&fetch->assets, config, host, NULL, NULL, err);
}

int fetch_run(const struct config *config, char *const *places, size_t count, struct err *err)
{
	struct fetch fetch = {.lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};
	int rc = open_parts(&fetch, config, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = gather_place(&fetch, places[i], err);
	if (rc == 0 && count == 0)
		rc = gather_place(&fetch, "", err);
	drop_repeats(&fetch);
	if (rc == 0)
		warn_of_size(&fetch, config);
	progress_start(&fetch.progress, "fetching", "assets", config->quiet);
	if (rc == 0)
		rc = fetch_all(&fetch, err);
	progress_end(&fetch.progress);
	if (rc == 0)
		rc = conclude(&fetch, err);
	assets_destroy(fetch.assets);
	reader_close(fetch.reader);
	free(fetch.files);
	return rc;
}
