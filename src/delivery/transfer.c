/*
 * A transfer is in one of three lists, each in the order in which its transfers came to it: asked, sent, arrived. The lists
 * and what is in them belong to the lock, but for the call and the answer of a transfer that is sent, which are the
 * thread's. Whoever asks is told of an arrival, or of a stop, by an eventfd, which can be waited for with a time limit; what
 * has none waits for the condition.
 */
#include "delivery/transfer.h"

#include "util/cleanup.h"
#include "util/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TURN_MS 1000 /* how often a wait shows that it goes on */

struct transfers {
	struct http *http; /* the thread's, but for what http.h says any may call */
	pthread_t thread;
	bool started;
	int news_fd; /* something arrived, or the stop */
	atomic_bool stopped;
	_Atomic uint64_t turns; /* of who waits, while the thread gets on or has nothing to do */
	uint64_t http_turns;    /* when that was looked at last */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct transfer *asked;
	struct transfer *sent;
	struct transfer *arrived;
	unsigned under_way; /* asked for and not arrived */
	bool ending;
};

/* --- lists -------------------------------------------------------------------------------------------------------- */

static void append(struct transfer **list, struct transfer *transfer, enum transfer_state state)
{
	while (*list)
		list = &(*list)->next;
	*list = transfer;
	transfer->next = NULL;
	transfer->state = state;
}

static void take_out(struct transfer **list, const struct transfer *transfer)
{
	while (*list != transfer)
		list = &(*list)->next;
	*list = transfer->next;
}

/* Who was woken is often put on the processor of who woke it, and has it only when that one waits: some ms later, while the
 * other processor is idle. A question on its way, or an answer, is worth more than what is done meanwhile. */
static void give_way(void)
{
	sched_yield();
}

static void tell(const struct transfers *transfers)
{
	const uint64_t one = 1;
	ssize_t written = write(transfers->news_fd, &one, sizeof(one));
	(void)written; /* a counter that is full says the same */
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static void arrive(struct transfers *transfers, struct transfer *transfer)
{
	append(&transfers->arrived, transfer, TRANSFER_ARRIVED);
	transfers->under_way--;
	pthread_cond_broadcast(&transfers->changed);
	tell(transfers);
}

/* With the lock, which is let go meanwhile. `failure`: what has to be said instead of what the call came to; or 0. */
static void end(struct transfers *transfers, struct transfer *transfer, int failure)
{
	CLEANUP(http_answer_finish) struct http_answer answer = HTTP_ANSWER_INIT;
	struct err err = {0};
	take_out(&transfers->sent, transfer);
	pthread_mutex_unlock(&transfers->lock);
	int rc = http_end(transfer->call, &answer, &err);
	if (rc == -ECANCELED && failure < 0)
		rc = err_set(&err, failure, "libcurl fails to wait for answers");
	transfer->read(transfer->owner, rc, &answer, &err);
	pthread_mutex_lock(&transfers->lock);
	arrive(transfers, transfer);
	pthread_mutex_unlock(&transfers->lock);
	give_way();
	pthread_mutex_lock(&transfers->lock);
}

/* As above. */
static void begin(struct transfers *transfers, struct transfer *transfer)
{
	CLEANUP(http_answer_finish) struct http_answer answer = HTTP_ANSWER_INIT;
	struct err err = {0};
	int rc = transfer->given_up ? err_set(&err, -ECANCELED, "told to stop") : 0;
	transfer->request.owner = transfer;
	take_out(&transfers->asked, transfer);
	pthread_mutex_unlock(&transfers->lock);
	if (rc == 0)
		rc = http_begin(transfers->http, &transfer->request, &transfer->call, &err);
	if (rc < 0)
		transfer->read(transfer->owner, rc, &answer, &err);
	pthread_mutex_lock(&transfers->lock);
	if (rc < 0)
		arrive(transfers, transfer);
	else
		append(&transfers->sent, transfer, TRANSFER_SENT);
}

static struct transfer *find_given_up(const struct transfers *transfers)
{
	struct transfer *transfer = transfers->sent;
	while (transfer && !transfer->given_up)
		transfer = transfer->next;
	return transfer;
}

/* With the lock, which is let go while it waits for an answer. */
static void wait_for_answer(struct transfers *transfers)
{
	struct http_call *ended;
	pthread_mutex_unlock(&transfers->lock);
	int rc = http_await(transfers->http, INT_MAX, &ended);
	pthread_mutex_lock(&transfers->lock);
	if (rc > 0)
		end(transfers, http_owner(ended), 0);
	while (rc < 0 && transfers->sent)
		end(transfers, transfers->sent, rc == -ECANCELED ? 0 : rc);
}

static void *work(void *argument)
{
	struct transfers *transfers = argument;
	struct transfer *given_up;
	pthread_mutex_lock(&transfers->lock);
	while (!transfers->ending) {
		if (transfers->asked)
			begin(transfers, transfers->asked);
		else if ((given_up = find_given_up(transfers)))
			end(transfers, given_up, 0);
		else if (transfers->sent)
			wait_for_answer(transfers);
		else
			pthread_cond_wait(&transfers->changed, &transfers->lock);
	}
	pthread_mutex_unlock(&transfers->lock);
	return NULL;
}

/* --- who asks ----------------------------------------------------------------------------------------------------- */

int transfers_create(struct transfers **out, struct err *err)
{
	struct transfers *transfers = calloc(1, sizeof(*transfers));
	if (!transfers)
		return err_oom(err);
	pthread_mutex_init(&transfers->lock, NULL);
	pthread_cond_init(&transfers->changed, NULL);
	int rc = http_create(&transfers->http, err);
	transfers->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (rc == 0 && transfers->news_fd < 0)
		rc = err_set(err, -errno, "cannot make an event: %s", strerror(errno));
	if (rc < 0)
		transfers_destroy(transfers);
	else
		*out = transfers;
	return rc;
}

void transfers_destroy(struct transfers *transfers)
{
	if (!transfers)
		return;
	pthread_mutex_lock(&transfers->lock);
	transfers->ending = true;
	pthread_cond_broadcast(&transfers->changed);
	pthread_mutex_unlock(&transfers->lock);
	if (transfers->started)
		pthread_join(transfers->thread, NULL);
	http_destroy(transfers->http);
	cleanup_close(&transfers->news_fd);
	pthread_cond_destroy(&transfers->changed);
	pthread_mutex_destroy(&transfers->lock);
	free(transfers);
}

static int start(struct transfers *transfers, struct err *err)
{
	if (transfers->started)
		return 0;
	int rc = -pthread_create(&transfers->thread, NULL, work, transfers);
	transfers->started = rc == 0;
	return rc < 0 ? err_set(err, rc, "cannot start a thread: %s", strerror(-rc)) : 0;
}

int transfers_ask(struct transfers *transfers, struct transfer *transfer, struct err *err)
{
	if (atomic_load(&transfers->stopped))
		return err_set(err, -ECANCELED, "told to stop");
	int rc = start(transfers, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&transfers->lock);
	append(&transfers->asked, transfer, TRANSFER_ASKED);
	transfers->under_way++;
	pthread_cond_broadcast(&transfers->changed);
	pthread_mutex_unlock(&transfers->lock);
	http_wake(transfers->http);
	give_way();
	return 0;
}

/* The first that has arrived. `*idle`: there is none to wait for. */
static struct transfer *look(struct transfers *transfers, bool *idle)
{
	pthread_mutex_lock(&transfers->lock);
	struct transfer *arrived = transfers->arrived;
	*idle = transfers->under_way == 0;
	pthread_mutex_unlock(&transfers->lock);
	return arrived;
}

/* Waits for news, for a moment at most. It is a turn unless the thread is stuck. */
static void wait_for_news(struct transfers *transfers, int64_t ms, bool idle)
{
	struct pollfd news = {.fd = transfers->news_fd, .events = POLLIN};
	uint64_t count;
	uint64_t turns = http_turns(transfers->http);
	if (idle || turns != transfers->http_turns)
		atomic_fetch_add(&transfers->turns, 1);
	transfers->http_turns = turns;
	if (poll(&news, 1, ms < TURN_MS ? (int)ms : TURN_MS) > 0)
		while (read(news.fd, &count, sizeof(count)) < 0 && errno == EINTR)
			;
}

int transfers_await(struct transfers *transfers, int64_t ms, struct transfer **arrived)
{
	int64_t until = clock_monotonic_ms() + ms;
	give_way();
	for (;;) {
		bool idle;
		if (atomic_load(&transfers->stopped))
			return -ECANCELED;
		struct transfer *first = look(transfers, &idle);
		if (first) {
			*arrived = first;
			return 1;
		}
		int64_t left = until - clock_monotonic_ms();
		if (left <= 0)
			return 0;
		wait_for_news(transfers, left, idle);
	}
}

static bool has_arrived(struct transfers *transfers, const struct transfer *transfer)
{
	pthread_mutex_lock(&transfers->lock);
	bool arrived = transfer->state == TRANSFER_ARRIVED;
	pthread_mutex_unlock(&transfers->lock);
	return arrived;
}

void transfers_await_one(struct transfers *transfers, const struct transfer *transfer)
{
	while (!has_arrived(transfers, transfer) && !atomic_load(&transfers->stopped))
		wait_for_news(transfers, TURN_MS, false);
}

void transfers_take(struct transfers *transfers, struct transfer *transfer)
{
	pthread_mutex_lock(&transfers->lock);
	transfer->given_up = true;
	if (transfer->state != TRANSFER_ARRIVED)
		http_wake(transfers->http);
	while (transfer->state != TRANSFER_ARRIVED)
		pthread_cond_wait(&transfers->changed, &transfers->lock);
	take_out(&transfers->arrived, transfer);
	pthread_mutex_unlock(&transfers->lock);
}

void transfers_stop(struct transfers *transfers)
{
	atomic_store(&transfers->stopped, true);
	http_stop(transfers->http);
	tell(transfers);
}

bool transfers_are_stopped(const struct transfers *transfers)
{
	return atomic_load(&transfers->stopped);
}

uint64_t transfers_turns(const struct transfers *transfers)
{
	return atomic_load(&transfers->turns);
}

uint64_t transfers_count(const struct transfers *transfers)
{
	return http_count(transfers->http);
}
