/*
 * Assets: files that lie on another machine, fetched when somebody reads them and kept in a folder from then on. Knows
 * neither FUSE nor the store: who reads says what an asset's record says of it, and gets bytes.
 *
 * What a URL names never changes, so what was fetched once is served without a question. Should the bytes behind a URL
 * change all the same, no reader gets some of the old and some of the new: see `generation`.
 *
 * Threads: one of the module's own speaks to the network, writes the cache and gives the answers that had to wait.
 * Everything here may be called from any thread; only assets_stop and assets_destroy may block for the network.
 */
#ifndef CONTENTFS_ASSETS_ASSETS_H
#define CONTENTFS_ASSETS_ASSETS_H

#include "util/err.h"
#include "util/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct assets;

struct assets_config {
	const char *folder;  /* of the cache: made (0700), with what is above it, when it is needed first */
	int64_t cache_bytes; /* what the files of the cache may take on the disk, all mounts together */
	int64_t patience_ms; /* how long a read waits while no byte of its asset arrives */
	const char *base;    /* the service's URL: the scheme of assets whose URL has none; plain http is refused for
	                          hosts other than loopback ones */
	const char *token;   /* the delivery token if the stack secures its assets, else NULL */
	const char *environment;
	const char *const *hosts; /* "https://host[:port]" of the stack's own asset hosts, NULL-terminated: who is sent
	                             the token, and nobody else, not along a redirect either */

	/* The bytes behind a URL have changed after some were handed out as `generation`: until the caller has given what
	 * it names another generation, reading it fails with -ESTALE, and this is told again once in a while. From the
	 * module's thread or a reader's; must not block. */
	void (*changed)(void *context, struct slice url, int64_t generation);
	void *context;
};

/* What the record of an asset says. Borrowed for the call. */
struct asset_source {
	struct slice url;        /* raw, as in the record */
	struct slice media_type; /* "" if it says none */
	int64_t size;            /* of the record, or as it was learnt since; -1 if it is not known. A hint only */
	int64_t recorded;        /* of the record in any case */
	int64_t generation;      /* how often the bytes behind the URL were seen to change; 0 to begin with */
	const char *name;        /* for messages: where the asset stands in the tree */
};

struct asset_bytes {
	int fd; /* where they are, from `at` on; -1 if they are in memory */
	off_t at;
	const char *memory; /* if fd is -1 and len is not 0 */
	size_t len;         /* less than was asked for only where the asset ends */
	int64_t size;       /* of the whole asset, as it truly is */
};

/*
 * How a read ends, exactly once: within the call that asked, if the bytes are in the cache or it is known already that
 * they are not to be had (a failure holds for a moment, -ESTALE for good), else from the module's thread. `bytes` is
 * borrowed for the call and NULL on failure:
 *
 *   -EIO        not to be had now, and a line in the log says why; the next read tries again
 *   -ESTALE     another generation has taken its place
 *   -ECANCELED  the module ends
 *   -ENOMEM
 */
typedef void assets_reply(void *context, uint64_t ticket, int rc, const struct asset_bytes *bytes);

/* Strings are copied. Starts the thread: to be called after any fork. */
int assets_create(struct assets **out, const struct assets_config *config, struct err *err);

/* Answers what waits with -ECANCELED and ends the thread. From then on reads get what is in the cache, or -ECANCELED. Of one
 * thread, as assets_destroy. NULL is fine. */
void assets_stop(struct assets *assets);

/* Stops, frees. What was fetched so far stays in the cache. NULL is fine. */
void assets_destroy(struct assets *assets);

/*
 * Reads up to `size` bytes from `offset`; with size 0 asks only how large the asset is. `reply` gets `context` and
 * `ticket`, a number of the caller's. Never waits for the network. Bytes that are in the cache are answered before it
 * returns, unless the asset's true size is not source->size: then, as when they have to be fetched, the answer comes
 * from the module's thread.
 */
void assets_read(struct assets *assets, const struct asset_source *source, int64_t offset, size_t size,
		 assets_reply *reply, void *context, uint64_t ticket);

/* Nobody waits for that answer any more: it will not come, unless it is on its way already. What was to be fetched for
 * it alone is given up. */
void assets_cancel(struct assets *assets, uint64_t ticket);

/* Brings the whole asset into the cache, where what is there is checked: `reply` comes as for a read, with no bytes but
 * the size. -ENOSPC if the cache is too small for it, -EIO if it cannot be used. While its server asks to be left alone, it
 * waits beyond the patience of a read. */
void assets_fetch(struct assets *assets, const struct asset_source *source, assets_reply *reply, void *context,
		  uint64_t ticket);

/* Whether the cache, and not the network, would answer every read of the asset, unless it is damaged. Blocks for disk. */
bool assets_has(struct assets *assets, const struct asset_source *source);

struct assets_counts {
	int64_t cached_bytes; /* on the disk, of all who share the folder, as last seen */
	int64_t cache_limit;
	uint64_t hits;     /* reads that the cache answered */
	uint64_t misses;   /* reads that had to wait for the network */
	uint64_t requests; /* sent to the network */
	uint64_t fetched_bytes;
	uint64_t failures;  /* reads that ended with -EIO */
	unsigned downloads; /* under way */
	unsigned waiting;   /* reads that wait for an answer */
};

void assets_count(struct assets *assets, struct assets_counts *counts);

/* cached_bytes of a folder that nobody has open here; 0 if there is none. Makes nothing. */
int64_t assets_cached_bytes(const char *folder);

#endif
