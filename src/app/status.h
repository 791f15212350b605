/* What `contentfs status --json` prints and .contentfs/status.json holds. */
#ifndef CONTENTFS_APP_STATUS_H
#define CONTENTFS_APP_STATUS_H

#include "assets/assets.h"
#include "store/reader.h"
#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What only a running mount knows. */
struct status_live {
	const char *mountpoint;
	int pid;
	bool syncing;
	int64_t next_poll_ms;    /* from now */
	const char *waiting_for; /* what the sync under way waits for, NULL for nothing */
	int64_t wait_ms;         /* for how long yet */
	const char *last_error;  /* of this process's last run, "" after a success; NULL before the first ended */
	int last_status;
	uint64_t service_calls;
	uint64_t requests; /* that the kernel need not have sent twice: see struct fs_counts */
	const char *const *operation_names;
	const uint64_t *operations;
	int operation_count;
	const struct assets_counts *assets;
};

/* Where what it speaks of lies. */
struct status_place {
	const char *store;
	const char *cache; /* the folder; NULL if it is not known */
	int64_t cache_limit;
};

/* Appends the JSON text. `live` is NULL for a store that is looked at without its mount; a mount has something to say even
 * when its store cannot be read: what is not known is null then. Blocks for disk only. */
int status_append(struct buf *json, struct store_reader *reader, const struct status_place *place,
		  const struct status_live *live, struct err *err);

#endif
