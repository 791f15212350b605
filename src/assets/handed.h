/*
 * Which version of an asset was handed out last, of assets that nothing else is remembered of: the kernel may have pages of it
 * as long as the mount lasts, and must be told if another one has taken its place. 32 bytes each. Private to assets/.
 */
#ifndef CONTENTFS_ASSETS_HANDED_H
#define CONTENTFS_ASSETS_HANDED_H

#include "assets/cache.h"

#define HANDED_MAX ((size_t)3 << 18) /* assets, in 32 MiB; of more, some are forgotten */

/* What a piece was like, of one that no tag tells from another, whether it is still there or not. */
struct proof {
	int64_t piece;
	uint64_t checksum; /* 0: none */
};

struct handed {
	int64_t generation; /* those before it are gone */
	int64_t size;       /* -1: of this one nothing was handed out yet */
	uint32_t mark;      /* of its tag (verdict.h); 0 if it had none */
	struct proof proof; /* of the piece that the last bytes were of */
};

struct handed_slot;

/* Begins as zeros. */
struct handed_table {
	struct handed_slot *slots;
	size_t size;
	size_t used;
};

/* Notes it in place of what was noted of the asset before. For lack of memory it is not. */
void handed_put(struct handed_table *table, const struct cache_key *key, const struct handed *handed);

/* Takes out what was noted; false if nothing was. */
bool handed_take(struct handed_table *table, const struct cache_key *key, struct handed *handed);

void handed_free(struct handed_table *table);

#endif
