#include "app/metrics.h"

#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>

enum metric_type { GAUGE, COUNTER };

/* A member of the status that is a metric. True is 1, false is 0, a time is seconds since the epoch. */
struct metric {
	const char *name; /* without the prefix */
	enum metric_type type;
	const char *object; /* the member of the status that it is a member of; NULL for the status itself */
	const char *key;
	const char *help;
};

static const struct metric metrics[] = {
	{"healthy", GAUGE, NULL, "healthy", "Whether the content is whole and the last sync succeeded."},
	{"complete", GAUGE, NULL, "complete", "Whether the content is whole."},
	{"mounted", GAUGE, NULL, "mounted", "Whether a mount says this, and not the store alone."},
	{"syncing", GAUGE, NULL, "syncing", "Whether a sync is under way."},
	{"last_status", GAUGE, NULL, "last_status",
	 "The exit status that the last sync stands for, 0 after a success."},
	{"content_age_seconds", GAUGE, NULL, "age_seconds", "Time since the last successful sync."},
	{"last_success_timestamp_seconds", GAUGE, NULL, "last_success", "When a sync last succeeded."},
	{"last_attempt_timestamp_seconds", GAUGE, NULL, "last_attempt", "When a sync last ended."},
	{"last_change_timestamp_seconds", GAUGE, NULL, "last_change", "When a sync last brought a change."},
	{"next_poll_seconds", GAUGE, NULL, "next_poll_seconds", "Time until the service is asked again."},
	{"waiting_seconds", GAUGE, NULL, "waiting_seconds", "How long the sync under way waits yet."},
	{"content_types", GAUGE, NULL, "content_types", "Content types."},
	{"assets", GAUGE, NULL, "assets", "Records of assets."},
	{"directories", GAUGE, NULL, "directories", "Directories in the tree."},
	{"text_bytes", GAUGE, NULL, "bytes", "Size of the texts in the tree."},
	{"asset_bytes", GAUGE, NULL, "asset_bytes", "Size of the files of assets, as far as it is known."},
	{"quarantined_items", GAUGE, NULL, "quarantined", "Items that could not be applied."},
	{"store_bytes", GAUGE, NULL, "store_bytes", "What the store takes on its disk."},
	{"service_calls_total", COUNTER, NULL, "service_calls", "Questions to the service."},
	{"cache_limit_bytes", GAUGE, "cache", "limit_bytes", "What the cache of assets may take."},
	{"cache_bytes", GAUGE, "cache", "cached_bytes", "What the cache of assets takes."},
	{"cache_hits_total", COUNTER, "cache", "hits", "Reads of assets that the cache answered."},
	{"cache_misses_total", COUNTER, "cache", "misses", "Reads of assets that waited for the network."},
	{"cache_requests_total", COUNTER, "cache", "requests", "Requests for bytes of assets."},
	{"cache_fetched_bytes_total", COUNTER, "cache", "fetched_bytes", "Bytes of assets that were fetched."},
	{"cache_failures_total", COUNTER, "cache", "failures", "Reads of assets that failed."},
	{"cache_downloads", GAUGE, "cache", "downloads", "Downloads of assets under way."},
	{"cache_waiting_reads", GAUGE, "cache", "waiting", "Reads of assets that wait."},
};

void metrics_append_value(struct buf *out, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];
		if (c == '\n')
			buf_append_text(out, "\\n");
		else if (c == '\\' || c == '"')
			buf_printf(out, "\\%c", c);
		else
			buf_append_char(out, c);
	}
}

static void append_head(struct buf *out, const char *name, enum metric_type type, const char *help)
{
	buf_printf(out, "# HELP contentfs_%s %s\n# TYPE contentfs_%s %s\n", name, help, name,
		   type == COUNTER ? "counter" : "gauge");
}

/* A label with the text of a member; nothing if it is no string. `first`: none stands before it. */
static void append_label(struct buf *out, const char *label, struct json_value object, const char *key, bool first)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	struct json_value value;
	if (json_get(object, key, &value) && value.type == JSON_STRING && json_string_decode(value, &text) == -ENOMEM)
		out->failed = true;
	buf_printf(out, "%s%s=\"", first ? "{" : ",", label);
	metrics_append_value(out, buf_slice(&text));
	buf_append_char(out, '"');
}

static void append_name(struct buf *out, const char *name, struct json_value status)
{
	buf_printf(out, "contentfs_%s", name);
	append_label(out, "store", status, "store", true);
}

/* The member as a number; false if it is none. */
static bool append_number(struct buf *out, struct json_value value)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	int64_t ms;
	switch (value.type) {
	case JSON_TRUE:
	case JSON_FALSE:
		buf_append_char(out, value.type == JSON_TRUE ? '1' : '0');
		return true;
	case JSON_NUMBER:
		buf_append(out, value.text.at, value.text.len);
		return true;
	case JSON_STRING:
		if (json_string_decode(value, &text) < 0 || time_parse_iso(buf_slice(&text), &ms) < 0)
			return false;
		buf_printf(out, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
		return true;
	default:
		return false;
	}
}

static void append_metric(struct buf *out, const struct metric *metric, struct json_value status)
{
	CLEANUP(buf_finish) struct buf number = BUF_INIT;
	struct json_value object = status;
	struct json_value value;
	if ((metric->object && !json_get(status, metric->object, &object)) || !json_get(object, metric->key, &value) ||
	    !append_number(&number, value))
		return;
	append_head(out, metric->name, metric->type, metric->help);
	append_name(out, metric->name, status);
	buf_printf(out, "} %s\n", buf_text(&number));
	out->failed |= number.failed;
}

static void append_entries(struct buf *out, struct json_value status)
{
	struct json_value counts;
	struct json_value count;
	struct json_value entries;
	if (!json_get(status, "entries_by_type", &counts))
		return;
	append_head(out, "entries", GAUGE, "Entries, by content type and locale.");
	for (struct json_iter it = json_iter(counts); json_next_element(&it, &count);) {
		if (!json_get(count, "entries", &entries))
			continue;
		append_name(out, "entries", status);
		append_label(out, "content_type", count, "content_type", false);
		append_label(out, "locale", count, "locale", false);
		buf_printf(out, "} %.*s\n", SLICE_FMT(entries.text));
	}
}

/* Each operation is a member, named by us: nothing in it needs escaping. */
static void append_requests(struct buf *out, struct json_value status)
{
	struct json_value operations;
	struct json_value name;
	struct json_value count;
	if (!json_get(status, "requests_by_operation", &operations))
		return;
	append_head(out, "requests_total", COUNTER, "Requests of the kernel, by operation.");
	for (struct json_iter it = json_iter(operations); json_next_member(&it, &name, &count);) {
		append_name(out, "requests_total", status);
		buf_printf(out, ",operation=%.*s} %.*s\n", SLICE_FMT(name.text), SLICE_FMT(count.text));
	}
}

static void append_info(struct buf *out, struct json_value status)
{
	static const char *const keys[] = {"version", "host", "environment", "branch", "mountpoint"};
	append_head(out, "info", GAUGE, "What this is about; always 1.");
	append_name(out, "info", status);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		append_label(out, keys[i], status, keys[i], false);
	buf_append_text(out, "} 1\n");
}

int metrics_append(struct buf *out, struct json_value status)
{
	append_info(out, status);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		append_metric(out, &metrics[i], status);
	append_entries(out, status);
	append_requests(out, status);
	return out->failed ? -ENOMEM : 0;
}
