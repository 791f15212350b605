/*
 * The thread that fetches: it sends requests, unpacks their answers and has them read, beside whatever the thread does that
 * asked. Knows nothing of the API. Private to delivery/.
 *
 * All of it belongs to the thread that asks, but for `read`, which the other one calls, and for transfers_stop,
 * transfers_are_stopped, transfers_turns and transfers_count, which any thread may.
 */
#ifndef CONTENTFS_DELIVERY_TRANSFER_H
#define CONTENTFS_DELIVERY_TRANSFER_H

#include "http/http.h"
#include "util/err.h"

#include <stdbool.h>
#include <stdint.h>

struct transfers;

enum transfer_state {
	TRANSFER_ASKED,
	TRANSFER_SENT,
	TRANSFER_ARRIVED, /* and read */
};

/* One request, from its asking until it is taken. The fields are filled by whoever asks, down to `owner`. */
struct transfer {
	struct http_request request; /* what it points to stays until it is taken; `owner` is not looked at */
	/* Called once, with what http_end said; the answer is gone afterwards. `rc` is -EIO when libcurl failed. */
	void (*read)(void *owner, int rc, struct http_answer *answer, struct err *err);
	void *owner;

	struct transfer *next; /* in a list of its state */
	struct http_call *call;
	enum transfer_state state;
	bool given_up;
};

int transfers_create(struct transfers **out, struct err *err);

/* Ends the thread. No transfer may be left. NULL is fine. */
void transfers_destroy(struct transfers *transfers);

/* Hands a transfer over, without waiting. The thread is started by the first one: it is as confined as who asks then, and no
 * fork is without it. -ECANCELED after transfers_stop, or why the thread cannot be started. */
int transfers_ask(struct transfers *transfers, struct transfer *transfer, struct err *err);

/* Waits until a transfer has arrived, at most `ms`: 1 with *arrived set, the one that has waited longest to be taken; 0 when
 * the time is up (without transfers this is a sleep); -ECANCELED after transfers_stop. */
int transfers_await(struct transfers *transfers, int64_t ms, struct transfer **arrived);

/* Waits until this one has arrived, or transfers_stop was called. */
void transfers_await_one(struct transfers *transfers, const struct transfer *transfer);

/* Takes a transfer back, and with it the right to what it points to. One that has not arrived is given up first: its
 * `read` gets -ECANCELED. */
void transfers_take(struct transfers *transfers, struct transfer *transfer);

/* Makes every wait end with -ECANCELED promptly, and all that is under way. */
void transfers_stop(struct transfers *transfers);

bool transfers_are_stopped(const struct transfers *transfers);

/* Moves on, every second or so, while somebody waits in here, and the thread gets on. */
uint64_t transfers_turns(const struct transfers *transfers);

/* Requests sent so far. */
uint64_t transfers_count(const struct transfers *transfers);

#endif
