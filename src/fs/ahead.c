/*
 * Reading ahead of whoever reads a directory through (grep -r, tar, a build): what comes next is put into the kernel's page
 * cache before it is asked for, by a thread of its own, so that most files cost no request. A text never changes under its
 * inode number, so nothing that is put there can be wrong.
 *
 * Files are put there a window at a time; one in the middle of a window is left out, so that the reader asks for it, and
 * thereby for the next window. The kernel makes this thread wait for a page that a worker is about to fill; so it holds no
 * lock while it pushes, and ends before the workers do.
 */
#include "fs/internal.h"
#include "fs/trail.h"
#include "util/clock.h"

#include <errno.h>
#include <stdlib.h>

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
	bool begun;      /* what follows is set */
	int64_t from;    /* the cookie behind which the next window begins */
	int64_t next_at; /* the cookie from which on a reader has earned the next window */
	unsigned window;
	unsigned vain; /* files before that which were asked for all the same */
};

struct wish {
	int place; /* of the trail */
	uint64_t trail;
	int64_t directory;
	int64_t ino;
	bool down; /* against the order of listings */
};

#define WISHES 16

struct ahead {
	struct fs *fs;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* guards what follows; taken after no other lock and held for moments only */
	pthread_cond_t wished;
	struct trails trails;
	struct wish wishes[WISHES]; /* a ring; when it is full, the newest are dropped */
	unsigned first;
	unsigned count;
	atomic_bool stopping;

	struct march marches[TRAILS]; /* the thread's own, as is what follows */
	struct store_reader *reader;
};

/* --- the thread's work -------------------------------------------------------------------------------------------- */

struct push {
	struct ahead *ahead;
	unsigned window;
	unsigned skip;
	unsigned files;
	unsigned strangers;
	size_t bytes;
	int64_t hole; /* the cookie of the file that was left out */
	int64_t last; /* cookie */
	int64_t last_ino;
	bool stopped; /* there is more */
};

static bool push_text(void *context, const struct dir_text *text)
{
	struct push *push = context;
	struct fs *fs = push->ahead->fs;
	push->last = text->cookie;
	push->last_ino = text->ino;
	if (push->skip > 0) {
		push->skip--;
		return true;
	}
	push->files++;
	if (push->files >= push->window / 2 && push->hole == 0) {
		push->hole = text->cookie;
	} else if (!text->left_out && text->text.len > 0) {
		struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(text->text.len);
		bytes.buf[0].mem = (void *)(uintptr_t)text->text.at; /* only read */
		int rc = fuse_lowlevel_notify_store(fs->session, (fuse_ino_t)text->ino, 0, &bytes, 0);
		push->strangers = rc < 0 ? push->strangers + 1 : 0;
		push->bytes += text->text.len;
	}
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

/* Whether the one cookie comes before the other on the way. */
static bool is_before(const struct wish *wish, int64_t cookie, int64_t other)
{
	return wish->down ? cookie > other : cookie < other;
}

/* Whether a window is due for who has come to the cookie. What was put there may be gone again, and be read anew. */
static bool is_due(struct march *march, const struct wish *wish, int64_t cookie)
{
	bool early = march->begun && is_before(wish, cookie, march->next_at);
	if (early && ++march->vain < VAIN_MAX)
		return false;
	if (early)
		*march = (struct march){.trail = march->trail, .window = WINDOW_FIRST};
	march->vain = 0;
	return true;
}

static void push_window(struct ahead *ahead, struct march *march, const struct wish *wish, int64_t cookie)
{
	struct push push = {.ahead = ahead, .window = march->window};
	if (!march->begun || !is_before(wish, cookie, march->from)) {
		march->from = cookie;
		push.skip = LEAD;
	}
	reader_texts(ahead->reader, wish->directory, march->from, wish->down, TEXT_MAX, push_text, &push);
	if (push.last == 0)
		return;
	march->begun = true;
	march->from = push.last;
	march->next_at = push.hole && push.stopped ? push.hole : push.last;
	march->window = march->window < WINDOW_MAX ? march->window * 2 : WINDOW_MAX;
	pthread_mutex_lock(&ahead->lock);
	trails_reach(&ahead->trails, wish->trail, push.last_ino);
	pthread_mutex_unlock(&ahead->lock);
}

/* What fails is nothing to speak of: who reads the files finds out more. */
static void fulfil(struct ahead *ahead, const struct wish *wish)
{
	int64_t cookie;
	if (!ahead->reader && reader_open(&ahead->reader, ahead->fs->store_path, NULL) < 0)
		return;
	if (reader_cookie(ahead->reader, wish->ino, &cookie) < 0)
		return;
	struct march *march = march_of(ahead, wish);
	if (is_due(march, wish, cookie))
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
		*wish = ahead->wishes[ahead->first];
		ahead->first = (ahead->first + 1) % WISHES;
		ahead->count--;
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

/* --- from outside ------------------------------------------------------------------------------------------------- */

void ahead_note(struct fs *fs, int64_t directory, int64_t ino)
{
	struct ahead *ahead = fs->ahead;
	pthread_mutex_lock(&ahead->lock);
	int place = trails_step(&ahead->trails, directory, ino);
	if (place >= 0 && ahead->count < WISHES) {
		const struct trail *trail = &ahead->trails.trail[place];
		ahead->wishes[(ahead->first + ahead->count++) % WISHES] = (struct wish){
			.place = place,
			.trail = trail->id,
			.directory = directory,
			.ino = ino,
			.down = trail->lean < 0,
		};
		pthread_cond_signal(&ahead->wished);
	}
	pthread_mutex_unlock(&ahead->lock);
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
