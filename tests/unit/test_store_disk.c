/*
 * A disk that is full, read-only or fails, at each single operation: a clean error, nothing lost, the old content readable,
 * and as soon as the disk works again so does the store, without being opened anew. A failing disk is never taken for a
 * damaged store.
 */
#include "faulty_vfs.h"
#include "store/store.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define OPERATIONS_MAX 1000 /* more than any of this has */

static const struct {
	enum disk_operation operation;
	enum disk_fault fault;
	int rc;
	const char *advice; /* in the message */
} faults[] = {
	{DISK_ANY, DISK_EIO, -EIO, "look after it"},          {DISK_OPEN, DISK_EIO, -EIO, "look after it"},
	{DISK_OPEN, DISK_ENOSPC, -ENOSPC, "make room"},       {DISK_OPEN, DISK_EROFS, -EROFS, "make it writable"},
	{DISK_READ, DISK_EIO, -EIO, "look after it"},         {DISK_WRITE, DISK_EIO, -EIO, "look after it"},
	{DISK_WRITE, DISK_ENOSPC, -ENOSPC, "make room"},      {DISK_WRITE, DISK_EDQUOT, -ENOSPC, "make room"},
	{DISK_WRITE, DISK_EROFS, -EROFS, "make it writable"}, {DISK_SYNC, DISK_EIO, -EIO, "look after it"},
	{DISK_SYNC, DISK_ENOSPC, -ENOSPC, "make room"},       {DISK_TRUNCATE, DISK_EIO, -EIO, "look after it"},
	{DISK_SIZE, DISK_EIO, -EIO, "look after it"},         {DISK_SHARE, DISK_EIO, -EIO, "look after it"},
	{DISK_SHARE, DISK_ENOSPC, -ENOSPC, "make room"},      {DISK_LOCK, DISK_EPERM, -EPERM, "name another file"},
};

static const char before[] = "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=one"
			     " entries/page/ entries/page/en/ entries/page/en/p.json=one assets/";
static const char after[] = "content_types/ entries/ entries/blog/ entries/blog/en/ entries/blog/en/a.json=two"
			    " entries/blog/en/b.json=two entries/blog/en/long.json=";

static char long_text[20000]; /* of several pages */

static void fill(struct temp_store *temp)
{
	temp_store_open(temp);
	temp_store_place(temp, temp_entry("blog", "en", "a"), 1, "one");
	temp_store_place(temp, temp_entry("page", "en", "p"), 1, "one");
}

/* --- what is done ------------------------------------------------------------------------------------------------- */

static int place(struct store *store, const char *uid, const char *text, struct err *err)
{
	const struct store_item item = temp_item(temp_entry("blog", "en", uid), 2, text);
	return store_place(store, &item, err);
}

static int change(struct store *store, struct err *err)
{
	const struct store_key gone = temp_entry("page", "", "");
	const struct stream stream = {.id = 1, .sync_token = (char *)"s2", .run = RUN_NONE};
	int rc = place(store, "a", "two", err);
	if (rc == 0)
		rc = place(store, "b", "two", err);
	if (rc == 0)
		rc = place(store, "long", long_text, err);
	if (rc == 0)
		rc = store_unplace(store, &gone, 2, err);
	if (rc == 0)
		rc = store_note_removal(store, 1, &gone, 2, err);
	if (rc == 0)
		rc = store_forget_run(store, 1, err);
	return rc < 0 ? rc : store_stream_save(store, &stream, err);
}

/* A run as the engine does it, with the housekeeping after it. What was done already is done again. */
static int session(struct store *store, struct err *err)
{
	int rc = store_begin(store, err);
	if (rc < 0)
		return rc;
	rc = change(store, err);
	if (rc < 0) {
		store_rollback(store);
		return rc;
	}
	rc = store_commit(store, err);
	if (rc == 0)
		rc = store_reclaim(store, NULL, SUPERSEDED_ALL, err);
	return rc < 0 ? rc : store_set_announced(store, store_journal_end(store), err);
}

/* --- what has to hold --------------------------------------------------------------------------------------------- */

static bool has_aside(const struct temp_store *temp)
{
	bool found = false;
	DIR *folder = opendir(temp->folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		found |= strstr(entry->d_name, "damaged") != NULL;
	if (folder)
		closedir(folder);
	return found;
}

static bool is_old_or_new(struct temp_store *temp)
{
	const char *tree = temp_store_tree(temp);
	return strcmp(tree, before) == 0 || strncmp(tree, after, strlen(after)) == 0;
}

/* Which promise was broken, or NULL. */
static const char *broken_promise(int rc, size_t fault, const struct err *err)
{
	if (rc >= 0)
		return NULL; /* SQLite could do without it */
	if (rc != faults[fault].rc)
		return "another errno";
	return strstr(err->text, faults[fault].advice) ? NULL : "a message that does not say what to do";
}

static const char *healed(struct temp_store *temp)
{
	struct err err = {0};
	if (has_aside(temp))
		return "the store was taken for a damaged one";
	if (!is_old_or_new(temp))
		return "a tree that is neither the old one nor the new one";
	if (session(temp->store, &err) < 0) {
		diag("%s", err.text);
		return "the store does not work though the disk does";
	}
	if (strncmp(temp_store_tree(temp), after, strlen(after)) != 0)
		return "the new content is not there";
	if (*temp_store_fault(temp))
		return "the store is not sound";
	return NULL;
}

static const char *fail_in_session(size_t fault, int nth, bool for_good, bool *happened)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	fill(&temp);
	disk_fail(faults[fault].operation, faults[fault].fault, nth, for_good);
	int rc = session(temp.store, &err);
	const char *wrong = broken_promise(rc, fault, &err);
	/* A disk that cannot be written can still be read. */
	bool readable = faults[fault].operation == DISK_WRITE || faults[fault].operation == DISK_SYNC ||
			faults[fault].operation == DISK_TRUNCATE;
	if (!wrong && readable && !is_old_or_new(&temp))
		wrong = "the content cannot be read meanwhile";
	*happened = disk_heal();
	if (!wrong)
		wrong = healed(&temp);
	if (wrong)
		diag("%s: %s", wrong, err.text);
	return wrong;
}

static const char *fail_in_opening(size_t fault, int nth, bool for_good, bool *happened)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	fill(&temp);
	temp_store_stop(&temp);
	disk_fail(faults[fault].operation, faults[fault].fault, nth, for_good);
	int rc = store_open(&temp.store, temp.path, &temp_identity, &err);
	*happened = disk_heal();
	const char *wrong = broken_promise(rc, fault, &err);
	temp_store_stop(&temp);
	temp_store_start(&temp);
	if (!wrong)
		wrong = healed(&temp);
	if (wrong)
		diag("%s: %s", wrong, err.text);
	return wrong;
}

/* Closing takes the journal in; nobody hears of it when that fails. */
static const char *fail_in_closing(size_t fault, int nth, bool for_good, bool *happened)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	fill(&temp);
	temp_must(session(temp.store, &err), &err, "a session");
	disk_fail(faults[fault].operation, faults[fault].fault, nth, for_good);
	temp_store_stop(&temp);
	*happened = disk_heal();
	temp_store_start(&temp);
	const char *wrong = healed(&temp);
	if (wrong)
		diag("%s", wrong);
	return wrong;
}

/* What is left of a store that could not be made is no obstacle to the next one. */
static const char *fail_in_making(size_t fault, int nth, bool for_good, bool *happened)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	temp_store_init(&temp);
	disk_fail(faults[fault].operation, faults[fault].fault, nth, for_good);
	int rc = store_open(&temp.store, temp.path, &temp_identity, &err);
	*happened = disk_heal();
	const char *wrong = broken_promise(rc, fault, &err);
	temp_store_stop(&temp);
	temp_store_start(&temp);
	temp_store_place(&temp, temp_entry("blog", "en", "a"), 1, "one");
	temp_store_place(&temp, temp_entry("page", "en", "p"), 1, "one");
	if (!wrong)
		wrong = healed(&temp);
	if (wrong)
		diag("%s: %s", wrong, err.text);
	return wrong;
}

/* Every operation of that kind in turn, until there are no more of them. */
static void test_each(const char *where, const char *(*fail)(size_t fault, int nth, bool for_good, bool *happened))
{
	for (size_t i = 0; i < COUNT(faults) * 2; i++) {
		const size_t row = i / 2;
		const bool for_good = i % 2;
		if (!for_good && faults[row].fault == DISK_EIO && faults[row].operation != DISK_ANY)
			continue; /* it was one of any */
		int nth = 0;
		const char *wrong = NULL;
		for (bool happened = true; happened && !wrong && nth < OPERATIONS_MAX;)
			wrong = fail(row, ++nth, for_good, &happened);
		if (!ok(!wrong, "%s: %s at each %s (there are %d)%s", where, disk_fault_names[faults[row].fault],
			disk_operation_names[faults[row].operation], nth - 1, for_good ? ", for good" : ""))
			diag("at the %dth: %s", nth, wrong);
		if (faults[row].operation == DISK_ANY)
			ok(nth > 10, "%s: there is something to fail", where);
	}
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void test_reader(void)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct err err = {0};
	fill(&temp);
	for (int nth = 1, happened = 1; happened && nth < OPERATIONS_MAX; nth++) {
		struct node_attr attr;
		reader_close(temp.reader);
		temp.reader = NULL;
		disk_fail(DISK_READ, DISK_EIO, nth, false);
		int rc = reader_open(&temp.reader, temp.path, &err);
		if (rc == 0)
			rc = reader_lookup(temp.reader, STORE_INO_ENTRIES, slice_of("blog"), &attr);
		happened = disk_heal();
		if (rc != (happened ? -EIO : 0))
			is_int(rc, happened ? -EIO : 0, "the %dth read of a reader fails", nth);
		if (!temp.reader)
			temp_must(reader_open(&temp.reader, temp.path, &err), &err, "reader_open");
		if (reader_lookup(temp.reader, STORE_INO_ENTRIES, slice_of("blog"), &attr) != 0)
			ok(false, "a reader reads again after its %dth read failed", nth);
	}
	is_str(temp_store_tree(&temp), before, "a reader reads on when the disk does");
}

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR); /* what these tests provoke is no news to whoever runs them */
	memset(long_text, 'l', sizeof(long_text) - 1);
	disk_register();
	test_each("in a run", fail_in_session);
	test_each("opening a store", fail_in_opening);
	test_each("closing a store", fail_in_closing);
	test_each("making a store", fail_in_making);
	test_reader();
	return tap_done();
}
