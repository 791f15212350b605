/* What a file system request reads from the store. */
#include "store/reader.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NO_SUCH_INO 123456

/* --- names and attributes ----------------------------------------------------------------------------------------- */

static bool same(const struct node_attr *a, const struct node_attr *b)
{
	return a->ino == b->ino && a->kind == b->kind && a->size == b->size && a->mtime == b->mtime &&
	       a->links == b->links;
}

static void test_lookup(void)
{
	static const struct {
		int64_t parent;
		struct slice name;
		int rc;
	} rows[] = {
		{STORE_INO_ROOT, {"entries", 7}, 0},
		{STORE_INO_ROOT, {"content_types", 13}, 0},
		{STORE_INO_ROOT, {"assets", 6}, 0},
		{STORE_INO_CONTENT_TYPES, {"blog.json", 9}, 0},
		{STORE_INO_ROOT, {"entrie", 6}, -ENOENT},
		{STORE_INO_ROOT, {"entries ", 8}, -ENOENT},
		{STORE_INO_ROOT, {"Entries", 7}, -ENOENT},
		{STORE_INO_ROOT, {"entries\0", 8}, -ENOENT},
		{STORE_INO_ROOT, {"", 0}, -ENOENT},
		{STORE_INO_ROOT, {NULL, 0}, -ENOENT},
		{STORE_INO_ROOT, {".", 1}, -ENOENT},
		{STORE_INO_ROOT, {"..", 2}, -ENOENT},
		{STORE_INO_ROOT, {"\xff\xfe", 2}, -ENOENT},
		{STORE_INO_ROOT, {"%", 1}, -ENOENT},
		{STORE_INO_CONTENT_TYPES, {"blog", 4}, -ENOENT},
		{NO_SUCH_INO, {"entries", 7}, -ENOENT},
		{0, {"entries", 7}, -ENOENT},
		{-1, {"entries", 7}, -ENOENT},
	};
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_schema("blog"), 1, "x");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct node_attr attr = {.ino = -7}, again = {0};
		is_int(reader_lookup(temp.reader, rows[i].parent, rows[i].name, &attr), rows[i].rc, "'%.*s' in %lld",
		       SLICE_FMT(rows[i].name), (long long)rows[i].parent);
		if (rows[i].rc < 0) {
			is_int(attr.ino, -7, "leaves the attributes alone");
			continue;
		}
		is_int(reader_attr(temp.reader, attr.ino, &again), 0, "has attributes by its number");
		ok(same(&attr, &again), "which are the same");
		int64_t parent = 0;
		is_int(reader_parent(temp.reader, attr.ino, &parent), 0, "is in a directory");
		is_int(parent, rows[i].parent, "the one it was found in");
	}
}

static bool count_entry(void *context, const struct dir_entry *entry)
{
	(void)entry;
	++*(int *)context;
	return true;
}

static void take_length(void *context, struct slice bytes)
{
	*(long *)context = (long)bytes.len;
}

static void take_facts(void *context, const struct node_facts *facts)
{
	*(struct node_facts *)context = *facts;
}

static void test_numbers_that_are_not_there(void)
{
	static const int64_t inos[] = {0, -1, 5, STORE_INO_RESERVED, NO_SUCH_INO, INT64_MAX, INT64_MIN};
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (size_t i = 0; i < COUNT(inos); i++) {
		struct node_attr attr;
		struct node_facts facts;
		int64_t parent;
		long length = -1;
		int entries = 0;
		is_int(reader_attr(temp.reader, inos[i], &attr), -ESTALE, "node %lld: no attributes",
		       (long long)inos[i]);
		is_int(reader_parent(temp.reader, inos[i], &parent), -ESTALE, "node %lld: no parent",
		       (long long)inos[i]);
		is_int(reader_facts(temp.reader, inos[i], take_facts, &facts), -ESTALE, "node %lld: no facts",
		       (long long)inos[i]);
		is_int(reader_text(temp.reader, inos[i], 0, 10, NULL, take_length, &length), -ESTALE,
		       "node %lld: no text", (long long)inos[i]);
		is_int(length, -1, "node %lld: nothing is handed out", (long long)inos[i]);
		is_int(reader_list(temp.reader, inos[i], 0, count_entry, &entries), 0, "node %lld: an empty listing",
		       (long long)inos[i]);
		is_int(entries, 0, "node %lld: of no entries", (long long)inos[i]);
	}
	long length = -1;
	is_int(reader_text(temp.reader, STORE_INO_ENTRIES, 0, 10, NULL, take_length, &length), -ESTALE,
	       "a directory has no text");
}

static void test_root(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct node_attr attr;
	int64_t parent = 0, now = clock_wall_ns();
	temp_store_open(&temp);
	for (int64_t ino = STORE_INO_ROOT; ino <= STORE_INO_ASSETS; ino++) {
		temp_must(reader_attr(temp.reader, ino, &attr), NULL, "reader_attr");
		is_int(attr.kind, NODE_DIRECTORY, "node %lld is a directory", (long long)ino);
		is_int(attr.links, ino == STORE_INO_ROOT ? 5 : 2, "node %lld: its links", (long long)ino);
		ok(attr.mtime > now - 60000000000 && attr.mtime <= now + 60000000000, "node %lld: its time is now",
		   (long long)ino);
		temp_must(reader_parent(temp.reader, ino, &parent), NULL, "reader_parent");
		is_int(parent, STORE_INO_ROOT, "node %lld: is in the root", (long long)ino);
	}
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

struct piece {
	struct buf bytes;
	int calls;
};

static void take_piece(void *context, struct slice bytes)
{
	struct piece *piece = context;
	piece->calls++;
	buf_reset(&piece->bytes);
	buf_append(&piece->bytes, bytes.at, bytes.len);
}

static void piece_finish(struct piece *piece)
{
	buf_finish(&piece->bytes);
}

/* Every offset and size around the ends and the middle, against the text itself. */
static void check_text(struct temp_store *temp, const char *path, struct slice text)
{
	CLEANUP(piece_finish) struct piece piece = {.bytes = BUF_INIT};
	const long len = (long)text.len;
	const int64_t offsets[] = {0, 1, 4096, len / 2, len - 1, len, len + 1, len + 100000, INT64_MAX};
	const size_t sizes[] = {0, 1, 2, 4096, 131072, text.len, text.len + 1, SIZE_MAX};
	int64_t ino = temp_store_ino(temp, path);
	int wrong = 0;
	for (size_t i = 0; i < COUNT(offsets) * COUNT(sizes); i++) {
		int64_t offset = offsets[i / COUNT(sizes)];
		size_t size = sizes[i % COUNT(sizes)], from = offset < len ? (size_t)offset : text.len;
		size_t want = text.len - from < size ? text.len - from : size;
		if (offset < 0)
			continue;
		piece.calls = 0;
		int rc = reader_text(temp->reader, ino, offset, size, NULL, take_piece, &piece);
		struct slice wanted = want ? slice_make(text.at + from, want) : slice_of("");
		bool right = rc == 0 && piece.calls == 1 && slice_eq(buf_slice(&piece.bytes), wanted);
		if (!right && wrong++ < 5)
			diag("offset %lld size %zu: rc %d, %d calls, %zu bytes", (long long)offset, size, rc,
			     piece.calls, piece.bytes.len);
	}
	is_int(wrong, 0, "a text of %ld bytes is read rightly from every offset in every size", len);
}

static void test_texts(void)
{
	static const size_t lengths[] = {0, 1, 2, 4095, 4096, 65535, 65536, 65537, 131072, 1000003};
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		CLEANUP(buf_finish) struct buf text = BUF_INIT;
		struct err err = {0};
		for (size_t k = 0; k < lengths[i]; k++)
			buf_append_char(&text, (char)("caf\xc3\xa9 \n\""[k % 8]));
		struct store_item item = temp_item(temp_entry("blog", "en", "a"), 1, "");
		item.text = buf_slice(&text);
		temp_must(store_begin(temp.store, &err), &err, "store_begin");
		temp_must(store_place(temp.store, &item, &err), &err, "store_place");
		temp_must(store_commit(temp.store, &err), &err, "store_commit");
		check_text(&temp, "entries/blog/en/a.json", buf_slice(&text));
	}
}

/* A text that is read in pieces can be given up between two of them. */
static void test_text_given_up(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(piece_finish) struct piece piece = {.bytes = BUF_INIT};
	CLEANUP(cleanup_free) char *text = calloc(1, 200001);
	temp_must(text ? 0 : -ENOMEM, NULL, "calloc");
	memset(text, 'x', 200000);
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, text);
	int64_t ino = temp_store_ino(&temp, "entries/blog/en/a.json");
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 2, "new");
	is_int(reader_text(temp.reader, ino, 0, 1000, NULL, take_piece, &piece), 0, "a piece of an old version");
	store_reclaim(temp.store, &ino, 1, NULL);
	piece.calls = 0;
	is_int(reader_text(temp.reader, ino, 1000, 1000, NULL, take_piece, &piece), -ESTALE,
	       "the next one after it was given up");
	is_int(piece.calls, 0, "hands out nothing");
}

/* --- texts of a directory ----------------------------------------------------------------------------------------- */

struct way {
	char text[256];
	int left; /* texts until it is enough */
};

static bool go_on(void *context, const struct dir_text *text)
{
	struct way *way = context;
	size_t len = strlen(way->text);
	snprintf(way->text + len, sizeof(way->text) - len, "%s%.*s", len ? " " : "",
		 SLICE_FMT(text->left_out ? slice_of("(long)") : text->text));
	return --way->left != 0;
}

/* The texts beside a file, from there on. */
static const char *beside(struct temp_store *temp, const char *path, bool back, int most)
{
	static struct way way;
	int64_t cookie = 0;
	way = (struct way){.left = most};
	temp_must(reader_cookie(temp->reader, temp_store_ino(temp, path), &cookie), NULL, path);
	temp_must(reader_texts(temp->reader, temp_store_ino(temp, "entries/blog/en"), cookie, back, 20, go_on, &way),
		  NULL, "reader_texts");
	return way.text;
}

static void test_texts_of_a_directory(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	int64_t cookie = 0, directory = 0;
	long length;
	temp_store_open(&temp);
	for (const char *uid = "a\0b\0c\0d\0e\0"; *uid; uid += 2) {
		temp_store_place(&temp, temp_entry("blog", "en", uid), 1, uid);
		temp_store_place(&temp, temp_entry("blog", "de", uid), 1, "of another directory");
	}
	int64_t before = temp_store_ino(&temp, "entries/blog/en/b.json");
	temp_store_place(&temp, temp_entry("blog", "en", "b"), 2, "B");
	temp_store_place(&temp, temp_entry("blog", "en", "d"), 2, "a text that is too long");
	is_str(beside(&temp, "entries/blog/en/a.json", false, 9), "B c (long) e", "in the order of listings");
	is_str(beside(&temp, "entries/blog/en/e.json", true, 9), "(long) c B a", "and back");
	is_str(beside(&temp, "entries/blog/en/b.json", false, 2), "c (long)",
	       "from a new version's place, as far as is wanted");
	is_str(beside(&temp, "entries/blog/en/b.json", true, 9), "a", "which is its name's");
	is_str(beside(&temp, "entries/blog/en/e.json", false, 9), "", "after the last there is nothing");
	is_int(reader_cookie(temp.reader, before, &cookie), -ESTALE, "a version without a name has no place");
	is_int(reader_cookie(temp.reader, NO_SUCH_INO, &cookie), -ESTALE, "nor has what is not there");
	temp_must(reader_text(temp.reader, temp_store_ino(&temp, "entries/blog/en/c.json"), 0, 9, &directory,
			      take_length, &length),
		  NULL, "reader_text");
	is_int(directory, temp_store_ino(&temp, "entries/blog/en"), "a text says which directory it is in");
}

/* --- facts -------------------------------------------------------------------------------------------------------- */

struct facts_text {
	char text[256];
};

static void write_facts(void *context, const struct node_facts *facts)
{
	struct facts_text *out = context;
	snprintf(out->text, sizeof(out->text),
		 "kind %d uid '%.*s' type '%.*s' locale '%.*s' title '%.*s' updated '%.*s' %lld v%lld", facts->kind,
		 SLICE_FMT(facts->uid), SLICE_FMT(facts->content_type), SLICE_FMT(facts->locale),
		 SLICE_FMT(facts->title), SLICE_FMT(facts->updated_at), (long long)facts->published_at, facts->version);
}

static void test_facts(void)
{
	static const struct {
		const char *path, *want;
	} rows[] = {
		{"", "kind 0 uid '' type '' locale '' title '' updated '' 0 v0"},
		{"content_types", "kind 0 uid '' type '' locale '' title '' updated '' 0 v0"},
		{"entries", "kind 0 uid '' type '' locale '' title '' updated '' 0 v0"},
		{"assets", "kind 0 uid '' type '' locale '' title '' updated '' 0 v0"},
		{"entries/a%2Fb", "kind 0 uid '' type 'a/b' locale '' title '' updated '' 0 v0"},
		{"entries/a%2Fb/en", "kind 0 uid '' type 'a/b' locale 'en' title '' updated '' 0 v0"},
		{"assets/fr", "kind 0 uid '' type '' locale 'fr' title '' updated '' 0 v0"},
		{"entries/a%2Fb/en/x%25.json",
		 "kind 1 uid 'x%' type 'a/b' locale 'en' title 'A title' updated '2026-01-02T03:04:05.678Z' 7 v1"},
		{"assets/fr/f.json",
		 "kind 2 uid 'f' type '' locale 'fr' title 'A title' updated '2026-01-02T03:04:05.678Z' 8 v1"},
		{"content_types/a%2Fb.json",
		 "kind 3 uid 'a/b' type 'a/b' locale '' title 'A title' updated '2026-01-02T03:04:05.678Z' 9 v1"},
	};
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct facts_text facts;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("a/b", "en", "x%"), 7, "x");
	temp_store_place(&temp, temp_asset("fr", "f"), 8, "x");
	temp_store_place(&temp, temp_schema("a/b"), 9, "x");
	for (size_t i = 0; i < COUNT(rows); i++) {
		is_int(reader_facts(temp.reader, temp_store_ino(&temp, rows[i].path), write_facts, &facts), 0,
		       "/%s has facts", rows[i].path);
		is_str(facts.text, rows[i].want, "/%s: its facts", rows[i].path);
	}
	int64_t ino = temp_store_ino(&temp, "entries/a%2Fb/en/x%25.json");
	temp_store_place(&temp, temp_entry("a/b", "en", "x%"), 8, "y");
	is_int(reader_facts(temp.reader, ino, write_facts, &facts), 0, "an old version has facts");
	is_str(facts.text, rows[7].want, "which are still its own");
}

/* --- sums --------------------------------------------------------------------------------------------------------- */

static void write_count(void *context, struct slice content_type, struct slice locale, int64_t files)
{
	struct buf *out = context;
	buf_printf(out, "%s%.*s/%.*s:%lld", out->len ? " " : "", SLICE_FMT(content_type), SLICE_FMT(locale),
		   (long long)files);
}

static void check_sums(struct temp_store *temp, const char *when, const char *totals_want, const char *counts_want)
{
	CLEANUP(buf_finish) struct buf counts = BUF_INIT;
	struct store_totals totals;
	struct err err = {0};
	char text[128];
	temp_must(reader_totals(temp->reader, &totals, &err), &err, "reader_totals");
	snprintf(text, sizeof(text), "%lld types %lld entries %lld assets %lld directories %lld bytes",
		 (long long)totals.content_types, (long long)totals.entries, (long long)totals.assets,
		 (long long)totals.directories, (long long)totals.bytes);
	is_str(text, totals_want, "%s: the totals", when);
	temp_must(reader_counts(temp->reader, write_count, &counts, &err), &err, "reader_counts");
	is_str(buf_text(&counts), counts_want, "%s: the counts", when);
}

static void test_sums(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	check_sums(&temp, "an empty store", "0 types 0 entries 0 assets 4 directories 0 bytes", "");
	temp_store_place(&temp, temp_schema("blog"), 1, "12345");
	temp_store_place(&temp, temp_entry("page", "fr", "a"), 1, "123");
	temp_store_place(&temp, temp_entry("blog", "fr", "a"), 1, "123");
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "123");
	temp_store_place(&temp, temp_entry("blog", "en", "b"), 1, "123");
	temp_store_place(&temp, temp_asset("en", "f"), 1, "1");
	check_sums(&temp, "six files", "1 types 4 entries 1 assets 10 directories 18 bytes",
		   "blog/en:2 blog/fr:1 page/fr:1");
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 2, "1234567890");
	check_sums(&temp, "a longer version", "1 types 4 entries 1 assets 10 directories 25 bytes",
		   "blog/en:2 blog/fr:1 page/fr:1");
	temp_store_unplace(&temp, temp_entry("blog", "", ""), 9);
	temp_store_unplace(&temp, temp_asset("", "f"), 9);
	check_sums(&temp, "a type is gone", "1 types 1 entries 0 assets 6 directories 8 bytes", "page/fr:1");
}

static void test_sync_state(void)
{
	static const struct {
		const char *name;
		struct stream streams[2];
		bool complete;
		uint64_t pages, items;
	} rows[] = {
		{"no stream has begun", {{0}, {0}}, false, 0, 0},
		{"a first run is under way",
		 {{.id = 1, .run = RUN_FIRST, .page_token = (char *)"p", .pages = 2, .items = 150}, {0}},
		 false,
		 2,
		 150},
		{"a first run has ended",
		 {{.id = 1, .sync_token = (char *)"s", .listed = true, .run = RUN_DELTA, .pages = 1, .items = 7}, {0}},
		 true,
		 1,
		 7},
		{"a first listing that was begun again beside what it has shown",
		 {{.id = 1, .sync_token = (char *)"s", .run = RUN_REBUILD_DELTA, .pages = 1, .items = 7}, {0}},
		 false,
		 1,
		 7},
		{"nothing is under way", {{.id = 1, .sync_token = (char *)"s", .listed = true}, {0}}, true, 0, 0},
		{"one of two has ended",
		 {{.id = 1, .sync_token = (char *)"s", .listed = true},
		  {.id = 2, .run = RUN_FIRST, .pages = 1, .items = 3}},
		 false,
		 1,
		 3},
		{"two are under way",
		 {{.id = 1, .run = RUN_FIRST, .pages = 1, .items = 3},
		  {.id = 2, .run = RUN_FIRST, .pages = 1, .items = 4}},
		 false,
		 2,
		 7},
		{"both have ended",
		 {{.id = 1, .sync_token = (char *)"s", .listed = true},
		  {.id = 2, .sync_token = (char *)"t", .listed = true}},
		 true,
		 0,
		 0},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		struct store_sync_state state;
		struct err err = {0};
		temp_store_open(&temp);
		temp_must(store_begin(temp.store, &err), &err, "store_begin");
		for (size_t k = 0; k < 2 && rows[i].streams[k].id; k++)
			temp_must(store_stream_save(temp.store, &rows[i].streams[k], &err), &err, "store_stream_save");
		temp_store_quarantine(&temp, "{}");
		temp_must(store_commit(temp.store, &err), &err, "store_commit");
		temp_must(reader_sync_state(temp.reader, &state, &err), &err, "reader_sync_state");
		is_int(state.complete, rows[i].complete, "%s: the content is %s", rows[i].name,
		       rows[i].complete ? "whole" : "not whole");
		is_int((long long)state.pages, (long long)rows[i].pages, "%s: pages", rows[i].name);
		is_int((long long)state.items, (long long)rows[i].items, "%s: items", rows[i].name);
		is_int(state.quarantined, 1, "%s: what is in quarantine", rows[i].name);
	}
}

static void test_notes(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf value = BUF_INIT;
	struct err err = {0};
	temp_store_open(&temp);
	buf_append_text(&value, "before:");
	is_int(reader_note(temp.reader, NOTE_LAST_ERROR, &value), -ENOENT, "a note that was never made");
	is_str(value.text, "before:", "adds nothing");
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	temp_must(store_note(temp.store, NOTE_LAST_ERROR, "it's broken", &err), &err, "store_note");
	temp_must(store_note(temp.store, NOTE_LAST_STATUS, "", &err), &err, "store_note");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	is_int(reader_note(temp.reader, NOTE_LAST_ERROR, &value), 0, "one that was");
	is_str(value.text, "before:it's broken", "is added to what is there");
	is_int(reader_note(temp.reader, NOTE_LAST_STATUS, &value), 0, "one may be empty");
	is_str(value.text, "before:it's broken", "and adds nothing then");
	is_int(reader_note(temp.reader, "host", &value), 0, "what a store belongs to can be read the same way");
	ok(strstr(value.text, temp_identity.host) != NULL, "and is there: %s", value.text);
}

/* --- beside a writer ---------------------------------------------------------------------------------------------- */

static void test_beside_a_writer(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "old");
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	const struct store_item item = temp_item(temp_entry("blog", "en", "a"), 2, "new");
	temp_must(store_place(temp.store, &item, &err), &err, "store_place");
	int64_t began = clock_monotonic_ms();
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=old assets/",
	       "a reader sees the last committed state while a transaction is under way");
	ok(clock_monotonic_ms() - began < 5000, "and does not wait for it");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=new assets/",
	       "and the new one after the commit");
}

static void test_opening(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct store_reader *reader = NULL;
	struct err err = {0};
	temp_store_init(&temp);
	ok(reader_open(&reader, temp.path, &err) < 0 && !reader, "a store that is not there cannot be read");
	ok(strstr(err.text, temp.path) != NULL, "and the message names it: %s", err.text);
	temp_store_start(&temp);
	temp_store_place(&temp, temp_schema("blog"), 1, "x");
	temp_store_stop(&temp);
	is_int(reader_open(&temp.reader, temp.path, &err), 0, "a store that nobody writes to can");
	is_str(temp_store_tree(&temp), "content_types/ content_types/blog.json=x entries/ assets/",
	       "with all that is in it");
	reader_close(NULL);
}

int main(void)
{
	test_lookup();
	test_numbers_that_are_not_there();
	test_root();
	test_texts();
	test_text_given_up();
	test_texts_of_a_directory();
	test_facts();
	test_sums();
	test_sync_state();
	test_notes();
	test_beside_a_writer();
	test_opening();
	return tap_done();
}
