/* An engine between a fake service and a store of its own, and the words of the Sync API that tests of it are written in. */
#ifndef CONTENTFS_TESTS_SYNC_FIXTURE_H
#define CONTENTFS_TESTS_SYNC_FIXTURE_H

#include "fake_delivery.h"
#include "sync/sync.h"
#include "temp_store.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define EVENT(type, second, content_type, fields)                                                                      \
	"{\"type\":\"" type "\",\"event_at\":\"2026-01-01T00:00:" second "Z\",\"content_type_uid\":\"" content_type    \
	"\",\"data\":{" fields "}}"
#define ENTRY_OF(content_type, uid, locale, version, second)                                                           \
	EVENT("entry_published", second, content_type,                                                                 \
	      "\"uid\":\"" uid "\",\"_version\":" #version ",\"publish_details\":{\"locale\":\"" locale "\"}")
#define ENTRY_IN(uid, locale, version, second) ENTRY_OF("blog", uid, locale, version, second)
#define ENTRY(uid, version, second) ENTRY_IN(uid, "en", version, second)
#define UNPUBLISHED(uid, second) EVENT("entry_unpublished", second, "blog", "\"uid\":\"" uid "\",\"locale\":\"en\"")
#define TYPE_DELETED(content_type, second) EVENT("content_type_deleted", second, content_type, "")

/* A page that has another one behind it, and one that ends the run. */
#define MORE(items, token) "{\"items\":[" items "],\"pagination_token\":\"" token "\"}"
#define LAST(items, token) "{\"items\":[" items "],\"sync_token\":\"" token "\"}"

/* The same of a listing that says how many items it has in all. */
#define MORE_OF(total, items, token)                                                                                   \
	"{\"total_count\":" #total ",\"items\":[" items "],\"pagination_token\":\"" token "\"}"
#define LAST_OF(total, items, token) "{\"total_count\":" #total ",\"items\":[" items "],\"sync_token\":\"" token "\"}"

struct sync_fixture {
	struct temp_store temp;
	struct delivery fake;
	struct sync *sync;
	struct sync_filter filter;
	unsigned jobs;
	struct err err;
	int commits;         /* that changed the tree */
	struct buf progress; /* "PAGES/ITEMS PAGES/ITEMS ..." */
	uint64_t total;      /* that the last of these gave */
	int rests;           /* that were due */
	int turns;           /* that were told of */
	int stop_at_turn;    /* when the service is told to stop; or 0 */
	struct buf seen;     /* for the test */
};

/* filter is borrowed; NULL keeps everything. */
void sync_fixture_open(struct sync_fixture *fixture, const struct sync_filter *filter);

/* The same with several questions under way at once. */
void sync_fixture_open_with(struct sync_fixture *fixture, const struct sync_filter *filter, unsigned jobs);

/* The same, keeping everything, over a store whose file has these bytes. */
void sync_fixture_open_copy(struct sync_fixture *fixture, struct slice file, unsigned jobs);
void sync_fixture_finish(struct sync_fixture *fixture);

/* A new engine over the same store, as after a restart. */
void sync_fixture_restart(struct sync_fixture *fixture);

/* As sync_run, with an empty `err` before. */
int sync_fixture_run(struct sync_fixture *fixture, struct sync_result *result);

/* A run with these answers: checks what it comes to, that it asks what the answers are for, what is shown afterwards, that
 * there is a message if it failed and only then, and that the store is sound. */
void sync_fixture_expect(struct sync_fixture *fixture, const char *what, int rc, const char *shown,
			 const struct fake_answer *answers, size_t count);

/* The same with the answers as the last arguments. */
#define EXPECT(fixture, what, rc, shown, ...)                                                                          \
	do {                                                                                                           \
		static const struct fake_answer expected[] = {__VA_ARGS__};                                            \
		sync_fixture_expect(fixture, what, rc, shown, expected, sizeof(expected) / sizeof(expected[0]));       \
	} while (0)

/* "UID@VERSION UID@VERSION ..." of the visible entries in the order of their locales, then content types and uids. */
const char *sync_fixture_shown(struct sync_fixture *fixture);

#endif
