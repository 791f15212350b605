/* The views that people query: their columns and what they say keep from release to release. */
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define COLUMNS(view) "SELECT group_concat(name, ' ') FROM pragma_table_info('" view "')"

static const struct {
	const char *view, *sql, *columns;
} views[] = {
	{"entries", COLUMNS("entries"), "path content_type locale uid version title published_at updated_at ino json"},
	{"assets", COLUMNS("assets"),
	 "path locale uid version title published_at updated_at ino json file file_ino file_size media_type url"},
	{"changes", COLUMNS("changes"), "id at change kind content_type locale uid event_at"},
	{"quarantine", COLUMNS("quarantine"), "at reason json kind content_type locale uid"},
};

static void place(struct temp_store *temp, struct store_item item)
{
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	temp_must(store_place(temp->store, &item, &err), &err, "store_place");
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

static void fill(struct temp_store *temp)
{
	struct store_item entry = temp_item(temp_entry("a/b", "en-us", "x%y"), 1607182985355, "{\"n\": 1}\n");
	entry.published_at = 1588147556007;
	entry.number = 12;
	entry.title = slice_of("It's a title");
	entry.updated_at = slice_of("2020-01-01T00:00:00.000Z");
	place(temp, entry);
	struct store_item asset = temp_item(temp_asset("fr", "f1"), 1607182985999, "{\"url\": \"x\"}\n");
	asset.published_at = 1607182985999;
	asset.file = (struct store_file){slice_of("http://h/a b"), slice_of("a/b.png"), slice_of("image/png"), 12, 0};
	place(temp, asset);
	place(temp, temp_item(temp_schema("blog"), 1000, "{}\n"));
}

static void test_columns(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (size_t i = 0; i < COUNT(views); i++)
		is_str(temp_store_ask(&temp, views[i].sql), views[i].columns, "the columns of %s", views[i].view);
}

static void test_rows(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	char want[512];
	temp_store_open(&temp);
	fill(&temp);
	snprintf(
		want, sizeof(want),
		"entries/a%%2Fb/en-us/x%%25y.json|a/b|en-us|x%%y|12|It's a title|2020-04-29T08:05:56.007Z|2020-01-01T00:00:00.000Z|"
		"%lld|{\"n\": 1}\n",
		(long long)temp_store_ino(&temp, "entries/a%2Fb/en-us/x%25y.json"));
	is_str(temp_store_ask(&temp, "SELECT * FROM entries"), want,
	       "an entry, with its path as in the tree and its uids as they are");
	snprintf(
		want, sizeof(want),
		"assets/fr/f1.json|fr|f1|1|A title|2020-12-05T15:43:05.999Z|2026-01-02T03:04:05.678Z|%lld|{\"url\": \"x\"}\n"
		"|assets/fr/f1/a%%2Fb.png|%lld|12|image/png|http://h/a b",
		(long long)temp_store_ino(&temp, "assets/fr/f1.json"),
		(long long)temp_store_ino(&temp, "assets/fr/f1/a%2Fb.png"));
	is_str(temp_store_ask(&temp, "SELECT * FROM assets"), want, "an asset");
	temp_store_place(&temp, temp_asset("fr", "f1"), 1607182986000, "{}\n");
	temp_store_unplace(&temp, temp_entry("a/b", "en-us", "x%y"), INT64_MAX);
	is_str(temp_store_ask(&temp,
			      "SELECT change, kind, content_type, locale, uid, event_at FROM changes ORDER BY id"),
	       "added|entry|a/b|en-us|x%y|2020-12-05T15:43:05.355Z added|asset||fr|f1|2020-12-05T15:43:05.999Z"
	       " added|content_type|||blog|1970-01-01T00:00:01.000Z changed|asset||fr|f1|2020-12-05T15:43:06.000Z"
	       " removed|entry|a/b|en-us|x%y|2020-12-05T15:43:05.355Z",
	       "the changes, files only");
	is_str(temp_store_ask(&temp, "SELECT count(*) FROM changes WHERE at NOT GLOB '2[0-9][0-9][0-9]-*T*:*:*.*Z'"),
	       "0", "each with the time it was seen");
	is_str(temp_store_ask(&temp, "SELECT uid FROM entries"), "", "what was removed is no entry any more");
}

static void test_what_is_not_visible(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	const struct store_item staged = temp_item(temp_entry("blog", "en", "staged"), 1, "{}");
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	temp_must(store_stage(temp.store, &staged, &err), &err, "store_stage");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "{}");
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 2, "{}");
	is_str(temp_store_ask(&temp, "SELECT uid, published_at FROM entries"), "a|1970-01-01T00:00:00.002Z",
	       "neither what is staged nor an old version is an entry");
}

static void test_times(void)
{
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{1, "1970-01-01T00:00:00.001Z"},
		{59999, "1970-01-01T00:00:59.999Z"},
		{60000, "1970-01-01T00:01:00.000Z"},
		{951782400123, "2000-02-29T00:00:00.123Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{-60000, "1969-12-31T23:59:00.000Z"},
		{-62135596800000, "0001-01-01T00:00:00.000Z"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		char want[128];
		temp_store_open(&temp);
		temp_store_place(&temp, temp_entry("blog", "en", "a"), rows[i].ms, "{}");
		temp_store_place(&temp, temp_asset("en", "a"), rows[i].ms, "{}");
		snprintf(want, sizeof(want), "%s %s %s", rows[i].want, rows[i].want, rows[i].want);
		is_str(temp_store_ask(&temp, "SELECT published_at FROM entries; SELECT published_at FROM assets;"
					     "SELECT DISTINCT event_at FROM changes"),
		       want, "%lld ms reads as %s everywhere", (long long)rows[i].ms, rows[i].want);
	}
}

static void test_json(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	fill(&temp);
	is_str(temp_store_ask(
		       &temp,
		       "SELECT json_extract(json, '$.n') FROM entries; SELECT json_extract(json, '$.url') FROM assets"),
	       "1 x", "the text can be queried as JSON");
	is_str(temp_store_ask(&temp, "DELETE FROM entries"), "(cannot modify entries because it is a view)",
	       "a view cannot be changed");
}

int main(void)
{
	test_columns();
	test_rows();
	test_what_is_not_visible();
	test_times();
	test_json();
	return tap_done();
}
