/*
 * One stream as a run sees it: its row, the question that is under way, and what has to happen next. Private to sync/.
 */
#ifndef CONTENTFS_SYNC_CONVERSATION_H
#define CONTENTFS_SYNC_CONVERSATION_H

#include "delivery/delivery.h"
#include "store/store.h"
#include "sync/seed.h"

#include <stdbool.h>
#include <stdint.h>

enum conversation_state {
	TALKING,
	PAUSED, /* until its parts are listed */
	DONE,
	GIVEN_UP, /* for this run */
};

/* Of a listing: a service that means well may repeat a page, or have empty ones between those that a filter leaves. */
#define LISTING_REPEATS_MAX 8
#define LISTING_EMPTY_MAX 100000 /* in a row: ten times the pages of the largest stack */

/* A page that was seen, to find listings that go round in a circle: Brent's method, which needs one of them only. The tokens
 * of a circle may be new ones each time. */
struct page_mark {
	char *token;
	char *first; /* its first item, as sent; NULL if it had none */
	size_t first_len;
	unsigned repeats; /* pages that began with the same one since */
	unsigned steps;   /* since it was set */
	unsigned limit;   /* steps after which the next page takes its place */
	unsigned empty;   /* pages without items in a row, up to now */
};

/* A page that has come and is not in the store yet. */
struct pending_page {
	unsigned
		number; /* of all that came in this run, from 1: the order in which they are stored; 0: there is none */
	struct page page;
	enum stream_run run; /* that it is of */
	bool shows;          /* see conversation_shows */
};

#define PENDING_PAGE_NONE                                                                                              \
	{                                                                                                              \
		.page = PAGE_INIT                                                                                      \
	}

/* Those of a question, in a row. Each kind has its own tries: a token that is refused after an outage was refused once. */
struct failures {
	unsigned of[DELIVERY_OUTCOMES];
};

struct conversation {
	struct stream stream; /* as it will be stored with the pages that came so far */
	struct pending_page pending;
	enum conversation_state state;
	struct delivery_call *call; /* the question under way, or NULL */
	struct failures failures;   /* of the last question */
	int64_t due;                /* when it may be asked again */
	int64_t left;     /* items that are still to come, as far as the service says; INT64_MAX: it did not yet */
	bool idle;        /* the store knows of no run under way: an answer without news leaves nothing to write */
	bool stale;       /* goes on with a delta that an earlier run began: another follows */
	bool staged;      /* some of what came is not to be seen yet */
	bool relisted;    /* was listed anew in this run already */
	struct seed seed; /* that is looked for before anything is listed */
	struct page_mark mark;
};

void conversation_finish(struct conversation *conversation);

/* Drops the page that is not stored yet, if there is one. */
void conversation_drop_pending(struct conversation *conversation);

/* Which stream the content belongs to. */
int conversation_owner(const struct conversation *conversation);

/* The question that comes next. The strings are the conversation's. */
struct sync_query conversation_query(const struct conversation *conversation, const char *start_from,
				     const char *types);

/* Whether what this page brings is to be seen at once, or staged until the end of the run. `alone`: there is no other
 * stream that it has to wait for. */
bool conversation_shows(const struct conversation *conversation, const struct page *page, bool alone);

/* The delta that most polls get (R): nothing, and the token that was sent. */
bool conversation_is_empty_delta(const struct conversation *conversation, const struct page *page);

/* Whether the page leads back to where the listing has been: by its token, or by beginning with the same event again and
 * again; or the listing has nothing but empty pages. 1, 0 or -ENOMEM. */
int conversation_circles(struct conversation *conversation, const struct page *page);

/* Goes on to what follows the page, whose token it takes. At the end of a delta or a new listing the stream is RUN_READY or
 * RUN_REBUILD_READY, at the end of a seed RUN_PARTS, at the end of a part RUN_NONE. */
void conversation_advance(struct conversation *conversation, struct page *page);

/* Back to the beginning of the run under way: its page token is of no use. */
void conversation_restart(struct conversation *conversation, enum stream_run run);

#endif
