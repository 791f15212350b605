#include "app/engine.h"
#include "app/examine.h"
#include "store/reader.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/human.h"

#include <errno.h>
#include <stdlib.h>

/* What the settings say of a store's identity; NULL where they say nothing. */
struct claim {
	const char *key;
	const char *value;
	const char *name;
};

static void examine_identity(struct findings *findings, const struct config *config, struct store_reader *reader)
{
	bool whole = config->api_key && config->environment; /* then what is not set has its default */
	const struct claim claims[] = {
		{"host", config->host || config->region || whole ? engine_host(config, NULL) : NULL, "host"},
		{"api_key", config->api_key, "API key"},
		{"environment", config->environment, "environment"},
		{"branch",
		 config->branch ? config->branch
		 : whole        ? CONFIG_MAIN_BRANCH
				: NULL,
		 "branch"},
	};
	CLEANUP(buf_finish) struct buf differ = BUF_INIT;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		CLEANUP(buf_finish) struct buf stored = BUF_INIT;
		if (!claims[i].value || reader_note(reader, claims[i].key, &stored) < 0)
			continue;
		if (!slice_is(buf_slice(&stored), claims[i].value))
			buf_printf(&differ, "%s%s ('%s' in the store, '%s' now)", differ.len ? ", " : "",
				   claims[i].name, buf_text(&stored), claims[i].value);
	}
	if (differ.len > 0)
		finding_failed(findings, "store", -EINVAL,
			       "%s belongs to other settings, which differ in: %s. Use those, or another --store",
			       config->store, differ.text);
	else
		finding_ok(findings, "store", "%s is of these settings", config->store);
}

static void examine_integrity(struct findings *findings, struct store_reader *reader)
{
	struct err err = {0};
	int rc = reader_check(reader, &err);
	if (rc == -EUCLEAN)
		finding_failed(findings, "integrity", rc,
			       "%s. A mount that comes upon it sets the store aside and fetches the content anew; look "
			       "after the disk (dmesg, smartctl)",
			       err.text);
	else if (rc < 0)
		finding_failed(findings, "integrity", rc, "%s", err.text);
	else
		finding_ok(findings, "integrity", "every page of the store is sound");
}

static void examine_last_sync(struct findings *findings, struct store_reader *reader)
{
	CLEANUP(buf_finish) struct buf error = BUF_INIT;
	CLEANUP(buf_finish) struct buf success = BUF_INIT;
	char ago[HUMAN_SIZE] = "never";
	int64_t then;
	reader_note(reader, NOTE_LAST_ERROR, &error);
	reader_note(reader, NOTE_LAST_SUCCESS, &success);
	bool known = success.len > 0 && time_parse_iso(buf_slice(&success), &then) == 0;
	if (known)
		human_duration(clock_wall_ms() - then, ago);
	if (error.len > 0)
		finding_warning(findings, "last sync", "it failed: %s (the last that succeeded: %s%s)", error.text, ago,
				known ? " ago" : "");
	else if (known)
		finding_ok(findings, "last sync", "it succeeded, %s ago", ago);
	else
		finding_warning(findings, "last sync",
				"none has ended yet: contentfs mount or contentfs sync goes on with it");
}

static void examine_quarantine(struct findings *findings, struct store_reader *reader)
{
	struct store_sync_state state = {0};
	struct err err = {0};
	if (reader_sync_state(reader, &state, &err) < 0)
		finding_failed(findings, "quarantine", -EIO, "%s", err.text);
	else if (state.quarantined > 0)
		finding_warning(findings, "quarantine",
				"%lld items cannot be applied: sqlite3 STORE 'SELECT * FROM quarantine' says why",
				(long long)state.quarantined);
	else
		finding_ok(findings, "quarantine", "it is empty");
}

void examine_store(struct findings *findings, const struct config *config)
{
	struct store_reader *reader = NULL;
	struct err err = {0};
	if (!config->store)
		return;
	if (access(config->store, F_OK) < 0 && errno == ENOENT) {
		finding_ok(findings, "store", "%s is made by the first mount or sync", config->store);
		return;
	}
	int rc = reader_open(&reader, config->store, &err);
	if (rc < 0) {
		finding_failed(findings, "store", rc, "%s", err.text);
		return;
	}
	examine_identity(findings, config, reader);
	examine_integrity(findings, reader);
	examine_last_sync(findings, reader);
	examine_quarantine(findings, reader);
	reader_close(reader);
}
