/* contentfs status, for people and for programs. */
#include "app/status.h"

#include "app/exit_status.h"
#include "cli/command.h"
#include "cli/mounted.h"
#include "util/cleanup.h"
#include "util/json.h"
#include "util/printable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int status_of_store(struct config *config, struct buf *json, struct err *err)
{
	int rc = config_complete(config, false, err);
	if (rc < 0)
		return rc;
	if (access(config->store, F_OK) < 0 && errno == ENOENT)
		return err_set(err, -EINVAL, "there is no store at %s yet: run contentfs mount or contentfs sync",
			       config->store);
	struct store_reader *reader = NULL;
	rc = reader_open(&reader, config->store, err);
	if (rc == 0)
		rc = status_append(json, reader, config->store, NULL, err);
	reader_close(reader);
	return rc;
}

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

static void print_counts(struct json_value status)
{
	struct json_value counts;
	struct json_value count;
	if (!json_get(status, "entries_by_type", &counts))
		return;
	for (struct json_iter it = json_iter(counts); json_next_element(&it, &count);) {
		CLEANUP(buf_finish) struct buf type = BUF_INIT;
		CLEANUP(buf_finish) struct buf locale = BUF_INIT;
		CLEANUP(buf_finish) struct buf entries = BUF_INIT;
		member(count, "content_type", &type);
		member(count, "locale", &locale);
		member(count, "entries", &entries);
		printf("  %8s  %s, %s\n", buf_text(&entries), buf_text(&type), buf_text(&locale));
	}
}

static bool is_set(struct json_value status, const char *key)
{
	struct json_value value;
	return json_get(status, key, &value) && value.type != JSON_NULL && value.type != JSON_FALSE;
}

/* What goes on: a sync that waits, one that is under way, or when the next one begins. */
static void print_polls(struct json_value status)
{
	if (is_set(status, "waiting_for")) {
		print_line(status, "Waiting for:", "waiting_for", "");
		print_line(status, "Goes on in:", "waiting_seconds", " s");
	} else if (is_set(status, "syncing")) {
		print_line(status, "Syncing:", "run_pages", " pages of this run so far");
	} else {
		print_line(status, "Next poll in:", "next_poll_seconds", " s");
	}
}

/* A number of bytes as people read it. */
static void megabytes(struct json_value object, const char *key, char text[32])
{
	struct json_value value;
	long long number = 0;
	if (json_get(object, key, &value))
		json_integer(value, &number);
	snprintf(text, 32, "%.1f MB", (double)number / 1e6);
}

static void print_cache(struct json_value status)
{
	struct json_value cache;
	char used[32];
	char limit[32];
	CLEANUP(buf_finish) struct buf folder = BUF_INIT;
	CLEANUP(buf_finish) struct buf waiting = BUF_INIT;
	if (!json_get(status, "cache", &cache))
		return;
	megabytes(cache, "cached_bytes", used);
	megabytes(cache, "limit_bytes", limit);
	member(cache, "folder", &folder);
	member(cache, "waiting", &waiting);
	bool any = waiting.len > 0 && strcmp(waiting.text, "0") != 0;
	printf("%-15s %s of %s in %s\n", "Cached assets:", used, limit, buf_text(&folder));
	if (any)
		printf("%-15s %s for bytes of assets\n", "Reads waiting:", waiting.text);
}

static void print_quarantine(struct json_value status)
{
	CLEANUP(buf_finish) struct buf count = BUF_INIT;
	member(status, "quarantined", &count);
	bool any = count.len > 0 && strcmp(count.text, "0") != 0;
	print_line(status, "Quarantined:", "quarantined",
		   any ? " that cannot be applied (sqlite3 STORE 'SELECT * FROM quarantine' shows them)" : "");
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
	print_line(status, "Store:", "store", "");
	print_line(status, "Age:", "age_seconds", " s since the last successful sync");
	print_line(status, "Last change:", "last_change", "");
	print_polls(status);
	print_line(status, "Content types:", "content_types", "");
	print_line(status, "Assets:", "assets", "");
	print_cache(status);
	print_quarantine(status);
	print_line(status, "Entries:", "entries", "");
	print_counts(status);
}

static int status_exit(struct json_value status)
{
	struct json_value value;
	long long number;
	if (json_get(status, "healthy", &value) && value.type == JSON_TRUE)
		return EX_OK;
	if (json_get(status, "last_status", &value) && json_integer(value, &number) == 0 && number > 0 && number < 256)
		return (int)number;
	return EX_UNAVAILABLE;
}

int command_status(struct invocation *invocation, struct err *err)
{
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	int rc = invocation->operand ? mounted_status(invocation->operand, &json, err)
				     : status_of_store(&invocation->config, &json, err);
	if (rc < 0)
		return exit_status(rc);
	struct json_value status;
	if (json_check(buf_slice(&json), 8, &status, err) < 0)
		return exit_status(err_prefix(err, -EPROTO, "the status cannot be read"));
	if (invocation->json)
		fwrite(json.text, 1, json.len, stdout);
	else
		print_for_people(status);
	return status_exit(status);
}
