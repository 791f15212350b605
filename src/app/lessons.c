#include "app/lessons.h"

#include <string.h>

#define CHANGED_BYTES_MAX (1u << 20)
#define MEASURED_AT_ONCE 256

struct head {
	int64_t generation;
	size_t len;
};

void lessons_add(struct lessons *lessons, struct slice url, int64_t generation)
{
	const struct head head = {generation, url.len};
	size_t before = lessons->changed.len;
	if (before + sizeof(head) + url.len > CHANGED_BYTES_MAX)
		return;
	if (buf_append(&lessons->changed, (const char *)&head, sizeof(head)) < 0 ||
	    buf_append(&lessons->changed, url.at, url.len) < 0)
		lessons->changed.len = before;
}

static int measure(struct store *store, const struct fs_measured *measured, size_t count, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = store_measure(store, measured[i].ino, measured[i].size, err);
	return rc;
}

static int renew(struct store *store, const struct buf *changed, struct err *err)
{
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < changed->len;) {
		struct head head;
		memcpy(&head, changed->text + at, sizeof(head));
		at += sizeof(head);
		rc = store_renew(store, slice_make(changed->text + at, head.len), head.generation, err);
		at += head.len;
	}
	return rc;
}

static int end_transaction(struct store *store, int rc, struct err *err)
{
	if (rc == 0)
		return store_commit(store, err);
	store_rollback(store);
	return rc;
}

static int keep_sizes(struct fs *fs, struct store *store, struct err *err)
{
	struct fs_measured measured[MEASURED_AT_ONCE];
	size_t count;
	int rc = 0;
	do {
		count = fs_look_measured(fs, measured, MEASURED_AT_ONCE);
		if (count == 0)
			break;
		rc = store_begin(store, err);
		if (rc == 0)
			rc = end_transaction(store, measure(store, measured, count, err), err);
		if (rc == 0)
			fs_measured_stored(fs, measured, count);
	} while (rc == 0 && count == MEASURED_AT_ONCE);
	return rc;
}

int lessons_keep(struct lessons *lessons, struct fs *fs, struct store *store, struct err *err)
{
	int rc = keep_sizes(fs, store, err);
	if (rc < 0 || lessons->changed.len == 0)
		return rc;
	rc = store_begin(store, err);
	if (rc == 0)
		rc = end_transaction(store, renew(store, &lessons->changed, err), err);
	if (rc < 0)
		return rc;
	buf_reset(&lessons->changed);
	fs_changed(fs);
	return 0;
}
