/* Whose a store is: the settings it was made with stand in it, and are compared whenever it is opened. */
#include "store/internal.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>

struct identity_part {
	const char *key;
	const char *value;
	const char *name; /* for people */
};

static int compare_identity(struct store *store, const struct identity_part *parts, size_t count, struct err *err)
{
	CLEANUP(buf_finish) struct buf differ = BUF_INIT;
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_finish) struct buf stored = BUF_INIT;
		int rc = store_note_get(store, parts[i].key, &stored, err);
		if (rc < 0)
			return rc;
		if (rc == 0) {
			rc = store_note(store, parts[i].key, parts[i].value, err);
			if (rc < 0)
				return rc;
		} else if (!slice_is(buf_slice(&stored), parts[i].value)) {
			buf_printf(&differ, "%s%s ('%s' in the store, '%s' now)", differ.len ? ", " : "", parts[i].name,
				   buf_text(&stored), parts[i].value);
		}
	}
	if (differ.failed)
		return err_oom(err);
	if (differ.len > 0)
		return err_set(
			err, -EINVAL,
			"the store belongs to other settings, which differ in: %s. Name another file with --store, or "
			"use the settings it was made with",
			differ.text);
	return 0;
}

int store_claim(struct store *store, const struct store_identity *identity, struct err *err)
{
	const struct identity_part parts[] = {
		{"host", identity->host, "host"},
		{"api_key", identity->api_key, "API key"},
		{"environment", identity->environment, "environment"},
		{"branch", identity->branch, "branch"},
		{"filters", identity->filters, "filters"},
	};
	int rc = store_begin(store, err);
	if (rc < 0)
		return rc;
	rc = compare_identity(store, parts, sizeof(parts) / sizeof(parts[0]), err);
	if (rc < 0) {
		store_rollback(store);
		return rc;
	}
	return store_commit(store, err);
}
