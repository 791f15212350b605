/*
 * Killed at any instant, the store is as it was after some page, and goes on from there. A child runs the engine against a
 * service without end and is killed; what it leaves is compared with a model of that service.
 *
 * The service is a row of pages, numbered from 0, whose items follow from the number alone; a token is the number of the
 * next page. Some sync tokens the service refuses; it then lists anew what there is three pages later, and says in the
 * tokens of that which pages were visible before: "listing FROM SHOWN" and, at its end, "fresh NEXT SHOWN".
 */
#include "random.h"
#include "sync/sync.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TYPES 3
#define LOCALES 2
#define UIDS 12
#define PAGE_ITEMS 6
#define LISTING_ITEMS 10 /* on a page of a new listing */
#define SKIPPED 3        /* pages that a new listing is ahead */
#define TEST_MS 2000
#define LONGEST_US 20000000 /* a child gets at a time before it is killed */
#define ANSWER_US 2000      /* what a network takes: time to be killed in between */

/* --- the service -------------------------------------------------------------------------------------------------- */

struct state {
	long version[TYPES][LOCALES][UIDS]; /* 0: not there */
};

enum what { PUBLISHED, UNPUBLISHED, DELETED_EVERYWHERE, TYPE_DELETED };

struct happening {
	enum what what;
	int type, locale, uid;
	long at; /* its time, and its version */
};

static struct happening happening_of(long page, int item)
{
	struct rng rng = {(uint64_t)(page * PAGE_ITEMS + item + 1)};
	size_t dice = rng_below(&rng, 40);
	return (struct happening){
		.what = dice < 28   ? PUBLISHED
			: dice < 36 ? UNPUBLISHED
			: dice < 39 ? DELETED_EVERYWHERE
				    : TYPE_DELETED,
		.type = (int)rng_below(&rng, TYPES),
		.locale = (int)rng_below(&rng, LOCALES),
		.uid = (int)rng_below(&rng, UIDS),
		.at = page * PAGE_ITEMS + item + 1,
	};
}

static bool ends_run(long page)
{
	struct rng rng = {(uint64_t)page ^ 0xabcdef};
	return rng_once_in(&rng, 3);
}

static bool is_refused(long next)
{
	return next % 11 == 10;
}

static void apply(struct state *state, const struct happening *h)
{
	if (h->what == PUBLISHED)
		state->version[h->type][h->locale][h->uid] = h->at;
	else if (h->what == UNPUBLISHED)
		state->version[h->type][h->locale][h->uid] = 0;
	for (int locale = 0; locale < LOCALES && h->what == DELETED_EVERYWHERE; locale++)
		state->version[h->type][locale][h->uid] = 0;
	if (h->what == TYPE_DELETED)
		memset(state->version[h->type], 0, sizeof(state->version[h->type]));
}

/* What the pages before this one come to. The last state is kept, since they are asked for in order. */
static const struct state *state_before(long page)
{
	static struct state state;
	static long done;
	if (page < done) {
		state = (struct state){0};
		done = 0;
	}
	for (; done < page; done++)
		for (int item = 0; item < PAGE_ITEMS; item++) {
			struct happening h = happening_of(done, item);
			apply(&state, &h);
		}
	return &state;
}

static void append_item(struct buf *body, const struct happening *h)
{
	static const char *const names[] = {"entry_published", "entry_unpublished", "entry_deleted",
					    "content_type_deleted"};
	char time[TIME_ISO_SIZE];
	buf_printf(body, "%s{\"type\":\"%s\",\"event_at\":\"%s\",\"content_type_uid\":\"t%d\",\"data\":{",
		   body->text[body->len - 1] == '[' ? "" : ",", names[h->what],
		   time_format_iso(1700000000000 + h->at, time), h->type);
	if (h->what != TYPE_DELETED)
		buf_printf(body, "\"uid\":\"u%02d\"", h->uid);
	if (h->what == UNPUBLISHED)
		buf_printf(body, ",\"locale\":\"l%d\"", h->locale);
	if (h->what == PUBLISHED)
		buf_printf(body, ",\"_version\":%ld,\"text\":\"%0*d\",\"publish_details\":{\"locale\":\"l%d\"}", h->at,
			   (int)(h->at % 7 ? h->at % 50 : 20000), 0, h->locale);
	buf_append_text(body, "}}");
}

/* Pages of the ordinary course, newest first as the service has them. */
static void write_page(struct buf *body, long page)
{
	for (int item = PAGE_ITEMS; item-- > 0;) {
		struct happening h = happening_of(page, item);
		append_item(body, &h);
	}
	buf_printf(body, "],\"%s\":\"%ld\"}", ends_run(page) ? "sync_token" : "pagination_token", page + 1);
}

/* A page of the new listing that replaces `shown`, from its item number `from` on. */
static void write_listing(struct buf *body, long from, long shown)
{
	long at = shown + SKIPPED;
	const struct state *state = state_before(at);
	long number = 0;
	for (int i = 0; i < TYPES * LOCALES * UIDS; i++) {
		struct happening h = {PUBLISHED, i % TYPES, i / TYPES % LOCALES, i / TYPES / LOCALES, 0};
		h.at = state->version[h.type][h.locale][h.uid];
		if (h.at && number >= from && number < from + LISTING_ITEMS)
			append_item(body, &h);
		number += h.at != 0;
	}
	if (number > from + LISTING_ITEMS)
		buf_printf(body, "],\"pagination_token\":\"listing %ld %ld\"}", from + LISTING_ITEMS, shown);
	else
		buf_printf(body, "],\"sync_token\":\"fresh %ld %ld\"}", at, shown);
}

/* Stands in for delivery/delivery.c. */
struct delivery {
	long shown; /* the last sync token that it was asked with; 0 for none */
	struct delivery_call *call;
};

/* There is one question under way at most; it is answered when it is asked. */
struct delivery_call {
	struct delivery *service;
	struct page page;
	enum delivery_outcome outcome;
	struct err err;
};

static enum delivery_outcome answer(struct delivery *service, const struct sync_query *query, struct page *page,
				    struct err *err)
{
	struct buf body = BUF_INIT;
	long next = 0, shown = 0, from = 0;
	page_finish(page);
	usleep(ANSWER_US);
	buf_append_text(&body, "{\"items\":[");
	if (!query->token && service->shown > 0) {
		write_listing(&body, 0, service->shown);
	} else if (query->token && sscanf(query->token, "listing %ld %ld", &from, &shown) == 2) {
		write_listing(&body, from, shown);
	} else if (query->token && sscanf(query->token, "fresh %ld", &next) == 1) {
		write_page(&body, next);
	} else {
		next = query->token ? strtol(query->token, NULL, 10) : 0;
		if (query->mode == SYNC_DELTA)
			service->shown = next; /* the end of a run: all before it is visible */
		write_page(&body, next);
	}
	if (query->mode == SYNC_DELTA && is_refused(next) && service->shown == next) {
		buf_finish(&body);
		err_set(err, 0, "refused");
		return DELIVERY_TOKEN_REFUSED;
	}
	return page_parse(&body, page, err) == 0 ? DELIVERY_OK : DELIVERY_NONSENSE;
}

enum delivery_outcome delivery_ask(struct delivery *service, const struct sync_query *query, struct delivery_call **out,
				   struct err *err)
{
	struct delivery_call *call = calloc(1, sizeof(*call));
	if (!call)
		return err_oom(err), DELIVERY_FAILED;
	call->service = service;
	call->outcome = answer(service, query, &call->page, &call->err);
	service->call = call;
	*out = call;
	return DELIVERY_OK;
}

int delivery_await(struct delivery *service, int64_t ms, struct delivery_call **answered)
{
	(void)ms;
	*answered = service->call;
	return service->call ? 1 : 0;
}

bool delivery_is_stopped(const struct delivery *service)
{
	(void)service;
	return false;
}

enum delivery_outcome delivery_take(struct delivery_call *call, struct page *page, struct delivery_advice *advice,
				    struct err *err)
{
	enum delivery_outcome outcome = call->outcome;
	*advice = (struct delivery_advice)DELIVERY_NO_ADVICE;
	*page = call->page;
	if (err)
		*err = call->err;
	call->service->call = NULL;
	free(call);
	return outcome;
}

enum delivery_outcome delivery_content_types(struct delivery *service, unsigned skip, struct content_type_list *list,
					     struct delivery_advice *advice, struct err *err)
{
	struct buf body = BUF_INIT;
	(void)service;
	*advice = (struct delivery_advice)DELIVERY_NO_ADVICE;
	content_type_list_finish(list);
	buf_printf(&body, "{\"content_types\":[%s]}", skip ? "" : "{\"uid\":\"t0\"},{\"uid\":\"t1\"}");
	return content_type_list_parse(&body, list, err) == 0 ? DELIVERY_OK : DELIVERY_NONSENSE;
}

int delivery_outcome_errno(enum delivery_outcome outcome)
{
	return outcome == DELIVERY_OK ? 0 : -EPROTO;
}

/* --- the child ---------------------------------------------------------------------------------------------------- */

/* Runs and keeps house until it is killed. */
static void work(struct temp_store *temp, long shown)
{
	struct delivery service = {.shown = shown};
	static const struct sync_filter filter = {0};
	static const struct sync_hooks hooks = {0};
	struct sync *sync = NULL;
	struct err err = {0};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	temp_must(store_open(&temp->store, temp->path, &temp_identity, &err), &err, "the child: store_open");
	temp_must(sync_create(&sync, temp->store, &service, &filter, 1, &hooks, &err), &err, "the child: sync_create");
	for (;;) {
		struct sync_result result;
		temp_must(sync_run(sync, &result, &err), &err, "the child: sync_run");
		temp_must(store_reclaim(temp->store, NULL, SUPERSEDED_ALL, &err), &err, "the child: store_reclaim");
		temp_must(store_set_announced(temp->store, store_journal_end(temp->store), &err), &err,
			  "the child: announced");
	}
}

/* Returns false if the child ended by itself. */
static bool let_work(struct temp_store *temp, long shown, useconds_t time)
{
	int status = 0;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		work(temp, shown);
	if (pid < 0)
		return false;
	usleep(time);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* --- what it leaves ----------------------------------------------------------------------------------------------- */

/* Where a killed run stood. */
struct standing {
	enum stream_run run;
	long shown; /* the pages before this one are visible */
};

static struct standing look(struct temp_store *temp)
{
	CLEANUP(stream_finish) struct stream stream = {0};
	struct err err = {0};
	long shown = 0;
	temp_must(store_stream_load(temp->store, 1, &stream, &err), &err, "store_stream_load");
	const char *token = stream.run == RUN_FIRST ? stream.page_token : stream.sync_token;
	if (token && sscanf(token, "fresh %*d %ld", &shown) != 1)
		shown = strtol(token, NULL, 10);
	return (struct standing){stream.run, shown};
}

static void write_expected(long shown, struct buf *out)
{
	const struct state *state = state_before(shown);
	for (int type = 0; type < TYPES; type++)
		for (int locale = 0; locale < LOCALES; locale++)
			for (int uid = 0; uid < UIDS; uid++)
				if (state->version[type][locale][uid])
					buf_printf(out, "%st%d/l%d/u%02d@%ld", out->len ? " " : "", type, locale, uid,
						   state->version[type][locale][uid]);
}

/* Whether the pages before `shown` are visible; where what came has still to be made so, those before it or fewer, down to
 * `least`: the store does not say which. What should be visible is in `want`. */
static bool shows(const char *got, struct standing *standing, long least, struct buf *want)
{
	bool ready = standing->run == RUN_READY || standing->run == RUN_REBUILD_READY;
	long most = standing->shown;
	for (standing->shown = ready ? least : most; standing->shown <= most; standing->shown++) {
		buf_reset(want);
		write_expected(standing->shown, want);
		if (strcmp(got, buf_text(want)) == 0)
			return true;
	}
	return false;
}

/* Whether the store is whole and shows what its tokens say; a diagnostic if not. */
static bool check(struct temp_store *temp, struct standing *standing)
{
	CLEANUP(buf_finish) struct buf want = BUF_INIT;
	long least = standing->shown;
	temp_store_start(temp);
	*standing = look(temp);
	const char *got =
		temp_store_ask(temp, "SELECT content_type || '/' || locale || '/' || uid || '@' || version FROM entries"
				     " ORDER BY content_type, locale, uid");
	bool right = shows(got, standing, least, &want);
	if (!right)
		diag("run %d, pages before %ld:\n  got: %s\n want: %s", standing->run, standing->shown, got,
		     buf_text(&want));
	const char *fault = temp_store_fault(temp);
	if (*fault)
		diag("%s", fault);
	right &= !*fault;
	temp_store_stop(temp);
	return right;
}

static void test_killed_while_it_works(struct rng *rng)
{
	CLEANUP(temp_store_finish) struct temp_store temp;
	struct standing standing = {0};
	int64_t until = clock_monotonic_ms() + rng_rounds(TEST_MS);
	int kills = 0, met[RUN_REBUILD_READY + 1] = {0};
	bool right = true, killed = true;
	temp_store_init(&temp);
	while (right && killed && (kills < 20 || clock_monotonic_ms() < until)) {
		killed = let_work(&temp, standing.shown, (useconds_t)(1000 + rng_below(rng, 40000)));
		right = check(&temp, &standing);
		met[standing.run]++;
		kills++;
	}
	/* A machine that is busy may not have let it come to anything in these moments. */
	for (useconds_t time = 50000; right && killed && standing.shown == 0 && time < LONGEST_US; time *= 2) {
		killed = let_work(&temp, standing.shown, time);
		right = check(&temp, &standing);
	}
	ok(killed, "a child works until it is killed");
	ok(right, "killed %d times, the store shows what its tokens say, and is sound", kills);
	ok(standing.shown > 0, "and the work goes on: %ld pages are visible", standing.shown);
	diag("met: between runs %d, first run %d, delta %d, new listing %d, its news %d, before they are shown %d",
	     met[RUN_NONE], met[RUN_FIRST], met[RUN_DELTA], met[RUN_REBUILD], met[RUN_REBUILD_DELTA],
	     met[RUN_READY] + met[RUN_REBUILD_READY]);
}

static void test_killed_at_the_beginning(struct rng *rng)
{
	bool right = true, killed = true;
	for (int i = 0; i < 25 && right && killed; i++) {
		CLEANUP(temp_store_finish) struct temp_store temp;
		struct standing standing = {0};
		temp_store_init(&temp);
		killed = let_work(&temp, 0, (useconds_t)rng_below(rng, 6000));
		right = check(&temp, &standing);
	}
	ok(killed && right, "killed while the store is made, it can be opened again and is sound");
}

int main(void)
{
	struct rng rng = rng_create();
	log_set_level(LOG_LEVEL_ERROR);
	test_killed_at_the_beginning(&rng);
	test_killed_while_it_works(&rng);
	return tap_done();
}
