/*
 * Going over to another store, which has taken the place of a damaged one. Of the announcer's thread, which alone
 * tells the kernel of changes.
 *
 * The directories that are always there have the same numbers in both stores, everything below them has not. So it is
 * enough to let the workers read the new store, behind the barrier of fs.h, and to make the kernel forget every name in
 * those directories, of the old tree and of the new one. What is still open below them is answered from the old store.
 */
#include "fs/internal.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	int64_t ino;
	const char *name;
} fixed[] = {{STORE_INO_CONTENT_TYPES, "content_types"}, {STORE_INO_ENTRIES, "entries"}, {STORE_INO_ASSETS, "assets"}};

#define FIXED (sizeof(fixed) / sizeof(fixed[0]))

/* Names with their NULs, one after the other. */
static bool add_name(void *context, const struct dir_entry *entry)
{
	struct buf *names = context;
	return buf_append(names, entry->name.at, entry->name.len) == 0 && buf_append_char(names, '\0') == 0;
}

struct readers {
	struct store_reader *reader[WORKERS];
	struct store_reader *announcer;
};

static void close_readers(struct readers *readers)
{
	for (int i = 0; i < WORKERS; i++)
		reader_close(readers->reader[i]);
	reader_close(readers->announcer);
}

static int open_readers(struct fs *fs, struct readers *readers, struct err *err)
{
	int rc = reader_open(&readers->announcer, fs->store_path, err);
	for (int i = 0; rc == 0 && i < WORKERS; i++)
		rc = reader_open(&readers->reader[i], fs->store_path, err);
	return rc;
}

static int64_t numbered_after(struct store_reader *reader)
{
	CLEANUP(buf_finish) struct buf note = BUF_INIT;
	return reader_note(reader, NOTE_NUMBERED_AFTER, &note) == 0 ? atoll(buf_text(&note)) : 0;
}

static void hand_over(struct fs *fs, struct readers *readers, int64_t after)
{
	pthread_rwlock_wrlock(&fs->answering);
	listings_drop(fs);
	fs->numbered_after = after;
	for (int i = 0; i < WORKERS; i++) {
		struct worker *worker = &fs->workers[i];
		reader_close(worker->previous);
		worker->previous = worker->reader;
		worker->reader = readers->reader[i];
		readers->reader[i] = NULL;
	}
	pthread_rwlock_unlock(&fs->answering);
}

static void forget_names(struct fs *fs, int64_t directory, const struct buf *names)
{
	for (size_t at = 0; at < names->len; at += strlen(names->text + at) + 1)
		fuse_lowlevel_notify_inval_entry(fs->session, (fuse_ino_t)directory, names->text + at,
						 strlen(names->text + at));
}

int switch_store(struct fs *fs, struct store_reader **announcer, struct err *err)
{
	CLEANUP(close_readers) struct readers readers = {0};
	struct store_sync_state state;
	int rc = open_readers(fs, &readers, err);
	if (rc == 0)
		rc = reader_sync_state(readers.announcer, &state, err);
	if (rc < 0)
		return rc;
	hand_over(fs, &readers, numbered_after(readers.announcer));
	for (size_t i = 0; i < FIXED; i++) {
		CLEANUP(buf_finish) struct buf names = BUF_INIT;
		/* What is not to be read of the old names goes with the directory that they are in. */
		if (reader_list(*announcer, fixed[i].ino, 0, add_name, &names) < 0 ||
		    reader_list(readers.announcer, fixed[i].ino, 0, add_name, &names) < 0 || names.failed)
			fuse_lowlevel_notify_inval_entry(fs->session, STORE_INO_ROOT, fixed[i].name,
							 strlen(fixed[i].name));
		forget_names(fs, fixed[i].ino, &names);
		fuse_lowlevel_notify_inval_inode(fs->session, (fuse_ino_t)fixed[i].ino, 0, 0);
	}
	fuse_lowlevel_notify_inval_inode(fs->session, STORE_INO_ROOT, 0, 0);
	reader_close(*announcer);
	*announcer = readers.announcer;
	readers.announcer = NULL;
	set_announced(fs, state.journal_end);
	return 0;
}
