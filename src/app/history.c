#include "app/history.h"

#include "store/reader.h"
#include "tree/name.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/log.h"
#include "util/printable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_EVERY_MS 250

struct following {
	const char *path;
	struct store_reader *reader;
	struct stat opened; /* which file that is */
	int64_t last;       /* that was printed */
	int why;            /* nothing can be printed, or 0 */
	bool json;
	struct buf line;
};

static const char *change_word(enum change_op op)
{
	return op == CHANGE_ADDED ? "added" : op == CHANGE_CHANGED ? "changed" : "removed";
}

static const char *kind_word(enum node_kind kind)
{
	return kind == NODE_ENTRY ? "entry" : kind == NODE_ASSET ? "asset" : "content_type";
}

static void append_name(struct buf *path, struct slice raw, const char *suffix)
{
	char name[NAME_BYTES_MAX + 1];
	buf_append(path, name, name_encode(raw, suffix, name));
}

/* Where it stands in the tree, or stood. */
static void append_path(struct buf *path, const struct history *history)
{
	if (history->kind == NODE_SCHEMA) {
		buf_append_text(path, "content_types/");
	} else if (history->kind == NODE_ASSET) {
		buf_append_text(path, "assets/");
	} else {
		buf_append_text(path, "entries/");
		append_name(path, history->content_type, "");
		buf_append_char(path, '/');
	}
	if (history->kind != NODE_SCHEMA) {
		append_name(path, history->locale, "");
		buf_append_char(path, '/');
	}
	append_name(path, history->uid, ".json");
}

static void append_member(struct buf *line, const char *key, struct slice value)
{
	buf_printf(line, ", \"%s\": ", key);
	json_append_string(line, value);
}

static void append_json(struct buf *line, const struct history *history)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	char time[TIME_ISO_SIZE];
	append_path(&path, history);
	buf_printf(line, "{\"id\": %lld", (long long)history->id);
	append_member(line, "at", slice_of(time_format_iso(history->at, time)));
	append_member(line, "change", slice_of(change_word(history->op)));
	append_member(line, "kind", slice_of(kind_word(history->kind)));
	append_member(line, "content_type", history->content_type);
	append_member(line, "locale", history->locale);
	append_member(line, "uid", history->uid);
	append_member(line, "title", history->title);
	append_member(line, "path", buf_slice(&path));
	append_member(line, "event_at", slice_of(time_format_iso(history->event_at, time)));
	buf_append_text(line, "}\n");
	line->failed |= path.failed;
}

/* In the time of whoever reads it. */
static void append_text(struct buf *line, const struct history *history)
{
	char text[64];
	struct tm local;
	time_t seconds = (time_t)(history->at / 1000);
	if (!localtime_r(&seconds, &local) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0)
		time_format_iso(history->at, text);
	buf_printf(line, "%s  %-7s  ", text, change_word(history->op));
	append_path(line, history);
	if (history->title.len > 0) {
		buf_append_text(line, "  ");
		buf_append(line, history->title.at, history->title.len);
	}
	if (line->len > 0)
		make_printable(line->text, line->len);
	buf_append_char(line, '\n');
}

static bool print(void *context, const struct history *history)
{
	struct following *following = context;
	buf_reset(&following->line);
	if (following->json)
		append_json(&following->line, history);
	else
		append_text(&following->line, history);
	following->last = history->id;
	if (following->line.failed)
		return false;
	if (fwrite(following->line.text, 1, following->line.len, stdout) < following->line.len)
		following->why = errno;
	return !following->why;
}

static int print_new(struct following *following, struct err *err)
{
	int rc = reader_history(following->reader, following->last, print, following, err);
	if (rc == 0 && following->line.failed)
		return err_oom(err);
	if (rc == 0 && !following->why && fflush(stdout) != 0)
		following->why = errno;
	return following->why ? err_set(err, -EIO, "cannot write the output: %s", strerror(following->why)) : rc;
}

static int open_store(struct following *following, struct err *err)
{
	int rc = reader_open(&following->reader, following->path, err);
	if (rc == 0 && stat(following->path, &following->opened) < 0)
		rc = err_set(err, -errno, "%s: %s", following->path, strerror(errno));
	return rc;
}

/* Another file has its name: a damaged store was set aside, or somebody has deleted one. */
static bool is_replaced(const struct following *following)
{
	struct stat now;
	return stat(following->path, &now) == 0 &&
	       (now.st_dev != following->opened.st_dev || now.st_ino != following->opened.st_ino);
}

static void let_go(struct following *following)
{
	reader_close(following->reader);
	following->reader = NULL;
}

/* The numbers of one that takes the place of a damaged one go on above; those of a new one begin anew. */
static int open_other(struct following *following, struct err *err)
{
	struct store_sync_state state;
	int rc = open_store(following, err);
	if (rc == 0)
		rc = reader_sync_state(following->reader, &state, err);
	if (rc == 0 && state.journal_end < following->last)
		following->last = 0;
	return rc;
}

static int look(struct following *following, struct err *err)
{
	int rc = 0;
	if (following->reader && is_replaced(following))
		let_go(following);
	if (!following->reader)
		rc = open_other(following, err);
	return rc < 0 ? rc : print_new(following, err);
}

/* Until there is nobody to print to. What cannot be read now may be healed or replaced, and is told of once. */
static int follow(struct following *following, struct err *err)
{
	const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
	struct err told = {0};
	for (;;) {
		nanosleep(&pause, NULL);
		struct err now = {0};
		int rc = look(following, &now);
		if (following->why)
			return err_set(err, rc, "%s", now.text);
		if (rc < 0)
			let_go(following);
		if (rc < 0 && strcmp(now.text, told.text) != 0)
			log_warning("%s (trying again)", now.text);
		told = now;
	}
}

int history_run(const char *store, const struct history_wish *wish, struct err *err)
{
	struct following following = {.path = store, .json = wish->json};
	int rc = open_store(&following, err);
	if (rc == 0)
		rc = reader_history_start(following.reader, wish->lines, &following.last, err);
	if (rc == 0)
		rc = print_new(&following, err);
	if (rc == 0 && wish->follow)
		rc = follow(&following, err);
	reader_close(following.reader);
	buf_finish(&following.line);
	return rc;
}
