/* Listings that do not end: where a conversation notices that it goes round in a circle. */
#include "sync/conversation.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE 0 /* items: an empty page */

/* Page `n` of a listing: what its items are, and its token. */
struct listing {
	const char *name;
	unsigned (*items)(unsigned n);
	unsigned (*token)(unsigned n);
	unsigned most; /* pages that may come before it is noticed; 0: it is no circle, as far as anybody looks */
};

static unsigned always_new(unsigned n)
{
	return n + 1;
}

static unsigned always_same(unsigned n)
{
	(void)n;
	return 1;
}

static unsigned in_sevens(unsigned n)
{
	return n % 7 + 1;
}

static unsigned after_a_while(unsigned n)
{
	return n < 1000 ? n + 1 : 1000 + n % 3;
}

static unsigned twice(unsigned n)
{
	return n / 2 + 1;
}

static unsigned the_first_now_and_then(unsigned n)
{
	return n % 1000 == 0 && n <= 5000 ? 1 : n + 1;
}

static unsigned none(unsigned n)
{
	(void)n;
	return NONE;
}

static unsigned mostly_none(unsigned n)
{
	return n % 1000 == 0 ? n + 1 : NONE;
}

static const struct listing listings[] = {
	{"one that goes on", always_new, always_new, 0},
	{"each page twice", twice, always_new, 0},
	{"one page a few times", the_first_now_and_then, always_new, 0},
	{"empty pages between others", mostly_none, always_new, 0},
	{"the same token", always_new, always_same, 2},
	{"a circle of tokens", always_new, in_sevens, 16},
	{"a circle of tokens behind others", always_new, after_a_while, 2100},
	{"the same items with new tokens", always_same, always_new, 10},
	{"a circle of items with new tokens", in_sevens, always_new, 200},
	{"a circle of items behind others", after_a_while, always_new, 2100},
	{"nothing but empty pages", none, always_new, LISTING_EMPTY_MAX + 1},
};

/* After how many pages it was noticed, 0 if not among the first `count`. */
static unsigned noticed(const struct listing *listing, unsigned count)
{
	struct conversation conversation = {.stream.run = RUN_DELTA};
	unsigned found = 0;
	for (unsigned n = 0; n < count && !found; n++) {
		char source[32];
		char token[32];
		struct item item = {0};
		snprintf(source, sizeof(source), "{%u}", listing->items(n));
		snprintf(token, sizeof(token), "p%u", listing->token(n));
		item.source = slice_of(source);
		struct page page = {
			.items = &item, .count = listing->items(n) != NONE, .more = true, .token = strdup(token)};
		found = conversation_circles(&conversation, &page) > 0 ? n + 1 : 0;
		conversation_advance(&conversation, &page);
		free(page.token);
	}
	conversation_finish(&conversation);
	return found;
}

int main(void)
{
	for (size_t i = 0; i < COUNT(listings); i++) {
		const struct listing *listing = &listings[i];
		unsigned page = noticed(listing, LISTING_EMPTY_MAX * 3 / 2);
		if (listing->most)
			ok(page > 0 && page <= listing->most, "%s is noticed (page %u)", listing->name, page);
		else
			is_int(page, 0, "%s is none", listing->name);
	}
	return tap_done();
}
