#include "app/status.h"

#include "app/exit_status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static void add_text(struct buf *json, const char *key, const char *value)
{
	buf_printf(json, "  \"%s\": ", key);
	if (value)
		json_append_string(json, slice_of(value));
	else
		buf_append_text(json, "null");
	buf_append_text(json, ",\n");
}

static void add_number(struct buf *json, const char *key, int64_t value)
{
	buf_printf(json, "  \"%s\": %lld,\n", key, (long long)value);
}

static void add_bool(struct buf *json, const char *key, bool value)
{
	buf_printf(json, "  \"%s\": %s,\n", key, value ? "true" : "false");
}

/* A note as text; NULL if it was never made. */
static const char *note(struct store_reader *reader, const char *key, struct buf *value)
{
	return reader_note(reader, key, value) == 0 && value->len > 0 ? value->text : NULL;
}

static void add_age(struct buf *json, const char *last_success)
{
	int64_t then;
	if (last_success && time_parse_iso(slice_of(last_success), &then) == 0) {
		int64_t age = clock_wall_ms() - then;
		buf_printf(json, "  \"age_seconds\": %lld,\n", (long long)(age > 0 ? age / 1000 : 0));
	} else {
		buf_append_text(json, "  \"age_seconds\": null,\n");
	}
}

static void add_identity(struct buf *json, struct store_reader *reader)
{
	static const char *const keys[] = {"host", "api_key", "environment", "branch", "filters"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		CLEANUP(buf_finish) struct buf value = BUF_INIT;
		add_text(json, keys[i], reader_note(reader, keys[i], &value) == 0 ? buf_text(&value) : NULL);
	}
}

/* A count that could not be read is null. */
static void add_count_of(struct buf *json, const char *key, bool known, int64_t value)
{
	if (known)
		add_number(json, key, value);
	else
		buf_printf(json, "  \"%s\": null,\n", key);
}

static const char *state_of(bool complete, const char *error, const struct status_live *live)
{
	if (error)
		return "failing";
	if (!complete)
		return live ? "first sync" : "incomplete";
	return "up to date";
}

static void add_outcome(struct buf *json, struct store_reader *reader, const struct store_sync_state *sync,
			const struct status_live *live, int reading, const struct err *reading_err)
{
	CLEANUP(buf_finish) struct buf error_note = BUF_INIT;
	CLEANUP(buf_finish) struct buf status_note = BUF_INIT;
	const char *error = note(reader, NOTE_LAST_ERROR, &error_note);
	int status = atoi(buf_text((note(reader, NOTE_LAST_STATUS, &status_note), &status_note)));
	if (live && live->last_error) {
		error = *live->last_error ? live->last_error : NULL;
		status = live->last_status;
	}
	if (!error && reading < 0) {
		error = reading_err->text;
		status = exit_status(reading);
	}
	add_text(json, "state", state_of(sync->complete, error, live));
	add_bool(json, "healthy", sync->complete && !error);
	add_bool(json, "complete", sync->complete);
	add_text(json, "last_error", error);
	add_number(json, "last_status", status);
}

static void add_times(struct buf *json, struct store_reader *reader)
{
	CLEANUP(buf_finish) struct buf attempt = BUF_INIT;
	CLEANUP(buf_finish) struct buf success = BUF_INIT;
	CLEANUP(buf_finish) struct buf change = BUF_INIT;
	add_text(json, "last_attempt", note(reader, NOTE_LAST_ATTEMPT, &attempt));
	add_text(json, "last_success", note(reader, NOTE_LAST_SUCCESS, &success));
	add_text(json, "last_change", note(reader, NOTE_LAST_CHANGE, &change));
	add_age(json, success.len ? success.text : NULL);
}

/* Numbers of an object, each a line; the last has no comma behind it. */
struct number {
	const char *key;
	uint64_t value;
};

static void add_numbers(struct buf *json, const struct number *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(json, "    \"%s\": %llu%s\n", numbers[i].key, (unsigned long long)numbers[i].value,
			   i + 1 < count ? "," : "");
}

static void add_cache(struct buf *json, const struct status_place *place, const struct status_live *live)
{
	if (!place->cache)
		return;
	const struct assets_counts none = {.cached_bytes = live ? 0 : assets_cached_bytes(place->cache)};
	const struct assets_counts *counts = live ? live->assets : &none;
	const struct number numbers[] = {
		{"limit_bytes", (uint64_t)place->cache_limit},
		{"cached_bytes", (uint64_t)counts->cached_bytes},
		{"hits", counts->hits},
		{"misses", counts->misses},
		{"requests", counts->requests},
		{"fetched_bytes", counts->fetched_bytes},
		{"failures", counts->failures},
		{"downloads", counts->downloads},
		{"waiting", counts->waiting},
	};
	buf_append_text(json, "  \"cache\": {\n  ");
	add_text(json, "folder", place->cache);
	add_numbers(json, numbers, live ? sizeof(numbers) / sizeof(numbers[0]) : 2);
	buf_append_text(json, "  },\n");
}

/* What the store takes on its disk, with the journal beside it. */
static void add_store(struct buf *json, const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	int64_t bytes = 0;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		CLEANUP(buf_finish) struct buf name = BUF_INIT;
		struct stat st;
		if (buf_printf(&name, "%s%s", path, suffixes[i]) == 0 && stat(name.text, &st) == 0)
			bytes += (int64_t)st.st_blocks * 512;
	}
	add_text(json, "store", path);
	add_number(json, "store_bytes", bytes);
}

static void add_live(struct buf *json, const struct status_live *live)
{
	add_bool(json, "mounted", live != NULL);
	if (!live)
		return;
	add_text(json, "mountpoint", live->mountpoint);
	add_number(json, "pid", live->pid);
	add_bool(json, "syncing", live->syncing);
	buf_printf(json, "  \"next_poll_seconds\": %.1f,\n", (double)live->next_poll_ms / 1000);
	add_text(json, "waiting_for", live->waiting_for);
	buf_printf(json, "  \"waiting_seconds\": %.1f,\n", (double)live->wait_ms / 1000);
	add_number(json, "service_calls", (int64_t)live->service_calls);
	add_number(json, "requests", (int64_t)live->requests);
	buf_append_text(json, "  \"requests_by_operation\": {");
	for (int i = 0; i < live->operation_count; i++)
		buf_printf(json, "%s\"%s\": %llu", i ? ", " : "", live->operation_names[i],
			   (unsigned long long)live->operations[i]);
	buf_append_text(json, "},\n");
}

struct counting {
	struct buf *json;
	bool any;
};

static void add_count(void *context, struct slice content_type, struct slice locale, int64_t files)
{
	struct counting *counting = context;
	buf_append_text(counting->json, counting->any ? ",\n    {\"content_type\": " : "\n    {\"content_type\": ");
	json_append_string(counting->json, content_type);
	buf_append_text(counting->json, ", \"locale\": ");
	json_append_string(counting->json, locale);
	buf_printf(counting->json, ", \"entries\": %lld}", (long long)files);
	counting->any = true;
}

static void add_counts(struct buf *json, bool known, const struct store_totals *totals,
		       const struct store_sync_state *sync)
{
	add_count_of(json, "content_types", known, totals->content_types);
	add_count_of(json, "entries", known, totals->entries);
	add_count_of(json, "assets", known, totals->assets);
	add_count_of(json, "directories", known, totals->directories);
	add_count_of(json, "bytes", known, totals->bytes);
	add_count_of(json, "asset_bytes", known, totals->asset_bytes);
	add_count_of(json, "quarantined", known, sync->quarantined);
	add_count_of(json, "run_pages", known, (int64_t)sync->pages);
	add_count_of(json, "run_items", known, (int64_t)sync->items);
}

int status_append(struct buf *json, struct store_reader *reader, const struct status_place *place,
		  const struct status_live *live, struct err *err)
{
	struct store_totals totals = {0};
	struct store_sync_state sync = {0};
	struct err reading_err = {0};
	int reading = reader_totals(reader, &totals, &reading_err);
	if (reading == 0)
		reading = reader_sync_state(reader, &sync, &reading_err);
	if (reading < 0 && !live)
		return err_set(err, reading, "%s: %s", place->store, reading_err.text);
	buf_append_text(json, "{\n");
	add_text(json, "version", CONTENTFS_VERSION);
	add_outcome(json, reader, &sync, live, reading, &reading_err);
	add_times(json, reader);
	add_counts(json, reading == 0, &totals, &sync);
	add_live(json, live);
	add_cache(json, place, live);
	add_store(json, place->store);
	add_identity(json, reader);
	buf_append_text(json, "  \"entries_by_type\": [");
	struct counting counting = {.json = json};
	if (reading == 0)
		reading = reader_counts(reader, add_count, &counting, &reading_err);
	if (reading < 0 && !live)
		return err_set(err, reading, "%s: %s", place->store, reading_err.text);
	buf_append_text(json, counting.any ? "\n  ]\n}\n" : "]\n}\n");
	return json->failed ? err_oom(err) : 0;
}
