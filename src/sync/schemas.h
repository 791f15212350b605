/* Content type schemas: they change without any item, so they are fetched whole now and then. Private to sync/. */
#ifndef CONTENTFS_SYNC_SCHEMAS_H
#define CONTENTFS_SYNC_SCHEMAS_H

#include "delivery/delivery.h"
#include "store/store.h"
#include "sync/sync.h"

/*
 * Fetches all content types and makes content_types/ equal to them, in one step. 0 or a negative errno with the reason; then
 * the old ones stay, and *retry_after_ms is how long the service asked to wait, or -1. Tries again as reaction.h has it.
 * Blocks for the network.
 */
int schemas_fetch(struct sync *sync, int64_t *retry_after_ms, struct err *err);

/* 1 if there are entries of a type without a schema, 0 if not, or a negative errno. */
int schemas_missing(struct store *store, struct err *err);

#endif
