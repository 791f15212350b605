#include "app/engine.h"

#include "app/exit_status.h"
#include "delivery/region.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdio.h>

const char *engine_host(const struct config *config, struct err *err)
{
	const char *host = region_host(config->region ? config->region : "na");
	if (!host)
		err_set(err, -EINVAL, "there is no region '%s': there are %s", config->region, region_names());
	return host && config->host ? config->host : host;
}

struct sync_filter engine_filter(const struct config *config)
{
	return (struct sync_filter){
		.content_types = (const char *const *)config->content_types.items,
		.locales = (const char *const *)config->locales.items,
		.start_from = config->start_from,
		.types = config->types,
	};
}

static struct store_identity identity_of(const struct engine *engine)
{
	const struct config *config = engine->config;
	return (struct store_identity){
		.host = engine->host,
		.api_key = config->api_key,
		.environment = config->environment,
		.branch = config->branch ? config->branch : CONFIG_MAIN_BRANCH,
		.filters = buf_text(&engine->filters),
	};
}

static int open_store(struct engine *engine, struct err *err)
{
	const struct store_identity identity = identity_of(engine);
	return store_open(&engine->store, engine->config->store, &identity, err);
}

static int create_sync(struct engine *engine, struct err *err)
{
	const struct sync_filter filter = engine_filter(engine->config);
	return sync_create(&engine->sync, engine->store, engine->delivery, &filter, engine->config->jobs,
			   &engine->hooks, err);
}

int engine_open_delivery(struct delivery **out, const struct config *config, struct err *err)
{
	const struct delivery_target target = {
		.host = engine_host(config, err),
		.api_key = config->api_key,
		.token = config->token,
		.environment = config->environment,
		.branch = config->branch,
	};
	return target.host ? delivery_create(out, &target, err) : -EINVAL;
}

/* What the service asked of the process before this one. */
static int keep_away(struct engine *engine, struct err *err)
{
	CLEANUP(buf_finish) struct buf note = BUF_INIT;
	int64_t until;
	int rc = store_note_get(engine->store, NOTE_RETRY_AT, &note, err);
	if (rc > 0 && time_parse_iso(buf_slice(&note), &until) == 0 && until > clock_wall_ms())
		sync_keep_away(engine->sync, until - clock_wall_ms());
	return rc < 0 ? rc : 0;
}

int engine_open(struct engine *engine, const struct config *config, const struct sync_hooks *hooks, struct err *err)
{
	*engine = (struct engine){.host = engine_host(config, err), .config = config, .hooks = *hooks};
	if (!engine->host)
		return -EINVAL;
	const struct sync_filter filter = engine_filter(config);
	int rc = sync_filter_identity(&filter, &engine->filters);
	if (rc < 0)
		rc = err_oom(err);
	if (rc == 0)
		rc = open_store(engine, err);
	if (rc == 0)
		rc = engine_open_delivery(&engine->delivery, config, err);
	if (rc == 0)
		rc = create_sync(engine, err);
	if (rc == 0)
		rc = keep_away(engine, err);
	if (rc < 0)
		engine_close(engine);
	return rc;
}

void engine_close(struct engine *engine)
{
	sync_destroy(engine->sync);
	delivery_destroy(engine->delivery);
	store_close(engine->store);
	store_close(engine->damaged);
	buf_finish(&engine->filters);
	*engine = (struct engine){0};
}

static int note(struct store *store, int rc, const struct sync_result *result, const char *message, struct err *err)
{
	char now[TIME_ISO_SIZE];
	char retry_at[TIME_ISO_SIZE] = "";
	char status[8];
	time_format_iso(clock_wall_ms(), now);
	if (rc < 0 && result->retry_after_ms > 0)
		time_format_iso(clock_wall_ms() + result->retry_after_ms, retry_at);
	snprintf(status, sizeof(status), "%d", exit_status(rc));
	int noted = store_begin(store, err);
	if (noted < 0)
		return noted;
	noted = store_note(store, NOTE_LAST_ATTEMPT, now, err);
	if (noted == 0)
		noted = store_note(store, NOTE_LAST_ERROR, message, err);
	if (noted == 0)
		noted = store_note(store, NOTE_LAST_STATUS, status, err);
	if (noted == 0 && rc == 0)
		noted = store_note(store, NOTE_LAST_SUCCESS, now, err);
	if (noted == 0)
		noted = store_note(store, NOTE_RETRY_AT, retry_at, err);
	if (noted == 0 && result->news)
		noted = store_note(store, NOTE_LAST_CHANGE, now, err);
	if (noted < 0) {
		store_rollback(store);
		return noted;
	}
	return store_commit(store, err);
}

/* What could not be had when the store was replaced. */
static int reopen(struct engine *engine, struct err *err)
{
	const struct store_identity identity = identity_of(engine);
	int rc = store_reopen(engine->store, &identity, err);
	return rc < 0 || engine->sync ? rc : create_sync(engine, err);
}

int engine_run(struct engine *engine, struct sync_result *result, struct err *err)
{
	*result = (struct sync_result){.retry_after_ms = -1};
	int rc = reopen(engine, err);
	if (rc < 0)
		return rc;
	rc = sync_run(engine->sync, result, err);
	if (rc == -ECANCELED)
		return rc; /* our own doing says nothing about the service */
	/* If the note fails the store has a problem, which matters more than a failure that is being noted. */
	struct err noting = {0};
	int noted = note(engine->store, rc, result, rc < 0 ? err->text : "", &noting);
	store_rest(engine->store);
	return noted < 0 && rc == 0 ? err_set(err, noted, "%s", noting.text) : rc;
}

bool engine_is_beside(const struct engine *engine)
{
	return engine->damaged != NULL;
}

int engine_begin_anew(struct engine *engine, struct err *err)
{
	const struct store_identity identity = identity_of(engine);
	struct store *fresh = NULL;
	int rc = store_open_beside(&fresh, engine->damaged ? engine->damaged : engine->store, &identity, err);
	if (rc < 0)
		return rc;
	sync_destroy(engine->sync);
	engine->sync = NULL;
	if (engine->damaged)
		store_close(engine->store); /* one that was begun beside it, and is damaged as well */
	else
		engine->damaged = engine->store;
	engine->store = fresh;
	return create_sync(engine, err);
}

int engine_take_place(struct engine *engine, struct err *err)
{
	const struct store_identity identity = identity_of(engine);
	CLEANUP(buf_finish) struct buf aside = BUF_INIT;
	int rc = store_take_place(engine->store, engine->damaged, &identity, &aside, err);
	if (rc < 0)
		return rc;
	store_close(engine->damaged);
	engine->damaged = NULL;
	log_warning("the damaged store was set aside as %s, and a new one has taken its place", aside.text);
	return 0;
}
