/*
 * One file of the cache, as a whole: its footer, its lock, and who refers to it. What is in it is for pieces.c.
 */
#include "assets/internal.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <xxhash.h>

#define USE_STEP_MS 60000

/* As the machine has them in memory: the magic word of another byte order is none. */
struct footer {
	uint64_t magic;
	int64_t piece_bytes;
	int64_t size;
	char key[DIGEST_HEX_LEN + 8]; /* ends with NUL */
	char etag[ETAG_MAX + 1];      /* ends with NUL */
	char unused[152];
	uint64_t check;
};

#define FOOTER_BYTES 512
#define FOOTER_MAGIC 0x316a626f73746663 /* "cftsobj1": the last digit tells the layout */

_Static_assert(sizeof(struct footer) == FOOTER_BYTES, "the footer has no holes");

int64_t object_file_bytes(int64_t size)
{
	int64_t pieces = (size + PIECE_BYTES - 1) / PIECE_BYTES;
	return (size + 7) / 8 * 8 + pieces * 8 + FOOTER_BYTES;
}

/* --- reading and writing ------------------------------------------------------------------------------------------ */

int read_all(int fd, void *bytes, size_t len, off_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t got = pread(fd, (char *)bytes + done, len - done, at + (off_t)done);
		if (got == 0)
			return -ENODATA;
		if (got < 0 && errno != EINTR)
			return -errno;
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

int write_all(int fd, const void *bytes, size_t len, off_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t put = pwrite(fd, (const char *)bytes + done, len - done, at + (off_t)done);
		if (put < 0 && errno != EINTR)
			return errno == EDQUOT ? -ENOSPC : -errno;
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

static int64_t ns_of(struct timespec time)
{
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int stamp_of(int fd, struct stamp *stamp)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	stamp->mtime_ns = ns_of(st.st_mtim);
	stamp->ctime_ns = ns_of(st.st_ctim);
	stamp->size = st.st_size;
	return 0;
}

bool stamp_is(const struct stamp *a, const struct stamp *b)
{
	return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->size == b->size;
}

/* --- the footer --------------------------------------------------------------------------------------------------- */

static uint64_t footer_check(const struct footer *footer)
{
	return XXH3_64bits(footer, offsetof(struct footer, check));
}

static void footer_fill(struct footer *footer, const struct object *object)
{
	memset(footer, 0, sizeof(*footer));
	footer->magic = FOOTER_MAGIC;
	footer->piece_bytes = PIECE_BYTES;
	footer->size = object->size;
	memcpy(footer->key, object->key.hex, sizeof(object->key.hex));
	memcpy(footer->etag, object->etag, sizeof(object->etag));
	footer->check = footer_check(footer);
}

/* -EUCLEAN if the file is none of ours, or not the one it should be. */
static int footer_read(int fd, int64_t file_bytes, const struct cache_key *key, struct footer *footer)
{
	if (file_bytes < FOOTER_BYTES)
		return -EUCLEAN;
	int rc = read_all(fd, footer, sizeof(*footer), file_bytes - FOOTER_BYTES);
	if (rc < 0)
		return rc == -ENODATA ? -EUCLEAN : rc;
	bool sound = footer->magic == FOOTER_MAGIC && footer->check == footer_check(footer) &&
		     footer->piece_bytes == PIECE_BYTES && footer->size >= 0 && footer->size <= OBJECT_BYTES_MAX &&
		     object_file_bytes(footer->size) == file_bytes &&
		     memcmp(footer->key, key->hex, sizeof(key->hex)) == 0 &&
		     memchr(footer->etag, '\0', sizeof(footer->etag));
	return sound ? 0 : -EUCLEAN;
}

int object_mend(struct object *object)
{
	struct footer there;
	struct footer right;
	int64_t whole = object_file_bytes(object->size);
	struct stamp now;
	footer_fill(&right, object);
	int rc = stamp_of(object->fd, &now);
	if (rc < 0)
		return rc;
	if (now.size != whole && ftruncate(object->fd, whole) < 0) /* which touches the file for all others, too */
		return -errno;
	if (read_all(object->fd, &there, sizeof(there), whole - FOOTER_BYTES) == 0 &&
	    memcmp(&there, &right, sizeof(there)) == 0)
		return 0;
	object_report(object);
	return write_all(object->fd, &right, sizeof(right), whole - FOOTER_BYTES);
}

void object_report(struct object *object)
{
	if (!atomic_exchange(&object->reported, true))
		log_notice("%s/objects/%.2s/%s was damaged: what is missing is fetched again", object->cache->folder,
			   object->key.hex, object->key.hex);
}

/* --- references --------------------------------------------------------------------------------------------------- */

/* Takes fd on success. */
static int object_new(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag, int fd,
		      struct object **out)
{
	int64_t pieces = (size + PIECE_BYTES - 1) / PIECE_BYTES;
	struct object *object = calloc(1, sizeof(*object));
	unsigned char *sound = calloc(1, (size_t)pieces / 8 + 1);
	if (!object || !sound || pthread_mutex_init(&object->lock, NULL) != 0) {
		free(object);
		free(sound);
		return -ENOMEM;
	}
	object->cache = cache;
	object->key = *key;
	memcpy(object->etag, etag, strlen(etag));
	object->size = size;
	object->pieces = pieces;
	object->fd = fd;
	object->references = 1;
	object->sound = sound;
	*out = object;
	return 0;
}

void object_ref(struct object *object)
{
	object->references++;
}

void object_unref(struct object *object)
{
	if (!object || --object->references > 0)
		return;
	close(object->fd);
	pthread_mutex_destroy(&object->lock);
	free(object->sound);
	free(object);
}

/* --- opening and creating ----------------------------------------------------------------------------------------- */

/* Locked, so that nobody takes it away from now on, and not taken away before. */
static int lock_shared(int fd)
{
	struct stat st;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_nlink > 0 ? 0 : -ENOENT;
}

static int open_locked(const char *path, int *out)
{
	struct stat st;
	CLEANUP(cleanup_close) int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : errno == ELOOP || errno == ENXIO ? -EUCLEAN : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	int rc = S_ISREG(st.st_mode) ? lock_shared(fd) : -EUCLEAN;
	if (rc == 0)
		*out = take_fd(&fd);
	return rc;
}

static int remove_useless(const char *path)
{
	log_notice("%s is of no use any more, and is removed", path);
	return unlink(path) < 0 && errno != ENOENT ? -errno : -ENOENT;
}

int object_open(struct cache *cache, const struct cache_key *key, struct object **out)
{
	char path[PATH_MAX];
	struct stamp seen = {0};
	struct footer footer;
	object_path(cache, key, path);
	CLEANUP(cleanup_close) int fd = -1;
	int rc = open_locked(path, &fd);
	if (rc == 0)
		rc = stamp_of(fd, &seen);
	if (rc == 0)
		rc = footer_read(fd, seen.size, key, &footer);
	if (rc == -EUCLEAN)
		return fd < 0 || file_has_name(fd, path) ? remove_useless(path) : -ENOENT;
	if (rc == 0)
		rc = object_new(cache, key, footer.size, footer.etag, fd, out);
	if (rc < 0)
		return rc;
	take_fd(&fd);
	(*out)->seen = seen;
	return 0;
}

int object_create(struct cache *cache, const struct cache_key *key, int64_t size, const char *etag, int fd,
		  struct object **out)
{
	struct object *object = NULL;
	int rc = lock_shared(fd);
	if (rc == 0)
		rc = object_new(cache, key, size, etag, fd, &object);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	struct footer footer;
	footer_fill(&footer, object);
	if (ftruncate(fd, object_file_bytes(size)) < 0)
		rc = -errno;
	if (rc == 0)
		rc = write_all(fd, &footer, sizeof(footer), object_file_bytes(size) - FOOTER_BYTES);
	if (rc == 0)
		rc = stamp_of(fd, &object->seen);
	if (rc < 0) {
		object_unref(object);
		return rc;
	}
	*out = object;
	return 0;
}

/* --- what is known of it ------------------------------------------------------------------------------------------ */

int64_t object_size(const struct object *object)
{
	return object->size;
}

const char *object_etag(const struct object *object)
{
	return object->etag;
}

int object_fd(const struct object *object)
{
	return object->fd;
}

/* Sets the atime. That moves the ctime, which is no reason to check the file anew. */
static void touch(struct object *object)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
	struct stamp before = {0};
	struct stamp after = {0};
	pthread_mutex_lock(&object->lock);
	bool ours = stamp_of(object->fd, &before) == 0 && stamp_is(&before, &object->seen);
	if (futimens(object->fd, times) == 0 && ours && stamp_of(object->fd, &after) == 0)
		object->seen.ctime_ns = after.ctime_ns;
	pthread_mutex_unlock(&object->lock);
}

void object_use(struct object *object)
{
	int64_t now = clock_monotonic_ms();
	int64_t due = object->touch_ms;
	if (now >= due && atomic_compare_exchange_strong(&object->touch_ms, &due, now + USE_STEP_MS))
		touch(object);
}
