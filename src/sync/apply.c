#include "sync/apply.h"

#include "sync/order.h"
#include "tree/render.h"

#include <errno.h>

/* The service filters already; this keeps a store true to its filters if it ever does not. */
static bool filtered_out(const struct stream *stream, const struct item *item)
{
	bool asset = item->type == ITEM_ASSET_PUBLISHED || item->type == ITEM_ASSET_UNPUBLISHED ||
		     item->type == ITEM_ASSET_DELETED;
	if (stream->content_type && (asset || !slice_is(item->content_type, stream->content_type)))
		return true;
	return stream->locale && item->locale.len > 0 && !slice_is(item->locale, stream->locale);
}

static struct store_key key_of(const struct item *item)
{
	bool asset = item->type == ITEM_ASSET_PUBLISHED || item->type == ITEM_ASSET_UNPUBLISHED ||
		     item->type == ITEM_ASSET_DELETED;
	return (struct store_key){asset ? NODE_ASSET : NODE_ENTRY, item->content_type, item->locale, item->uid};
}

/* Whether the run knows better already; pages come newest first. Where the item does not say when it was, a removal in the
 * same run may have been before it or after it: then nobody can tell what it is good for, not even once it can be read. */
static int compare_with_known(struct apply *apply, const struct item *item, bool *superseded, bool *doubtful,
			      struct err *err)
{
	const struct store_key key = key_of(item);
	struct store_known known = {0};
	if (!item->known)
		return 0;
	int rc = store_find(apply->store, &key, &known, err);
	if (rc < 0)
		return rc;
	bool dated = item->event_at > 0;
	bool removed = known.removed_at != NO_EVENT;
	*doubtful = removed && !dated;
	*superseded = dated && ((removed && known.removed_at >= item->event_at) ||
				order_incumbent(&known)->event_at > item->event_at);
	return 0;
}

/* What is visible of an item whose new version cannot be applied was listed all the same: it stays. */
static int quarantine(struct apply *apply, const struct item *item, const char *reason, struct err *err)
{
	bool superseded = false;
	bool doubtful = false;
	int rc = compare_with_known(apply, item, &superseded, &doubtful, err);
	const struct store_suspect suspect = {
		.known = item->known && !doubtful,
		.key = key_of(item),
		.stream = apply->owner,
		.event_at = item->event_at,
		.source = item->source,
		.reason = reason,
	};
	if (rc == 0 && !superseded)
		rc = store_quarantine(apply->store, &suspect, err);
	bool named = item->typed && item->uid.len > 0;
	return rc == 0 && apply->rebuild && named ? store_list_covered(apply->store, apply->owner, &suspect.key, err)
						  : rc;
}

static int keep_incumbent(struct apply *apply, const struct store_known *known, int64_t event_at, struct err *err)
{
	const struct store_version *incumbent = order_incumbent(known);
	int rc = 0;
	if (incumbent->event_at < event_at)
		rc = store_touch(apply->store, incumbent->ino, event_at, err);
	if (rc == 0 && apply->rebuild && known->live.ino)
		rc = store_list(apply->store, apply->owner, known->live.ino, err);
	return rc;
}

static int apply_publication(struct apply *apply, const struct item *item, struct err *err)
{
	const struct store_key key = key_of(item);
	struct store_known known = {0};
	int rc = store_quarantine_settle(apply->store, &key, item->event_at, err);
	if (rc == 0)
		rc = store_find(apply->store, &key, &known, err);
	if (rc < 0)
		return rc;
	if (order_publication(item->event_at, item->version, &known) == ORDER_IGNORE) {
		/* Listed, whatever was removed: a removal that counts takes the visible version at the end of the run. */
		bool listed = apply->rebuild && known.live.ino;
		return listed ? store_list(apply->store, apply->owner, known.live.ino, err) : 0;
	}
	buf_reset(apply->text);
	rc = render_json(item->data, apply->text);
	if (rc == -E2BIG)
		return quarantine(apply, item, "its text would be too large", err);
	if (rc < 0)
		return err_oom(err);
	const struct store_item stored = {
		.key = key,
		.stream = apply->owner,
		.event_at = item->event_at,
		.published_at = item->published_at,
		.number = item->version,
		.updated_at = item->updated_at,
		.title = item->title,
		.text = buf_slice(apply->text),
		.file = {item->file.url, item->file.name, item->file.media_type, item->file.size, 0},
	};
	const struct store_version *incumbent = order_incumbent(&known);
	if (incumbent->ino) {
		rc = store_is_same(apply->store, incumbent->ino, &stored, err);
		if (rc < 0)
			return rc;
		if (rc > 0)
			return keep_incumbent(apply, &known, item->event_at, err);
	}
	return apply->now ? store_place(apply->store, &stored, err) : store_stage(apply->store, &stored, err);
}

static int apply_removal(struct apply *apply, const struct item *item, struct err *err)
{
	const struct store_key key = key_of(item);
	int rc = store_quarantine_settle(apply->store, &key, item->event_at, err);
	if (rc == 0)
		rc = store_note_removal(apply->store, apply->owner, &key, item->event_at, err);
	if (rc == 0 && apply->now)
		rc = store_unplace(apply->store, &key, item->event_at, err);
	return rc;
}

int apply_item(struct apply *apply, const struct item *item, struct err *err)
{
	if (item->fault)
		return quarantine(apply, item, item->fault, err);
	if (filtered_out(apply->stream, item))
		return 0;
	switch (item->type) {
	case ITEM_ENTRY_PUBLISHED:
	case ITEM_ASSET_PUBLISHED:
		return apply_publication(apply, item, err);
	case ITEM_CONTENT_TYPE_DELETED:
		apply->schemas_doubtful = true;
		return apply_removal(apply, item, err);
	case ITEM_ENTRY_UNPUBLISHED:
	case ITEM_ENTRY_DELETED:
	case ITEM_ASSET_UNPUBLISHED:
	case ITEM_ASSET_DELETED:
		return apply_removal(apply, item, err);
	}
	return 0;
}

int apply_page(struct apply *apply, const struct page *page, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < page->count; i++)
		rc = apply_item(apply, &page->items[i], err);
	return rc;
}
