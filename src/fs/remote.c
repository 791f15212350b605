/*
 * The files of assets. Their bytes are not in the store: a read is handed to assets/, which answers at once from its cache
 * or later from a thread of its own, so that no worker ever waits for the network.
 *
 * The size that a record says may be wrong, or missing. What a reader is told of it first:
 *
 *  - a size that is said is believed, and cached by the kernel for good like every attribute;
 *  - a file without one (or with 0, which need not be true) shows 0 bytes and nothing of it is remembered, so that a read
 *    asks for the attributes again, which an open file does and `stat` does not: then the true size is asked for. The
 *    kernel drops the answer if it got another one about the same file since it asked. So while a reader waits for a
 *    size, whoever else asks for it waits too, and a reader whose question may have crossed with another answer is told to
 *    ask again;
 *  - as soon as the true size is known and another one, it stands in a table here until the store has it too, and the
 *    kernel is made to forget the old one before it gets its answer: whoever reads to the end reads all there is;
 *  - a read that was sent when the file was held to be larger than it is gets no bytes but an error: what is missing of
 *    them the kernel would show as zeros. It asks again at once, and page by page, for what it wanted to read ahead, so
 *    that few readers see the error; one that begins behind the end does.
 */
#include "fs/internal.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/printable.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* How long an answer waits for the kernel to be told of another size. It may have to wait for that very answer: for a page
 * that nobody wants any more, of a file that it is about to forget. */
#define TELL_MS 1000
#define CROSSING_MS 50 /* how long the kernel may take to take note of an answer */

struct measured {
	int64_t ino;
	int64_t size;
};

/* --- true sizes --------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	int64_t x = ((const struct measured *)a)->ino;
	int64_t y = ((const struct measured *)b)->ino;
	return x < y ? -1 : x > y;
}

int64_t remote_size(struct fs *fs, int64_t ino, int64_t stored)
{
	if (atomic_load(&fs->measured_count) == 0)
		return stored;
	const struct measured key = {.ino = ino};
	pthread_mutex_lock(&fs->lock);
	struct measured **found = tfind(&key, &fs->measured, compare);
	int64_t size = found ? (*found)->size : stored;
	pthread_mutex_unlock(&fs->lock);
	return size;
}

/* With the lock held: false without memory for it. */
static bool note_size(struct fs *fs, int64_t ino, int64_t size)
{
	struct measured *measured = malloc(sizeof(*measured));
	if (!measured)
		return false;
	*measured = (struct measured){ino, size};
	struct measured **found = tsearch(measured, &fs->measured, compare);
	if (!found || *found != measured)
		free(measured);
	else
		atomic_fetch_add(&fs->measured_count, 1);
	if (found)
		(*found)->size = size;
	return found != NULL;
}

/* With the lock held: has the announcer tell the kernel, and waits until it did, or cannot. */
static void tell_size(struct fs *fs, int64_t ino)
{
	struct timespec until = clock_monotonic_in(TELL_MS);
	if (buf_append(&fs->resized, (const char *)&ino, sizeof(ino)) < 0)
		return;
	uint64_t number = ++fs->resized_last;
	fs->change_pending = true;
	pthread_cond_broadcast(&fs->changed);
	int rc = 0;
	while (fs->resized_told < number && rc == 0 && !atomic_load(&fs->announcer_stopping))
		rc = pthread_cond_timedwait(&fs->changed, &fs->lock, &until);
}

/* The kernel drops an answer about attributes that it was told to forget meanwhile. So it is told once of each size, and
 * not at all when the answer that it waits for is the size itself. */
static void learn_size(struct fs *fs, const struct pending *pending, int64_t size)
{
	if (remote_size(fs, pending->attr.ino, pending->shown) == size)
		return;
	pthread_mutex_lock(&fs->lock);
	if (note_size(fs, pending->attr.ino, size) && pending->kind == PENDING_READ)
		tell_size(fs, pending->attr.ino);
	pthread_mutex_unlock(&fs->lock);
	fs->hooks.learned(fs->hooks.context);
}

void remote_tell_sizes(struct fs *fs)
{
	CLEANUP(buf_finish) struct buf inos = BUF_INIT;
	pthread_mutex_lock(&fs->lock);
	inos = fs->resized;
	fs->resized = (struct buf)BUF_INIT;
	uint64_t number = fs->resized_last;
	pthread_mutex_unlock(&fs->lock);
	if (inos.len == 0)
		return;
	let_answers_pass(fs);
	for (size_t at = 0; at < inos.len; at += sizeof(int64_t)) {
		int64_t ino;
		memcpy(&ino, inos.text + at, sizeof(ino));
		fuse_lowlevel_notify_inval_inode(fs->session, (fuse_ino_t)ino, -1, 0); /* the attributes only */
	}
	pthread_mutex_lock(&fs->lock);
	fs->resized_told = number;
	pthread_cond_broadcast(&fs->changed);
	pthread_mutex_unlock(&fs->lock);
}

struct gathering {
	struct fs_measured *out;
	size_t count;
	size_t max;
};

static void gather(const void *node, VISIT visit, void *context)
{
	struct gathering *gathering = context;
	const struct measured *measured = *(struct measured *const *)node;
	if ((visit == postorder || visit == leaf) && gathering->count < gathering->max)
		gathering->out[gathering->count++] = (struct fs_measured){measured->ino, measured->size};
}

size_t fs_look_measured(struct fs *fs, struct fs_measured *out, size_t max)
{
	struct gathering gathering = {.out = out, .max = max};
	if (atomic_load(&fs->measured_count) == 0)
		return 0;
	pthread_mutex_lock(&fs->lock);
	twalk_r(fs->measured, gather, &gathering);
	pthread_mutex_unlock(&fs->lock);
	return gathering.count;
}

/* Behind the barrier: who has read the store before it knew is through with the answer. */
void fs_measured_stored(struct fs *fs, const struct fs_measured *stored, size_t count)
{
	let_answers_pass(fs);
	pthread_mutex_lock(&fs->lock);
	for (size_t i = 0; i < count; i++) {
		const struct measured key = {.ino = stored[i].ino};
		struct measured **found = tfind(&key, &fs->measured, compare);
		struct measured *measured = found ? *found : NULL;
		if (!measured || measured->size != stored[i].size)
			continue;
		tdelete(measured, &fs->measured, compare);
		atomic_fetch_sub(&fs->measured_count, 1);
		free(measured);
	}
	pthread_mutex_unlock(&fs->lock);
}

void remote_finish(struct fs *fs)
{
	tdestroy(fs->measured, free);
	buf_finish(&fs->resized);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

/* What assets/ is told of a node; the strings are in `text`. */
struct wanted {
	struct asset_source source;
	bool current;
	struct buf text;
};

static void take_asset(void *context, const struct node_asset *asset)
{
	struct wanted *wanted = context;
	buf_append(&wanted->text, asset->url.at, asset->url.len);
	buf_append(&wanted->text, asset->media_type.at, asset->media_type.len);
	size_t path = wanted->text.len;
	buf_append_text(&wanted->text, asset->path);
	if (wanted->text.failed)
		return;
	make_printable(wanted->text.text + path, wanted->text.len - path);
	wanted->source = (struct asset_source){
		.url = slice_make(wanted->text.text, asset->url.len),
		.media_type = slice_make(wanted->text.text + asset->url.len, asset->media_type.len),
		.size = asset->size,
		.recorded = asset->recorded,
		.generation = asset->generation,
		.name = wanted->text.text + path,
	};
	wanted->current = asset->current;
}

static void wanted_finish(struct wanted *wanted)
{
	buf_finish(&wanted->text);
}

static int look_up(fuse_req_t req, fuse_ino_t ino, struct wanted *wanted)
{
	struct fs *fs = fs_of(req);
	int rc = reader_asset(fs_reader(req, ino), (int64_t)ino, take_asset, wanted);
	if (rc < 0)
		return rc;
	if (wanted->text.failed)
		return -ENOMEM;
	/* What was replaced is readable as long as it is there. */
	if (!wanted->current && !assets_has(fs->config.assets, &wanted->source))
		return -ESTALE;
	wanted->source.size = remote_size(fs, (int64_t)ino, wanted->source.size);
	return 0;
}

static void cancel(struct fs *fs, uint64_t id)
{
	assets_cancel(fs->config.assets, id);
}

/* --- answering ---------------------------------------------------------------------------------------------------- */

static int errno_for(int rc)
{
	return rc == -ESTALE || rc == -ENOMEM ? -rc : EIO;
}

static void reply_bytes(const struct pending *pending, const struct asset_bytes *bytes)
{
	size_t len = bytes->len < pending->size ? bytes->len : pending->size;
	if (bytes->fd < 0 || len == 0) {
		fuse_reply_buf(pending->req, bytes->memory, len);
		return;
	}
	struct fuse_bufvec vec = FUSE_BUFVEC_INIT(len);
	vec.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	vec.buf[0].fd = bytes->fd;
	vec.buf[0].pos = bytes->at;
	fuse_reply_data(pending->req, &vec, 0);
}

/* Before the answer that tells somebody that nothing is known of a size. */
static void note_glance(fuse_req_t req, int64_t ino)
{
	struct fs *fs = fs_of(req);
	pthread_mutex_lock(&fs->lock);
	fs->glances[fs->glance_next++ % GLANCES] = (struct glance){ino, fuse_req_ctx(req)->pid, clock_monotonic_ms()};
	pthread_mutex_unlock(&fs->lock);
}

/* A thread has taken in the answers to its own questions before it asks the next. */
static bool may_have_crossed(struct fs *fs, const struct pending *pending)
{
	bool crossed = false;
	pid_t thread = fuse_req_ctx(pending->req)->pid;
	pthread_mutex_lock(&fs->lock);
	for (size_t i = 0; i < GLANCES; i++) {
		const struct glance *glance = &fs->glances[i];
		crossed |= glance->ino == pending->attr.ino && glance->thread != thread &&
			   glance->at >= pending->since - CROSSING_MS;
	}
	pthread_mutex_unlock(&fs->lock);
	return crossed;
}

/* Attributes, of somebody who waited for the size; rc as of the module. Who only looks is not told of a failure. */
static void reply_measured(struct fs *fs, const struct pending *pending, int rc, const struct asset_bytes *bytes)
{
	struct node_attr attr = pending->attr;
	bool reads = pending->kind == PENDING_SIZE;
	attr.size = rc == 0 ? bytes->size : -1;
	if (rc < 0 && !reads)
		note_glance(pending->req, attr.ino);
	if (rc < 0 && reads)
		fuse_reply_err(pending->req, errno_for(rc));
	else if (reads && may_have_crossed(fs, pending))
		fuse_reply_err(pending->req, EINTR);
	else if (pending->kind == PENDING_LOOKUP)
		fs_reply_entry(pending->req, &attr);
	else
		fs_reply_attr(pending->req, &attr);
}

/* Whether the bytes are for a reader who knows how many there are. */
static bool is_timely(const struct pending *pending, const struct asset_bytes *bytes)
{
	return pending->shown <= bytes->size && pending->offset <= bytes->size;
}

static void answered(void *context, uint64_t ticket, int rc, const struct asset_bytes *bytes)
{
	struct fs *fs = context;
	struct pending pending;
	if (!pending_take(fs, ticket, &pending))
		return; /* taken back */
	if (rc == 0)
		learn_size(fs, &pending, bytes->size);
	if (pending.kind != PENDING_READ)
		reply_measured(fs, &pending, rc, bytes);
	else if (rc < 0)
		fuse_reply_err(pending.req, errno_for(rc));
	else if (!is_timely(&pending, bytes))
		fuse_reply_err(pending.req, EIO);
	else
		reply_bytes(&pending, bytes);
}

static void ask(fuse_req_t req, fuse_ino_t ino, struct pending *pending, size_t size, off_t offset)
{
	struct fs *fs = fs_of(req);
	CLEANUP(wanted_finish) struct wanted wanted = {.text = BUF_INIT};
	int rc = look_up(req, ino, &wanted);
	if (rc < 0) {
		fs_note_failure(req, ino, rc);
		fuse_reply_err(req, errno_for(rc));
		return;
	}
	pending->attr.ino = (int64_t)ino;
	pending->shown = wanted.source.size;
	pending->cancel = cancel;
	uint64_t id = pending_add(req, pending);
	if (id)
		assets_read(fs->config.assets, &wanted.source, offset, size, answered, fs, id);
}

void remote_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset)
{
	struct pending pending = {.kind = PENDING_READ, .size = size, .offset = offset};
	ask(req, ino, &pending, size, offset);
}

struct search {
	int64_t ino;
	bool found;
};

static void look_for_reader(const void *node, VISIT visit, void *context)
{
	struct search *search = context;
	const struct pending *pending = *(struct pending *const *)node;
	if (visit == postorder || visit == leaf)
		search->found |= pending->kind == PENDING_SIZE && pending->attr.ino == search->ino;
}

static bool is_being_measured(struct fs *fs, int64_t ino)
{
	struct search search = {.ino = ino};
	pthread_mutex_lock(&fs->lock);
	twalk_r(fs->pending, look_for_reader, &search);
	pthread_mutex_unlock(&fs->lock);
	return search.found;
}

bool remote_measure(fuse_req_t req, const struct node_attr *attr, enum pending_kind kind)
{
	struct pending pending = {.kind = kind, .attr = *attr};
	if (kind != PENDING_SIZE && !is_being_measured(fs_of(req), attr->ino)) {
		note_glance(req, attr->ino);
		return false;
	}
	ask(req, (fuse_ino_t)attr->ino, &pending, 0, 0);
	return true;
}
