/* The parts that bring a store up to date, put together from the settings. One thread, but for engine_stop. */
#ifndef CONTENTFS_APP_ENGINE_H
#define CONTENTFS_APP_ENGINE_H

#include "config/config.h"
#include "delivery/delivery.h"
#include "store/store.h"
#include "sync/sync.h"
#include "util/buf.h"
#include "util/err.h"

struct engine {
	struct store *store;
	struct delivery *delivery;
	struct sync *sync;
	struct store *damaged; /* that `store` is to take the place of; NULL as a rule */
	const struct config *config;
	struct sync_hooks hooks;
	struct buf filters; /* as one line */
	const char *host;   /* borrowed from the config, or static */
};

/* `config` is complete and outlives the engine, as does hooks->context. */
int engine_open(struct engine *engine, const struct config *config, const struct sync_hooks *hooks, struct err *err);
void engine_close(struct engine *engine); /* what is open of it */

/* One run, noted in the store: when it was, and what it came to. As sync_run. */
int engine_run(struct engine *engine, struct sync_result *result, struct err *err);

/*
 * A run that came to -EUCLEAN found the store damaged. The first lets the next runs fill a new store beside it, from the
 * beginning; when one of them has come to its end, the second gives that one the name of the damaged store, which is set
 * aside, with a warning.
 */
int engine_begin_anew(struct engine *engine, struct err *err);
int engine_take_place(struct engine *engine, struct err *err);
bool engine_is_beside(const struct engine *engine); /* between the two */

/* The host that the settings name: their own, or their region's. NULL with a message if there is no such region. */
const char *engine_host(const struct config *config, struct err *err);

/* The service that the settings name. They are complete. */
int engine_open_delivery(struct delivery **out, const struct config *config, struct err *err);

/* The filters that the settings name; borrowed from the config. */
struct sync_filter engine_filter(const struct config *config);

#endif
