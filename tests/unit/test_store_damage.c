/*
 * A store that is damaged when it is opened is set aside, byte for byte, and a new one begun; what is no damaged store of
 * ours is never touched.
 */
#include "store/damage.h"
#include "store/store.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 16384 /* bytes of the store */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ITEMS 400

/* --- the folder --------------------------------------------------------------------------------------------------- */

/* The path of the file whose name begins with that of the store, `.damaged-` and a time, and ends with `suffix`. */
static bool find_aside(const struct temp_store *temp, const char *suffix, char path[TEMP_PATH_SIZE * 2])
{
	DIR *folder = opendir(temp->folder);
	int found = 0;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		size_t len = strlen("store.db.damaged-20260131T235959Z");
		if (strncmp(entry->d_name, "store.db.damaged-", 17) != 0 || strcmp(entry->d_name + len, suffix) != 0)
			continue;
		snprintf(path, TEMP_PATH_SIZE * 2, "%s/%s", temp->folder, entry->d_name);
		found++;
	}
	if (folder)
		closedir(folder);
	return found == 1;
}

/* Every file in the folder with its size, mode and time of change. */
static void list_files(const struct temp_store *temp, struct buf *out)
{
	struct dirent **entries = NULL;
	int count = scandir(temp->folder, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char path[TEMP_PATH_SIZE * 2];
		struct stat st = {0};
		snprintf(path, sizeof(path), "%s/%s", temp->folder, entries[i]->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			buf_printf(out, "%s %lld %o %lld.%09ld\n", entries[i]->d_name, (long long)st.st_size,
				   st.st_mode, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		free(entries[i]);
	}
	free(entries);
}

/* --- damage ------------------------------------------------------------------------------------------------------- */

static void fill(struct temp_store *temp)
{
	char text[2048];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct err err = {0};
	temp_must(store_begin(temp->store, &err), &err, "store_begin");
	for (int i = 0; i < ITEMS; i++) {
		char uid[16];
		snprintf(uid, sizeof(uid), "uid%d", i);
		const struct store_item item = temp_item(temp_entry("blog", "en", uid), 1, text);
		temp_must(store_place(temp->store, &item, &err), &err, "store_place");
	}
	temp_must(store_commit(temp->store, &err), &err, "store_commit");
}

static void scribble(const char *path, off_t at, size_t len, int byte)
{
	CLEANUP(cleanup_free) char *bytes = malloc(len);
	memset(bytes, byte, len);
	CLEANUP(cleanup_close) int fd = open(path, O_WRONLY);
	temp_must(fd >= 0 && pwrite(fd, bytes, len, at) == (ssize_t)len ? 0 : -errno, NULL, path);
}

static void cut(const char *path, off_t size)
{
	temp_must(truncate(path, size), NULL, path);
}

static off_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void zero_header(struct temp_store *temp)
{
	scribble(temp->path, 0, 100, 0);
}

static void scribble_magic(struct temp_store *temp)
{
	scribble(temp->path, 0, 16, '?');
}

static void zero_first_page(struct temp_store *temp)
{
	scribble(temp->path, 0, PAGE, 0);
}

static void zero_all(struct temp_store *temp)
{
	scribble(temp->path, 0, (size_t)size_of(temp->path), 0);
}

static void cut_half(struct temp_store *temp)
{
	cut(temp->path, size_of(temp->path) / 2);
}

static void cut_one_page(struct temp_store *temp)
{
	cut(temp->path, size_of(temp->path) - PAGE);
}

static void cut_last_byte(struct temp_store *temp)
{
	cut(temp->path, size_of(temp->path) - 1);
}

static void cut_in_header(struct temp_store *temp)
{
	cut(temp->path, 50);
}

static void scribble_root(struct temp_store *temp, const char *name)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", name);
	int page = atoi(temp_store_ask(temp, sql));
	temp_must(page > 1 ? 0 : -EINVAL, NULL, name);
	scribble(temp->path, (off_t)(page - 1) * PAGE, PAGE, 0xff);
}

static void scribble_node(struct temp_store *temp)
{
	scribble_root(temp, "node");
}

static void scribble_version(struct temp_store *temp)
{
	scribble_root(temp, "version");
}

static void scribble_dirent(struct temp_store *temp)
{
	scribble_root(temp, "dirent");
}

static void scribble_order(struct temp_store *temp)
{
	scribble_root(temp, "dirent_name");
}

static void scribble_change(struct temp_store *temp)
{
	scribble_root(temp, "change");
}

static void scribble_meta(struct temp_store *temp)
{
	scribble_root(temp, "meta");
}

static void scribble_stream(struct temp_store *temp)
{
	scribble_root(temp, "stream");
}

static void scribble_sequence(struct temp_store *temp)
{
	scribble_root(temp, "sqlite_sequence");
}

static void scribble_last_page(struct temp_store *temp)
{
	scribble(temp->path, size_of(temp->path) - PAGE, PAGE, 0xff);
}

static void set_sequence_back(struct temp_store *temp)
{
	temp_store_ask(temp, "UPDATE sqlite_sequence SET seq = 20 WHERE name = 'node'");
}

static void lose_directories(struct temp_store *temp)
{
	temp_store_ask(temp, "DELETE FROM dirent WHERE parent = 1 AND name = 'entries'");
}

static void empty_with_journal(struct temp_store *temp)
{
	char journal[TEMP_PATH_SIZE * 2];
	snprintf(journal, sizeof(journal), "%s-wal", temp->path);
	temp_file_write(journal, "what was to be written", 22);
	cut(temp->path, 0);
}

static const struct {
	const char *name;
	void (*damage)(struct temp_store *temp);
} damages[] = {
	{"a header of zeros", zero_header},
	{"a scribbled header", scribble_magic},
	{"a first page of zeros", zero_first_page},
	{"nothing but zeros", zero_all},
	{"half of it cut off", cut_half},
	{"the last page cut off", cut_one_page},
	{"the last byte cut off", cut_last_byte},
	{"cut short in its header", cut_in_header},
	{"the table of nodes scribbled on", scribble_node},
	{"the table of texts scribbled on", scribble_version},
	{"the table of names scribbled on", scribble_dirent},
	{"the order of names scribbled on", scribble_order},
	{"the table of changes scribbled on", scribble_change},
	{"the table of facts scribbled on", scribble_meta},
	{"the table of tokens scribbled on", scribble_stream},
	{"the numbers scribbled on", scribble_sequence},
	{"the last page scribbled on", scribble_last_page},
	{"its numbers set back", set_sequence_back},
	{"a directory lost that is always there", lose_directories},
	{"nothing left but the journal", empty_with_journal},
};

static void expect_aside(struct temp_store *temp, const char *name, struct slice before)
{
	char aside[TEMP_PATH_SIZE * 2] = "";
	CLEANUP(buf_finish) struct buf kept = BUF_INIT;
	if (!ok(find_aside(temp, "", aside), "%s: it is set aside", name))
		return;
	temp_file_read(aside, &kept);
	ok(slice_eq(before, buf_slice(&kept)), "%s: byte for byte", name);
}

static void test_damage(void)
{
	for (size_t i = 0; i < COUNT(damages); i++) {
		const char *name = damages[i].name;
		CLEANUP(temp_store_finish) struct temp_store temp;
		CLEANUP(buf_finish) struct buf before = BUF_INIT;
		struct err err = {0};
		temp_store_open(&temp);
		fill(&temp);
		int64_t old = temp_store_ino(&temp, "entries/blog/en/uid399.json");
		temp_store_stop(&temp);
		damages[i].damage(&temp);
		temp_file_read(temp.path, &before);

		int rc = store_open(&temp.store, temp.path, &temp_identity, &err);
		if (!is_int(rc, 0, "a store with %s can be opened", name)) {
			diag("%s", err.text);
			continue;
		}
		temp_store_stop(&temp);
		expect_aside(&temp, name, buf_slice(&before));
		temp_store_start(&temp);
		if (!is_int(temp_store_ino(&temp, "entries/blog"), 0, "%s: a new one is begun", name))
			continue;
		is_str(temp_store_tree(&temp), "content_types/ entries/ assets/", "%s: which is empty", name);
		temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "new");
		ok(temp_store_ino(&temp, "entries") == 3 && temp_store_ino(&temp, "entries/blog") > old,
		   "%s: no node has a number that another one had", name);
		is_str(temp_store_fault(&temp), "", "%s: the new one is sound", name);
		temp_store_stop(&temp);
		temp_store_start(&temp);
		is_str(temp_store_tree(&temp),
		       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=new assets/",
		       "%s: and stays", name);
	}
}

static void test_twice_in_a_second(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	for (int i = 0; i < 5; i++) {
		temp_store_stop(&temp);
		zero_header(&temp);
		temp_store_start(&temp);
	}
	int count = 0;
	DIR *folder = opendir(temp.folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		count += strncmp(entry->d_name, "store.db.damaged-", 17) == 0;
	closedir(folder);
	is_int(count, 5, "stores that are damaged one after the other are all kept");
}

/* --- the journal -------------------------------------------------------------------------------------------------- */

/* Leaves a store as a kill does: with a journal that holds most of it. */
static void fill_and_die(struct temp_store *temp)
{
	temp_store_open(temp);
	temp_store_stop(temp);
	pid_t pid = fork();
	if (pid == 0) {
		temp_store_start(temp);
		temp_store_ask(temp, "SELECT 1"); /* not the last to close it */
		fill(temp);
		_exit(0);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	temp_must(status == 0 ? 0 : -EIO, NULL, "the process that dies");
}

static void test_journal_holds_the_rest(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	char path[TEMP_PATH_SIZE * 2];
	fill_and_die(&temp);
	temp_store_start(&temp);
	ok(!find_aside(&temp, "", path), "a store that a killed process left is not damaged");
	ok(temp_store_ino(&temp, "entries/blog/en/uid399.json") > 0, "and has what its journal holds");
	is_str(temp_store_fault(&temp), "", "and is sound");
}

static void test_cut_with_journal(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf journal = BUF_INIT;
	CLEANUP(buf_finish) struct buf kept = BUF_INIT;
	char path[TEMP_PATH_SIZE * 2];
	temp_store_open(&temp);
	fill(&temp);
	temp_store_stop(&temp);
	pid_t pid = fork();
	if (pid == 0) {
		temp_store_start(&temp);
		temp_store_place(&temp, temp_entry("blog", "en", "last"), 1, "x");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	cut_half(&temp);
	snprintf(path, sizeof(path), "%s-wal", temp.path);
	temp_file_read(path, &journal);
	temp_store_start(&temp);
	is_str(temp_store_tree(&temp), "content_types/ entries/ assets/",
	       "a store that was cut short is damaged, though its journal is not");
	if (ok(find_aside(&temp, "-wal", path), "the journal is set aside with it")) {
		temp_file_read(path, &kept);
		ok(journal.len > 0 && slice_eq(buf_slice(&journal), buf_slice(&kept)), "byte for byte");
	}
}

/* --- while it is in use ------------------------------------------------------------------------------------------- */

static void test_beside(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf aside = BUF_INIT;
	CLEANUP(buf_finish) struct buf files = BUF_INIT;
	char path[TEMP_PATH_SIZE * 2];
	struct err err = {0};
	struct store *fresh = NULL;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "old"), 1, "old");
	int64_t old = temp_store_ino(&temp, "entries/blog/en/old.json");
	int64_t end = store_journal_end(temp.store);
	snprintf(path, sizeof(path), "%s.being-rebuilt", temp.path);
	temp_file_write(path, "left by somebody who was killed", 31);

	is_int(store_open_beside(&fresh, temp.store, &temp_identity, &err), 0, "a store can be begun beside another");
	struct store *damaged = temp.store;
	temp.store = fresh;
	temp_store_place(&temp, temp_entry("page", "en", "new"), 1, "new");
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/old.json=old assets/",
	       "which nobody sees");
	is_int(store_open(&(struct store *){NULL}, temp.path, &temp_identity, &err), -EBUSY, "both are locked");
	is_int(store_take_place(fresh, damaged, &temp_identity, &aside, &err), 0, "it takes the place of the other");
	store_close(damaged);
	is_int(store_open(&(struct store *){NULL}, temp.path, &temp_identity, &err), -EBUSY, "and its lock");
	ok(find_aside(&temp, "", path) && strcmp(path, buf_text(&aside)) == 0, "the other is set aside");
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/old.json=old assets/",
	       "and who reads it goes on");
	reader_close(temp.reader);
	temp_must(reader_open(&temp.reader, temp.path, &err), &err, "reader_open");
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/page/ entries/page/en/ entries/page/en/new.json=new assets/",
	       "who opens it anew reads the new one");
	ok(temp_store_ino(&temp, "entries/page") > old, "with numbers above those of the other");
	ok(store_journal_end(temp.store) > end, "in its journal, too");
	temp_store_place(&temp, temp_entry("page", "en", "more"), 1, "more");
	ok(temp_store_ino(&temp, "entries/page/en/more.json") > 0, "which can be written");
	is_str(temp_store_fault(&temp), "", "and is sound");
	list_files(&temp, &files);
	ok(!strstr(buf_text(&files), ".being-rebuilt"), "nothing else is left: %s", buf_text(&files));
}

/* Killed when it was set aside, with no new store that is whole, the next start finds the damaged store, not an empty one. */
static void test_aside_with_both_names(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf aside = BUF_INIT;
	struct stat before, after;
	struct err err = {0};
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "old"), 1, "old");
	temp_store_stop(&temp);
	temp_must(damage_set_aside(temp.path, true, &aside, &err), &err, "damage_set_aside");
	ok(stat(temp.path, &before) == 0 && stat(buf_text(&aside), &after) == 0 && before.st_ino == after.st_ino,
	   "a store that is to be replaced has both names until it is");
	temp_store_start(&temp);
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/old.json=old assets/",
	       "and can be opened as before");
}

static void test_beside_fails(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf aside = BUF_INIT;
	char path[TEMP_PATH_SIZE * 2];
	struct err err = {0};
	struct store *fresh = NULL;
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "old"), 1, "old");
	temp_must(store_open_beside(&fresh, temp.store, &temp_identity, &err), &err, "store_open_beside");
	snprintf(path, sizeof(path), "%s.being-rebuilt", temp.path);
	temp_must(unlink(path), NULL, path);
	ok(store_take_place(fresh, temp.store, &temp_identity, &aside, &err) < 0,
	   "a store that is gone takes no place: %s", err.text);
	is_int(store_reopen(fresh, &temp_identity, &err), -EUCLEAN,
	       "nor is it begun again, with numbers of its own: %s", err.text);
	ok(access(path, F_OK) < 0, "nothing is made in its place");
	ok(!find_aside(&temp, "", path), "and the damaged one stays where it is");
	store_close(fresh);
	is_str(temp_store_tree(&temp),
	       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/old.json=old assets/",
	       "and can be read");
}

/* What SQLite waits with for another connection is no wait here. */
int usleep(useconds_t us)
{
	(void)us;
	return 0;
}

static int rename_fault;     /* errno, or 0 */
static int rename_fault_at;  /* the call of rename that fails so, counted from 1; 0: each */
static int rename_killed_at; /* the call that is not lived to see the end of; 0: none */
static int renames;          /* calls so far */

int rename(const char *from, const char *to)
{
	if (++renames == rename_killed_at)
		_exit(0);
	if (!rename_fault || (rename_fault_at && renames != rename_fault_at))
		return renameat(AT_FDCWD, from, AT_FDCWD, to);
	errno = rename_fault;
	return -1;
}

#define OLD_TREE "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/old.json=old assets/"
#define NEW_TREE "content_types/ entries/ entries/page/ entries/page/en/ entries/page/en/new.json=new assets/"

/* Killed in an exchange, the next start has one store or the other, whole. */
static void test_killed_in_exchange(void)
{
	static const struct {
		const char *name;
		int at;
		const char *tree;
		bool aside;
	} rows[] = {
		{"before the new store is said to be whole", 1, OLD_TREE, false},
		{"when the damaged one was set aside", 2, NEW_TREE, true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		CLEANUP(buf_finish) struct buf aside = BUF_INIT;
		CLEANUP(buf_finish) struct buf files = BUF_INIT;
		char path[TEMP_PATH_SIZE * 2];
		struct err err = {0};
		temp_store_open(&temp);
		temp_store_stop(&temp);
		pid_t pid = fork();
		if (pid == 0) {
			struct store *fresh = NULL;
			temp_store_start(&temp);
			temp_store_place(&temp, temp_entry("blog", "en", "old"), 1, "old");
			temp_must(store_open_beside(&fresh, temp.store, &temp_identity, &err), &err,
				  "store_open_beside");
			struct store *damaged = temp.store;
			temp.store = fresh;
			temp_store_place(&temp, temp_entry("page", "en", "new"), 1, "new");
			renames = 0;
			rename_killed_at = rows[i].at;
			store_take_place(fresh, damaged, &temp_identity, &aside, &err);
			_exit(1);
		}
		int status = 0;
		waitpid(pid, &status, 0);
		is_int(status, 0, "%s: killed", rows[i].name);
		temp_store_start(&temp);
		is_str(temp_store_tree(&temp), rows[i].tree, "%s: what the next start has", rows[i].name);
		is_int(find_aside(&temp, "-wal", path), rows[i].aside, "%s: set aside with its journal", rows[i].name);
		is_int(find_aside(&temp, "", path), rows[i].aside, "%s: under one name", rows[i].name);
		is_str(temp_store_fault(&temp), "", "%s: the store is sound", rows[i].name);
		list_files(&temp, &files);
		ok(!strstr(buf_text(&files), "rebuilt"), "%s: nothing else is left: %s", rows[i].name,
		   buf_text(&files));
	}
}

/* Who was killed in an exchange, and then another program, or an older contentfs, went on with what was there. */
static void test_late_exchange(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	CLEANUP(buf_finish) struct buf files = BUF_INIT;
	const struct timespec long_ago[] = {{.tv_sec = 1}, {.tv_sec = 1}};
	char path[TEMP_PATH_SIZE * 2];
	temp_store_open(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "old"), 1, "old");
	temp_store_stop(&temp);
	snprintf(path, sizeof(path), "%s.being-rebuilt-whole", temp.path);
	temp_file_write(path, "left by somebody who was killed", 31);
	temp_must(utimensat(AT_FDCWD, path, long_ago, 0), NULL, path);
	temp_store_start(&temp);
	is_str(temp_store_tree(&temp), OLD_TREE, "a store that was written to since is not replaced");
	list_files(&temp, &files);
	ok(!strstr(buf_text(&files), "rebuilt"), "nothing else is left: %s", buf_text(&files));
}

/* A reader of the new store, which is nobody but somebody who looks into it by hand. */
static void read_on(const char *path, sqlite3 **db)
{
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_exec(*db, "BEGIN; SELECT count(*) FROM node", NULL, NULL, NULL) != SQLITE_OK)
		temp_must(-EIO, NULL, sqlite3_errmsg(*db));
}

/* Whatever keeps the new store from taking the place of the damaged one: it is said, and either goes on. */
static void test_place_not_taken(void)
{
	static const struct {
		const char *name;
		bool read;
		int fault;
		int fault_at;
		const char *names;
		const char *says;
	} rows[] = {
		{"a program that reads the new store", true, 0, 0, ".being-rebuilt", "could not be taken in"},
		{"a folder that does not let it be renamed", false, EIO, 0, ".being-rebuilt", "cannot rename"},
		{"a folder that does not let the damaged one be replaced", false, EIO, 2, ".being-rebuilt-whole",
		 "cannot rename"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		CLEANUP(buf_finish) struct buf aside = BUF_INIT;
		char path[TEMP_PATH_SIZE * 2];
		struct err err = {0};
		struct store *fresh = NULL;
		sqlite3 *db = NULL;
		temp_store_open(&temp);
		temp_store_place(&temp, temp_entry("blog", "en", "old"), 1, "old");
		temp_must(store_open_beside(&fresh, temp.store, &temp_identity, &err), &err, "store_open_beside");
		snprintf(path, sizeof(path), "%s.being-rebuilt", temp.path);
		if (rows[i].read)
			read_on(path, &db);
		struct store *damaged = temp.store;
		temp.store = fresh;
		temp_store_place(&temp, temp_entry("page", "en", "new"), 1, "new");
		temp.store = damaged;
		renames = 0;
		rename_fault = rows[i].fault;
		rename_fault_at = rows[i].fault_at;
		is_int(store_take_place(fresh, temp.store, &temp_identity, &aside, &err), -EIO,
		       "%s keeps it from its place", rows[i].name);
		rename_fault = 0;
		ok(strstr(err.text, rows[i].names) && strstr(err.text, rows[i].says), "%s: the message says so: %s",
		   rows[i].name, err.text);
		char left[sizeof(path)];
		ok(!find_aside(&temp, "", left) && !find_aside(&temp, "-wal", left), "%s: nothing stays set aside",
		   rows[i].name);
		is_str(temp_store_tree(&temp),
		       "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/old.json=old assets/",
		       "%s: who reads the damaged one goes on", rows[i].name);
		temp.store = fresh;
		temp_store_place(&temp, temp_entry("page", "en", "more"), 1, "more");
		temp.store = damaged;
		store_close(fresh);
		sqlite3_close(db);
	}
}

static void test_beside_is_taken(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	char path[TEMP_PATH_SIZE * 2];
	struct err err = {0};
	struct store *fresh = NULL;
	temp_store_open(&temp);
	snprintf(path, sizeof(path), "%s.being-rebuilt", temp.path);
	temp_must(mkdir(path, 0700), NULL, path);
	is_int(store_open_beside(&fresh, temp.store, &temp_identity, &err), -EISDIR,
	       "a store cannot be begun where something is that cannot be removed");
	ok(strstr(err.text, "cannot remove") && strstr(err.text, path), "which the message says: %s", err.text);
}

/* --- what is not set aside ---------------------------------------------------------------------------------------- */

static void expect_untouched(struct temp_store *temp, const char *name, const struct store_identity *identity, int want)
{
	CLEANUP(buf_finish) struct buf before = BUF_INIT;
	CLEANUP(buf_finish) struct buf after = BUF_INIT;
	struct store *store = NULL;
	struct err err = {0};
	list_files(temp, &before);
	for (int i = 0; i < 2; i++) {
		is_int(store_open(&store, temp->path, identity, &err), want, "%s is refused", name);
		ok(strstr(err.text, temp->path) && strstr(err.text, "--store"),
		   "%s: the message names it, and says what to do: %s", name, err.text);
		store_close(store);
		store = NULL;
	}
	list_files(temp, &after);
	is_str(buf_text(&after), buf_text(&before), "%s: nothing is changed", name);
}

static void test_untouched(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	temp_store_open(&temp);
	expect_untouched(&temp, "a store that is in use", &temp_identity, -EBUSY);
	temp_store_stop(&temp);
	struct store_identity other = temp_identity;
	other.api_key = "blt2";
	expect_untouched(&temp, "a store of another stack", &other, -EINVAL);
	temp_store_ask(&temp, "PRAGMA user_version = 99");
	expect_untouched(&temp, "a store of a newer contentfs", &temp_identity, -EINVAL);
	temp_store_ask(&temp, "PRAGMA application_id = 7");
	expect_untouched(&temp, "a database of another program", &temp_identity, -EINVAL);
	chmod(temp.path, 0644);
	expect_untouched(&temp, "a file that others may read, of another program,", &temp_identity, -EINVAL);
}

/* Nothing tells that these have ever been stores of ours. */
static void test_strangers(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	char lock[TEMP_PATH_SIZE * 2];
	temp_store_init(&temp);
	snprintf(lock, sizeof(lock), "%s.lock", temp.path);
	temp_file_write(lock, "", 0);
	static const char picture[] = "\x89PNG and so on, as long as a header of SQLite would be at the least..."
				      "................................................";
	temp_file_write(temp.path, picture, sizeof(picture));
	expect_untouched(&temp, "a file of another kind", &temp_identity, -EINVAL);
	temp_file_write(temp.path, "", 0);
	temp_store_ask(&temp, "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))");
	cut_half(&temp);
	expect_untouched(&temp, "a damaged database of another program", &temp_identity, -EINVAL);
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR); /* what these tests provoke is no news to whoever runs them */
	test_damage();
	test_twice_in_a_second();
	test_journal_holds_the_rest();
	test_cut_with_journal();
	test_beside();
	test_aside_with_both_names();
	test_beside_fails();
	test_place_not_taken();
	test_killed_in_exchange();
	test_late_exchange();
	test_beside_is_taken();
	test_untouched();
	test_strangers();
	return tap_done();
}
