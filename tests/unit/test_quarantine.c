/* Items that cannot be applied: kept once, forgotten when they are moot, within bounds. */
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROWS "SELECT uid, reason, json FROM quarantine ORDER BY uid, json"

static struct err err;

static void begin(struct temp_store *temp)
{
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
}

static void commit(struct temp_store *temp)
{
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

static void put(struct temp_store *temp, const char *uid, const char *locale, int64_t event_at, const char *reason)
{
	const struct store_suspect suspect = {
		.known = true,
		.key = temp_entry("blog", locale, uid),
		.stream = 1,
		.event_at = event_at,
		.source = slice_of("{}"),
		.reason = reason,
	};
	begin(temp);
	temp_must(store_quarantine(temp->store, &suspect, &err), &err, "store_quarantine");
	commit(temp);
}

static void settle(struct temp_store *temp, struct store_key key, int64_t event_at)
{
	begin(temp);
	temp_must(store_quarantine_settle(temp->store, &key, event_at, &err), &err, "store_quarantine_settle");
	commit(temp);
}

static void test_once(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	begin(&temp);
	temp_store_quarantine(&temp, "{\"a\":1}");
	temp_store_quarantine(&temp, "{\"b\":1}");
	temp_store_quarantine(&temp, "{\"a\":1}");
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT json FROM quarantine ORDER BY json"), "{\"a\":1} {\"b\":1}",
	       "an item of which nothing is known is kept once, by its text");
	put(&temp, "x", "en", 5, "newer");
	put(&temp, "x", "en", 4, "older");
	put(&temp, "x", "fr", 1, "elsewhere");
	is_str(temp_store_ask(&temp, "SELECT kind, content_type, locale, uid, reason FROM quarantine WHERE uid > ''"
				     " ORDER BY locale"),
	       "entry|blog|en|x|newer entry|blog|fr|x|elsewhere", "one that is known by its key, as it came last");
	is_str(temp_store_fault(&temp), "", "the store is sound");
}

/* What an event of some time says about the row of "x" in "en", which is of 5. */
static void test_settle(void)
{
	static const struct {
		const char *name;
		const char *uid, *locale;
		int64_t event_at;
		const char *left;
	} rows[] = {
		{"a newer event about the item", "x", "en", 6, "-"},
		{"one at the same time", "x", "en", 5, "-"},
		{"an older one", "x", "en", 4, "x"},
		{"one about another locale", "x", "fr", 6, "x"},
		{"one about another item", "y", "en", 6, "x"},
		{"one about every locale", "x", "", 6, "-"},
		{"one about the whole content type", "", "", 6, "-"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		temp_store_open(&temp);
		put(&temp, "x", "en", 5, "because");
		settle(&temp, temp_entry("blog", rows[i].locale, rows[i].uid), rows[i].event_at);
		is_str(temp_store_ask(&temp, "SELECT max(uid) FROM quarantine"), rows[i].left, "%s", rows[i].name);
	}
}

static void test_forget(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	put(&temp, "x", "en", 5, "because");
	begin(&temp);
	temp_must(store_quarantine_forget(temp.store, 2, &err), &err, "store_quarantine_forget");
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM quarantine"), "1", "another stream keeps its own");
	begin(&temp);
	temp_must(store_quarantine_forget(temp.store, 1, &err), &err, "store_quarantine_forget");
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM quarantine"), "0", "a stream that is listed anew forgets");
}

/* What an earlier version of the program left. */
static void test_next(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf seen = BUF_INIT;
	struct store_inmate inmate = {0};
	int rc;
	temp_store_open(&temp);
	put(&temp, "x", "en", 5, "because");
	put(&temp, "y", "en", 5, "because");
	put(&temp, "z", "en", 5, "because");
	is_int(store_quarantine_next(temp.store, &inmate, &err), 0,
	       "what this version put there is not looked at again");
	temp_store_ask(&temp, "UPDATE quarantine_item SET program = '0.0.1', source = uid WHERE uid <> 'y'");
	while ((rc = store_quarantine_next(temp.store, &inmate, &err)) > 0)
		buf_printf(&seen, "%s/%d/%d ", inmate.source.text, inmate.stream, inmate.whole);
	is_int(rc, 0, "the others are handed out to the last");
	is_str(buf_text(&seen), "x/1/1 z/1/1 ", "with text and stream");
	begin(&temp);
	temp_must(store_quarantine_remove(temp.store, inmate.id, &err), &err, "store_quarantine_remove");
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT uid FROM quarantine ORDER BY uid"), "x y", "and can be taken out");
	buf_finish(&inmate.source);
}

static void test_bounds(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf large = BUF_INIT;
	temp_store_open(&temp);
	temp_store_ask(&temp,
		       "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
		       " INSERT INTO quarantine_item (kind, content_type, locale, uid, about, event_at, stream, at,"
		       " reason, program, whole, source) SELECT 0, '', '', '', i, 0, 1, 0, '', '', 1, i FROM n");
	temp_store_stop(&temp);
	temp_store_start(&temp);
	begin(&temp);
	temp_store_quarantine(&temp, "{\"b\":1}");
	temp_store_quarantine(&temp, "{\"c\":1}");
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT count(*), min(CAST(json AS INTEGER) + 0) FILTER (WHERE json NOT LIKE '{%')"
				     " FROM quarantine"),
	       "10000|3", "beyond 10,000 items the oldest make room");
	is_str(temp_store_ask(&temp, "SELECT value FROM meta WHERE key = 'quarantine_lost'"), "2", "and are counted");
	while (large.len <= 1 << 20)
		buf_append_text(&large, "h\xc3\xa9h\xc3\xa9");
	begin(&temp);
	temp_store_quarantine(&temp, large.text);
	commit(&temp);
	is_str(temp_store_ask(&temp, "SELECT length(CAST(source AS BLOB)) BETWEEN 1020 AND 1024, whole"
				     " FROM quarantine_item ORDER BY id DESC LIMIT 1"),
	       "1|0", "one of more than a mebibyte is cut between two characters, which is noted");
}

/* 70 items of a mebibyte. */
static void test_size(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf large = BUF_INIT;
	temp_store_open(&temp);
	while (large.len < (1 << 20) - 16)
		buf_append_text(&large, "0123456789abcdef");
	for (int i = 0; i < 70; i++) {
		large.text[0] = (char)('0' + i);
		begin(&temp);
		temp_store_quarantine(&temp, large.text);
		commit(&temp);
	}
	is_str(temp_store_ask(&temp, "SELECT count(*), sum(length(source)) <= 67108864 FROM quarantine_item"), "70|1",
	       "of 70 large items each is there, all within 64 MiB");
	is_str(temp_store_ask(&temp, "SELECT whole FROM quarantine_item ORDER BY id DESC LIMIT 1"), "1",
	       "the oldest are cut first");
}

int main(void)
{
	test_once();
	test_settle();
	test_forget();
	test_next();
	test_bounds();
	test_size();
	return tap_done();
}
