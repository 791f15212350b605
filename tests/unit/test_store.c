/* Opening a store: who may, what it belongs to, what it does to the file and to files of others; and its transactions. */
#include "store/store.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int mode_of(const struct temp_store *temp, const char *name)
{
	char path[TEMP_PATH_SIZE + 64];
	struct stat st;
	snprintf(path, sizeof(path), "%s/%s", temp->folder, name);
	return stat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -errno;
}

/* --- the files ---------------------------------------------------------------------------------------------------- */

static void test_modes(void)
{
	static const struct {
		const char *name;
		int mode;
	} rows[] = {{"a", 0700},
		    {"a/b", 0700},
		    {"a/b/x.db", 0600},
		    {"a/b/x.db-wal", 0600},
		    {"a/b/x.db-shm", 0600},
		    {"a/b/x.db.lock", 0600}};
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_init(&temp);
	snprintf(temp.path, sizeof(temp.path), "%s/a/b/x.db", temp.folder);
	mode_t before = umask(0);
	temp_store_start(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "x");
	umask(before);
	for (size_t i = 0; i < COUNT(rows); i++)
		is_int(mode_of(&temp, rows[i].name), rows[i].mode, "%s has the mode 0%o", rows[i].name, rows[i].mode);
	temp_store_stop(&temp);
	is_int(mode_of(&temp, "a/b/x.db"), 0600, "and the store keeps it when it is closed");
}

static void test_folder_that_cannot_be(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_init(&temp);
	temp_file_write(temp.path, "a file", 6);
	snprintf(temp.path + strlen(temp.path), 8, "/x.db");
	int rc = store_open(&temp.store, temp.path, &temp_identity, &err);
	is_int(rc, -ENOTDIR, "a store cannot be in a file");
	ok(strstr(err.text, temp.folder) != NULL, "and the message names it: %s", err.text);
	ok(!temp.store, "nothing is opened");
}

static void test_symbolic_link(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	char target[TEMP_PATH_SIZE + 16];
	temp_store_init(&temp);
	snprintf(target, sizeof(target), "%s/target", temp.folder);
	temp_must(symlink(target, temp.path), NULL, "symlink");
	struct err err = {0};
	is_int(store_open(&temp.store, temp.path, &temp_identity, &err), -ELOOP,
	       "a symbolic link in place of the store is refused");
	is_int(access(target, F_OK), -1, "and nothing is made where it points to");
}

/* --- whose it is -------------------------------------------------------------------------------------------------- */

static void test_identity(void)
{
	static const struct {
		const char *name;
		struct store_identity identity;
		const char *says; /* NULL: opens */
	} rows[] = {
		{"the same settings", {"https://cdn.example.org", "blt1", "preview", "main", ""}, NULL},
		{"another host",
		 {"https://eu.example.org", "blt1", "preview", "main", ""},
		 "differ in: host ('https://cdn.example.org' in the store, 'https://eu.example.org' now). Name another file"},
		{"another API key",
		 {"https://cdn.example.org", "blt2", "preview", "main", ""},
		 "differ in: API key ('blt1' in the store, 'blt2' now)."},
		{"another environment",
		 {"https://cdn.example.org", "blt1", "live", "main", ""},
		 "differ in: environment ('preview' in the store, 'live' now)."},
		{"another branch",
		 {"https://cdn.example.org", "blt1", "preview", "next", ""},
		 "differ in: branch ('main' in the store, 'next' now)."},
		{"other filters",
		 {"https://cdn.example.org", "blt1", "preview", "main", "locale=en"},
		 "differ in: filters ('' in the store, 'locale=en' now)."},
		{"two that differ",
		 {"https://cdn.example.org", "blt2", "preview", "next", ""},
		 "differ in: API key ('blt1' in the store, 'blt2' now), branch ('main' in the store, 'next' now)."},
		{"a value that begins as the other",
		 {"https://cdn.example.org", "blt", "preview", "main", ""},
		 "API key"},
	};
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "x");
	temp_store_stop(&temp);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct store *store = NULL;
		struct err err = {0};
		is_int(store_open(&store, temp.path, &rows[i].identity, &err), rows[i].says ? -EINVAL : 0, "%s: %s",
		       rows[i].name, rows[i].says ? "refused" : "opens");
		ok(!rows[i].says == !!store, "%s: and gives a store only then", rows[i].name);
		if (rows[i].says &&
		    !ok(strstr(err.text, rows[i].says) != NULL, "%s: the message says which", rows[i].name))
			diag("  got: %s\n want: %s", err.text, rows[i].says);
		store_close(store);
	}
	temp_store_start(&temp);
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=x assets/",
	       "the content is still there after all of them");
}

static void test_second_opener(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct store *second = NULL;
	struct err err = {0};
	char want[32];
	temp_store_open(&temp);
	snprintf(want, sizeof(want), "(process %d)", (int)getpid());
	is_int(store_open(&second, temp.path, &temp_identity, &err), -EBUSY,
	       "a store that is open cannot be opened again");
	ok(!second && strstr(err.text, "in use by another contentfs") && strstr(err.text, want),
	   "and the message says by whom: %s", err.text);
	temp_store_stop(&temp);
	is_int(store_open(&second, temp.path, &temp_identity, &err), 0, "once it is closed it can");
	store_close(second);
}

static void test_opener_that_died(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_init(&temp);
	pid_t pid = fork();
	if (pid == 0) {
		temp_store_start(&temp);
		temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "committed");
		const struct store_item item = temp_item(temp_entry("blog", "en", "b"), 1, "not committed");
		temp_must(store_begin(temp.store, NULL), NULL, "store_begin");
		temp_must(store_place(temp.store, &item, NULL), NULL, "store_place");
		_exit(0);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	is_int(status, 0, "a process leaves a store open, in a transaction");
	temp_store_start(&temp);
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=committed assets/",
	       "the next one has what was committed, and not the rest");
	is_str(temp_store_fault(&temp), "", "and the store is sound");
}

/* --- files that are no store of ours ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	const char *sql;   /* what makes it a database, or NULL */
	const char *bytes; /* else what is in the file */
	const char *says;
	int reader; /* what a reader says */
} foreign[] = {
	{"a database of another program", "CREATE TABLE mail (id INTEGER PRIMARY KEY); INSERT INTO mail VALUES (7);",
	 NULL, "is a database of another program: name another file with --store", -EINVAL},
	{"a database with a version of its own", "PRAGMA user_version = 3", NULL, "is a database of another program",
	 -EINVAL},
	{"a database with an application id of its own", "PRAGMA application_id = 99; CREATE TABLE t (x);", NULL,
	 "is a database of another program", -EINVAL},
	{"a store of a newer contentfs",
	 "PRAGMA application_id = 1131693683; PRAGMA user_version = 99; CREATE TABLE t (x);", NULL,
	 "was written by a newer contentfs (layout 99", -EINVAL},
	{"a file of some other kind", NULL,
	 "%PDF-1.7, or whatever else a person may have named by mistake; long enough",
	 "the file is damaged, or no store of contentfs: name another file with --store, or move this one away",
	 -EUCLEAN},
};

static void test_foreign_files(void)
{
	for (size_t i = 0; i < COUNT(foreign); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		CLEANUP(buf_finish) struct buf before = BUF_INIT;
		CLEANUP(buf_finish) struct buf after = BUF_INIT;
		struct err err = {0};
		temp_store_init(&temp);
		temp_file_write(temp.path, foreign[i].bytes ? foreign[i].bytes : "",
				foreign[i].bytes ? strlen(foreign[i].bytes) : 0);
		if (foreign[i].sql)
			temp_store_ask(&temp, foreign[i].sql);
		temp_file_read(temp.path, &before);
		is_int(store_open(&temp.store, temp.path, &temp_identity, &err), -EINVAL, "%s is refused",
		       foreign[i].name);
		if (!ok(strstr(err.text, foreign[i].says) && strstr(err.text, temp.path), "%s: the message says so",
			foreign[i].name))
			diag("%s", err.text);
		temp_file_read(temp.path, &after);
		ok(before.len > 0 && slice_eq(buf_slice(&before), buf_slice(&after)), "%s: not a byte of it is changed",
		   foreign[i].name);
		struct store_reader *reader = NULL;
		is_int(reader_open(&reader, temp.path, &err), foreign[i].reader, "%s is refused by a reader too",
		       foreign[i].name);
		reader_close(reader);
	}
}

static void test_empty_file(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct store_reader *reader = NULL;
	struct err err = {0};
	temp_store_init(&temp);
	temp_file_write(temp.path, "", 0);
	is_int(reader_open(&reader, temp.path, &err), -EINVAL, "an empty file is nothing to read");
	ok(strstr(err.text, "run contentfs sync") != NULL, "and the message says what to do: %s", err.text);
	is_int(store_open(&temp.store, temp.path, &temp_identity, &err), 0, "but it may become a store");
	is_str(temp_store_ask(&temp, "PRAGMA application_id; PRAGMA journal_mode"), "1131693683 wal",
	       "which file(1) knows");
}

/* --- transactions ------------------------------------------------------------------------------------------------- */

static void change_everything(struct temp_store *temp)
{
	static const char *const uids[] = {"a", "new"};
	struct err err = {0};
	for (size_t i = 0; i < COUNT(uids); i++) {
		const struct store_item item = temp_item(temp_entry("blog", "en", uids[i]), 9, "changed");
		temp_must(store_place(temp->store, &item, &err), &err, "store_place");
	}
	const struct store_item staged = temp_item(temp_asset("fr", "f"), 9, "staged");
	temp_must(store_stage(temp->store, &staged, &err), &err, "store_stage");
	const struct store_key gone = temp_entry("page", "", "");
	temp_must(store_unplace(temp->store, &gone, 9, &err), &err, "store_unplace");
	temp_must(store_note_removal(temp->store, 1, &gone, 9, &err), &err, "store_note_removal");
	temp_store_quarantine(temp, "{}");
	temp_must(store_note(temp->store, "key", "value", &err), &err, "store_note");
	const struct stream stream = {.id = 1, .sync_token = (char *)"s2", .run = RUN_DELTA};
	temp_must(store_stream_save(temp->store, &stream, &err), &err, "store_stream_save");
}

static const char everything[] =
	"SELECT * FROM node; SELECT * FROM version; SELECT * FROM directory; SELECT * FROM dirent; SELECT * FROM superseded;"
	"SELECT * FROM change; SELECT * FROM stream; SELECT * FROM staged; SELECT * FROM removal; SELECT * FROM listed;"
	"SELECT * FROM quarantine_item; SELECT * FROM meta; SELECT * FROM sqlite_sequence";

static void test_rollback(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf before = BUF_INIT;
	struct err err = {0};
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "one");
	temp_store_place(&temp, temp_entry("page", "en", "p"), 1, "one");
	buf_append_text(&before, temp_store_ask(&temp, everything));
	int64_t end = store_journal_end(temp.store);

	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	change_everything(&temp);
	is_str(temp_store_ask(&temp, everything), before.text, "nobody else sees a transaction that is under way");
	is_int(store_journal_end(temp.store), end, "nor does the journal grow before the commit");
	store_rollback(temp.store);
	is_str(temp_store_ask(&temp, everything), before.text, "rolled back, it leaves no trace");
	is_int(store_journal_end(temp.store), end, "and the journal ends where it did");
	store_rollback(temp.store);
	is_str(temp_store_ask(&temp, everything), before.text, "rolling back without a transaction does nothing");

	struct store_known known;
	const struct store_key key = temp_entry("page", "en", "p");
	temp_must(store_find(temp.store, &key, &known, &err), &err, "store_find");
	ok(known.removed_at == NO_EVENT && known.live.ino > 0, "a removal that was rolled back is not remembered");

	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	change_everything(&temp);
	temp_store_stop(&temp);
	is_str(temp_store_ask(&temp, everything), before.text, "closing the store rolls back too");

	temp_store_start(&temp);
	is_int(store_journal_end(temp.store), end, "the journal ends where it did when the store is opened again");
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	change_everything(&temp);
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	ok(store_journal_end(temp.store) > end, "a commit makes it grow");
	is_str(temp_store_fault(&temp), "", "and leaves a sound store");
}

static void test_transaction_in_transaction(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_open(&temp);
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	ok(store_begin(temp.store, &err) < 0, "a transaction in a transaction is an error: %s", err.text);
	temp_must(store_note(temp.store, "key", "value", &err), &err, "store_note");
	is_int(store_commit(temp.store, &err), 0, "which the first one survives");
	is_str(temp_store_ask(&temp, "SELECT value FROM meta WHERE key = 'key'"), "value", "with what it wrote");
}

static void test_streams(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(stream_finish) struct stream read = {0};
	struct err err = {0};
	temp_store_open(&temp);
	is_int(store_stream_load(temp.store, 7, &read, &err), 0, "a stream that is new to the store can be loaded");
	ok(read.id == 7 && read.run == RUN_FIRST && !read.sync_token && !read.page_token && !read.content_type &&
		   !read.locale && read.pages == 0 && read.items == 0,
	   "and begins with a first run");
	const struct stream stream = {.id = 7,
				      .content_type = (char *)"blog",
				      .locale = (char *)"",
				      .sync_token = (char *)"s'1",
				      .page_token = (char *)"p\xc3\xa9",
				      .run = RUN_REBUILD,
				      .pages = 3,
				      .items = 250};
	temp_must(store_begin(temp.store, &err), &err, "store_begin");
	is_int(store_stream_save(temp.store, &stream, &err), 0, "a stream can be saved");
	temp_must(store_commit(temp.store, &err), &err, "store_commit");
	stream_finish(&read);
	is_int(store_stream_load(temp.store, 7, &read, &err), 0, "and loaded");
	is_str(read.content_type, "blog", "its content type");
	is_str(read.locale, "", "its locale");
	is_str(read.sync_token, "s'1", "its sync token");
	is_str(read.page_token, "p\xc3\xa9", "its page token");
	ok(read.run == RUN_REBUILD && read.pages == 3 && read.items == 250, "its run, pages and items");
}

int main(void)
{
	test_modes();
	test_folder_that_cannot_be();
	test_symbolic_link();
	test_identity();
	test_second_opener();
	test_opener_that_died();
	test_foreign_files();
	test_empty_file();
	test_rollback();
	test_transaction_in_transaction();
	test_streams();
	return tap_done();
}
