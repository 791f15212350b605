/*
 * A service that says what it was told to, for tests of the engine: it is linked in place of delivery/delivery.c, so there
 * is no network and no thread, and a test can look at the store while a question is under way.
 */
#ifndef CONTENTFS_TESTS_FAKE_DELIVERY_H
#define CONTENTFS_TESTS_FAKE_DELIVERY_H

#include "delivery/delivery.h"

#include <stddef.h>

/* A question is written as "init", "init content_type=X locale=Y start_from=Z type=T", "page TOKEN" or "delta TOKEN". */
struct fake_answer {
	const char *question;
	enum delivery_outcome outcome;
	const char *body;       /* of DELIVERY_OK: an answer of the Sync API */
	int64_t retry_after_ms; /* 0 counts as not sent */
	int64_t date_ms;        /* the same */
	int times;              /* in a row that it is given; 0 is once */
};

struct delivery {
	const struct fake_answer *answers; /* in the order in which they have to be asked for */
	size_t count;
	void (*asked)(void *context, const char *question); /* called before an answer is given; or NULL */
	void *context;
	bool any_order;              /* the answers are by question, each as often as it is asked for */
	bool stopped;                /* somebody has told it to stop */
	bool slow;                   /* an answer takes longer than is waited for it at first */
	struct delivery_call *calls; /* under way, oldest first */
	unsigned in_flight;

	enum delivery_outcome schemas_outcome; /* of the list of content types */
	const char *schemas;                   /* "uid uid ..." */
	const char *schemas_text;              /* what stands in each, so that it can change */
	bool schemas_endless;                  /* there is always one more */

	/* What came of it. */
	size_t next;             /* the answer that is due */
	int given;               /* how often that was given already */
	int schemas_asked;       /* lists, each one question or more */
	int schemas_parts;       /* questions of them */
	unsigned schemas_beside; /* of the Sync API's that were under way with one of these, at most */
	int waits;               /* while nothing was under way */
	int64_t waited_ms;
	unsigned most_in_flight;
	struct buf asked_for;  /* all questions, parted by ", " */
	struct buf unexpected; /* the first question that was not the one that is due; empty if all was as told */
};

/* Begins anew with other answers; what was counted starts from 0. */
void fake_expect(struct delivery *fake, const struct fake_answer *answers, size_t count);

/* "" if the questions were those that the answers are for, and all of them; else what was not. */
const char *fake_fault(const struct delivery *fake);

void fake_finish(struct delivery *fake);

#endif
