/*
 * From the text of an answer to items: pure functions, no network.
 *
 * A page owns the text and whatever was decoded from it; the slices in its items live as long as the page. An item
 * whose own parts are not usable does not spoil the page: it comes with `fault` set and is to be kept aside, never
 * dropped.
 */
#ifndef CONTENTFS_DELIVERY_PAGE_H
#define CONTENTFS_DELIVERY_PAGE_H

#include "util/buf.h"
#include "util/err.h"
#include "util/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits on what comes from outside. */
#define PAGE_BYTES_MAX (256u << 20) /* one answer, decoded */
#define PAGE_ITEMS_MAX 100000       /* documented page size: 100 */
#define PAGE_TOKEN_MAX 4096         /* seen: 34 */
#define ITEM_DEPTH_MAX 512          /* nesting inside one item */
#define ITEM_NAME_MAX 1024          /* uid, content type uid, locale; documented: up to 200 characters */
#define ITEM_URL_MAX 8192           /* of an asset's file */
#define ITEM_FILE_MAX (1LL << 40)   /* bytes of one; documented: up to 10 GB */

enum item_type {
	ITEM_ENTRY_PUBLISHED,
	ITEM_ENTRY_UNPUBLISHED,
	ITEM_ENTRY_DELETED,
	ITEM_ASSET_PUBLISHED,
	ITEM_ASSET_UNPUBLISHED,
	ITEM_ASSET_DELETED,
	ITEM_CONTENT_TYPE_DELETED,
};

/* "entry_published" and so on, as the API writes it. */
const char *item_type_name(enum item_type type);

/* The file of a published asset, as its record has it. */
struct item_file {
	struct slice url;  /* raw: Unicode and reserved characters stand as they are (C); empty if there is none */
	struct slice name; /* `filename`, else the last part of the URL; empty if neither says it */
	struct slice media_type; /* `content_type`; empty if none */
	int64_t size;            /* `file_size`, a string (R) or a number; -1 if it is no size */
};

/*
 * One event. An item with a `fault` cannot be applied, and only `source` is sure to be set. What else could be read is
 * there too, so that it can be told what the item is about and whether something newer has taken its place: the type,
 * the times, the version, and those of the names that are valid (UTF-8, up to ITEM_NAME_MAX bytes); never `title`,
 * `updated_at`, `file` and `data`. What is `known` has the key of one entry or asset in one locale, and nothing else has:
 * removals without a locale and content_type_deleted are about many.
 */
struct item {
	const char *fault; /* NULL, or a static text: why the item cannot be applied */
	bool typed;        /* whether `type` was read; always so without a fault */
	bool known;        /* whether `type`, `uid`, `locale` and, of entries, `content_type` were */
	enum item_type type;
	struct slice content_type; /* of entries and content_type_deleted; empty for assets, whatever the item says */
	struct slice locale;       /* publish_details.locale, else data.locale (may differ: not the published locale,
	                              R); empty on a removal without one: it counts for every locale (I) */
	struct slice uid;          /* empty for content_type_deleted */
	int64_t event_at;          /* ms since the epoch; else publish_details.time; 0 if a fault left neither */
	int64_t published_at;      /* publish_details.time, else event_at; ms */
	struct slice title;        /* decoded; empty if none, or on removals */
	struct slice updated_at;   /* as written; empty if none */
	long long version;         /* _version, 0 if none, or on removals */
	struct item_file file;     /* of asset_published; without URL where the record has none that could be used */
	struct slice data;         /* the `data` object, exactly as sent; checked JSON, valid UTF-8 */
	struct slice source;       /* the whole item, exactly as sent */
};

struct page {
	struct buf body; /* the answer's text; moved in by page_parse */
	struct item *items;
	size_t count;
	bool more; /* true: `token` is a pagination token; false: the sync token, and the run ends here */
	char *token;
	long long total;              /* total_count of the run, -1 if it was not sent; never to be relied on */
	struct page_strings *strings; /* decoded strings that differ from their source */
};

#define PAGE_INIT                                                                                                      \
	{                                                                                                              \
		.body = BUF_INIT                                                                                       \
	}

/*
 * Reads an answer of the Sync API. Takes over *body (left empty) whatever the result. -EPROTO with the reason if it is
 * not JSON or not of that shape: exactly one of pagination_token and sync_token (a non-empty string of valid text
 * without control characters), `items` an array. `page` must be finished or PAGE_INIT before.
 */
int page_parse(struct buf *body, struct page *page, struct err *err);

/* Frees everything; leaves PAGE_INIT. */
void page_finish(struct page *page);

/* An item without a page: one that was kept aside. Its slices point into the text that it was read from, which belongs
 * to somebody else, or into `strings`. */
struct lone_item {
	struct item item;
	struct page_strings *strings;
};

#define LONE_ITEM_INIT                                                                                                 \
	{                                                                                                              \
		.strings = NULL                                                                                        \
	}

/*
 * Reads one item again from its `source`, with the same result as in its page; by a newer program maybe another one.
 * `source` must outlive `lone`, which must be finished or LONE_ITEM_INIT before. 0, also with a fault in lone->item;
 * -EPROTO if `source` is not JSON, as that of an item always is; or -ENOMEM.
 */
int item_parse(struct slice source, struct lone_item *lone, struct err *err);

/* Frees everything; leaves LONE_ITEM_INIT. */
void lone_item_finish(struct lone_item *lone);

struct content_type {
	struct slice uid;
	struct slice title;
	struct slice updated_at; /* as written */
	int64_t updated_ms;      /* the same, ms since the epoch; 0 if unreadable */
	long long version;
	struct slice data; /* the object, exactly as sent; checked, valid UTF-8 */
};

struct content_type_list {
	struct buf body;
	struct content_type *types; /* only those that are usable; `skipped` counts the others */
	size_t count;
	size_t skipped;
	long long total; /* `count`: how many there are in all; -1 if it was not sent */
	struct page_strings *strings;
};

#define CONTENT_TYPE_LIST_INIT                                                                                         \
	{                                                                                                              \
		.body = BUF_INIT                                                                                       \
	}

/* Reads {"content_types": [...]}. As page_parse. */
int content_type_list_parse(struct buf *body, struct content_type_list *list, struct err *err);
void content_type_list_finish(struct content_type_list *list);

#endif
