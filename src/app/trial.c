#include "app/trial.h"

#include "app/engine.h"
#include "delivery/delivery.h"

#include <errno.h>

#define ANSWER_MS 60000

static int ask(struct delivery *delivery, struct page *page, struct err *err)
{
	const struct sync_query query = {.mode = SYNC_INIT};
	struct delivery_call *call = NULL;
	struct delivery_call *answered = NULL;
	struct delivery_advice advice = DELIVERY_NO_ADVICE;
	enum delivery_outcome outcome = delivery_ask(delivery, &query, &call, err);
	if (outcome != DELIVERY_OK)
		return delivery_outcome_errno(outcome);
	int rc = delivery_await(delivery, ANSWER_MS, &answered);
	outcome = delivery_take(call, page, &advice, err);
	return rc == 0 ? err_set(err, -EHOSTUNREACH, "no answer has come within %d s", ANSWER_MS / 1000)
		       : delivery_outcome_errno(outcome);
}

int trial_run(const struct config *config, long long *total, struct err *err)
{
	struct delivery *delivery = NULL;
	struct page page = PAGE_INIT;
	int rc = engine_open_delivery(&delivery, config, err);
	if (rc == 0)
		rc = ask(delivery, &page, err);
	if (rc == 0)
		*total = page.total;
	page_finish(&page);
	delivery_destroy(delivery);
	return rc;
}
