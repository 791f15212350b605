/* The module's face: what its callers' threads do, and the thread that does the rest. */
#include "assets/download.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/secret.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LONG_MS (60 * 60 * 1000) /* nothing to do */
#define FAR (INT64_MAX / 8)      /* behind the end of all assets; sums with it are in range */

void assets_lock(struct assets *assets)
{
	pthread_mutex_lock(&assets->lock);
}

void assets_unlock(struct assets *assets)
{
	pthread_mutex_unlock(&assets->lock);
}

/* --- the callers' threads ----------------------------------------------------------------------------------------- */

/* Puts a wait where the thread finds it: 0, or -ECANCELED with the wait gone. */
static int post(struct assets *assets, struct wait *wait)
{
	assets_lock(assets);
	bool stopped = assets->stopped;
	if (!stopped) {
		wait->sibling = assets->inbox;
		assets->inbox = wait;
		wait->next = assets->waits;
		if (wait->next)
			wait->next->previous = wait;
		assets->waits = wait;
		wait->known->pins++;
		assets->counts.waiting += wait->kind != WAIT_AHEAD;
		assets->counts.misses += wait->kind == WAIT_READ;
	}
	assets_unlock(assets);
	if (stopped)
		wait_destroy(wait);
	else
		http_wake(assets->http);
	return stopped ? -ECANCELED : 0;
}

static void unpin(struct assets *assets, struct known *known)
{
	assets_lock(assets);
	if (known)
		known_unpin(known);
	assets_unlock(assets);
}

/* Pins what is known of the asset (NULL for lack of memory): 0, or how a read ends before it began. Whoever still takes a
 * generation for alive that is dead has not heard of it. */
static int look_up(struct assets *assets, const struct asset_source *source, struct known **out)
{
	int64_t now = clock_monotonic_ms();
	int64_t dead = -1;
	bool tell = false;
	assets_lock(assets);
	struct known *known = known_get(&assets->table, source->url);
	if (known) {
		dead = known->dead;
		tell = source->generation <= dead && known->told_at + TELL_AGAIN_MS <= now;
		known->told_at = tell ? now : known->told_at;
	}
	assets_unlock(assets);
	*out = known;
	if (tell && assets->config.changed)
		assets->config.changed(assets->config.context, source->url, dead);
	if (!known)
		return -ENOMEM;
	return source->generation <= dead ? -ESTALE : 0;
}

/* Whether it is no use to ask for it right now. */
static bool has_just_failed(struct assets *assets, const struct known *known)
{
	assets_lock(assets);
	bool failed = known->failed_until > clock_monotonic_ms();
	assets->counts.failures += failed;
	assets_unlock(assets);
	return failed;
}

/* Not left to the thread, which may be busy: descriptors are few. */
static void close_surplus(struct assets *assets)
{
	struct object *object;
	do {
		int64_t due;
		assets_lock(assets);
		bool surplus = assets->table.open > OPEN_MAX;
		object = surplus ? known_idle(&assets->table, clock_monotonic_ms(), &due) : NULL;
		assets_unlock(assets);
		object_unref(object);
	} while (object);
}

static bool is_contradicted(struct assets *assets, const struct known *known, const struct object *object)
{
	assets_lock(assets);
	const struct proof last = known->last;
	assets_unlock(assets);
	uint64_t there = last.checksum ? object_checksum(object, last.piece) : 0;
	return there && there != last.checksum;
}

bool assets_attach(struct assets *assets, struct known *known, struct object *object)
{
	if (is_contradicted(assets, known, object))
		return false;
	assets_lock(assets);
	bool first = assets->table.open == 0;
	bool attached = known_attach(&assets->table, known, object, clock_monotonic_ms());
	assets_unlock(assets);
	if (attached && first)
		http_wake(assets->http); /* somebody has to close it again */
	return attached;
}

/* The asset's file, with a reference; NULL if there is none, or the thread has to look at it first. */
static struct object *find_object(struct assets *assets, struct known *known)
{
	assets_lock(assets);
	struct object *object = known->object;
	if (object)
		object_ref(object);
	assets_unlock(assets);
	if (object || cache_find(assets->cache, &known->key, &object) < 0)
		return object;
	bool attached = assets_attach(assets, known, object);
	assets_lock(assets);
	attached = attached && known->object == object;
	assets_unlock(assets);
	close_surplus(assets);
	if (!attached) {
		object_unref(object);
		return NULL;
	}
	return object;
}

static size_t clip(int64_t size, int64_t offset, size_t len)
{
	int64_t left = offset < size ? size - offset : 0;
	return len < (uint64_t)left ? len : (size_t)left;
}

/* Whether the reader has come so far that the next window should be on its way. */
static bool is_due_ahead(struct known *known, int64_t offset, int64_t end, int64_t size)
{
	struct range window = known->window;
	if (known->nudged || window.end <= window.begin || window.end >= size)
		return false;
	return offset >= window.begin && offset < window.end && end > window.begin + (window.end - window.begin) / 2;
}

/* Bytes are handed out only while their object is what is known of the asset. */
static bool hand_out(struct assets *assets, struct known *known, const struct asset_source *source,
		     const struct object *object, int64_t offset, size_t len)
{
	const struct identity identity = known_identity(object);
	struct proof last = {0};
	if (len > 0 && !tag_is_strong(identity.etag)) {
		last.piece = (offset + (int64_t)len - 1) / PIECE_BYTES;
		last.checksum = object_checksum(object, last.piece);
	}
	assets_lock(assets);
	bool fine = known->object == object && source->generation > known->dead;
	if (fine && len > 0)
		known_hand_out(known, &identity, source->generation, &last);
	if (fine) {
		known->used_at = clock_monotonic_ms();
		assets->counts.hits++;
	}
	assets_unlock(assets);
	return fine;
}

struct question {
	enum wait_kind kind;
	int64_t offset;
	size_t size;
	assets_reply *reply;
	void *context;
	uint64_t ticket;
};

/* From the cache, in the caller's thread, if all that is known agrees. */
static bool answer_at_once(struct assets *assets, struct known *known, const struct asset_source *source,
			   const struct question *question)
{
	struct object *object = source->size >= 0 ? find_object(assets, known) : NULL;
	bool fine = object && object_size(object) == source->size;
	size_t len = fine && question->kind == WAIT_READ ? clip(source->size, question->offset, question->size) : 0;
	/* Who has fetched all of it must not find it damaged later: it is read, once it is known to be there. */
	if (fine && question->kind == WAIT_WHOLE)
		fine = object_is_whole(object) && object_has(object, 0, (size_t)source->size, NULL);
	else if (fine && len > 0)
		fine = object_has(object, question->offset, len, NULL);
	fine = fine && hand_out(assets, known, source, object, question->offset, len);
	if (fine) {
		const struct asset_bytes bytes = {
			.fd = len > 0 ? object_fd(object) : -1,
			.at = len > 0 ? question->offset : 0,
			.len = len,
			.size = source->size,
		};
		object_use(object);
		question->reply(question->context, question->ticket, 0, &bytes);
	}
	object_unref(object);
	return fine;
}

static void look_ahead(struct assets *assets, struct known *known, const struct asset_source *source,
		       const struct question *question)
{
	int64_t end = question->offset + (int64_t)clip(INT64_MAX / 2, question->offset, question->size);
	assets_lock(assets);
	bool due = question->kind == WAIT_READ && is_due_ahead(known, question->offset, end, source->size);
	known->nudged |= due;
	assets_unlock(assets);
	struct wait *wait = due ? wait_create(WAIT_AHEAD, known, source) : NULL;
	if (wait)
		post(assets, wait);
}

static int ask_thread(struct assets *assets, struct known *known, const struct asset_source *source,
		      const struct question *question)
{
	if (has_just_failed(assets, known))
		return -EIO;
	struct wait *wait = wait_create(question->kind, known, source);
	if (!wait)
		return -ENOMEM;
	wait->offset = question->offset < FAR ? question->offset : FAR;
	wait->size = question->size < (uint64_t)FAR ? question->size : (size_t)FAR;
	wait->reply = question->reply;
	wait->context = question->context;
	wait->ticket = question->ticket;
	return post(assets, wait);
}

static void put(struct assets *assets, const struct asset_source *source, const struct question *question)
{
	struct known *known;
	int rc = look_up(assets, source, &known);
	if (rc == 0 && !answer_at_once(assets, known, source, question))
		rc = ask_thread(assets, known, source, question);
	if (rc < 0)
		question->reply(question->context, question->ticket, rc, NULL);
	else
		look_ahead(assets, known, source, question);
	unpin(assets, known);
}

void assets_read(struct assets *assets, const struct asset_source *source, int64_t offset, size_t size,
		 assets_reply *reply, void *context, uint64_t ticket)
{
	put(assets, source, &(struct question){WAIT_READ, offset, size, reply, context, ticket});
}

void assets_fetch(struct assets *assets, const struct asset_source *source, assets_reply *reply, void *context,
		  uint64_t ticket)
{
	put(assets, source, &(struct question){WAIT_WHOLE, 0, 0, reply, context, ticket});
}

void assets_cancel(struct assets *assets, uint64_t ticket)
{
	bool found = false;
	assets_lock(assets);
	for (struct wait *wait = assets->waits; wait; wait = wait->next)
		if (wait->ticket == ticket && wait->kind != WAIT_AHEAD)
			found = wait->cancelled = true;
	assets->cancelled |= found;
	assets_unlock(assets);
	if (found)
		http_wake(assets->http);
}

bool assets_has(struct assets *assets, const struct asset_source *source)
{
	struct known *known;
	bool fine = look_up(assets, source, &known) == 0;
	struct object *object = fine ? find_object(assets, known) : NULL;
	bool has = object && object_is_whole(object);
	object_unref(object);
	unpin(assets, known);
	return has;
}

void assets_count(struct assets *assets, struct assets_counts *counts)
{
	assets_lock(assets);
	*counts = assets->counts;
	assets_unlock(assets);
	counts->requests = http_count(assets->http);
	counts->cached_bytes = cache_bytes(assets->cache);
	counts->cache_limit = assets->config.cache_bytes;
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

/* Takes in who has come, in that order, and lets go who has left. */
static void take_in(struct assets *assets)
{
	struct wait *oldest = NULL;
	assets_lock(assets);
	struct wait *wait = assets->inbox;
	bool cancelled = assets->cancelled;
	assets->inbox = NULL;
	assets->cancelled = false;
	assets_unlock(assets);
	while (wait) {
		struct wait *older = wait->sibling;
		wait->sibling = oldest;
		oldest = wait;
		wait = older;
	}
	while (oldest) {
		struct wait *newer = oldest->sibling;
		asset_enter(assets, oldest);
		oldest = newer;
	}
	for (struct asset *asset = cancelled ? assets->in_use : NULL; asset; asset = asset->next)
		asset_drop_cancelled(asset);
}

static void close_idle(struct assets *assets, int64_t now, int64_t *next)
{
	struct object *object = NULL;
	do {
		assets_lock(assets);
		bool due = now >= assets->close_at || assets->table.open > OPEN_MAX;
		object = due ? known_idle(&assets->table, now, &assets->close_at) : NULL;
		if (assets->table.open == 0)
			assets->close_at = 0;
		assets_unlock(assets);
		object_unref(object);
	} while (object);
	if (assets->close_at > 0 && assets->close_at < *next)
		*next = assets->close_at;
}

static int step(struct assets *assets)
{
	int64_t now = clock_monotonic_ms();
	int64_t next = now + LONG_MS;
	struct http_call *ended;
	take_in(assets);
	plan(assets, now, &next);
	close_idle(assets, now, &next);
	now = clock_monotonic_ms();
	int rc = http_await(assets->http, next > now ? next - now : 0, &ended);
	if (rc == 1)
		fetch_finish(http_owner(ended));
	if (rc == -EIO) {
		log_error("assets: libcurl fails to wait");
		poll(NULL, 0, 1000);
	}
	return rc == -ECANCELED ? rc : 0;
}

static void *run(void *opaque)
{
	struct assets *assets = opaque;
	while (step(assets) == 0)
		;
	assets_lock(assets);
	assets->stopped = true;
	assets_unlock(assets);
	take_in(assets);
	while (assets->in_use)
		asset_destroy(assets->in_use, -ECANCELED);
	return NULL;
}

/* --- beginning and end -------------------------------------------------------------------------------------------- */

static void free_config(struct assets_config *config)
{
	for (const char *const *host = config->hosts; host && *host; host++)
		free((char *)*host);
	free((void *)config->hosts);
	free((char *)config->folder);
	free((char *)config->base);
	secret_free((char *)config->token);
	free((char *)config->environment);
}

static bool copy_text(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

static bool copy_hosts(const char *const **to, const char *const *from)
{
	size_t count = 0;
	while (from && from[count])
		count++;
	const char **hosts = calloc(count + 1, sizeof(*hosts));
	*to = hosts;
	for (size_t i = 0; hosts && i < count; i++)
		if (!copy_text(&hosts[i], from[i]))
			return false;
	return hosts != NULL;
}

static bool copy_config(struct assets_config *to, const struct assets_config *from)
{
	to->cache_bytes = from->cache_bytes;
	to->patience_ms = from->patience_ms;
	to->changed = from->changed;
	to->context = from->context;
	to->token = from->token ? secret_make("", from->token) : NULL;
	return copy_text(&to->folder, from->folder) && copy_text(&to->base, from->base) &&
	       (to->token || !from->token) && copy_text(&to->environment, from->environment) &&
	       copy_hosts(&to->hosts, from->hosts);
}

static void assets_free(struct assets *assets)
{
	int64_t due;
	struct object *object;
	while ((object = known_idle(&assets->table, INT64_MAX, &due)))
		object_unref(object);
	known_free_all(&assets->table);
	cache_close(assets->cache);
	http_destroy(assets->http);
	free_config(&assets->config);
	pthread_mutex_destroy(&assets->lock);
	free(assets);
}

int assets_create(struct assets **out, const struct assets_config *config, struct err *err)
{
	struct assets *assets = calloc(1, sizeof(*assets));
	if (!assets)
		return err_oom(err);
	pthread_mutex_init(&assets->lock, NULL);
	int rc = copy_config(&assets->config, config) ? 0 : err_oom(err);
	if (rc == 0)
		rc = http_create(&assets->http, err);
	if (rc == 0)
		rc = cache_open(&assets->cache, config->folder, config->cache_bytes, err);
	if (rc == 0) {
		rc = -pthread_create(&assets->thread, NULL, run, assets);
		if (rc < 0)
			err_set(err, rc, "cannot start a thread: %s", strerror(-rc));
	}
	if (rc < 0) {
		assets_free(assets);
		return rc;
	}
	*out = assets;
	return 0;
}

void assets_stop(struct assets *assets)
{
	if (!assets || assets->ended)
		return;
	http_stop(assets->http);
	pthread_join(assets->thread, NULL);
	assets->ended = true;
}

void assets_destroy(struct assets *assets)
{
	if (!assets)
		return;
	assets_stop(assets);
	assets_free(assets);
}
