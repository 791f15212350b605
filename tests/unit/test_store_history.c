/* What a store says of its last changes. */
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const ops[] = {[CHANGE_ADDED] = "+", [CHANGE_CHANGED] = "~", [CHANGE_REMOVED] = "-"};

struct told {
	struct buf text;
	int64_t last;
	int left; /* how many more are wanted */
	bool timely;
};

static bool tell(void *context, const struct history *history)
{
	struct told *told = context;
	int64_t now = clock_wall_ms();
	buf_printf(&told->text, "%s%s%d/%.*s/%.*s/%.*s=%.*s@%lld", told->text.len ? " " : "", ops[history->op],
		   (int)history->kind, SLICE_FMT(history->content_type), SLICE_FMT(history->locale),
		   SLICE_FMT(history->uid), SLICE_FMT(history->title), (long long)history->event_at);
	told->timely = told->timely && history->at <= now && history->at > now - 600000 && history->id > told->last;
	told->last = history->id;
	return --told->left != 0;
}

static void is_history(struct temp_store *temp, int64_t after, int most, const char *want, const char *name)
{
	struct told told = {.last = after, .left = most, .timely = true};
	is_int(reader_history(temp->reader, after, tell, &told, NULL), 0, "%s", name);
	is_str(buf_text(&told.text), want, "%s: the changes", name);
	ok(told.timely, "%s: in their order, of now", name);
	buf_finish(&told.text);
}

static int64_t start(struct temp_store *temp, int64_t count)
{
	int64_t after = -7;
	temp_must(reader_history_start(temp->reader, count, &after, NULL), NULL, "reader_history_start");
	return after;
}

static void place(struct temp_store *temp, struct store_key key, int64_t event_at, const char *text, const char *title)
{
	struct store_item item = temp_item(key, event_at, text);
	item.title = slice_of(title);
	temp_must(store_begin(temp->store, NULL), NULL, "store_begin");
	temp_must(store_place(temp->store, &item, NULL), NULL, "store_place");
	temp_must(store_commit(temp->store, NULL), NULL, "store_commit");
}

static void test_history(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	is_history(&temp, 0, 99, "", "an empty store");
	is_int(start(&temp, 5), 0, "and it begins at its beginning");

	place(&temp, temp_entry("blog", "en", "a"), 1, "one", "One");
	is_history(&temp, 0, 99, "+1/blog/en/a=One@1", "what is new, and no directories");
	place(&temp, temp_entry("blog", "en", "a"), 2, "two", "Two");
	is_history(&temp, 0, 99, "+1/blog/en/a=Two@1 ~1/blog/en/a=Two@2", "what changed, by the title that it has now");
	place(&temp, temp_schema("blog"), 3, "{}", "Blog");
	temp_store_unplace(&temp, temp_entry("blog", "en", "a"), 4);
	int64_t three = start(&temp, 2);
	is_history(&temp, three, 99, "+3///blog=Blog@3 -1/blog/en/a=Two@2", "what went, by the title that it had");
	is_history(&temp, three, 1, "+3///blog=Blog@3", "as many as are wanted");
	is_history(&temp, start(&temp, 0), 99, "", "none");
	is_int(start(&temp, 4), 0, "all of them");
	is_int(start(&temp, 99999), 0, "more than there are");

	temp_must(store_reclaim(temp.store, NULL, SUPERSEDED_ALL, NULL), NULL, "store_reclaim");
	is_history(&temp, three, 99, "+3///blog=Blog@3 -1/blog/en/a=Two@2", "also when nothing else is left of it");
	place(&temp, temp_asset("en", "f"), 5, "{}", "");
	is_history(&temp, start(&temp, 1), 99, "+2//en/f=@5", "an asset without a title, and without its file");
}

static void test_check(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	for (int i = 0; i < 300; i++) {
		char uid[16];
		snprintf(uid, sizeof(uid), "e%d", i);
		temp_store_place(&temp, temp_entry("blog", "en", uid), 1, "a text that takes some room in the store");
	}
	is_int(reader_check(temp.reader, &err), 0, "a sound store is sound");
	temp_store_stop(&temp);

	/* In the middle, where opening it does not look. */
	int fd = open(temp.path, O_RDWR | O_CLOEXEC);
	char junk[4096];
	memset(junk, 0x5a, sizeof(junk));
	off_t end = lseek(fd, 0, SEEK_END);
	for (off_t at = 16384; at + 16384 < end; at += 16384)
		if (pwrite(fd, junk, sizeof(junk), at + 8192) != sizeof(junk))
			diag("could not be damaged");
	close(fd);
	temp_must(reader_open(&temp.reader, temp.path, &err), &err, "reader_open");
	is_int(reader_check(temp.reader, &err), -EUCLEAN, "one that was scribbled on is damaged");
	ok(strstr(err.text, "the store is damaged: "), "with what is wrong: '%s'", err.text);
}

static void test_missing(void)
{
	struct store_reader *reader = NULL;
	struct err err = {0};
	is_int(reader_open(&reader, "/nonexistent/store.db", &err), -EINVAL, "a store that is not there is not read");
	ok(strstr(err.text, "there is no store at /nonexistent/store.db yet"), "with the reason: '%s'", err.text);
}

/* The page of the texts is gone, which only who asks for a title meets. */
static void test_titles_unreadable(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	char page[16384];
	struct err err = {0};
	struct told told = {.left = 10};
	temp_store_open(&temp);
	place(&temp, temp_entry("blog", "en", "a"), 1, "{}", "One");
	long root =
		strtol(temp_store_ask(&temp, "SELECT rootpage FROM sqlite_schema WHERE name = 'version'"), NULL, 10);
	temp_store_stop(&temp);
	memset(page, 0xff, sizeof(page));
	CLEANUP(cleanup_close) int fd = open(temp.path, O_WRONLY);
	temp_must(pwrite(fd, page, sizeof(page), (root - 1) * (off_t)sizeof(page)) > 0 ? 0 : -errno, NULL, temp.path);
	temp_must(reader_open(&temp.reader, temp.path, &err), &err, "reader_open");
	is_int(reader_history(temp.reader, 0, tell, &told, &err), -EUCLEAN, "titles that cannot be read are damage");
	ok(strstr(err.text, "the titles cannot be read"), "which the message says: %s", err.text);
	buf_finish(&told.text);
}

int main(void)
{
	test_history();
	test_check();
	test_missing();
	test_titles_unreadable();
	return tap_done();
}
