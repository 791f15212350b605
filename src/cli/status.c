/* contentfs status, for people and for programs. */
#include "app/status.h"

#include "app/exit_status.h"
#include "app/metrics.h"
#include "cli/command.h"
#include "cli/mounted.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/human.h"
#include "util/json.h"
#include "util/printable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static int status_of_store(struct config *config, struct buf *json, struct err *err)
{
	int rc = config_complete(config, false, err);
	if (rc < 0)
		return rc;
	bool cache = config_complete_assets(config, NULL) == 0; /* a store may be looked at without */
	const struct status_place place = {config->store, cache ? config->cache : NULL, config->cache_bytes};
	struct store_reader *reader = NULL;
	rc = reader_open(&reader, config->store, err);
	if (rc == 0)
		rc = status_append(json, reader, &place, NULL, err);
	reader_close(reader);
	return rc;
}

/* --- for people --------------------------------------------------------------------------------------------------- */

/* The text of a member for people to read: decoded if it is a string, "" for null or none. */
static void member(struct json_value status, const char *key, struct buf *text)
{
	struct json_value value;
	buf_reset(text);
	if (!json_get(status, key, &value) || value.type == JSON_NULL)
		return;
	if (value.type == JSON_STRING)
		json_string_decode(value, text);
	else
		buf_append(text, value.text.at, value.text.len);
	if (text->len > 0)
		make_printable(text->text, text->len);
}

static void print_line(struct json_value status, const char *label, const char *key, const char *unit)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	member(status, key, &text);
	if (text.len > 0)
		printf("%-15s %s%s\n", label, text.text, unit);
}

/* A member that is a whole number, 0 where it is none. */
static int64_t number_of(struct json_value object, const char *key)
{
	struct json_value value;
	long long number = 0;
	if (json_get(object, key, &value))
		json_integer(value, &number);
	return number;
}

static bool is_set(struct json_value status, const char *key)
{
	struct json_value value;
	return json_get(status, key, &value) && value.type != JSON_NULL && value.type != JSON_FALSE;
}

static void print_age(struct json_value status)
{
	char text[HUMAN_SIZE];
	if (is_set(status, "age_seconds"))
		printf("%-15s %s since the last successful sync\n",
		       "Age:", human_duration(number_of(status, "age_seconds") * 1000, text));
	else
		printf("%-15s there was no successful sync yet\n", "Age:");
}

/* A time, and how long that is ago. */
static void print_time(struct json_value status, const char *label, const char *key)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	char ago[HUMAN_SIZE];
	int64_t ms;
	member(status, key, &text);
	if (text.len > 0 && time_parse_iso(buf_slice(&text), &ms) == 0)
		printf("%-15s %s (%s ago)\n", label, text.text, human_duration(clock_wall_ms() - ms, ago));
}

/* The status gives seconds with their tenths. */
static void print_wait(struct json_value status, const char *label, const char *key)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	char wait[HUMAN_SIZE];
	member(status, key, &text);
	if (text.len > 0)
		printf("%-15s %s\n", label, human_duration((int64_t)(strtod(text.text, NULL) * 1000), wait));
}

static void print_count(struct json_value status, const char *label, const char *key)
{
	char count[HUMAN_SIZE];
	if (is_set(status, key))
		printf("%-15s %s\n", label, human_count((uint64_t)number_of(status, key), count));
}

static void print_counts(struct json_value status)
{
	struct json_value counts;
	struct json_value count;
	char entries[HUMAN_SIZE];
	print_count(status, "Entries:", "entries");
	if (!json_get(status, "entries_by_type", &counts))
		return;
	for (struct json_iter it = json_iter(counts); json_next_element(&it, &count);) {
		CLEANUP(buf_finish) struct buf type = BUF_INIT;
		CLEANUP(buf_finish) struct buf locale = BUF_INIT;
		member(count, "content_type", &type);
		member(count, "locale", &locale);
		printf("  %10s  %s, %s\n", human_count((uint64_t)number_of(count, "entries"), entries), buf_text(&type),
		       buf_text(&locale));
	}
}

/* What goes on: a sync that waits, one that is under way, or when the next one begins. */
static void print_polls(struct json_value status)
{
	if (is_set(status, "waiting_for")) {
		print_line(status, "Waiting for:", "waiting_for", "");
		print_wait(status, "Goes on in:", "waiting_seconds");
	} else if (is_set(status, "syncing")) {
		print_line(status, "Syncing:", "run_pages", " pages of this run so far");
	} else {
		print_wait(status, "Next poll in:", "next_poll_seconds");
	}
}

static void print_cache(struct json_value status)
{
	struct json_value cache;
	char used[HUMAN_SIZE];
	char limit[HUMAN_SIZE];
	CLEANUP(buf_finish) struct buf folder = BUF_INIT;
	if (!json_get(status, "cache", &cache))
		return;
	member(cache, "folder", &folder);
	printf("%-15s %s of %s in %s\n", "Cached assets:", human_bytes(number_of(cache, "cached_bytes"), used),
	       human_bytes(number_of(cache, "limit_bytes"), limit), buf_text(&folder));
	if (number_of(cache, "waiting") > 0)
		printf("%-15s %lld for bytes of assets\n", "Reads waiting:", (long long)number_of(cache, "waiting"));
}

static void print_store(struct json_value status)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	char size[HUMAN_SIZE];
	member(status, "store", &path);
	printf("%-15s %s (%s)\n", "Store:", buf_text(&path), human_bytes(number_of(status, "store_bytes"), size));
}

static void print_assets(struct json_value status)
{
	char count[HUMAN_SIZE];
	char size[HUMAN_SIZE];
	if (is_set(status, "assets"))
		printf("%-15s %s (%s)\n", "Assets:", human_count((uint64_t)number_of(status, "assets"), count),
		       human_bytes(number_of(status, "asset_bytes"), size));
}

static void print_for_people(struct json_value status)
{
	print_line(status, "State:", "state", "");
	print_line(status, "Last error:", "last_error", "");
	print_line(status, "Mounted on:", "mountpoint", "");
	print_line(status, "Environment:", "environment", "");
	print_line(status, "Branch:", "branch", "");
	print_line(status, "Host:", "host", "");
	print_line(status, "Filters:", "filters", "");
	print_store(status);
	print_age(status);
	print_time(status, "Last change:", "last_change");
	print_polls(status);
	print_count(status, "Content types:", "content_types");
	print_assets(status);
	print_cache(status);
	print_line(status, "Quarantined:", "quarantined",
		   number_of(status, "quarantined") > 0
			   ? " that cannot be applied (sqlite3 STORE 'SELECT * FROM quarantine' shows them)"
			   : "");
	print_counts(status);
}

/* --- for monitoring ----------------------------------------------------------------------------------------------- */

static int status_exit(struct json_value status)
{
	int64_t number = number_of(status, "last_status");
	if (is_set(status, "healthy"))
		return EX_OK;
	return number > 0 && number < 256 ? (int)number : EX_UNAVAILABLE;
}

/* Whether the content is of use: whatever became of the last sync, the next may be in time. */
static int check_age(struct json_value status, int64_t max_age_ms, struct err *err)
{
	CLEANUP(buf_finish) struct buf error = BUF_INIT;
	char age[HUMAN_SIZE];
	char limit[HUMAN_SIZE];
	int64_t age_ms = number_of(status, "age_seconds") * 1000;
	bool known = is_set(status, "age_seconds");
	if (is_set(status, "complete") && known && age_ms <= max_age_ms)
		return 0;
	member(status, "last_error", &error);
	const char *colon = error.len > 0 ? ": " : "";
	if (!is_set(status, "complete") || !known)
		return err_set(err, -EBUSY, "the content is not whole yet%s%s", colon, buf_text(&error));
	return err_set(err, -EBUSY, "the last successful sync is %s ago, and %s are allowed%s%s",
		       human_duration(age_ms, age), human_duration(max_age_ms, limit), colon, buf_text(&error));
}

static int print_metrics(struct json_value status, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	if (metrics_append(&text, status) < 0)
		return err_oom(err);
	fwrite(text.text, 1, text.len, stdout);
	return 0;
}

static int print(const struct invocation *invocation, const struct buf *json, struct json_value status, struct err *err)
{
	if (invocation->metrics)
		return print_metrics(status, err);
	if (invocation->json)
		fwrite(json->text, 1, json->len, stdout);
	else
		print_for_people(status);
	return 0;
}

int command_status(struct invocation *invocation, struct err *err)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	int rc = invocation->operand ? mounted_status(invocation->operand, &json, err)
				     : status_of_store(&invocation->config, &json, err);
	if (rc < 0)
		return exit_status_of_reader(rc, err);
	struct json_value status;
	if (json_check(buf_slice(&json), 8, &status, err) < 0)
		return exit_status(err_prefix(err, -EPROTO, "the status cannot be read"));
	rc = print(invocation, &json, status, err);
	if (rc == 0 && invocation->max_age_ms >= 0)
		rc = check_age(status, invocation->max_age_ms, err);
	else if (rc == 0 && !invocation->metrics)
		return status_exit(status);
	return exit_status(rc);
}
