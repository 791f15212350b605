/*
 * A store whose pages are sound and whose rows do not belong together: whatever meets that says that the store is damaged, so
 * that it is replaced, and changes nothing.
 */
#include "store/store.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An entry and an asset that can be seen, and an entry that is staged. */
static const struct store_item *sample(const char *uid, int64_t event_at)
{
	static struct store_item item;
	item = temp_item(strcmp(uid, "asset") == 0 ? temp_asset("en", uid) : temp_entry("blog", "en", uid), event_at,
			 "{}");
	if (item.key.kind == NODE_ASSET)
		item.file = (struct store_file){slice_of("https://assets.example.org/a"), slice_of("a.png"),
						slice_of("image/png"), 7, 0};
	return &item;
}

static void fill(struct temp_store *temp)
{
	struct err err = {0};
	temp_store_open(temp);
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(store_place(temp->store, sample("entry", 1), &err), &err, "store_place");
	temp_must(store_place(temp->store, sample("asset", 1), &err), &err, "store_place");
	temp_must(store_stage(temp->store, sample("staged", 1), &err), &err, "store_stage");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

/* --- what meets the damage ---------------------------------------------------------------------------------------- */

static int find(struct store *store, struct err *err)
{
	struct store_known known;
	return store_find(store, &sample("entry", 2)->key, &known, err);
}

static int place_entry(struct store *store, struct err *err)
{
	return store_place(store, sample("entry", 2), err);
}

static int place_asset(struct store *store, struct err *err)
{
	return store_place(store, sample("asset", 2), err);
}

static int unplace_entry(struct store *store, struct err *err)
{
	return store_unplace(store, &sample("entry", 2)->key, 2, err);
}

static int publish(struct store *store, struct err *err)
{
	return store_publish(store, 1, false, NULL, err);
}

#define ENTRY_INO "(SELECT ino FROM version WHERE uid = 'entry')"

static const struct {
	const char *name;
	const char *damage; /* SQL */
	int (*meet)(struct store *store, struct err *err);
	const char *says;
} rows[] = {
	{"looking for an entry without a node", "DELETE FROM node WHERE ino = " ENTRY_INO, find,
	 "a name points nowhere"},
	{"looking for an entry without a text", "DELETE FROM version WHERE uid = 'entry'", find, "has no text"},
	{"a new version of an entry without a node", "DELETE FROM node WHERE ino = " ENTRY_INO, place_entry,
	 "a name points nowhere"},
	{"taking away an entry without a text", "DELETE FROM version WHERE uid = 'entry'", unplace_entry,
	 "has no text"},
	{"a new version of an asset without a file", "DELETE FROM node WHERE kind = 4", place_asset,
	 "an asset has no file"},
	{"an asset whose numbers do not follow each other",
	 "CREATE TRIGGER skip AFTER INSERT ON version BEGIN"
	 " UPDATE sqlite_sequence SET seq = seq + 5 WHERE name = 'node'; END",
	 place_asset, "it numbers its nodes wrongly"},
	{"a staged entry without a node", "DELETE FROM node WHERE ino = (SELECT ino FROM staged)", publish,
	 "a staged item has no node"},
};

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		struct err err = {0};
		fill(&temp);
		is_str(temp_store_ask(&temp, rows[i].damage), "", "%s: the damage", rows[i].name);
		int64_t end = store_journal_end(temp.store);
		temp_must(store_begin(temp.store, &err), &err, "store_begin");
		is_int(rows[i].meet(temp.store, &err), -EUCLEAN, "%s is damage", rows[i].name);
		ok(strstr(err.text, "the store is damaged: ") == err.text && strstr(err.text, rows[i].says),
		   "%s: the message says so: %s", rows[i].name, err.text);
		store_rollback(temp.store);
		is_int(store_journal_end(temp.store), end, "%s: nothing is changed", rows[i].name);
		is_str(temp_store_ask(&temp, "SELECT count(*) FROM change"), "7", "%s: nor told", rows[i].name);
	}
	return tap_done();
}
