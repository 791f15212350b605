/*
 * What the files of the module share. Private to assets/.
 *
 *   assets.c  the functions of assets.h, and the thread
 *   known.c   what is remembered of assets, whether they are in use or not
 *   handed.c  the little that is remembered of those that were used before so many others
 *   wait.c    reads that wait, and their answers
 *   asset.c   an asset that somebody waits for: what it is, where its bytes go, how it fails
 *   kept.c    bytes of an asset that the cache has no room for
 *   plan.c    which requests are due
 *   fetch.c   one request, from its sending to what it came to
 *   receive.c its answer, as it comes
 *
 * Callers' threads touch what is known and the list of those who wait, under the lock; all else belongs to the module's
 * thread. Under the lock nobody waits, for a disk, the network or another lock.
 */
#ifndef CONTENTFS_ASSETS_DOWNLOAD_H
#define CONTENTFS_ASSETS_DOWNLOAD_H

#include "assets/assets.h"
#include "assets/cache.h"
#include "assets/handed.h"
#include "assets/range.h"
#include "assets/verdict.h"
#include "http/http.h"

#include <pthread.h>

#define DOWNLOADS_MAX 16 /* assets that are asked for at once, but for those of which nothing comes: */
#define SILENT_MS 2000   /* after so long they are beside the others, for these to get on, */
#define HANGING_MAX 64   /* as long as there are no more in all */
#define FETCHES_MAX 3    /* requests for one of them: what a reader needs, what it will need, what another one needs */
#define KNOWN_MAX 4096   /* assets that are remembered */
#define OPEN_MAX 64      /* of them with their files open */
#define OPEN_MS 10000    /* without use, until a file is closed: others cannot make room while it is open */
#define FAILED_MS 50     /* in which a failure holds: the kernel asks a second time at once, for less */
#define TELL_AGAIN_MS 1000 /* that bytes have changed, to who reads on as before */
#define REDIRECTS_MAX 5
#define KEPT_MAX 8  /* pieces of an asset that are held in memory for want of a cache */
#define HELD_MAX 16 /* assets that are held in memory while nobody waits for them */
#define KEPT_AHEAD (KEPT_MAX / 2)
#define PROOFS_MAX KEPT_MAX
#define RETRY_AFTER_MAX_MS (60 * 60 * 1000)
#define MEASURED_MAX (64 << 20) /* of an answer that does not say how long it is; or twice what the record says */
#define HOSTS_MAX 16            /* that have asked to be left alone */
#define NONSENSE_MAX 2          /* answers to a range, until the whole is asked for */
#define DOUBTS_MAX 3            /* contradictions in a row that are asked about at once */
#define DOUBT_MS 1000           /* for which a contradiction must last that comes without a range */
#define RESTARTS_MAX 3          /* of a stream that a reader has missed */
#define FAILURES_HOPED 6 /* in a row, in spite of which bytes count as a sign of life, even if no piece comes of them */

struct asset;
struct assets;

/* --- known.c: all of it under the lock ------------------------------------------------------------------------------ */

struct known {
	struct known *in_bucket;
	struct known *newer;
	struct known *older;
	char *url; /* as in the record */
	size_t url_len;
	struct cache_key key;
	unsigned pins;         /* who holds it: it is not forgotten */
	struct object *object; /* its file, if it is open */
	int64_t used_at;
	int64_t dead;             /* generations up to this one are gone; -1: none */
	int64_t handed;           /* the latest generation that bytes were handed out as; -1: none were */
	struct identity identity; /* of these */
	struct proof last;        /* of the piece that the last of them were of, where no tag tells it from another */
	int64_t failed_until;
	int64_t told_at;     /* when `dead` was told last */
	struct range window; /* what was asked for last */
	bool nudged;         /* and what comes behind it too */
	struct asset *asset; /* the module's thread's, like what follows; NULL while it is not in use */
	struct proof proofs[PROOFS_MAX];
	unsigned proof_next;
};

struct known_table {
	struct known *buckets[KNOWN_MAX];
	struct known *newest;
	struct known *oldest;
	size_t count;
	size_t open; /* with a file */
	struct handed_table handed;
};

/* Finds or makes it, pinned. NULL for lack of memory. */
struct known *known_get(struct known_table *table, struct slice url);
void known_unpin(struct known *known);
void known_free_all(struct known_table *table); /* no file may be left open */

/* What an object is of. */
struct identity known_identity(const struct object *object);

/* Gives an object to be known, with a reference of its own, unless one is. False if that one, or the bytes that were handed
 * out, are not the same as the object's, as far as sizes and tags tell. */
bool known_attach(struct known_table *table, struct known *known, struct object *object, int64_t now);

/* Takes the object away, with its reference; NULL if there is none. */
struct object *known_detach(struct known_table *table, struct known *known);

/* The next object that is to be closed, with its reference; NULL if there is none, and *due tells when (INT64_MAX: never). */
struct object *known_idle(struct known_table *table, int64_t now, int64_t *due);

/* What the piece was when it came before; 0 if that is not remembered. */
uint64_t known_checksum(const struct known *known, int64_t piece);

/* Remembers what the piece is like, unless that is remembered already; the one noted first is forgotten for it. */
void known_note(struct known *known, int64_t piece, uint64_t checksum);

/* Bytes of it leave the house, the last of them of a piece that is `last`, as far as that is known. */
void known_hand_out(struct known *known, const struct identity *identity, int64_t generation, const struct proof *last);

/* --- wait.c ------------------------------------------------------------------------------------------------------- */

enum wait_kind {
	WAIT_READ,
	WAIT_WHOLE, /* until all is in the cache */
	WAIT_AHEAD, /* nobody: what a reader will want next */
};

struct wait {
	struct wait *next; /* among all; the lock's, like `previous` and `cancelled` */
	struct wait *previous;
	bool cancelled;
	struct wait *sibling; /* in the inbox (the lock's), then of the same asset */
	enum wait_kind kind;
	struct known *known; /* pinned */
	assets_reply *reply;
	void *context;
	uint64_t ticket;
	int64_t offset;
	size_t size;
	int64_t claimed;
	int64_t recorded;
	int64_t generation;
	char *name;
	char *media_type;
	int64_t since;
	int64_t at;   /* all before it is there */
	char *memory; /* what is there, if the cache is not to be had; NULL as long as it is */
	bool *filled; /* which pieces of it are */
};

/* Without a place in any list yet. NULL for lack of memory. */
struct wait *wait_create(enum wait_kind kind, struct known *known, const struct asset_source *source);

/* Of one that has no place yet. */
void wait_destroy(struct wait *wait);

/* Answers, and frees. To be taken out of its asset's list before. `identity` is of the asset the bytes are of, and `last` of
 * the piece that they end in. */
void wait_answer(struct assets *assets, struct wait *wait, const struct asset_bytes *bytes,
		 const struct identity *identity, const struct proof *last);

/* The same with a negative errno. */
void wait_fail(struct assets *assets, struct wait *wait, int rc);

/* --- asset.c ------------------------------------------------------------------------------------------------------ */

struct fetch {
	struct asset *asset;
	bool active;
	bool dropped; /* nobody wants the answer any more */
	struct http_call *call;
	char *url;
	unsigned redirects;
	bool whole;    /* asked for without a range */
	bool question; /* asked for to learn the size only */
	bool if_range;
	struct range asked;  /* as in the request; its end may be 0 */
	struct range covers; /* what the others need not ask for */
	int64_t retry_after_ms;

	enum fetch_end {
		FETCH_AS_IT_ENDS, /* the answer was taken as it came */
		FETCH_ENOUGH,     /* it was broken off, and all is well */
		FETCH_AGAIN,      /* at once */
		FETCH_LATER,
		FETCH_HOPELESS,
		FETCH_REDIRECTED,
	} end;
	struct err why;
	char *next_url; /* of a redirect */

	bool taking;
	bool measuring; /* its length was not told, and nobody knows it: counted, and gathered while it is small */
	bool sure;      /* its end is told */
	bool sized;     /* and ahead of it */
	bool stored;    /* a piece at least */
	bool paused;
	bool stream;      /* everything, from the beginning to the end */
	int64_t at;       /* where its next byte stands in the asset */
	int64_t stop;     /* what is behind it is not wanted; -1: take it to its end */
	int64_t body_end; /* -1: not told */
	char etag[ETAG_MAX + 1];
	struct buf gathered;
	char *piece; /* the one under way: bytes up to `at` */
	int64_t heard_at;
};

struct kept {
	char *bytes;
	int64_t piece;
};

struct asset {
	struct assets *assets;
	struct asset *next;
	struct known *known; /* pinned */
	uint64_t number;     /* the longer it has had no request under way, the less */
	bool queued;         /* its turn has not come, because of others */
	char *name;
	char *media_type;
	struct wait *waits; /* the oldest first */
	struct belief belief;
	struct object *object; /* NULL: not yet, or uncached */
	bool uncached;
	struct kept kept[KEPT_MAX];
	unsigned kept_next;
	bool no_ranges;
	bool whole_only; /* it answers a range with everything, refuses all of them, or answers no question by one */
	bool no_if_range;
	bool told;         /* of its failure, since a byte came */
	unsigned failures; /* in a row, like the three below */
	unsigned nonsense;
	unsigned doubts;
	unsigned restarts;
	unsigned others; /* times that what was there came again with other bytes */
	int unkept_rc;   /* why the cache does not have it */
	int64_t not_before;
	int64_t doubted_at; /* what is doubted was heard first */
	int64_t heard_at;   /* the last byte */
	int64_t used_at;
	int64_t read_end; /* of the latest read */
	uint64_t planned; /* the round in which it was looked at last */
	struct err why;   /* it did not work so far */
	struct fetch fetches[FETCHES_MAX];
};

/* Gives the wait to its asset, which is made if it is not in use. */
void asset_enter(struct assets *assets, struct wait *wait);

/* An answer speaks of an asset of `total` bytes. May answer waits, and make another asset of it. `ranged`: it shows that the
 * server knows what it was asked for. */
enum hearing asset_hear(struct asset *asset, int64_t total, const char *etag, bool sure, bool ranged);

/* Whether nothing but the bytes tells if they are of the same file as others. */
bool asset_is_vague(const struct asset *asset);

/* A piece has come. Its waits are answered; or, if it was there with other bytes, the asset is another. Whether it is news. */
bool asset_store(struct asset *asset, int64_t piece, const char *bytes, size_t len);

/* Answers what can be. */
void asset_answer(struct asset *asset);

/* Where the first byte is that the wait needs, and that is not there; -1: none. */
int64_t asset_missing(struct asset *asset, struct wait *wait);

/* What was asked for last for a reader: who comes to its middle will want what is behind it. */
void asset_set_window(struct asset *asset, struct range window);

bool asset_has_wait(const struct asset *asset, enum wait_kind kind);

/* Whether somebody waits, but for what is asked for ahead. */
bool asset_is_wanted(const struct asset *asset);

/* Nobody reads the answers of its requests any more; plan ends them. */
void asset_drop_fetches(struct asset *asset);

/* A request has failed: it will be tried again after a while, at once, or not at all. */
void asset_retry(struct asset *asset, const struct err *why, int64_t retry_after_ms);
void asset_retry_now(struct asset *asset, const struct err *why);
void asset_fail(struct asset *asset, const struct err *why);

/* Fails the waits whose patience is at its end; `next` becomes earlier if one ends before it. */
void asset_expire(struct asset *asset, int64_t now, int64_t *next);

/* Forgets the waits that were cancelled. */
void asset_drop_cancelled(struct asset *asset);

/* Ends what is under way; its waits get `rc`. */
void asset_destroy(struct asset *asset, int rc);

/* --- kept.c ------------------------------------------------------------------------------------------------------- */

/* The asset goes on without the cache, because of `rc`. */
void asset_do_without(struct asset *asset, int rc);

/* False if it is there already. */
bool kept_add(struct asset *asset, int64_t piece, const char *bytes, size_t len);
void kept_clear(struct asset *asset);

bool kept_has(const struct asset *asset, int64_t piece);

/* Whether it is there with other bytes. */
bool kept_differs(const struct asset *asset, int64_t piece, const char *bytes, size_t len);

/* Copies what is there to who waits for it: 1 if that is all of [offset, end), 0 with *missing where not, or -ENOMEM. */
int kept_fill(struct asset *asset, struct wait *wait, int64_t end, int64_t *missing);

/* Whether a stream that has come to `at` would run away from its readers. */
bool kept_is_far_ahead(const struct asset *asset, int64_t at);

/* --- plan.c ------------------------------------------------------------------------------------------------------- */

/* Begins the requests that are due, and gives up what stands still. When to come back is put in *next, if it is earlier. */
void plan(struct assets *assets, int64_t now, int64_t *next);

/* When the host may be asked again. */
int64_t host_free_at(const struct assets *assets, const char *url, int64_t now);
void host_leave_alone(struct assets *assets, const char *url, int64_t until);

/* --- fetch.c ------------------------------------------------------------------------------------------------------ */

/* Asks for a range (its end may be 0: to the end), or without one for everything. */
void fetch_begin(struct asset *asset, struct fetch *fetch, const struct range *range, bool question);

/* The call has come to its end. */
void fetch_finish(struct fetch *fetch);

/* Gives it up. Not from within the call. */
void fetch_drop(struct fetch *fetch);

/* receive.c: takes the answer. */
extern const struct http_sink fetch_sink;

/* --- assets.c ----------------------------------------------------------------------------------------------------- */

struct host {
	char origin[272];
	int64_t until;
};

struct assets {
	struct assets_config config; /* strings are ours */
	struct cache *cache;
	struct http *http;
	pthread_t thread;
	bool ended; /* the thread was joined: of who stops */

	pthread_mutex_t lock;
	struct known_table table;
	struct wait *waits; /* all that have no answer yet */
	struct wait *inbox; /* those that the thread has not seen, the latest first */
	bool cancelled;     /* some of them were */
	bool stopped;       /* nobody takes another one in */
	struct assets_counts counts;

	struct asset *in_use; /* from here on the thread's own */
	uint64_t numbers;
	uint64_t round;
	bool crowded;     /* some are queued */
	int64_t heard_at; /* the last byte of any asset */
	struct host hosts[HOSTS_MAX];
	int64_t close_at; /* the next file, unless it is used again */
	int room_rc;      /* why there was no room, as it was told last */
	int64_t room_told_at;
};

void assets_lock(struct assets *assets);
void assets_unlock(struct assets *assets);

/* known_attach, and false as well if the piece that was handed out last is there with other bytes. Reads the disk. */
bool assets_attach(struct assets *assets, struct known *known, struct object *object);

#endif
