/* The files of assets: a folder beside the record with the file in it, through every change of either. */
#include "store/schema.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct store_item asset_item(const char *locale, const char *uid, int64_t event_at, const char *url,
				    const char *name, int64_t size)
{
	struct store_item item = temp_item(temp_asset(locale, uid), event_at, "{}\n");
	item.file = (struct store_file){slice_of(url), slice_of(name), slice_of("image/png"), size, 0};
	return item;
}

static void in_transaction(struct temp_store *temp, int (*act)(struct store *, const struct store_item *, struct err *),
			   const struct store_item *item)
{
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(act(temp->store, item, &err), &err, "the change");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

static void place(struct temp_store *temp, struct store_item item)
{
	in_transaction(temp, store_place, &item);
}

static struct node_attr attr_of(struct temp_store *temp, const char *path)
{
	struct node_attr attr = {0};
	temp_must(reader_attr(temp->reader, temp_store_ino(temp, path), &attr), NULL, path);
	return attr;
}

static void is_sound(struct temp_store *temp, const char *when)
{
	is_str(temp_store_fault(temp), "", "the store is as it must be: %s", when);
}

/* --- one version after the other ---------------------------------------------------------------------------------- */

#define RECORD "content_types/ entries/ assets/ assets/en/ assets/en/a.json={}\n"
#define NOTHING "content_types/ entries/ assets/"

static const struct {
	const char *name;
	int count;
	struct {
		const char *url, *name; /* NULL: the asset is removed */
		int64_t size;
	} versions[3];
	const char *want;
} histories[] = {
	{"a file", 1, {{"u1", "a.png", 5}}, RECORD " assets/en/a/ assets/en/a/a.png=<u1 5>"},
	{"no file", 1, {{"", "a.png", 5}}, RECORD},
	{"other bytes", 2, {{"u1", "a.png", 5}, {"u2", "a.png", 7}}, RECORD " assets/en/a/ assets/en/a/a.png=<u2 7>"},
	{"another name", 2, {{"u1", "a.png", 5}, {"u2", "b.png", 5}}, RECORD " assets/en/a/ assets/en/a/b.png=<u2 5>"},
	{"a file at last", 2, {{"", "x", 0}, {"u1", "a.png", 5}}, RECORD " assets/en/a/ assets/en/a/a.png=<u1 5>"},
	{"a file no more", 2, {{"u1", "a.png", 5}, {"", "x", 5}}, RECORD},
	{"removed", 2, {{"u1", "a.png", 5}, {NULL, NULL, 0}}, NOTHING},
	{"removed without file", 2, {{"", "a.png", 5}, {NULL, NULL, 0}}, NOTHING},
	{"there again",
	 3,
	 {{"u1", "a.png", 5}, {NULL, NULL, 0}, {"u1", "a.png", 5}},
	 RECORD " assets/en/a/ assets/en/a/a.png=<u1 5>"},
	{"a size that is none", 1, {{"u1", "a.png", -1}}, RECORD " assets/en/a/ assets/en/a/a.png=<u1 -1>"},
	{"nothing at all is to be looked at",
	 1,
	 {{"u1", "a.png", 0}},
	 RECORD " assets/en/a/ assets/en/a/a.png=<u1 -1>"},
	{"a name that no file can have", 1, {{"u1", "..", 5}}, RECORD " assets/en/a/ assets/en/a/%2E%2E=<u1 5>"},
};

static void test_histories(void)
{
	for (size_t i = 0; i < COUNT(histories); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		temp_store_open(&temp);
		for (int v = 0; v < histories[i].count; v++) {
			if (histories[i].versions[v].url)
				place(&temp, asset_item("en", "a", v + 1, histories[i].versions[v].url,
							histories[i].versions[v].name, histories[i].versions[v].size));
			else
				temp_store_unplace(&temp, temp_asset("en", "a"), v + 1);
		}
		is_str(temp_store_tree(&temp), histories[i].want, "%s", histories[i].name);
		is_sound(&temp, histories[i].name);
	}
}

static void test_attributes(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	place(&temp, asset_item("en", "a", 5, "u1", "a.png", 500));
	place(&temp, asset_item("en", "b", 6, "u2", "b.png", -1));
	struct node_attr file = attr_of(&temp, "assets/en/a/a.png");
	is_int(file.kind, NODE_FILE, "a file of its own kind");
	is_int(file.size, 500, "as large as its record says");
	is_int(file.mtime, 5000000, "with the time of its publication");
	is_int(file.ino, temp_store_ino(&temp, "assets/en/a.json") + 1, "and the number after its record's");
	is_int(attr_of(&temp, "assets/en/a").kind, NODE_FOLDER, "in a folder");
	is_int(attr_of(&temp, "assets/en/a").links, 2, "which has two links");
	is_int(attr_of(&temp, "assets/en").links, 4, "and is one of its directory's");
	struct store_totals totals;
	temp_must(reader_totals(temp.reader, &totals, NULL), NULL, "reader_totals");
	is_int(totals.assets, 2, "records are assets");
	is_int(totals.asset_files, 2, "each has its file");
	is_int(totals.asset_bytes, 500, "sizes are added up where they are known");
	is_int(totals.directories, 7, "folders are directories");

	int64_t folder = temp_store_ino(&temp, "assets/en/a");
	place(&temp, asset_item("en", "a", 7, "u3", "c.png", 600));
	is_int(temp_store_ino(&temp, "assets/en/a"), folder, "a folder stays the same through versions");
	struct node_attr old;
	is_int(reader_attr(temp.reader, file.ino, &old), 0, "the file that was replaced can still be read");
	is_int(old.size, 500, "as it was");
	is_int(reader_text(temp.reader, file.ino, 0, 10, NULL, NULL, NULL), -EREMOTE,
	       "but not its bytes: they are elsewhere");
	is_sound(&temp, "attributes");
}

static void test_names(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	place(&temp, asset_item("en", "x", 1, "u1", "a", 1));
	place(&temp, asset_item("en", "x.json", 1, "u2", "b", 1));
	place(&temp, asset_item("en", "x.json.json", 1, "u3", "c", 1));
	ok(temp_store_ino(&temp, "assets/en/x/a") && temp_store_ino(&temp, "assets/en/x%2Ejson/b") &&
		   temp_store_ino(&temp, "assets/en/x.json%2Ejson/c"),
	   "a folder never has the name of another asset's record");
	temp_store_unplace(&temp, temp_asset("en", "x"), 2);
	ok(temp_store_ino(&temp, "assets/en/x.json.json") && temp_store_ino(&temp, "assets/en/x%2Ejson/b") &&
		   !temp_store_ino(&temp, "assets/en/x.json"),
	   "and goes with its own only");
	is_sound(&temp, "names");
}

/* --- runs --------------------------------------------------------------------------------------------------------- */

static void publish(struct temp_store *temp, bool complete)
{
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(store_publish(temp->store, 1, complete, NULL, &err), &err, "store_publish");
	temp_must(store_forget_run(temp->store, 1, &err), &err, "store_forget_run");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

static void test_staging(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	place(&temp, asset_item("en", "old", 1, "u0", "o", 1));
	place(&temp, asset_item("en", "a", 1, "u1", "a.png", 5));
	const struct store_item next = asset_item("en", "a", 2, "u2", "b.png", 7);
	const struct store_item other = asset_item("en", "a", 3, "u3", "c.png", 9);
	in_transaction(&temp, store_stage, &next);
	is_sound(&temp, "staged");
	in_transaction(&temp, store_stage, &other);
	is_sound(&temp, "staged anew");
	ok(temp_store_ino(&temp, "assets/en/a/a.png") && !temp_store_ino(&temp, "assets/en/a/c.png"),
	   "what is staged is not seen");
	publish(&temp, true);
	is_str(temp_store_tree(&temp), RECORD " assets/en/a/ assets/en/a/c.png=<u3 9>",
	       "a listing shows its files and takes those that it does not list");
	is_sound(&temp, "published");

	in_transaction(&temp, store_stage, &next);
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	const struct store_key key = temp_asset("", "a");
	temp_must(store_note_removal(temp.store, 1, &key, 5, &err), &err, "store_note_removal");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	is_sound(&temp, "unstaged");
	publish(&temp, false);
	is_str(temp_store_tree(&temp), NOTHING, "a removal takes the file along");
	temp_must(store_reclaim(temp.store, NULL, SUPERSEDED_ALL, &err), &err, "store_reclaim");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM node WHERE ino > 15"), "0", "of which nothing stays");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM asset"), "0", "nor of where its bytes are");

	in_transaction(&temp, store_stage, &next);
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	temp_must(store_forget_run(temp.store, 1, &err), &err, "store_forget_run");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM asset"), "0", "nor of a run that was given up");
	is_sound(&temp, "given up");
}

static void test_same(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	struct store_item item = asset_item("en", "a", 1, "u1", "a.png", 5);
	place(&temp, item);
	place(&temp, asset_item("en", "none", 1, "", "", -1));
	int64_t ino = temp_store_ino(&temp, "assets/en/a.json");
	int64_t none = temp_store_ino(&temp, "assets/en/none.json");
	is_int(store_is_same(temp.store, ino, &item, &err), 1, "the same text and file are the same");
	is_int(store_is_same(temp.store, none, &item, &err), 0, "not without the file");
	item.file.size = 6;
	is_int(store_is_same(temp.store, ino, &item, &err), 1, "a size may have turned out to be another");
	item.file.url = slice_of("");
	is_int(store_is_same(temp.store, none, &item, &err), 1, "no file is like no file");
	is_int(store_is_same(temp.store, ino, &item, &err), 0, "but not like one");
}

/* --- what readers learn ------------------------------------------------------------------------------------------- */

static void measure(struct temp_store *temp, int64_t ino, int64_t size)
{
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(store_measure(temp->store, ino, size, &err), &err, "store_measure");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

static void test_measuring(void)
{
	static const int64_t sizes[] = {500, 7, 0, 12};
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	place(&temp, asset_item("en", "a", 1, "u1", "a.png", -1));
	int64_t ino = temp_store_ino(&temp, "assets/en/a/a.png");
	int64_t end = store_journal_end(temp.store);
	int64_t mtime = attr_of(&temp, "assets/en").mtime;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		measure(&temp, ino, sizes[i]);
		is_int(attr_of(&temp, "assets/en/a/a.png").size, sizes[i], "a size is kept: %lld", (long long)sizes[i]);
		is_sound(&temp, "measured");
	}
	is_int(store_journal_end(temp.store), end, "no name has changed");
	is_int(attr_of(&temp, "assets/en").mtime, mtime, "nor has a directory");
	place(&temp, asset_item("en", "a", 2, "u2", "a.png", 9));
	measure(&temp, ino, 100);
	is_sound(&temp, "what was replaced is measured");
	measure(&temp, 999, 1);
	measure(&temp, temp_store_ino(&temp, "assets/en/a.json"), 1);
	is_sound(&temp, "what is no file is not");
}

static void take_sizes(void *context, const struct node_asset *asset)
{
	int64_t *sizes = context;
	sizes[0] = asset->size;
	sizes[1] = asset->recorded;
}

/* What was learnt may have been wrong: what the record says is not lost by it. */
static void test_recorded(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (int64_t recorded = -1; recorded < 10; recorded += 10) {
		int64_t sizes[2] = {0};
		place(&temp, asset_item("en", "a", recorded + 2, recorded < 0 ? "u1" : "u2", "a.png", recorded));
		int64_t ino = temp_store_ino(&temp, "assets/en/a/a.png");
		measure(&temp, ino, 7);
		temp_must(reader_asset(temp.reader, ino, take_sizes, sizes), NULL, "reader_asset");
		is_int(sizes[0], 7, "the size that was learnt");
		is_int(sizes[1], recorded, "the size of the record: %lld", (long long)recorded);
	}
}

static void renew(struct temp_store *temp, const char *url, int64_t generation)
{
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(store_renew(temp->store, slice_of(url), generation, &err), &err, "store_renew");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

static void take_generation(void *context, const struct node_asset *asset)
{
	*(int64_t *)context = asset->current ? asset->generation : -asset->generation - 1;
}

/* Below 0 for one that is not current. */
static int64_t generation_of(struct temp_store *temp, int64_t ino)
{
	int64_t generation = 0;
	temp_must(reader_asset(temp->reader, ino, take_generation, &generation), NULL, "reader_asset");
	return generation;
}

static void test_renewing(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	place(&temp, asset_item("en", "a", 1, "u1", "a.png", 5));
	place(&temp, asset_item("fr", "a", 1, "u1", "a.png", 5));
	place(&temp, asset_item("en", "b", 1, "u2", "b.png", 5));
	int64_t en = temp_store_ino(&temp, "assets/en/a/a.png");
	int64_t fr = temp_store_ino(&temp, "assets/fr/a/a.png");
	int64_t b = temp_store_ino(&temp, "assets/en/b/b.png");
	is_int(generation_of(&temp, en), 0, "bytes begin with generation 0");
	renew(&temp, "u1", 0);
	int64_t renewed = temp_store_ino(&temp, "assets/en/a/a.png");
	ok(renewed != en && temp_store_ino(&temp, "assets/fr/a/a.png") != fr, "all files of a URL are renewed");
	is_int(temp_store_ino(&temp, "assets/en/b/b.png"), b, "and no other");
	is_int(generation_of(&temp, renewed), 1, "to the next generation");
	renew(&temp, "u1", 0);
	is_int(temp_store_ino(&temp, "assets/en/a/a.png"), renewed, "once for each change");
	place(&temp, asset_item("de", "a", 1, "u1", "a.png", 5));
	is_int(generation_of(&temp, temp_store_ino(&temp, "assets/de/a/a.png")), 1,
	       "who comes later has the generation of the URL");
	place(&temp, asset_item("en", "a", 9, "u1", "a.png", 5));
	is_int(generation_of(&temp, renewed), 1, "a new version of the record leaves the bytes current");
	place(&temp, asset_item("en", "a", 10, "u9", "a.png", 5));
	is_int(generation_of(&temp, renewed), -2, "until they are replaced");
	is_sound(&temp, "renewed");
}

/* What was staged or listed before the bytes changed is as good afterwards. */
static void test_renewing_in_a_run(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	place(&temp, asset_item("en", "a", 1, "u1", "a.png", 5));
	place(&temp, asset_item("en", "b", 1, "u1", "b.png", 5));
	const struct store_item staged = asset_item("en", "b", 2, "u1", "c.png", 5);
	in_transaction(&temp, store_stage, &staged);
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	temp_must(store_list(temp.store, 1, temp_store_ino(&temp, "assets/en/a.json"), &err), &err, "store_list");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	renew(&temp, "u1", 0);
	publish(&temp, true);
	int64_t a = temp_store_ino(&temp, "assets/en/a/a.png");
	int64_t c = temp_store_ino(&temp, "assets/en/b/c.png");
	ok(a != 0, "what a listing has seen stays when its bytes change before the end");
	is_int(c ? generation_of(&temp, c) : 0, 1, "what was staged has the generation of its URL when it is seen");
	is_sound(&temp, "renewed in a run");
}

static void test_generations_that_are_gone(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	int64_t generation;
	temp_store_open(&temp);
	place(&temp, asset_item("en", "a", 1, "u1", "a.png", 5));
	int64_t before = temp_store_ino(&temp, "assets/en/a/a.png");
	renew(&temp, "u1", 0);
	is_int(reader_asset(temp.reader, before, take_generation, &generation), -ESTALE,
	       "nobody has the bytes that were there before");
	temp_store_unplace(&temp, temp_asset("en", "a"), 2);
	temp_must(store_reclaim(temp.store, NULL, SUPERSEDED_ALL, NULL), NULL, "store_reclaim");
	place(&temp, asset_item("en", "a", 3, "u1", "a.png", 5));
	renew(&temp, "u1", 4);
	is_int(generation_of(&temp, temp_store_ino(&temp, "assets/en/a/a.png")), 5,
	       "a generation that was told is followed by whatever is older");
	is_sound(&temp, "generations");
}

/* --- stores from before ------------------------------------------------------------------------------------------- */

/* What a contentfs that knew nothing of files has left. */
static void make_old(struct temp_store *temp, bool with_asset)
{
	sqlite3 *db = NULL;
	const char *statements =
		"DROP VIEW assets; DROP VIEW changes; DROP TABLE asset; ALTER TABLE directory DROP COLUMN file_bytes;"
		"ALTER TABLE change DROP COLUMN title; ALTER TABLE stream DROP COLUMN listed;"
		"CREATE VIEW assets AS SELECT 1; CREATE VIEW changes AS SELECT 1;"
		"INSERT INTO stream (id, sync_token, run, page_token) VALUES (1, 'token', 2, 'page'), (2, NULL, 9, NULL);"
		"PRAGMA user_version = 2";
	temp_store_start(temp);
	temp_store_place(temp, with_asset ? temp_asset("en", "a") : temp_entry("t", "en", "a"), 1, "{}\n");
	const struct store_item staged = temp_item(temp_asset("en", "s"), 1, "{}\n");
	in_transaction(temp, store_stage, &staged);
	temp_store_stop(temp);
	bool done = sqlite3_open(temp->path, &db) == SQLITE_OK &&
		    sqlite3_exec(db, statements, NULL, NULL, NULL) == SQLITE_OK;
	temp_must(done ? 0 : -EIO, NULL, "an old store");
	sqlite3_close(db);
}

static void test_migration(void)
{
	static const char *const streams = "SELECT id, run, sync_token, page_token, listed FROM stream ORDER BY id";
	for (int with_asset = 0; with_asset < 2; with_asset++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		temp_store_init(&temp);
		make_old(&temp, with_asset);
		temp_store_start(&temp);
		is_str(temp_store_ask(&temp, streams), "1|3|token|-|1 2|9|-|-|1",
		       "a store from before lists the stack anew, beside what it shows");
		is_str(temp_store_ask(&temp, "SELECT count(*) FROM staged"), "0", "and begins with nothing");
		is_sound(&temp, "from before");
		const struct store_item item = asset_item("en", "a", 1, "u1", "a.png", 5);
		place(&temp, item);
		ok(temp_store_ino(&temp, "assets/en/a/a.png") != 0, "it takes files then");
		is_sound(&temp, "from before, with files");
	}
}

int main(void)
{
	test_histories();
	test_attributes();
	test_names();
	test_staging();
	test_same();
	test_measuring();
	test_recorded();
	test_renewing();
	test_renewing_in_a_run();
	test_generations_that_are_gone();
	test_migration();
	return tap_done();
}
