/* What the files of the engine share. Private to sync/. */
#ifndef CONTENTFS_SYNC_INTERNAL_H
#define CONTENTFS_SYNC_INTERNAL_H

#include "sync/batch.h"
#include "sync/conversation.h"
#include "sync/courtesy.h"
#include "sync/pace.h"
#include "sync/reaction.h"
#include "sync/sync.h"

struct sync {
	struct store *store;
	struct delivery *delivery;
	struct sync_filter filter;
	struct sync_hooks hooks;
	unsigned jobs;       /* questions under way at once */
	bool jobs_asked_for; /* by whoever runs this */
	struct buf text;     /* scratch */
	struct pace pace;
	int64_t now; /* of the last run, at its end: the next one does not begin before */
	struct batch batch;
	bool schemas_due;
	bool schemas_fresh;         /* they were fetched by the run under way */
	bool schemas_failed;        /* and were reported */
	int64_t schemas_fetched;    /* monotonic ms */
	unsigned schemas_failures;  /* in a row */
	int64_t schemas_not_before; /* monotonic ms */
	size_t locales;
	size_t streams;     /* that the filter makes; their ids are 1, 2, ... */
	bool streams_noted; /* all have their rows in the store */
	size_t first;       /* the stream that the next run begins with */
	bool whole_only;    /* a listing in parts did not work out */
	bool examined;      /* the quarantine was gone through since the start, all of it */
};

/* A run under way. */
struct run {
	struct sync *sync;
	struct sync_result *result;
	struct err *err;
	struct conversation *conversations; /* the streams, then the parts of them that are being listed */
	size_t count;
	size_t cap;
	unsigned in_flight;
	unsigned pages;  /* that came */
	int64_t now;     /* monotonic ms; goes on with the waits that were waited, also where the clock stands still */
	int rc;          /* the first failure, with its reason in err */
	bool broken;     /* nothing more is to be asked */
	bool lost;       /* what is in memory is not what is in the store */
	bool asks_types; /* nothing else is asked before the content types are there: a listing in parts needs them */
	bool waiting;    /* somebody was told of a wait */
	struct courtesy courtesy;
	struct err retried; /* the last failure that is tried again, in words */
};

/* sync.c */

/* Brings the content types up to date, with no transaction open and no question under way. Blocks as schemas_fetch. */
int sync_fetch_schemas(struct sync *sync, struct sync_result *result, struct err *err);

/* Whether the service, and not this machine, is why they could not be fetched: entries may be had all the same. */
bool sync_schemas_refused(int rc);

/* run.c */

/* Talks to the service until every stream is where the service is, or has failed. */
int run_streams(struct sync *sync, struct sync_result *result, struct err *err);

/* Sends what can be asked now. */
void run_ask(struct run *run);

/* Tells whoever wants to know that the run gets on. */
void run_turn(struct run *run);

/* Work that waits for nothing but a processor is between the first two. The third is called in it or after it, where it can
 * be interrupted and nobody sees yet what it does: rests if others want the processors. */
void run_work(struct run *run);
void run_worked(struct run *run);
void run_rest(struct run *run);

/* answers.c */

/* Takes an answer and does what comes of it. */
void run_take_answer(struct run *run, struct delivery_call *call);

/* Notes a failure. The first is the one that is told of; `err` is copied. */
void run_fail(struct run *run, int rc, const struct err *err);

/* The store or the memory is the trouble: what is not committed is lost, and asked for again by the next run. */
void run_break_off(struct run *run, int rc, const struct err *err);

/* pages.c */

/* Takes a page that is neither without news nor one of a circle: the stream goes on to what follows it at once, and it is
 * pending until it is stored. It is the conversation's then. */
void pages_take(struct run *run, struct conversation *conversation, struct page *page,
		const struct delivery_advice *advice);

/* Stores the page of a conversation, if one is pending; or the oldest of all, and says whether there was one. */
void pages_store_of(struct run *run, size_t index);
bool pages_store_oldest(struct run *run);

/* How many are pending. */
unsigned pages_pending(const struct run *run);

/* streams.c */

/* The conversations of the filter's streams, in the order of their turn, and of the parts that are being listed. */
int streams_load(struct run *run, struct err *err);
void streams_begin(struct run *run);
void streams_finish(struct run *run);

/* Room for one more conversation; NULL without memory. It moves the others. */
struct conversation *run_add(struct run *run);

/* Whether what a stream brought is whole and only has to become visible. */
bool stream_is_ready(const struct stream *stream);

/* Ends the run of a stream that is ready, and all of which is visible, within a transaction. */
int stream_end(struct run *run, struct conversation *conversation, struct err *err);

/* Makes visible in one step what all streams brought that are ready. -ECANCELED, and nothing is done, after a stop. */
int streams_publish(struct run *run, struct err *err);

/* Whether a listing of every stream was visible as a whole. */
bool streams_are_whole(const struct run *run);

/* retry.c */

/* Whether to try again, and when: counts the failure in *failures and answers true with the time in *due. */
bool retry_later(enum delivery_outcome outcome, const struct delivery_advice *advice, struct failures *failures,
		 int64_t now, int64_t *due);

/* split.c */

/* The first page of the first listing came: decides whether it is listed in parts, and a seed is looked for instead. Content
 * types of an earlier run will not do: run->asks_types. */
bool split_begins(struct run *run, struct conversation *whole, const struct page *page,
		  const struct delivery_advice *advice);

/* Fetches the content types, with nothing under way and nothing pending. Who began to split lists the stack as a whole if
 * they are not to be had. */
void split_fetch_types(struct run *run);

/* The first page of a seed came: whether the listing goes on with it. Else what is asked next is another seed, or the whole
 * from its beginning. */
bool split_takes_seed(struct run *run, struct conversation *whole, const struct page *page);

/* No seed is to be had: the stack is listed as a whole. */
void split_forget_seed(struct run *run, struct conversation *whole);

/* The seed has ended: makes the parts. Within a transaction. */
int split_make_parts(struct run *run, size_t whole, struct err *err);

/* The parts that the store knows of a stream that was interrupted. */
int split_load_parts(struct run *run, size_t whole, struct err *err);

/* A part got a page or ended: sees whether the listing can be trusted, and whether it is whole. Within a transaction. */
int split_settle(struct run *run, struct conversation *part, struct err *err);

/* The stream that a conversation is a part of; NULL if it is none. */
struct conversation *split_whole(const struct run *run, const struct conversation *part);

/* Gives the parts up: the stack is listed as a whole. Within a transaction. */
int split_abandon(struct run *run, struct conversation *whole, struct err *err);

#endif
