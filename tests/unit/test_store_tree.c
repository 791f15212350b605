/* The tree in the store: names and nodes come, change and go, and directories with them. */
#include "store/reader.h"
#include "store/store.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EMPTY_TREE "content_types/ entries/ assets/"

static struct node_attr attr_of(struct temp_store *temp, int64_t ino)
{
	struct node_attr attr = {0};
	temp_must(reader_attr(temp->reader, ino, &attr), NULL, "reader_attr");
	return attr;
}

static void take_text(void *context, struct slice bytes)
{
	buf_append(context, bytes.at, bytes.len);
}

/* The text of a node, or its errno. */
static const char *text_of(struct temp_store *temp, int64_t ino)
{
	static char shown[512];
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	int rc = reader_text(temp->reader, ino, 0, sizeof(shown), NULL, take_text, &text);
	snprintf(shown, sizeof(shown), "%s", rc == -ESTALE ? "(stale)" : rc < 0 ? "(error)" : buf_text(&text));
	return shown;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void test_placing(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	is_str(temp_store_tree(&temp), EMPTY_TREE, "a new store has its three directories");
	is_str(temp_store_fault(&temp), "", "and is sound");
	temp_store_place(&temp, temp_schema("blog"), 1000, "schema");
	temp_store_place(&temp, temp_entry("blog", "en-us", "a"), 1600000000123, "entry");
	temp_store_place(&temp, temp_asset("en-us", "f"), 3000, "");
	is_str(temp_store_tree(&temp),
	       "content_types/ content_types/blog.json=schema entries/ entries/blog/ entries/blog/en-us/"
	       " entries/blog/en-us/a.json=entry assets/ assets/en-us/ assets/en-us/f.json=",
	       "what is placed is in the tree");
	is_str(temp_store_fault(&temp), "", "which is sound");
	struct node_attr attr = attr_of(&temp, temp_store_ino(&temp, "entries/blog/en-us/a.json"));
	ok(attr.ino > STORE_INO_RESERVED, "its inode number is none of the reserved ones");
	is_int(attr.kind, NODE_ENTRY, "its kind");
	is_int(attr.size, 5, "its size is that of its text");
	is_int(attr.mtime, 1600000000123000000, "its time is that of its publication");
	is_int(attr.links, 1, "it has one link");
	is_int(attr_of(&temp, temp_store_ino(&temp, "assets/en-us/f.json")).size, 0, "a text may be empty");
}

static void test_replacing(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	const struct store_key key = temp_entry("blog", "en", "a");
	temp_store_open(&temp);
	temp_store_place(&temp, key, 1, "one");
	int64_t first = temp_store_ino(&temp, "entries/blog/en/a.json");
	temp_store_place(&temp, key, 2, "two!");
	int64_t second = temp_store_ino(&temp, "entries/blog/en/a.json");
	temp_store_place(&temp, key, 3, "three");
	int64_t third = temp_store_ino(&temp, "entries/blog/en/a.json");
	ok(first < second && second < third, "each version has a number of its own, ever higher");
	is_str(text_of(&temp, first), "one", "the first is still readable by its number");
	is_str(text_of(&temp, second), "two!", "so is the second");
	is_str(text_of(&temp, third), "three", "and the name has the third");
	is_int(attr_of(&temp, first).size, 3, "an old version keeps its size");
	is_int(attr_of(&temp, first).mtime, 1000000, "and its time");

	is_int(store_reclaim(temp.store, &second, 1, NULL), 0, "giving up the second");
	struct node_attr attr;
	int64_t parent;
	is_int(reader_attr(temp.reader, second, &attr), -ESTALE, "makes it stale for stat");
	is_int(reader_parent(temp.reader, second, &parent), -ESTALE, "for its parent");
	is_str(text_of(&temp, second), "(stale)", "for reading");
	is_str(text_of(&temp, first), "one", "and leaves the first");
	is_int(store_reclaim(temp.store, &third, 1, NULL), 0, "giving up the one that has the name");
	is_str(text_of(&temp, third), "three", "does nothing to it");
	is_int(store_reclaim(temp.store, (int64_t[]){second, 999999, 1, 3, first, first}, 6, NULL), 0,
	       "numbers that are gone, unknown, or come twice do no harm");
	is_str(text_of(&temp, first), "(stale)", "and the others are given up");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM version"), "1", "nothing is left of them");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

static void test_removing(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	const struct store_key key = temp_entry("blog", "en", "a");
	temp_store_open(&temp);
	temp_store_place(&temp, key, 5, "one");
	int64_t file = temp_store_ino(&temp, "entries/blog/en/a.json");
	int64_t directory = temp_store_ino(&temp, "entries/blog/en");
	temp_store_unplace(&temp, key, 4);
	is_int(temp_store_ino(&temp, "entries/blog/en/a.json"), file, "a removal older than the file does not count");
	temp_store_unplace(&temp, temp_entry("blog", "en", "b"), 9);
	temp_store_unplace(&temp, temp_entry("blog", "fr", "a"), 9);
	temp_store_unplace(&temp, temp_entry("page", "en", "a"), 9);
	temp_store_unplace(&temp, temp_asset("en", "a"), 9);
	temp_store_unplace(&temp, temp_schema("a"), 9);
	is_int(temp_store_ino(&temp, "entries/blog/en/a.json"), file, "nor does one of something else");
	temp_store_unplace(&temp, key, 5);
	is_str(temp_store_tree(&temp), EMPTY_TREE,
	       "one of the same time does, and the directories go with the last file");
	is_str(text_of(&temp, file), "one", "who has it open can go on reading");
	is_int(attr_of(&temp, directory).links, 2, "a directory that is gone is an empty one to who has it open");
	is_str(temp_store_fault(&temp), "", "the store is sound");
	temp_store_place(&temp, key, 6, "two");
	ok(temp_store_ino(&temp, "entries/blog/en") > directory &&
		   temp_store_ino(&temp, "entries/blog/en/a.json") > file,
	   "what comes back has new numbers");
	is_int(store_reclaim(temp.store, NULL, SUPERSEDED_ALL, NULL), 0, "giving up all that lost its name");
	struct node_attr attr;
	is_int(reader_attr(temp.reader, file, &attr), -ESTALE, "makes the old file stale");
	is_int(reader_attr(temp.reader, directory, &attr), -ESTALE, "and the old directory");
	is_str(text_of(&temp, temp_store_ino(&temp, "entries/blog/en/a.json")), "two", "but not what has a name");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

static void test_bounds_of_what_lost_its_name(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	const struct store_key key = temp_entry("blog", "en", "a");
	int64_t ino[5];
	temp_store_open(&temp);
	for (size_t i = 0; i < COUNT(ino); i++) {
		temp_store_place(&temp, key, (int64_t)i, "text");
		ino[i] = temp_store_ino(&temp, "entries/blog/en/a.json");
	}
	is_int(store_reclaim(temp.store, NULL, 0, NULL), 0, "what lost its name just now and is small");
	is_str(text_of(&temp, ino[0]), "text", "stays");
	temp_store_ask(
		&temp,
		"UPDATE superseded SET at = at - 25 * 3600 * 1000 WHERE ino = (SELECT min(ino) FROM superseded)");
	store_reclaim(temp.store, NULL, 0, NULL);
	is_str(text_of(&temp, ino[0]), "(stale)", "what lost it more than a day ago goes");
	is_str(text_of(&temp, ino[1]), "text", "and nothing else");
	temp_store_ask(&temp, "UPDATE superseded SET at = (SELECT max(at) FROM superseded), size = 100 * 1048576");
	store_reclaim(temp.store, NULL, 0, NULL);
	is_str(text_of(&temp, ino[1]), "(stale)", "of more than 256 MiB the oldest goes");
	is_str(text_of(&temp, ino[2]), "text", "and no more than has to");
	temp_store_place(&temp, key, 9, "text");
	temp_store_ask(&temp, "UPDATE superseded SET at = (SELECT max(at) FROM superseded), size = 100 * 1048576");
	store_reclaim(temp.store, &ino[3], 1, NULL);
	is_str(text_of(&temp, ino[3]), "(stale)", "what is given up goes first");
	is_str(text_of(&temp, ino[2]), "text", "and if that is enough, what is older stays");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* Times of years that a number of nanoseconds cannot tell: as far as it can. */
static void test_far_times(void)
{
	static const struct {
		const char *name;
		int64_t published_at;
		int64_t mtime;
	} rows[] = {
		{"the year 9999", 253402300799999, INT64_MAX / 1000000 * 1000000},
		{"the year 0", -62167219200000, INT64_MIN / 1000000 * 1000000},
		{"the last millisecond that fits", INT64_MAX / 1000000, INT64_MAX / 1000000 * 1000000},
		{"before 1970", -1500, -1500000000},
	};
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (size_t i = 0; i < COUNT(rows); i++) {
		temp_store_place(&temp, temp_entry("blog", "en", "a"), rows[i].published_at, "x");
		is_int(attr_of(&temp, temp_store_ino(&temp, "entries/blog/en/a.json")).mtime, rows[i].mtime, "%s",
		       rows[i].name);
	}
}

static void test_touching(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	const struct store_key key = temp_entry("blog", "en", "a");
	struct store_known known;
	struct err err = {0};
	temp_store_open(&temp);
	temp_store_place(&temp, key, 5, "one");
	int64_t ino = temp_store_ino(&temp, "entries/blog/en/a.json");
	int64_t end = store_journal_end(temp.store);
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	temp_must(store_touch(temp.store, ino, 8, &err), &err, "store_touch");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	temp_must(store_find(temp.store, &key, &known, &err), &err, "store_find");
	ok(known.live.ino == ino && known.live.event_at == 8,
	   "a touched file keeps its number and has the newer event");
	is_int(attr_of(&temp, ino).mtime, 5000000, "its time stays");
	is_int(store_journal_end(temp.store), end, "and nobody has to be told");
	struct store_item item = {.key = key, .text = slice_of("one")};
	is_int(store_is_same(temp.store, ino, &item, &err), 1, "its text is what it is");
	item.text = slice_of("one ");
	is_int(store_is_same(temp.store, ino, &item, &err), 0, "not a longer one");
	item.text = slice_of("");
	is_int(store_is_same(temp.store, ino, &item, &err), 0, "nor an empty one");
	is_int(store_is_same(temp.store, 999, &item, &err), 0, "and what is not there has none");
}

/* --- directories -------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *add, *remove; /* uid */
	const char *locale;
	const char *text;
	int links;        /* of entries/blog */
	int files, bytes; /* of entries/blog/LOCALE */
} steps[] = {
	{"a file in a new directory", "a", NULL, "en", "12345", 3, 1, 5},
	{"a second one", "b", NULL, "en", "123", 3, 2, 8},
	{"a longer version", "a", NULL, "en", "1234567890", 3, 2, 13},
	{"a shorter version", "a", NULL, "en", "", 3, 2, 3},
	{"a file in another locale", "a", NULL, "fr", "1", 4, 1, 1},
	{"a removal", NULL, "b", "en", NULL, 4, 1, 0},
	{"a third locale", "a", NULL, "de", "1", 5, 1, 1},
	{"the last file of a locale", NULL, "a", "fr", NULL, 4, 0, 0},
};

static void test_directories(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "it", "stays"), 1,
			 "x"); /* so that entries/blog is there all along */
	temp_store_unplace(&temp, temp_entry("page", "", ""), 1);
	int64_t blog = temp_store_ino(&temp, "entries/blog");
	for (size_t i = 0; i < COUNT(steps); i++) {
		char sql[256], want[64], path[64];
		snprintf(path, sizeof(path), "entries/blog/%s", steps[i].locale);
		int64_t before = temp_store_ino(&temp, path);
		int64_t before_at = before ? attr_of(&temp, before).mtime : 0;
		struct node_attr above = attr_of(&temp, blog);
		if (steps[i].add)
			temp_store_place(&temp, temp_entry("blog", steps[i].locale, steps[i].add), 1, steps[i].text);
		else
			temp_store_unplace(&temp, temp_entry("blog", steps[i].locale, steps[i].remove), 1);
		struct node_attr attr = attr_of(&temp, blog);
		is_int(attr.links, steps[i].links + 1, "%s: the links of the directory above", steps[i].name);
		ok((attr.mtime > above.mtime) == (attr.links != above.links),
		   "%s: the time of the directory above tells of directories that came or went", steps[i].name);
		int64_t now = temp_store_ino(&temp, path);
		snprintf(sql, sizeof(sql), "SELECT files, bytes FROM directory WHERE ino = %lld", (long long)now);
		snprintf(want, sizeof(want), "%d|%d", steps[i].files, steps[i].bytes);
		is_str(temp_store_ask(&temp, sql), steps[i].files ? want : "", "%s: files and bytes", steps[i].name);
		if (now && before)
			ok(attr_of(&temp, now).mtime > before_at, "%s: the directory's time has grown", steps[i].name);
		is_str(temp_store_fault(&temp), "", "%s: the store is sound", steps[i].name);
	}
	is_int(attr_of(&temp, STORE_INO_ROOT).links, 5, "the root has a link from each of its three directories");
	is_int(attr_of(&temp, STORE_INO_ENTRIES).links, 3, "entries/ has one from entries/blog");
}

/* A clock that stands still, or goes back, does not make two states of a directory look the same. */
static void test_directory_times(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "x");
	int64_t directory = temp_store_ino(&temp, "entries/blog/en");
	int64_t future = attr_of(&temp, directory).mtime + 3600000000000;
	char sql[128];
	snprintf(sql, sizeof(sql), "UPDATE node SET mtime = %lld WHERE ino = %lld", (long long)future,
		 (long long)directory);
	temp_store_ask(&temp, sql);
	for (int i = 1; i <= 3; i++) {
		temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "y");
		is_int(attr_of(&temp, directory).mtime, future + i,
		       "with a clock that lies behind, change %d is a nanosecond later", i);
	}
}

/* More directories in one transaction than are kept in memory. */
static void test_many_directories(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 200; i++) {
			char locale[16];
			snprintf(locale, sizeof(locale), "l%d", i);
			const struct store_item item =
				temp_item(temp_entry(i % 2 ? "blog" : "page", locale, round ? "a" : "b"), 1, "text");
			temp_must(store_place(temp.store, &item, &err), &err, "store_place");
		}
	}
	is_int(store_commit(temp.store, &err), 0, "three times 200 files in 200 directories in one transaction");
	is_str(temp_store_fault(&temp), "", "are counted rightly");
	is_int(attr_of(&temp, temp_store_ino(&temp, "entries/blog")).links, 102,
	       "a directory has a link from each in it");
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	const struct store_key all[] = {temp_entry("blog", "", ""), temp_entry("page", "", "b"),
					temp_entry("page", "l0", "a")};
	for (size_t i = 0; i < COUNT(all); i++)
		temp_must(store_unplace(temp.store, &all[i], 1, &err), &err, "store_unplace");
	is_int(store_commit(temp.store, &err), 0, "most of them go in one transaction");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM entries"), "99", "and only those");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* What comes and goes in one transaction was never there; what goes and comes back is there. */
static void test_within_a_transaction(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	const struct store_item item = temp_item(temp_entry("blog", "en", "a"), 1, "x");
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	temp_must(store_place(temp.store, &item, &err), &err, "store_place");
	temp_must(store_unplace(temp.store, &item.key, 1, &err), &err, "store_unplace");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	is_str(temp_store_tree(&temp), EMPTY_TREE, "what came and went in one transaction is not there");
	is_str(temp_store_fault(&temp), "", "the store is sound");
	temp_store_place(&temp, item.key, 1, "x");
	int64_t directory = temp_store_ino(&temp, "entries/blog/en");
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	temp_must(store_unplace(temp.store, &item.key, 1, &err), &err, "store_unplace");
	temp_must(store_place(temp.store, &item, &err), &err, "store_place");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	is_int(temp_store_ino(&temp, "entries/blog/en"), directory,
	       "a directory that was empty in between stays the same");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

static void test_numbers_are_not_used_twice(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	int64_t highest = STORE_INO_RESERVED;
	temp_store_open(&temp);
	bool growing = true;
	for (int i = 0; i < 6; i++) {
		temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "x");
		int64_t first = temp_store_ino(&temp, "entries/blog");
		int64_t ino = temp_store_ino(&temp, "entries/blog/en/a.json");
		growing &= first > highest && ino > first;
		highest = ino;
		temp_store_unplace(&temp, temp_entry("blog", "en", "a"), 1);
		temp_must(store_reclaim(temp.store, NULL, SUPERSEDED_ALL, NULL), NULL, "store_reclaim");
		if (i % 2) {
			temp_store_stop(&temp);
			temp_store_start(&temp);
		}
	}
	ok(growing, "numbers grow though the nodes that had the highest ones are gone, and over a restart");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM node"), "4", "of all these nodes none is left");
}

int main(void)
{
	test_placing();
	test_replacing();
	test_removing();
	test_bounds_of_what_lost_its_name();
	test_far_times();
	test_touching();
	test_directories();
	test_directory_times();
	test_many_directories();
	test_within_a_transaction();
	test_numbers_are_not_used_twice();
	return tap_done();
}
