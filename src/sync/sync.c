/*
 * The engine: what a run consists of beside the conversations with the service (run.c): the content types before and after
 * them, and what is left in the quarantine. Remembers nothing that a restart would miss.
 */
#include "sync/inmates.h"
#include "sync/internal.h"
#include "sync/schemas.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>

#define JOBS 4 /* more hardly pay: a first run of 20,000 entries at 20 to 100 ms a page (measured) */
#define SCHEMAS_EVERY_MS (10 * 60 * 1000)

/* After so many failures in a row. The first is tried again with the next run. */
#define SCHEMAS_PAUSE_MS(failures) ((failures) == 0 ? 0 : (failures) < 9 ? 1000LL << (failures) : SCHEMAS_EVERY_MS)

static size_t list_length(const char *const *list)
{
	size_t count = 0;
	while (list && list[count])
		count++;
	return count;
}

int sync_filter_identity(const struct sync_filter *filter, struct buf *out)
{
	for (size_t i = 0; i < list_length(filter->content_types); i++)
		buf_printf(out, "content-type=%s ", filter->content_types[i]);
	for (size_t i = 0; i < list_length(filter->locales); i++)
		buf_printf(out, "locale=%s ", filter->locales[i]);
	if (filter->start_from)
		buf_printf(out, "start-from=%s ", filter->start_from);
	if (filter->types)
		buf_printf(out, "type=%s ", filter->types);
	if (out->len > 0)
		out->text[--out->len] = '\0';
	return out->failed ? -ENOMEM : 0;
}

int sync_create(struct sync **out, struct store *store, struct delivery *delivery, const struct sync_filter *filter,
		unsigned jobs, const struct sync_hooks *hooks, struct err *err)
{
	struct sync *sync = calloc(1, sizeof(*sync));
	if (!sync)
		return err_oom(err);
	sync->store = store;
	sync->delivery = delivery;
	sync->filter = *filter;
	sync->hooks = *hooks;
	sync->jobs = jobs ? jobs : JOBS;
	sync->jobs_asked_for = jobs > 0;
	sync->pace = (struct pace)PACE_INIT;
	sync->batch = (struct batch){.store = store, .committed = hooks->committed, .context = hooks->context};
	sync->schemas_due = true;
	if (hooks->rest)
		courtesy_prepare();
	/* The API documents one content type and one locale a call: several are several streams. */
	size_t types = list_length(filter->content_types);
	sync->locales = list_length(filter->locales);
	sync->streams = (types ? types : 1) * (sync->locales ? sync->locales : 1);
	*out = sync;
	return 0;
}

void sync_destroy(struct sync *sync)
{
	if (!sync)
		return;
	buf_finish(&sync->text);
	free(sync);
}

/* --- schemas ------------------------------------------------------------------------------------------------------ */

static bool schemas_are_due(const struct sync *sync)
{
	int64_t now = clock_monotonic_ms();
	return now >= sync->schemas_not_before &&
	       (sync->schemas_due || now - sync->schemas_fetched >= SCHEMAS_EVERY_MS);
}

int sync_fetch_schemas(struct sync *sync, struct sync_result *result, struct err *err)
{
	int rc = schemas_fetch(sync, &result->retry_after_ms, err);
	if (rc < 0) {
		sync->schemas_not_before = clock_monotonic_ms() + SCHEMAS_PAUSE_MS(sync->schemas_failures);
		sync->schemas_failures++;
		return rc;
	}
	sync->schemas_failures = 0;
	sync->schemas_due = false;
	sync->schemas_failed = false;
	sync->schemas_fresh = true;
	sync->schemas_fetched = clock_monotonic_ms();
	return 0;
}

bool sync_schemas_refused(int rc)
{
	return rc == -EHOSTUNREACH || rc == -EPROTO || rc == -EINVAL || rc == -EACCES;
}

/* At the end of a run. Schemas are worth having but no reason to fail a run that brought the entries: what could not be
 * fetched is tried again at the next one. */
static int refresh_schemas(struct sync *sync, bool news, struct sync_result *result, struct err *err)
{
	int due = schemas_are_due(sync);
	if (!due && news && clock_monotonic_ms() >= sync->schemas_not_before)
		due = schemas_missing(sync->store, err);
	if (due <= 0)
		return due;
	int rc = sync_fetch_schemas(sync, result, err);
	if (!sync_schemas_refused(rc))
		return rc;
	if (!sync->schemas_failed)
		log_warning("the content types could not be fetched: %s (trying again)", err->text);
	sync->schemas_failed = true;
	sync->schemas_due = true;
	return 0;
}

/* --- a run -------------------------------------------------------------------------------------------------------- */

void sync_want_schemas(struct sync *sync)
{
	sync->schemas_not_before = 0;
	sync->schemas_due = true;
}

void sync_keep_away(struct sync *sync, int64_t ms)
{
	pace_keep_away(&sync->pace, ms, clock_monotonic_ms());
}

/* An empty tree: the content types are what is best to see first. */
static int begin_with_schemas(struct sync *sync, struct sync_result *result, struct err *err)
{
	if (store_journal_end(sync->store) > 0 || sync->schemas_failed)
		return 0;
	int rc = sync_fetch_schemas(sync, result, err);
	if (rc == -EPROTO || rc == -EINVAL || rc == -EACCES)
		return 0; /* entries may be had all the same; their own answers say so if not */
	if (rc == -EHOSTUNREACH)
		sync->schemas_failed = true; /* if it is the content types only, the next run has the entries */
	return rc;
}

int sync_run(struct sync *sync, struct sync_result *result, struct err *err)
{
	*result = (struct sync_result){.complete = true, .retry_after_ms = -1};
	struct err local = {0};
	if (!err)
		err = &local;
	int64_t before = store_journal_end(sync->store);
	sync->schemas_fresh = false;
	int rc = inmates_examine(sync, err);
	if (rc == 0)
		rc = begin_with_schemas(sync, result, err);
	if (rc == 0)
		rc = run_streams(sync, result, err);
	if (rc == 0)
		rc = refresh_schemas(sync, store_journal_end(sync->store) != before, result, err);
	int64_t changes = store_journal_end(sync->store) - before;
	result->news = changes != 0;
	if (rc == 0 && changes > 0)
		log_info("%llu pages brought %lld changes", (unsigned long long)result->pages, (long long)changes);
	else if (rc == 0)
		log_debug("nothing new");
	if (rc < 0)
		result->complete = false;
	else
		err->text[0] = '\0'; /* of what was overcome on the way */
	return rc;
}
