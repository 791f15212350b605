/* The envelope of an answer of the Sync API. Members may come in any order; the service sends the token last (R). */
#include "delivery/page.h"

#include "delivery/answer.h"
#include "delivery/item.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct envelope {
	struct json_value items, pagination_token, sync_token, total;
};

static void read_envelope(struct json_value root, struct envelope *e)
{
	const struct answer_member wanted[] = {
		WANTED("items", &e->items),
		WANTED("pagination_token", &e->pagination_token),
		WANTED("sync_token", &e->sync_token),
		WANTED("total_count", &e->total),
	};
	answer_members(root, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static bool has_control_characters(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
			return true;
	return false;
}

/* A token may be secret enough not to be quoted: whoever holds it and the key can read the stack. */
static int read_token(struct page *page, struct json_value value, struct err *err)
{
	struct slice token;
	if (value.type != JSON_STRING)
		return err_set(err, -EPROTO, "its token is not a string");
	if (answer_text(value, &page->strings, &token) < 0)
		return err_oom(err);
	if (token.len == 0)
		return err_set(err, -EPROTO, "its token is empty");
	if (token.len > PAGE_TOKEN_MAX)
		return err_set(err, -EPROTO, "its token is %zu bytes long", token.len);
	if (has_control_characters(token))
		return err_set(err, -EPROTO, "its token holds control characters");
	if (json_check_utf8(token, NULL) < 0)
		return err_set(err, -EPROTO, "its token is not valid UTF-8");
	page->token = strndup(token.at, token.len);
	return page->token ? 0 : err_oom(err);
}

/* Null counts as not there: clients of JavaScript make it of a missing value. */
static int read_tokens(struct page *page, const struct envelope *e, struct err *err)
{
	bool more = e->pagination_token.type != JSON_NULL;
	bool end = e->sync_token.type != JSON_NULL;
	if (more == end)
		return err_set(err, -EPROTO,
			       more ? "it has both a pagination_token and a sync_token"
				    : "it has neither a pagination_token nor a sync_token");
	page->more = more;
	return read_token(page, more ? e->pagination_token : e->sync_token, err);
}

static int read_items(struct page *page, const struct answer *answer, struct json_value items, struct err *err)
{
	struct json_iter it = json_iter(items);
	struct item item;
	int rc;
	if (items.type != JSON_ARRAY)
		return err_set(err, -EPROTO, "it has no list of items");
	while ((rc = item_next(answer, &it, &page->strings, &item)) > 0) {
		void *room = page->items;
		rc = answer_make_room(&room, sizeof(item), page->count, "items", err);
		page->items = room;
		if (rc < 0)
			return rc;
		page->items[page->count++] = item;
	}
	return rc < 0 ? err_oom(err) : 0;
}

static int read_page(struct page *page, struct err *err)
{
	struct answer answer;
	struct envelope e;
	long long total;
	int rc = answer_read(buf_slice(&page->body), &answer, err);
	if (rc < 0)
		return rc;
	read_envelope(answer.root, &e);
	rc = read_tokens(page, &e, err);
	if (rc == 0)
		rc = read_items(page, &answer, e.items, err);
	page->total = json_integer(e.total, &total) == 0 && total >= 0 ? total : -1;
	return rc;
}

int page_parse(struct buf *body, struct page *page, struct err *err)
{
	CLEANUP(page_finish) struct page read = {.body = *body, .total = -1};
	*body = (struct buf)BUF_INIT;
	int rc = read_page(&read, err);
	if (rc < 0)
		return err_prefix(err, rc, "the answer is not a page of the Sync API");
	*page = read;
	read = (struct page)PAGE_INIT;
	return 0;
}

void page_finish(struct page *page)
{
	page_strings_free(page->strings);
	free(page->items);
	free(page->token);
	buf_finish(&page->body);
	*page = (struct page)PAGE_INIT;
}
