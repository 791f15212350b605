/* What a run keeps in the store until it ends: staged items, removals, marks; and what its end makes of them. */
#include "store/store.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXTS "SELECT v.text FROM dirent d JOIN version v ON v.ino = d.ino ORDER BY 1"

static struct err err;

static void begin(struct temp_store *temp)
{
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
}

static void commit(struct temp_store *temp)
{
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

/* These work in the transaction that is open. */
static void stage(struct temp_store *temp, int stream, struct store_key key, int64_t event_at, const char *text)
{
	struct store_item item = temp_item(key, event_at, text);
	item.stream = stream;
	temp_must(store_stage(temp->store, &item, &err), &err, "store_stage");
}

static void place(struct temp_store *temp, int stream, struct store_key key, int64_t event_at, const char *text)
{
	struct store_item item = temp_item(key, event_at, text);
	item.stream = stream;
	temp_must(store_place(temp->store, &item, &err), &err, "store_place");
}

static void note_removal(struct temp_store *temp, int stream, struct store_key key, int64_t event_at)
{
	temp_must(store_note_removal(temp->store, stream, &key, event_at, &err), &err, "store_note_removal");
}

static void end_run(struct temp_store *temp, int stream, bool complete)
{
	begin(temp);
	temp_must(store_publish(temp->store, stream, complete, NULL, &err), &err, "store_publish");
	temp_must(store_forget_run(temp->store, stream, &err), &err, "store_forget_run");
	commit(temp);
}

static struct store_known find(struct temp_store *temp, struct store_key key)
{
	struct store_known known;
	temp_must(store_find(temp->store, &key, &known, &err), &err, "store_find");
	return known;
}

/* --- staging ------------------------------------------------------------------------------------------------------ */

static void test_staging(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	const struct store_key a = temp_entry("blog", "en", "a");
	temp_store_open(&temp);
	temp_store_place(&temp, a, 1, "old a");
	int64_t old = temp_store_ino(&temp, "entries/blog/en/a.json"), end = store_journal_end(temp.store);
	begin(&temp);
	stage(&temp, 1, a, 2, "new a");
	stage(&temp, 1, temp_asset("fr", "f"), 2, "new f");
	stage(&temp, 1, a, 3, "newer a");
	commit(&temp);
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=old a assets/",
	       "what is staged is not in the tree");
	is_int(store_journal_end(temp.store), end, "nor in the journal");
	is_str(temp_store_fault(&temp), "", "and the store is sound");
	struct store_known known = find(&temp, a);
	ok(known.live.ino == old && known.live.event_at == 1 && known.staged.ino > old && known.staged.event_at == 3,
	   "both versions are known, the staged one being the last that was staged");
	is_str(temp_store_ask(&temp, "SELECT text FROM version ORDER BY 1"), "new f newer a old a",
	       "the first staged one is gone");

	temp_store_stop(&temp);
	temp_store_start(&temp);
	is_int(find(&temp, a).staged.ino, known.staged.ino, "what is staged outlives a restart");
	end_run(&temp, 1, false);
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=newer a assets/ assets/fr/"
	       " assets/fr/f.json=new f",
	       "publishing makes it visible");
	is_int(temp_store_ino(&temp, "entries/blog/en/a.json"), known.staged.ino,
	       "under the number that it was staged with");
	is_str(temp_store_fault(&temp), "", "and the store is sound");
	known = find(&temp, a);
	ok(known.staged.ino == 0 && known.staged.event_at == NO_EVENT && known.live.event_at == 3,
	   "nothing is staged any more");
	end_run(&temp, 1, false);
	is_str(temp_store_ask(&temp, TEXTS), "new f newer a", "publishing again does nothing");
}

static void test_leftovers(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	begin(&temp);
	stage(&temp, 1, temp_entry("blog", "en", "a"), 1, "a");
	stage(&temp, 2, temp_entry("page", "en", "b"), 1, "b");
	note_removal(&temp, 1, temp_entry("blog", "en", "c"), 1);
	note_removal(&temp, 2, temp_entry("page", "en", "d"), 1);
	commit(&temp);
	begin(&temp);
	temp_must(store_forget_run(temp.store, 1, &err), &err, "store_forget_run");
	commit(&temp);
	ok(!find(&temp, temp_entry("blog", "en", "a")).staged.ino, "a run that is forgotten leaves nothing staged");
	is_int(find(&temp, temp_entry("blog", "en", "c")).removed_at, NO_EVENT, "and no removals");
	ok(find(&temp, temp_entry("page", "en", "b")).staged.ino, "while another stream keeps what it staged");
	is_int(find(&temp, temp_entry("page", "en", "d")).removed_at, 1, "and its removals");
	is_str(temp_store_ask(&temp, "SELECT text FROM version"), "b", "no text is left behind");
	is_str(temp_store_fault(&temp), "", "the store is sound");
	end_run(&temp, 1, false);
	is_str(temp_store_ask(&temp, TEXTS), "", "publishing one stream leaves the other alone");
	end_run(&temp, 2, false);
	is_str(temp_store_ask(&temp, TEXTS), "b", "until its own turn");
}

/* --- removals ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct store_key removal, item;
	int64_t want;
} memory[] = {
	{"the very item",
	 {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"a", 1}},
	 {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"a", 1}},
	 5},
	{"another uid",
	 {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"a", 1}},
	 {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"b", 1}},
	 NO_EVENT},
	{"another locale",
	 {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"a", 1}},
	 {NODE_ENTRY, {"blog", 4}, {"fr", 2}, {"a", 1}},
	 NO_EVENT},
	{"another type",
	 {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"a", 1}},
	 {NODE_ENTRY, {"page", 4}, {"en", 2}, {"a", 1}},
	 NO_EVENT},
	{"an asset of that uid",
	 {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"a", 1}},
	 {NODE_ASSET, {"", 0}, {"en", 2}, {"a", 1}},
	 NO_EVENT},
	{"any locale", {NODE_ENTRY, {"blog", 4}, {"", 0}, {"a", 1}}, {NODE_ENTRY, {"blog", 4}, {"fr", 2}, {"a", 1}}, 5},
	{"any locale, another uid",
	 {NODE_ENTRY, {"blog", 4}, {"", 0}, {"a", 1}},
	 {NODE_ENTRY, {"blog", 4}, {"fr", 2}, {"b", 1}},
	 NO_EVENT},
	{"a whole type",
	 {NODE_ENTRY, {"blog", 4}, {"", 0}, {"", 0}},
	 {NODE_ENTRY, {"blog", 4}, {"fr", 2}, {"b", 1}},
	 5},
	{"another whole type",
	 {NODE_ENTRY, {"blog", 4}, {"", 0}, {"", 0}},
	 {NODE_ENTRY, {"page", 4}, {"fr", 2}, {"b", 1}},
	 NO_EVENT},
	{"an asset in any locale",
	 {NODE_ASSET, {"", 0}, {"", 0}, {"a", 1}},
	 {NODE_ASSET, {"", 0}, {"fr", 2}, {"a", 1}},
	 5},
};

static void test_removal_memory(void)
{
	for (size_t i = 0; i < COUNT(memory); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		temp_store_open(&temp);
		is_int(find(&temp, memory[i].item).removed_at, NO_EVENT, "%s: nothing is remembered at first",
		       memory[i].name);
		begin(&temp);
		note_removal(&temp, 1, memory[i].removal, 3);
		note_removal(&temp, 2, memory[i].removal, 5);
		note_removal(&temp, 1, memory[i].removal, 4);
		is_int(find(&temp, memory[i].item).removed_at, memory[i].want, "%s: the newest removal counts",
		       memory[i].name);
		commit(&temp);
		temp_store_stop(&temp);
		temp_store_start(&temp);
		is_int(find(&temp, memory[i].item).removed_at, memory[i].want, "%s: it outlives a restart",
		       memory[i].name);
		begin(&temp);
		temp_must(store_forget_run(temp.store, 2, &err), &err, "store_forget_run");
		commit(&temp);
		is_int(find(&temp, memory[i].item).removed_at, memory[i].want == 5 ? 4 : NO_EVENT,
		       "%s: until the run of its stream ends", memory[i].name);
	}
}

static void test_removal_memory_and_rollback(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	const struct store_key key = temp_entry("blog", "en", "a");
	temp_store_open(&temp);
	begin(&temp);
	note_removal(&temp, 1, key, 5);
	commit(&temp);
	begin(&temp);
	temp_must(store_forget_run(temp.store, 1, &err), &err, "store_forget_run");
	is_int(find(&temp, key).removed_at, NO_EVENT, "a removal is forgotten in a transaction");
	store_rollback(temp.store);
	is_int(find(&temp, key).removed_at, 5, "and remembered when that is rolled back");
}

static void test_removals_of_what_is_staged(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	begin(&temp);
	stage(&temp, 1, temp_entry("blog", "en", "a"), 1, "en a 1");
	stage(&temp, 1, temp_entry("blog", "fr", "a"), 9, "fr a 9");
	stage(&temp, 1, temp_entry("blog", "de", "a"), 2, "de a 2");
	stage(&temp, 1, temp_entry("blog", "de", "b"), 2, "de b 2");
	stage(&temp, 1, temp_entry("page", "en", "a"), 1, "page a 1");
	note_removal(&temp, 1, temp_entry("blog", "", "a"), 5);
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT text FROM version ORDER BY 1"), "de b 2 fr a 9 page a 1",
	       "a removal in every locale drops what is staged and not newer");
	begin(&temp);
	note_removal(&temp, 1, temp_entry("blog", "de", "b"), 1);
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT text FROM version ORDER BY 1"), "de b 2 fr a 9 page a 1",
	       "an older one drops nothing");
	begin(&temp);
	note_removal(&temp, 1, temp_entry("blog", "", ""), 9);
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT text FROM version ORDER BY 1"), "page a 1",
	       "one of a whole type drops all of it");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* Removals that were noted are carried out with the publication, not before, and only on what is not newer. */
static void test_removals_at_the_end(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "a 1");
	temp_store_place(&temp, temp_entry("blog", "en", "b"), 9, "b 9");
	temp_store_place(&temp, temp_entry("blog", "en", "c"), 1, "c 1");
	begin(&temp);
	note_removal(&temp, 1, temp_entry("blog", "en", "a"), 5);
	note_removal(&temp, 1, temp_entry("blog", "en", "b"), 5);
	note_removal(&temp, 1, temp_entry("blog", "en", "c"), 5);
	note_removal(&temp, 1, temp_entry("blog", "en", "was never there"), 5);
	stage(&temp, 1, temp_entry("blog", "en", "c"), 6, "c 6");
	commit(&temp);
	is_str(temp_store_ask(&temp, TEXTS), "a 1 b 9 c 1", "a removal that is noted takes nothing yet");
	end_run(&temp, 1, false);
	is_str(temp_store_ask(&temp, TEXTS), "b 9 c 6",
	       "at the end it takes what is not newer, and what is staged comes after it");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* --- a whole new listing ------------------------------------------------------------------------------------------ */

static void test_complete_listing(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	begin(&temp);
	place(&temp, 1, temp_entry("blog", "en", "kept"), 1, "kept");
	place(&temp, 1, temp_entry("blog", "en", "changed"), 1, "before");
	place(&temp, 1, temp_entry("blog", "en", "gone"), 1, "gone");
	place(&temp, 1, temp_entry("blog", "fr", "gone"), 99, "gone in fr, though new");
	place(&temp, 1, temp_asset("en", "gone"), 1, "gone asset");
	place(&temp, 2, temp_entry("page", "en", "other"), 1, "of another stream");
	place(&temp, 0, temp_schema("blog"), 1, "a schema");
	commit(&temp);
	int64_t kept = temp_store_ino(&temp, "entries/blog/en/kept.json"),
		fr = temp_store_ino(&temp, "entries/blog/fr");
	begin(&temp);
	temp_must(store_list(temp.store, 1, kept, &err), &err, "store_list");
	temp_must(store_list(temp.store, 1, kept, &err), &err, "store_list, twice");
	temp_must(store_list(temp.store, 2, temp_store_ino(&temp, "entries/blog/en/gone.json"), &err), &err,
		  "store_list");
	stage(&temp, 1, temp_entry("blog", "en", "changed"), 2, "after");
	stage(&temp, 1, temp_entry("blog", "en", "new"), 2, "new");
	commit(&temp);
	is_str(temp_store_ask(&temp, TEXTS),
	       "a schema before gone gone asset gone in fr, though new kept of another stream",
	       "a new listing changes nothing while it goes on");
	end_run(&temp, 1, true);
	is_str(temp_store_ask(&temp, TEXTS), "a schema after kept new of another stream",
	       "its end drops what the stream did not list, and nothing of another stream or of the schemas");
	is_int(temp_store_ino(&temp, "entries/blog/en/kept.json"), kept, "what was listed unchanged keeps its number");
	ok(fr > 0 && !temp_store_ino(&temp, "entries/blog/fr") && !temp_store_ino(&temp, "assets/en"),
	   "directories that were left empty are gone");
	is_str(temp_store_fault(&temp), "", "the store is sound");
	is_str(temp_store_ask(&temp, "SELECT stream FROM listed"), "2",
	       "the marks of the stream are forgotten, not those of the other");

	end_run(&temp, 1, true);
	is_str(temp_store_ask(&temp, TEXTS), "a schema of another stream",
	       "a whole listing of nothing leaves nothing of the stream");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* --- schemas ------------------------------------------------------------------------------------------------------ */

static void note_uid(void *context, struct slice uid)
{
	buf_printf(context, "%.*s ", SLICE_FMT(uid));
}

static void test_schemas(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf missing = BUF_INIT;
	temp_store_open(&temp);
	temp_must(store_missing_schemas(temp.store, note_uid, &missing, &err), &err, "store_missing_schemas");
	is_str(buf_text(&missing), "", "an empty store misses no schema");
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "a");
	temp_store_place(&temp, temp_entry("a/b", "en", "a"), 1, "b");
	temp_store_place(&temp, temp_entry("page", "en", "a"), 1, "c");
	temp_store_place(&temp, temp_asset("en", "a"), 1, "d");
	temp_store_place(&temp, temp_schema("page"), 10, "page schema");
	temp_store_place(&temp, temp_schema("unused"), 10, "unused schema");
	temp_store_place(&temp, temp_schema("fresh"), 20, "fresh schema");
	temp_must(store_missing_schemas(temp.store, note_uid, &missing, &err), &err, "store_missing_schemas");
	is_str(buf_text(&missing), "blog a/b ", "the types that have entries and no schema are found, by their uids");
	begin(&temp);
	temp_must(store_remove_stale_schemas(temp.store, 20, &err), &err, "store_remove_stale_schemas");
	commit(&temp);
	is_str(temp_store_ask(&temp, TEXTS), "a b c d fresh schema page schema",
	       "a schema that was not listed goes, unless entries of its type are there");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* The time of the latest break, in ms; what it returns. */
struct breaks {
	int64_t at;
	int rc;
	int count;
};

static int take_break(void *context, struct err *why)
{
	struct breaks *breaks = context;
	const struct timespec a_moment = {.tv_nsec = 5000000};
	nanosleep(&a_moment, NULL);
	breaks->at = clock_wall_ns() / 1000000;
	breaks->count++;
	return breaks->rc < 0 ? err_set(why, breaks->rc, "enough") : 0;
}

/* Much is staged: 200 new items, and 200 removals. */
static void stage_much(struct temp_store *temp)
{
	char uid[16];
	for (int i = 0; i < 200; i++) {
		snprintf(uid, sizeof(uid), "old%d", i);
		temp_store_place(temp, temp_entry("blog", "en", uid), 1, "old");
	}
	begin(temp);
	for (int i = 0; i < 200; i++) {
		snprintf(uid, sizeof(uid), "new%d", i);
		stage(temp, 1, temp_entry("blog", "en", uid), 2, "new");
		snprintf(uid, sizeof(uid), "old%d", i);
		note_removal(temp, 1, temp_entry("blog", "en", uid), 2);
	}
	commit(temp);
}

/* A build that left a mark while much was made visible finds what became visible afterwards to be newer. */
static void test_times_of_what_took_long(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf sql = BUF_INIT;
	struct breaks taken = {0};
	const struct store_break breaks = {take_break, &taken};
	temp_store_open(&temp);
	stage_much(&temp);
	int64_t before = store_journal_end(temp.store);
	struct store_item asset = temp_item(temp_asset("en", "a"), 2, "asset");
	asset.stream = 1;
	asset.file = (struct store_file){.url = slice_of("https://images.example/a"), .name = slice_of("a.png")};
	begin(&temp);
	temp_must(store_stage(temp.store, &asset, &err), &err, "store_stage");
	temp_must(store_publish(temp.store, 1, false, &breaks, &err), &err, "store_publish");
	temp_must(store_forget_run(temp.store, 1, &err), &err, "store_forget_run");
	commit(&temp);
	ok(taken.count >= 6, "there are breaks, of removals too (%d)", taken.count);
	buf_printf(&sql, "SELECT count(*), min(at) >= %lld FROM change WHERE id > %lld", (long long)taken.at,
		   (long long)before);
	is_str(temp_store_ask(&temp, buf_text(&sql)), "404|1", "all changes are dated when they could be seen");
	buf_reset(&sql);
	buf_printf(&sql,
		   "SELECT count(*), min(mtime / 1000000) >= %lld FROM node WHERE ino IN"
		   " (SELECT ino FROM dirent WHERE name IN ('en', 'a'))",
		   (long long)taken.at);
	is_str(temp_store_ask(&temp, buf_text(&sql)), "3|1", "and so are their directories, and an asset's folder");
}

static void test_break_that_ends_it(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct breaks taken = {.rc = -ECANCELED};
	const struct store_break breaks = {take_break, &taken};
	temp_store_open(&temp);
	stage_much(&temp);
	bool gathered = false;
	begin(&temp);
	is_int(store_publish(temp.store, 1, false, &breaks, &err), -ECANCELED, "a break may end it");
	store_rollback(temp.store);
	is_str(temp_store_ask(&temp, "SELECT count(*), min(name), max(name) FROM dirent WHERE name LIKE '%.json'"),
	       "200|old0.json|old99.json", "nothing is done");
	is_str(temp_store_fault(&temp), "", "the store is sound");
	temp_must(store_has_gathered(temp.store, 1, &gathered, &err), &err, "store_has_gathered");
	ok(gathered, "and what is staged waits");
	end_run(&temp, 1, false);
	is_str(temp_store_ask(&temp, "SELECT count(*), min(name), max(name) FROM dirent WHERE name LIKE '%.json'"),
	       "200|new0.json|new99.json", "until it is done");
	temp_must(store_has_gathered(temp.store, 1, &gathered, &err), &err, "store_has_gathered");
	ok(!gathered, "and then nothing waits");
}

int main(void)
{
	test_staging();
	test_leftovers();
	test_removal_memory();
	test_removal_memory_and_rollback();
	test_removals_of_what_is_staged();
	test_removals_at_the_end();
	test_complete_listing();
	test_schemas();
	test_times_of_what_took_long();
	test_break_that_ends_it();
	return tap_done();
}
