/*
 * Which event counts. Answers come newest first as far as was seen (R), in no order that is documented, with repeats and
 * exact ties: so the newest event wins, whenever it arrives. Pure, and the same whatever the order of arrival.
 */
#ifndef CONTENTFS_SYNC_ORDER_H
#define CONTENTFS_SYNC_ORDER_H

#include "store/store.h"

#include <stdint.h>

enum order_verdict {
	ORDER_IGNORE, /* something newer is known */
	ORDER_APPLY,  /* newest so far (if its text is the incumbent's, nothing changes) */
};

/*
 * The verdict on a publication. Of two publications with the same time the higher version counts, and of equal versions
 * the one that comes later; a removal with the same time counts more than a publication, since showing what was
 * withdrawn is the worse mistake.
 */
enum order_verdict order_publication(int64_t event_at, long long version, const struct store_known *known);

/* The version that a publication has to beat: what is staged, if anything is, else what is visible. */
const struct store_version *order_incumbent(const struct store_known *known);

#endif
