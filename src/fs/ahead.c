/*
 * Reading ahead of whoever reads a directory through (grep -r, tar, a build): what comes next is put into the kernel's page
 * cache before it is asked for, by a thread of its own, so that most files cost no request. A text never changes under its
 * inode number, so nothing that is put there can be wrong.
 *
 * Files are put there a window at a time; one in the middle of a window is left out, so that the reader asks for it, and
 * thereby for the next window. Who has read a few files along one directory is trusted to read the next one through: what it
 * lists is put there while it goes on listing, but for a few files by which it proves to be reading them.
 *
 * The kernel makes this thread wait for a page that a worker is about to fill; so it holds no lock while it pushes, and ends
 * before the workers do.
 */
#include "fs/follower.h"
#include "fs/internal.h"
#include "fs/trail.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_FIRST 32 /* files; doubled from one to the next */
#define WINDOW_MAX 512  /* files */
#define WINDOW_BYTES_MAX (4 << 20)
#define TEXT_MAX (64 << 10) /* longer ones the kernel reads ahead itself */
#define LEAD 8              /* files that the reader will have got to before this does */
#define STRANGERS_MAX 8     /* files in a row that the kernel does not know: nobody has listed them */
#define VAIN_MAX 16         /* files in a row that were asked for though they had been put there */
#define IDLE_MS 1000        /* then the connection to the store is given up; it may be another store next time */

/* What this thread knows of a trail. */
struct march {
	uint64_t trail;
	bool begun;   /* what follows is set */
	int64_t from; /* the cookie behind which it goes on */
	int64_t due;  /* the one from which on a reader has earned the next window */
	unsigned window;
	unsigned vain;    /* files before that which were asked for all the same */
	uint64_t listing; /* the newest that it went along */
};

struct wish {
	pid_t thread;
	int place; /* of the trail */
	uint64_t trail;
	int64_t directory;
	bool down;   /* against the order of listings */
	int64_t ino; /* of the file that was asked for; 0: files were listed, */
	int64_t from;
	int64_t to; /* behind this cookie and up to this one, */
	uint64_t listing;
};

#define WISHES 16

struct ahead {
	struct fs *fs;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* guards what follows; taken after fs->answering only, and held for moments */
	pthread_cond_t wished;
	struct trails trails;
	struct followers followers;
	struct wish wishes[WISHES]; /* the oldest first; when it is full, the newest are dropped */
	unsigned count;
	atomic_bool stopping;

	struct march marches[TRAILS]; /* the thread's own, as is what follows */
	struct store_reader *reader;
	int64_t page; /* bytes */
};

/* Whether the one cookie comes before the other on the way. */
static bool is_before(const struct wish *wish, int64_t cookie, int64_t other)
{
	return wish->down ? cookie > other : cookie < other;
}

/* --- the thread's work -------------------------------------------------------------------------------------------- */

struct push {
	struct ahead *ahead;
	unsigned skip;
	unsigned window;
	int64_t to; /* of files that were listed: the last one's cookie; else 0 */
	unsigned files;
	unsigned strangers;
	int64_t bytes; /* of the page cache */
	int64_t hole;  /* cookie of the file by which the next window is earned */
	int64_t last;  /* cookie */
	bool stopped;  /* there is more */
};

/* It is one in the middle of a window; of what was listed it is the last proof. */
static bool is_hole(const struct push *push, int64_t ino)
{
	if (push->to != 0)
		return follower_is_proof(ino);
	return push->hole == 0 && (push->files >= push->window / 2 || push->bytes >= WINDOW_BYTES_MAX / 2);
}

static void push_bytes(struct push *push, int64_t ino, struct slice text)
{
	const int64_t page = push->ahead->page;
	struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(text.len);
	bytes.buf[0].mem = (void *)(uintptr_t)text.at; /* only read */
	int rc = fuse_lowlevel_notify_store(push->ahead->fs->session, (fuse_ino_t)ino, 0, &bytes, 0);
	push->strangers = rc < 0 ? push->strangers + 1 : 0;
	if (rc == 0)
		push->bytes += ((int64_t)text.len + page - 1) / page * page;
}

static bool push_text(void *context, const struct dir_text *text)
{
	struct push *push = context;
	if (push->to != 0 && text->cookie > push->to)
		return false;
	push->last = text->cookie;
	if (push->skip > 0) {
		push->skip--;
		return true;
	}
	push->files++;
	bool hole = is_hole(push, text->ino);
	if (hole)
		push->hole = text->cookie;
	else if (!text->left_out && text->text.len > 0 && !follower_is_proof(text->ino))
		push_bytes(push, text->ino, text->text);
	push->stopped = push->files >= push->window || push->bytes >= WINDOW_BYTES_MAX ||
			push->strangers >= STRANGERS_MAX || atomic_load(&push->ahead->stopping);
	return !push->stopped;
}

static struct march *march_of(struct ahead *ahead, const struct wish *wish)
{
	struct march *march = &ahead->marches[wish->place];
	if (march->trail != wish->trail)
		*march = (struct march){.trail = wish->trail, .window = WINDOW_FIRST};
	return march;
}

/* Whether a window is due for who asks for the file. What was put there may be gone again, and be read anew. */
static bool is_due(struct march *march, const struct wish *wish, int64_t cookie)
{
	bool early = march->begun && is_before(wish, cookie, march->due);
	bool proof = early && follower_is_proof(wish->ino);
	if (early && !proof && ++march->vain < VAIN_MAX)
		return false;
	if (early && !proof)
		*march = (struct march){.trail = march->trail, .window = WINDOW_FIRST, .listing = march->listing};
	march->vain = 0;
	return !proof;
}

/* Goes on behind march->from. False if there is nothing. */
static bool push_on(struct march *march, const struct wish *wish, struct push *push)
{
	struct ahead *ahead = push->ahead;
	reader_texts(ahead->reader, wish->directory, march->from, wish->down, TEXT_MAX, push_text, push);
	if (push->last == 0)
		return false;
	march->begun = true;
	march->from = push->last;
	march->due = push->hole && push->stopped ? push->hole : push->last;
	pthread_mutex_lock(&ahead->lock);
	trails_reach(&ahead->trails, wish->trail, push->last); /* the number of a file that has not changed */
	pthread_mutex_unlock(&ahead->lock);
	return true;
}

static void push_window(struct ahead *ahead, struct march *march, const struct wish *wish, int64_t cookie)
{
	struct push push = {.ahead = ahead, .window = march->window};
	if (!march->begun || !is_before(wish, cookie, march->from)) {
		march->from = cookie;
		push.skip = LEAD;
	}
	if (push_on(march, wish, &push))
		march->window = march->window < WINDOW_MAX ? march->window * 2 : WINDOW_MAX;
}

static bool spend(struct ahead *ahead, pid_t thread, int64_t bytes)
{
	pthread_mutex_lock(&ahead->lock);
	bool trusted = followers_spend(&ahead->followers, thread, bytes);
	pthread_mutex_unlock(&ahead->lock);
	return trusted;
}

static void push_listed(struct ahead *ahead, struct march *march, const struct wish *wish)
{
	bool more = true;
	if (march->listing < wish->listing)
		*march = (struct march){
			.trail = wish->trail, .from = wish->from, .window = WINDOW_MAX, .listing = wish->listing};
	while (more && march->from < wish->to) {
		struct push push = {.ahead = ahead, .window = WINDOW_MAX, .to = wish->to};
		more = push_on(march, wish, &push) && spend(ahead, wish->thread, push.bytes) &&
		       push.strangers < STRANGERS_MAX && !atomic_load(&ahead->stopping);
	}
}

/* What fails is nothing to speak of: who reads the files finds out more. */
static void fulfil(struct ahead *ahead, const struct wish *wish)
{
	if (!ahead->reader && reader_open(&ahead->reader, ahead->fs->store_path, NULL) < 0)
		return;
	struct march *march = march_of(ahead, wish);
	int64_t cookie;
	if (wish->ino == 0)
		push_listed(ahead, march, wish);
	else if (reader_cookie(ahead->reader, wish->ino, &cookie) == 0 && is_due(march, wish, cookie))
		push_window(ahead, march, wish, cookie);
}

/* 1 with a wish, 0 if none has come for a while, -ECANCELED when it is time to go. */
static int next_wish(struct ahead *ahead, struct wish *wish)
{
	struct timespec until = clock_monotonic_in(IDLE_MS);
	int rc = 0;
	pthread_mutex_lock(&ahead->lock);
	while (ahead->count == 0 && !ahead->stopping && rc == 0)
		rc = ahead->reader ? pthread_cond_timedwait(&ahead->wished, &ahead->lock, &until)
				   : pthread_cond_wait(&ahead->wished, &ahead->lock);
	rc = ahead->stopping ? -ECANCELED : ahead->count > 0;
	if (rc > 0) {
		*wish = ahead->wishes[0];
		memmove(&ahead->wishes[0], &ahead->wishes[1], --ahead->count * sizeof(*wish));
	}
	pthread_mutex_unlock(&ahead->lock);
	return rc;
}

static void *ahead_main(void *argument)
{
	struct ahead *ahead = argument;
	struct wish wish;
	int rc;
	while ((rc = next_wish(ahead, &wish)) >= 0) {
		if (rc > 0) {
			fulfil(ahead, &wish);
			continue;
		}
		reader_close(ahead->reader);
		ahead->reader = NULL;
	}
	reader_close(ahead->reader);
	return NULL;
}

/* --- from outside, with the lock held ----------------------------------------------------------------------------- */

/* One that is not fulfilled yet gives way: its reader, or its listing, has come further. */
static void add_wish(struct ahead *ahead, const struct wish *wish)
{
	for (unsigned i = 0; i < ahead->count; i++) {
		struct wish *old = &ahead->wishes[i];
		if (old->trail != wish->trail || old->listing != wish->listing)
			continue;
		int64_t to = old->to > wish->to ? old->to : wish->to;
		*old = *wish;
		old->to = to;
		return;
	}
	if (ahead->count == WISHES)
		return;
	ahead->wishes[ahead->count++] = *wish;
	pthread_cond_signal(&ahead->wished);
}

static void note(struct ahead *ahead, pid_t thread, int64_t directory, int64_t ino)
{
	int place = trails_step(&ahead->trails, thread, directory, ino);
	const struct trail *trail = place < 0 ? NULL : &ahead->trails.trail[place];
	followers_note(&ahead->followers, thread, ino, trail && trail->steps == TRAIL_STEPS);
	if (trail)
		add_wish(ahead, &(struct wish){
					.thread = thread,
					.place = place,
					.trail = trail->id,
					.directory = directory,
					.down = trail->lean < 0,
					.ino = ino,
				});
}

static void listed(struct ahead *ahead, pid_t thread, int64_t directory, int64_t cookie, int64_t next)
{
	const struct follower *follower =
		followers_list(&ahead->followers, &ahead->trails, thread, directory, cookie, next);
	if (follower && follower->from < cookie)
		add_wish(ahead, &(struct wish){
					.thread = thread,
					.place = follower->place,
					.trail = follower->trail,
					.directory = directory,
					.from = follower->from,
					.to = cookie,
					.listing = follower->listing,
				});
}

/* --- from outside ------------------------------------------------------------------------------------------------- */

void ahead_note(struct fs *fs, pid_t thread, int64_t directory, int64_t ino)
{
	pthread_mutex_lock(&fs->ahead->lock);
	note(fs->ahead, thread, directory, ino);
	pthread_mutex_unlock(&fs->ahead->lock);
}

void ahead_listed(struct fs *fs, pid_t thread, int64_t directory, int64_t cookie, int64_t next)
{
	pthread_mutex_lock(&fs->ahead->lock);
	listed(fs->ahead, thread, directory, cookie, next);
	pthread_mutex_unlock(&fs->ahead->lock);
}

static int create(struct ahead **out)
{
	struct ahead *ahead = calloc(1, sizeof(*ahead));
	pthread_condattr_t monotonic;
	if (!ahead)
		return -ENOMEM;
	int rc = -pthread_mutex_init(&ahead->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = -pthread_cond_init(&ahead->wished, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (rc < 0)
		free(ahead);
	else
		*out = ahead;
	return rc;
}

int ahead_start(struct fs *fs, struct err *err)
{
	if (create(&fs->ahead) < 0)
		return err_oom(err);
	fs->ahead->fs = fs;
	fs->ahead->page = sysconf(_SC_PAGESIZE);
	int rc = thread_start(&fs->ahead->thread, 0, ahead_main, fs->ahead, err);
	fs->ahead->started = rc == 0;
	return rc;
}

void ahead_stop(struct fs *fs)
{
	struct ahead *ahead = fs->ahead;
	if (!ahead || !ahead->started)
		return;
	pthread_mutex_lock(&ahead->lock);
	atomic_store(&ahead->stopping, true);
	pthread_cond_signal(&ahead->wished);
	pthread_mutex_unlock(&ahead->lock);
	pthread_join(ahead->thread, NULL);
	ahead->started = false;
}

void ahead_finish(struct fs *fs)
{
	if (!fs->ahead)
		return;
	pthread_mutex_destroy(&fs->ahead->lock);
	pthread_cond_destroy(&fs->ahead->wished);
	free(fs->ahead);
}
