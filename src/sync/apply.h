/* From an item of a page to what it changes in the store. Private to sync/. */
#ifndef CONTENTFS_SYNC_APPLY_H
#define CONTENTFS_SYNC_APPLY_H

#include "delivery/page.h"
#include "store/store.h"
#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>

struct apply {
	struct store *store;
	const struct stream *stream; /* what it filters */
	int owner;                   /* the stream that the content belongs to */
	bool now;                    /* visible with this transaction, or staged for the end of the run */
	bool rebuild;                /* what is listed is marked */
	struct buf *text;            /* scratch, kept between items */
	bool schemas_doubtful;       /* out: a content type was deleted */
};

/* Applies all items of a page, inside the caller's transaction. An item that cannot be applied goes to the quarantine;
 * only a failure of the store or of memory is an error. */
int apply_page(struct apply *apply, const struct page *page, struct err *err);

/* The same for one item that does not come from a page. */
int apply_item(struct apply *apply, const struct item *item, struct err *err);

#endif
