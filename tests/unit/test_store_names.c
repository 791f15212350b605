/* Names in the store: their cookies, the journal of what happened to them, wildcards, and uids that are no names. */
#include "store/reader.h"
#include "store/store.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- listings ----------------------------------------------------------------------------------------------------- */

struct listing {
	struct buf names; /* parted by blanks */
	int64_t cookies[64];
	size_t count;
	size_t stop_after; /* 0: never */
	bool ascending;
};

static bool note_entry(void *context, const struct dir_entry *entry)
{
	struct listing *listing = context;
	if (listing->count > 0 && entry->cookie <= listing->cookies[listing->count - 1])
		listing->ascending = false;
	listing->cookies[listing->count++] = entry->cookie;
	buf_printf(&listing->names, "%s%s", listing->names.len ? " " : "", entry->name.at);
	return listing->count != listing->stop_after;
}

static void listing_finish(struct listing *listing)
{
	buf_finish(&listing->names);
}

static void list(struct temp_store *temp, const char *path, int64_t cookie, struct listing *listing)
{
	buf_reset(&listing->names);
	listing->count = 0;
	listing->ascending = true;
	temp_must(reader_list(temp->reader, temp_store_ino(temp, path), cookie, note_entry, listing), NULL,
		  "reader_list");
}

static void test_resuming(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(listing_finish) struct listing all = {.names = BUF_INIT};
	CLEANUP(listing_finish) struct listing rest = {.names = BUF_INIT};
	static const char *const uids[] = {"m", "z", "a", "q", "B", "10", "9"};
	temp_store_open(&temp);
	for (size_t i = 0; i < COUNT(uids); i++)
		temp_store_place(&temp, temp_entry("blog", "en", uids[i]), 1, "x");
	list(&temp, "entries/blog/en", 0, &all);
	is_str(all.names.text, "m.json z.json a.json q.json B.json 10.json 9.json",
	       "a listing has the order of arrival");
	ok(all.ascending, "and ascending cookies");
	const char *want = all.names.text;
	for (size_t i = 0; i < all.count; i++) {
		want += strcspn(want, " ");
		want += *want == ' ';
		list(&temp, "entries/blog/en", all.cookies[i], &rest);
		is_str(buf_text(&rest.names), want, "after cookie %zu comes what came after it", i);
		list(&temp, "entries/blog/en", all.cookies[i] - 1, &rest);
		is_int((long long)rest.count, (long long)(all.count - i), "after the number below it, it comes again");
	}
	for (size_t i = 1; i <= all.count; i++) {
		rest.stop_after = i;
		list(&temp, "entries/blog/en", 0, &rest);
		is_int((long long)rest.count, (long long)i, "a listing stops after %zu names when it is told to", i);
	}
	list(&temp, "content_types", 0, &rest);
	is_int((long long)rest.count, 0, "an empty directory lists nothing");
}

/* Half of a listing, then changes, then the other half: each name that was there all along comes exactly once. */
static void test_changes_while_listing(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(listing_finish) struct listing before = {.names = BUF_INIT};
	CLEANUP(listing_finish) struct listing after = {.names = BUF_INIT};
	temp_store_open(&temp);
	for (int i = 0; i < 10; i++) {
		char uid[8];
		snprintf(uid, sizeof(uid), "%d", i);
		temp_store_place(&temp, temp_entry("blog", "en", uid), 1, "x");
	}
	list(&temp, "entries/blog/en", 0, &before);
	temp_store_place(&temp, temp_entry("blog", "en", "2"), 2, "a new version of one that was listed");
	temp_store_place(&temp, temp_entry("blog", "en", "7"), 2, "a new version of one that was not");
	temp_store_unplace(&temp, temp_entry("blog", "en", "3"), 2);
	temp_store_unplace(&temp, temp_entry("blog", "en", "8"), 2);
	temp_store_unplace(&temp, temp_entry("blog", "en", "4"), 2); /* the very one it stopped at */
	temp_store_place(&temp, temp_entry("blog", "en", "new"), 2, "x");
	temp_store_unplace(&temp, temp_entry("blog", "en", "1"), 2);
	temp_store_place(&temp, temp_entry("blog", "en", "1"), 3, "gone and back");
	list(&temp, "entries/blog/en", before.cookies[4], &after);
	is_str(after.names.text, "5.json 6.json 7.json 9.json new.json 1.json",
	       "a listing goes on with what is left, in its old order, and what is new");
	list(&temp, "entries/blog/en", 0, &after);
	is_str(after.names.text, "0.json 2.json 5.json 6.json 7.json 9.json new.json 1.json",
	       "a new listing has the same order");
	is_int(after.cookies[1], before.cookies[2], "a name keeps its cookie over its versions");
	ok(after.cookies[7] > before.cookies[9], "one that was gone and came back has a new one");
}

/* --- the journal -------------------------------------------------------------------------------------------------- */

struct journal {
	struct buf text; /* "OP PARENT NAME OLD" a change, parted by ", " */
	int64_t last;
	size_t count, stop_after;
};

static bool note_change(void *context, const struct change *change)
{
	struct journal *journal = context;
	static const char *const ops[] = {"?", "added", "changed", "removed"};
	buf_printf(&journal->text, "%s%s %lld %s %lld", journal->text.len ? ", " : "", ops[change->op],
		   (long long)change->parent, change->name.at, (long long)change->old);
	if (change->id <= journal->last)
		buf_append_text(&journal->text, " (out of order)");
	journal->last = change->id;
	return ++journal->count != journal->stop_after;
}

static const char *changes_after(struct temp_store *temp, int64_t after, struct journal *journal)
{
	buf_reset(&journal->text);
	journal->count = 0;
	journal->last = after;
	temp_must(reader_changes(temp->reader, after, note_change, journal, NULL), NULL, "reader_changes");
	return buf_text(&journal->text);
}

static void journal_finish(struct journal *journal)
{
	buf_finish(&journal->text);
}

static void test_journal(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(journal_finish) struct journal journal = {.text = BUF_INIT};
	char want[256];
	temp_store_open(&temp);
	is_str(changes_after(&temp, 0, &journal), "", "a new store has an empty journal");
	is_int(store_journal_end(temp.store), 0, "which ends at 0");

	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "x");
	long long blog = temp_store_ino(&temp, "entries/blog"), en = temp_store_ino(&temp, "entries/blog/en");
	long long first = temp_store_ino(&temp, "entries/blog/en/a.json");
	snprintf(want, sizeof(want), "added 3 blog 0, added %lld en 0, added %lld a.json 0", blog, en);
	is_str(changes_after(&temp, 0, &journal), want,
	       "a first file adds two directories and itself, from the top down");
	is_int(store_journal_end(temp.store), journal.last, "the journal's end is its last entry");

	int64_t seen = journal.last;
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 2, "y");
	long long second = temp_store_ino(&temp, "entries/blog/en/a.json");
	snprintf(want, sizeof(want), "changed %lld a.json %lld", en, first);
	is_str(changes_after(&temp, seen, &journal), want, "a new version says which node lost the name");

	seen = journal.last;
	temp_store_unplace(&temp, temp_entry("blog", "en", "a"), 2);
	snprintf(want, sizeof(want), "removed %lld a.json %lld, removed %lld en %lld, removed 3 blog %lld", en, second,
		 blog, en, blog);
	is_str(changes_after(&temp, seen, &journal), want,
	       "a removal takes the empty directories too, from the bottom up");

	int64_t end = journal.last;
	is_str(changes_after(&temp, end, &journal), "", "after the last change there is none");
	journal.stop_after = 2;
	changes_after(&temp, 0, &journal);
	is_int((long long)journal.count, 2, "reading it stops when it is told to");

	temp_store_stop(&temp);
	temp_store_start(&temp);
	is_int(store_journal_end(temp.store), end, "it goes on where it was after a restart");
	temp_store_place(&temp, temp_schema("blog"), 1, "x");
	journal.stop_after = 0;
	is_str(changes_after(&temp, end, &journal), "added 2 blog.json 0", "with what comes then");
}

static void test_announcing(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct store_sync_state state;
	struct err err = {0};
	temp_store_open(&temp);
	temp_store_place(&temp, temp_schema("blog"), 1, "x");
	temp_must(reader_sync_state(temp.reader, &state, &err), &err, "reader_sync_state");
	is_int(state.announced, 0, "at first nothing was announced");
	is_int(state.journal_end, 1, "of one change");
	is_int(store_set_announced(temp.store, 1, &err), 0, "saying that it was");
	temp_must(reader_sync_state(temp.reader, &state, &err), &err, "reader_sync_state");
	is_int(state.announced, 1, "is remembered");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM change"), "1", "and a short journal is kept");

	temp_store_ask(
		&temp,
		"UPDATE sqlite_sequence SET seq = 150000 WHERE name = 'change';"
		"INSERT INTO change SELECT 40000, at, op, kind, parent, 'old', old, 0, '', '', '', NULL FROM change;"
		"INSERT INTO change SELECT 60000, at, op, kind, parent, 'new', old, 0, '', '', '', NULL FROM change WHERE id = 1");
	temp_store_stop(&temp);
	temp_store_start(&temp);
	temp_must(store_set_announced(temp.store, 30000, &err), &err, "store_set_announced");
	is_str(temp_store_ask(&temp, "SELECT id FROM change ORDER BY id"), "40000 60000",
	       "a long one loses what was announced");
	temp_must(store_set_announced(temp.store, 150000, &err), &err, "store_set_announced");
	is_str(temp_store_ask(&temp, "SELECT id FROM change ORDER BY id"), "60000", "but for its last 100000 changes");
	is_int(store_journal_end(temp.store), 150000, "and its end stays");
}

/* --- wildcards ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct store_key key;
	int64_t event_at;
	const char *left; /* of the items that test_wildcards places, by their texts */
} wildcards[] = {
	{"one entry in one locale", {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"a", 1}}, 9, "2 3 4 5 6 7 8"},
	{"one entry in every locale", {NODE_ENTRY, {"blog", 4}, {"", 0}, {"a", 1}}, 9, "2 4 5 6 7 8"},
	{"one entry in every locale, up to a time", {NODE_ENTRY, {"blog", 4}, {"", 0}, {"a", 1}}, 2, "2 3 4 5 6 7 8"},
	{"all of one content type", {NODE_ENTRY, {"blog", 4}, {"", 0}, {"", 0}}, 9, "4 5 6 7 8"},
	{"all of one content type, up to a time", {NODE_ENTRY, {"blog", 4}, {"", 0}, {"", 0}}, 2, "3 4 5 6 7 8"},
	{"all of one content type in one locale", {NODE_ENTRY, {"blog", 4}, {"en", 2}, {"", 0}}, 9, "3 4 5 6 7 8"},
	{"one asset in every locale", {NODE_ASSET, {"", 0}, {"", 0}, {"a", 1}}, 9, "1 2 3 4 7 8"},
	{"one asset in one locale", {NODE_ASSET, {"", 0}, {"fr", 2}, {"a", 1}}, 9, "1 2 3 4 5 7 8"},
	{"one schema", {NODE_SCHEMA, {"", 0}, {"", 0}, {"blog", 4}}, 9, "1 2 3 4 5 6 7"},
	{"all of a content type that is not there", {NODE_ENTRY, {"none", 4}, {"", 0}, {"", 0}}, 9, "1 2 3 4 5 6 7 8"},
	{"an entry that is in no locale", {NODE_ENTRY, {"blog", 4}, {"", 0}, {"none", 4}}, 9, "1 2 3 4 5 6 7 8"},
};

static void test_wildcards(void)
{
	for (size_t i = 0; i < COUNT(wildcards); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		temp_store_open(&temp);
		temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "1");
		temp_store_place(&temp, temp_entry("blog", "en", "b"), 2, "2");
		temp_store_place(&temp, temp_entry("blog", "fr", "a"), 3, "3");
		temp_store_place(&temp, temp_entry("page", "en", "a"), 1, "4");
		temp_store_place(&temp, temp_asset("en", "a"), 1, "5");
		temp_store_place(&temp, temp_asset("fr", "a"), 1, "6");
		temp_store_place(&temp, temp_asset("fr", "b"), 1, "7");
		temp_store_place(&temp, temp_schema("blog"), 1, "8");
		temp_store_unplace(&temp, wildcards[i].key, wildcards[i].event_at);
		is_str(temp_store_ask(&temp, "SELECT v.text FROM dirent d JOIN version v ON v.ino = d.ino ORDER BY 1"),
		       wildcards[i].left, "%s: what is left", wildcards[i].name);
		is_str(temp_store_fault(&temp), "", "%s: the store is sound", wildcards[i].name);
	}
}

/* --- uids that are no names --------------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct slice uid;
	const char *name; /* NULL: too long to be spelled here */
} odd[] = {
	{"a slash", {"a/b", 3}, "a%2Fb.json"},
	{"two dots", {"..", 2}, "%2E%2E.json"},
	{"one dot", {".", 1}, "%2E.json"},
	{"a percent sign", {"a%2Fb", 5}, "a%252Fb.json"},
	{"a NUL", {"a\0b", 3}, "a%00b.json"},
	{"a NUL at the end", {"a\0", 2}, "a%00.json"},
	{"a newline", {"a\nb", 3}, "a%0Ab.json"},
	{"broken UTF-8", {"a\xff", 2}, "a%FF.json"},
	{"whole UTF-8", {"caf\xc3\xa9", 5}, "caf\xc3\xa9.json"},
	{"a quote and a semicolon", {"'; DROP TABLE node; --", 22}, "'; DROP TABLE node; --.json"},
	{"a wildcard of SQL", {"%", 1}, "%25.json"},
	{"another one", {"_", 1}, "_.json"},
	{"a suffix of its own", {"a.json", 6}, "a.json.json"},
	{"a number", {"1", 1}, "1.json"},
	{"a number that is equal", {"1.0", 3}, "1.0.json"},
	{"a capital", {"A", 1}, "A.json"},
	{"the same in small", {"a", 1}, "a.json"},
	{"a blank", {" ", 1}, " .json"},
	{"300 letters",
	 {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  300},
	 NULL},
	{"300 letters, of which the last is another",
	 {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
	  300},
	 NULL},
};

/* Every odd uid as a file, and as the content type and the locale of another. */
static void place_odd(struct temp_store *temp, size_t i, int64_t event_at)
{
	const struct store_key file = {NODE_ENTRY, slice_of("blog"), slice_of("en"), odd[i].uid};
	const struct store_key above = {NODE_ENTRY, odd[i].uid, odd[i].uid, slice_of("x")};
	char text[32];
	snprintf(text, sizeof(text), "%zu at %lld", i, (long long)event_at);
	temp_store_place(temp, file, event_at, text);
	temp_store_place(temp, above, event_at, text);
}

static void take_text(void *context, struct slice bytes)
{
	buf_append(context, bytes.at, bytes.len);
}

static void check_odd(struct temp_store *temp, size_t i)
{
	const struct store_key keys[] = {{NODE_ENTRY, slice_of("blog"), slice_of("en"), odd[i].uid},
					 {NODE_ENTRY, odd[i].uid, odd[i].uid, slice_of("x")}};
	char want[32];
	snprintf(want, sizeof(want), "%zu at 2", i);
	for (size_t k = 0; k < COUNT(keys); k++) {
		CLEANUP(buf_finish) struct buf text = BUF_INIT;
		struct store_known known;
		temp_must(store_find(temp->store, &keys[k], &known, NULL), NULL, "store_find");
		if (known.live.ino)
			temp_must(reader_text(temp->reader, known.live.ino, 0, 64, NULL, take_text, &text), NULL,
				  "reader_text");
		is_str(buf_text(&text), want, "%s: %s is found by its uid", odd[i].what,
		       k ? "the one below it" : "the file");
	}
	if (!odd[i].name)
		return;
	struct node_attr attr;
	int64_t directory = temp_store_ino(temp, "entries/blog/en");
	is_int(reader_lookup(temp->reader, directory, slice_of(odd[i].name), &attr), 0, "%s: and by its name",
	       odd[i].what);
}

static void test_odd_uids(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (int event_at = 1; event_at <= 2; event_at++)
		for (size_t i = 0; i < COUNT(odd); i++)
			place_odd(&temp, i, event_at);
	is_str(temp_store_fault(&temp), "", "a store of odd uids is sound");
	for (size_t i = 0; i < COUNT(odd); i++)
		check_odd(&temp, i);
	for (size_t i = 0; i < COUNT(odd); i++) {
		const struct store_key file = {NODE_ENTRY, slice_of("blog"), slice_of("en"), odd[i].uid};
		const struct store_key type = {.kind = NODE_ENTRY, .content_type = odd[i].uid};
		char left[32];
		temp_store_unplace(&temp, file, 2);
		temp_store_unplace(&temp, type, 2);
		snprintf(left, sizeof(left), "%zu", 2 * (COUNT(odd) - i - 1));
		is_str(temp_store_ask(&temp, "SELECT count(*) FROM entries"), left,
		       "%s: its removal takes it and nothing else", odd[i].what);
	}
	is_str(temp_store_tree(&temp), "content_types/ entries/ assets/", "and in the end nothing is left");
	is_str(temp_store_fault(&temp), "", "of a sound store");
}

int main(void)
{
	test_resuming();
	test_changes_while_listing();
	test_journal();
	test_announcing();
	test_wildcards();
	test_odd_uids();
	return tap_done();
}
