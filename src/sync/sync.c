/*
 * The engine. A run is a row of steps, each one answer of the service, until a stream has nothing under way:
 *
 *   RUN_FIRST -> (end) -> RUN_DELTA -> (end) -> RUN_NONE          the first run, with the news since it began
 *   RUN_NONE -> RUN_DELTA -> (end) -> RUN_NONE                    every later one
 *   any, when its token is refused for good -> RUN_REBUILD -> (end) -> RUN_REBUILD_DELTA -> (end) -> RUN_NONE
 *
 * Where a stream stands is in its row, committed together with what the pages until there changed; the engine itself
 * remembers nothing that a restart would miss. Each commit rewrites the pages of the store's indexes that it touched, so
 * pages that follow one another fast share one: a third of the writing, and no page waits for the next to be seen.
 */
#include "sync/sync.h"

#include "sync/apply.h"
#include "sync/schemas.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>

#define TOKEN_RETRIES 3    /* of a token that was refused, in a row, before a rebuild (U, C) */
#define TOKEN_RETRY_MS 250 /* before the first; then twice as long each time */
#define COMMIT_MS 200      /* pages that come faster share a transaction */
#define PATIENCE_MS 20     /* and commit it when the next one does not come */
#define SCHEMAS_EVERY_MS (10 * 60 * 1000)

struct sync {
	struct store *store;
	struct delivery *delivery;
	struct sync_filter filter;
	struct sync_hooks hooks;
	struct buf text;      /* scratch */
	int refusals;         /* of a token, in a row */
	bool rebuilt;         /* the stream was listed anew in this run */
	bool uncommitted;     /* a transaction with pages in it is open */
	int64_t committed_at; /* monotonic ms */
	int commit_rc;        /* of a commit while waiting, with its reason */
	struct err commit_err;
	bool schemas_due;
	bool schemas_failed;     /* and were reported */
	int64_t schemas_fetched; /* monotonic ms */
	size_t locales;
	size_t streams;
	bool streams_noted; /* all have their rows in the store */
};

/* Commits the pages that are waiting for it, if any. */
static int commit_pages(struct sync *sync, struct err *err)
{
	if (!sync->uncommitted)
		return 0;
	sync->uncommitted = false;
	int64_t before = store_journal_end(sync->store);
	int rc = store_commit(sync->store, err);
	sync->committed_at = clock_monotonic_ms();
	if (rc == 0 && sync->hooks.committed && store_journal_end(sync->store) != before)
		sync->hooks.committed(sync->hooks.context);
	return rc;
}

static void commit_while_waiting(void *context)
{
	struct sync *sync = context;
	int rc = commit_pages(sync, &sync->commit_err);
	if (rc < 0)
		sync->commit_rc = rc;
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

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
		const struct sync_hooks *hooks, struct err *err)
{
	struct sync *sync = calloc(1, sizeof(*sync));
	if (!sync)
		return err_oom(err);
	delivery_while_waiting(delivery, PATIENCE_MS, commit_while_waiting, sync);
	sync->store = store;
	sync->delivery = delivery;
	sync->filter = *filter;
	sync->hooks = *hooks;
	sync->schemas_due = true;
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
	delivery_while_waiting(sync->delivery, 0, NULL, NULL);
	buf_finish(&sync->text);
	free(sync);
}

static int set_text(char **field, const char *value, struct err *err)
{
	if (!value || *field)
		return 0;
	*field = strdup(value);
	return *field ? 0 : err_oom(err);
}

static int load_stream(struct sync *sync, size_t index, struct stream *stream, struct err *err)
{
	int rc = store_stream_load(sync->store, (int)index + 1, stream, err);
	if (rc < 0)
		return rc;
	size_t across = sync->locales ? sync->locales : 1;
	const char *type = list_length(sync->filter.content_types) ? sync->filter.content_types[index / across] : NULL;
	const char *locale = sync->locales ? sync->filter.locales[index % across] : NULL;
	rc = set_text(&stream->content_type, type, err);
	return rc < 0 ? rc : set_text(&stream->locale, locale, err);
}

static void replace_token(char **field, char *token)
{
	free(*field);
	*field = token;
}

/* --- one step ----------------------------------------------------------------------------------------------------- */

static struct sync_query query_of(const struct sync *sync, const struct stream *stream)
{
	struct sync_query query = {
		.content_type = stream->content_type,
		.locale = stream->locale,
		.start_from = sync->filter.start_from,
		.types = sync->filter.types,
	};
	if (stream->page_token) {
		query.mode = SYNC_PAGE;
		query.token = stream->page_token;
	} else if (stream->run == RUN_DELTA || stream->run == RUN_REBUILD_DELTA) {
		query.mode = SYNC_DELTA;
		query.token = stream->sync_token;
	}
	return query;
}

static bool shows_at_once(const struct stream *stream, const struct page *page)
{
	return stream->run == RUN_FIRST || (stream->run == RUN_DELTA && !stream->page_token && !page->more);
}

/* Where the stream stands after this page; takes the page's token. */
static void advance(struct stream *stream, struct page *page)
{
	stream->pages++;
	stream->items += page->count;
	if (page->more) {
		replace_token(&stream->page_token, page->token);
		page->token = NULL;
		return;
	}
	replace_token(&stream->page_token, NULL);
	replace_token(&stream->sync_token, page->token);
	page->token = NULL;
	switch (stream->run) {
	case RUN_FIRST:
		stream->run = RUN_DELTA;
		return;
	case RUN_REBUILD:
		stream->run = RUN_REBUILD_DELTA;
		return;
	default:
		stream->run = RUN_NONE;
		stream->pages = 0;
		stream->items = 0;
	}
}

/* What the end of a run still has to do, in the transaction of its last page. */
static int end_run(struct sync *sync, const struct stream *stream, enum stream_run ended, bool staged, struct err *err)
{
	int rc = 0;
	if (staged)
		rc = store_publish(sync->store, stream->id, ended == RUN_REBUILD_DELTA, err);
	return rc < 0 ? rc : store_forget_run(sync->store, stream->id, err);
}

static int store_page(struct sync *sync, struct stream *stream, struct page *page, struct err *err)
{
	enum stream_run run = stream->run;
	struct apply apply = {
		.store = sync->store,
		.stream = stream,
		.now = shows_at_once(stream, page),
		.rebuild = run == RUN_REBUILD || run == RUN_REBUILD_DELTA,
		.text = &sync->text,
	};
	int rc = apply_page(&apply, page, err);
	if (rc < 0)
		return rc;
	sync->schemas_due |= apply.schemas_doubtful;
	advance(stream, page);
	if (stream->run == RUN_NONE)
		rc = end_run(sync, stream, run, !apply.now, err);
	return rc < 0 ? rc : store_stream_save(sync->store, stream, err);
}

/* Stores a page and commits it, at once or, when pages come fast and there are more, together with the next ones. */
static int take_page(struct sync *sync, struct stream *stream, struct page *page, struct err *err)
{
	bool more = page->more;
	int rc = sync->uncommitted ? 0 : store_begin(sync->store, err);
	if (rc < 0)
		return rc;
	sync->uncommitted = true;
	rc = store_page(sync, stream, page, err);
	if (rc < 0) {
		sync->uncommitted = false;
		store_rollback(sync->store);
		return rc;
	}
	if (more && clock_monotonic_ms() - sync->committed_at < COMMIT_MS)
		return 0;
	return commit_pages(sync, err);
}

/* The delta that most polls get (R): nothing, and the token that was sent. */
static bool is_empty_delta(const struct stream *stream, const struct page *page)
{
	return stream->run == RUN_DELTA && !stream->page_token && page->count == 0 && !page->more &&
	       strcmp(page->token, stream->sync_token) == 0;
}

static int begin_rebuild(struct sync *sync, struct stream *stream, struct err *err)
{
	log_warning(
		"the service does not know the %s any more: listing the stack anew beside the content that is there",
		stream->page_token ? "pagination token" : "sync token");
	int rc = commit_pages(sync, err);
	if (rc == 0)
		rc = store_begin(sync->store, err);
	if (rc < 0)
		return rc;
	replace_token(&stream->page_token, NULL);
	stream->run = RUN_REBUILD;
	stream->pages = 0;
	stream->items = 0;
	rc = store_forget_run(sync->store, stream->id, err);
	if (rc == 0)
		rc = store_stream_save(sync->store, stream, err);
	if (rc < 0) {
		store_rollback(sync->store);
		return rc;
	}
	return store_commit(sync->store, err);
}

/* A token that is refused is tried again, since such refusals pass; then the stack is listed anew. */
static int token_refused(struct sync *sync, struct stream *stream, struct err *err)
{
	if (sync->refusals < TOKEN_RETRIES) {
		int rc = commit_pages(sync, err);
		if (rc < 0)
			return rc;
		return delivery_wait(sync->delivery, TOKEN_RETRY_MS << sync->refusals++) ? 0 : -ECANCELED;
	}
	sync->refusals = 0;
	if (sync->rebuilt) /* once a run: a service that refuses every token would be asked without end */
		return err_prefix(err, -EPROTO, "the stack was listed anew, and yet");
	sync->rebuilt = true;
	return begin_rebuild(sync, stream, err);
}

/* One answer. `idle`: the store knows of no run under way, so an answer without news leaves nothing to write. */
static int step(struct sync *sync, struct stream *stream, bool idle, struct sync_result *result, struct err *err)
{
	const struct sync_query query = query_of(sync, stream);
	CLEANUP(page_finish) struct page page = PAGE_INIT;
	enum delivery_outcome outcome = delivery_sync(sync->delivery, &query, &page, &result->retry_after_ms, err);
	if (sync->commit_rc < 0)
		return err_set(err, sync->commit_rc, "%s", sync->commit_err.text);
	if (outcome == DELIVERY_TOKEN_REFUSED && query.token)
		return token_refused(sync, stream, err);
	if (outcome == DELIVERY_TOKEN_REFUSED)
		return err_prefix(err, -EPROTO, "the service refused a token that was not sent");
	if (outcome != DELIVERY_OK)
		return delivery_outcome_errno(outcome);
	sync->refusals = 0;
	if (page.more && stream->page_token && strcmp(page.token, stream->page_token) == 0)
		return err_set(err, -EPROTO,
			       "the service gave the page token that was sent: the listing would not end");
	if (idle && is_empty_delta(stream, &page)) {
		stream->run = RUN_NONE;
		return 0;
	}
	bool first = stream->run == RUN_FIRST;
	int rc = take_page(sync, stream, &page, err);
	if (rc == 0)
		result->pages++;
	if (rc == 0 && first && sync->hooks.progress)
		sync->hooks.progress(sync->hooks.context, stream->pages, stream->items);
	return rc;
}

static int run_stream(struct sync *sync, size_t index, struct sync_result *result, struct err *err)
{
	CLEANUP(stream_finish) struct stream stream = {0};
	int rc = load_stream(sync, index, &stream, err);
	if (rc < 0)
		return rc;
	sync->rebuilt = false;
	sync->commit_rc = 0;
	/* A delta that is taken up again ends where the news ended when it began; what came since is a delta of its own. */
	bool stale = stream.page_token && (stream.run == RUN_DELTA || stream.run == RUN_REBUILD_DELTA);
	bool idle = stream.run == RUN_NONE;
	if (idle)
		stream.run = RUN_DELTA;
	/* Where the stream stands is known here before it is committed. So any failure ends the run, and the next one
	 * starts from the row. */
	while (rc == 0 && stream.run != RUN_NONE) {
		rc = step(sync, &stream, idle, result, err);
		if (rc == 0 && stream.run == RUN_NONE && stale) {
			stream.run = RUN_DELTA;
			idle = true;
			stale = false;
		}
	}
	int committed = commit_pages(sync, rc == 0 ? err : NULL);
	result->complete &= stream.sync_token != NULL;
	return rc < 0 ? rc : committed;
}

/* Gives a stream that has not begun its row. */
static int note_stream(struct sync *sync, size_t index, struct err *err)
{
	CLEANUP(stream_finish) struct stream stream = {0};
	int rc = load_stream(sync, index, &stream, err);
	bool begun = stream.run != RUN_FIRST || stream.page_token;
	return rc < 0 || begun ? rc : store_stream_save(sync->store, &stream, err);
}

/* Every stream has its row before the first of them ends: else the store would pass for whole with some of them missing. */
static int note_streams(struct sync *sync, struct err *err)
{
	int rc = store_begin(sync->store, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < sync->streams; i++)
		rc = note_stream(sync, i, err);
	if (rc < 0) {
		store_rollback(sync->store);
		return rc;
	}
	return store_commit(sync->store, err);
}

/* --- schemas ------------------------------------------------------------------------------------------------------ */

static bool schemas_are_due(const struct sync *sync)
{
	return sync->schemas_due || clock_monotonic_ms() - sync->schemas_fetched >= SCHEMAS_EVERY_MS;
}

static int fetch_schemas(struct sync *sync, struct sync_result *result, struct err *err)
{
	int64_t before = store_journal_end(sync->store);
	int rc = schemas_fetch(sync->store, sync->delivery, &sync->filter, &result->retry_after_ms, err);
	if (rc < 0)
		return rc;
	sync->schemas_due = false;
	sync->schemas_failed = false;
	sync->schemas_fetched = clock_monotonic_ms();
	if (sync->hooks.committed && store_journal_end(sync->store) != before)
		sync->hooks.committed(sync->hooks.context);
	return 0;
}

/* At the end of a run. Schemas are worth having but no reason to fail a run that brought the entries: what could not be
 * fetched is tried again at the next one. */
static int refresh_schemas(struct sync *sync, bool news, struct sync_result *result, struct err *err)
{
	int due = schemas_are_due(sync);
	if (!due && news)
		due = schemas_missing(sync->store, err);
	if (due <= 0)
		return due;
	int rc = fetch_schemas(sync, result, err);
	if (rc != -EHOSTUNREACH && rc != -EPROTO && rc != -EINVAL)
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
	sync->schemas_due = true;
}

int sync_run(struct sync *sync, struct sync_result *result, struct err *err)
{
	*result = (struct sync_result){.complete = true, .retry_after_ms = -1};
	struct err local = {0};
	if (!err)
		err = &local;
	int64_t before = store_journal_end(sync->store);
	int rc = 0;
	if (before == 0 && !sync->schemas_failed) {
		rc = fetch_schemas(sync, result, err); /* an empty tree: they are what is best to see first */
		if (rc == -EPROTO || rc == -EINVAL)
			rc = 0; /* entries may be had all the same; the end of the run says so if not */
		else if (rc == -EHOSTUNREACH)
			sync->schemas_failed = true; /* if it is the content types only, the next run has the entries */
	}
	if (rc == 0 && sync->streams > 1 && !sync->streams_noted) {
		rc = note_streams(sync, err);
		sync->streams_noted = rc == 0;
	}
	for (size_t i = 0; rc == 0 && i < sync->streams; i++)
		rc = run_stream(sync, i, result, err);
	if (rc == 0)
		rc = refresh_schemas(sync, store_journal_end(sync->store) != before, result, err);
	result->news = store_journal_end(sync->store) != before;
	if (rc < 0)
		result->complete = false;
	else
		err->text[0] = '\0'; /* of what was overcome on the way */
	return rc;
}
