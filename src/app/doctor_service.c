#include "app/engine.h"
#include "app/examine.h"
#include "util/clock.h"
#include "util/human.h"

#include <errno.h>

#define ANSWER_MS 20000
#define CLOCK_OFF_MS 60000 /* answers may come from a cache, which is a little late */

static void examine_clock(struct findings *findings, int64_t date_ms)
{
	char text[HUMAN_SIZE];
	if (date_ms < 0)
		return;
	int64_t ahead = clock_wall_ms() - date_ms;
	human_duration(ahead < 0 ? -ahead : ahead, text);
	if (ahead > CLOCK_OFF_MS || ahead < -CLOCK_OFF_MS)
		finding_warning(
			findings, "clock",
			"this machine's is %s %s the service's: set it (timedatectl set-ntp true), for ages and "
			"certificates go by it",
			text, ahead < 0 ? "behind" : "ahead of");
	else
		finding_ok(findings, "clock", "within %s of the service's", text);
}

static void tell_outcome(struct findings *findings, enum delivery_outcome outcome, const char *host, int64_t took_ms,
			 const char *why)
{
	int rc = delivery_outcome_errno(outcome);
	switch (outcome) {
	case DELIVERY_OK:
		finding_ok(findings, "service", "%s answers, in %lld ms", host, (long long)took_ms);
		finding_ok(findings, "credentials", "they are taken");
		return;
	case DELIVERY_CREDENTIALS_REFUSED:
	case DELIVERY_TYPE_UNKNOWN:
	case DELIVERY_QUERY_REFUSED:
		finding_failed(findings, "credentials", rc, "%s", why);
		return;
	case DELIVERY_RATE_LIMITED:
		finding_warning(findings, "service", "%s: others ask it much; contentfs waits as it is told", why);
		return;
	default:
		finding_failed(findings, "service", rc, "%s: check the network, the proxy, the region and --host", why);
	}
}

static void ask(struct findings *findings, struct delivery *delivery, const struct config *config, const char *host)
{
	struct err err = {0};
	struct delivery_call *call = NULL;
	struct delivery_call *answered;
	struct delivery_advice advice = DELIVERY_NO_ADVICE;
	struct page page = PAGE_INIT;
	const struct sync_query query = {.mode = SYNC_INIT, .start_from = config->start_from, .types = config->types};
	int64_t began = clock_monotonic_ms();
	enum delivery_outcome outcome = delivery_ask(delivery, &query, &call, &err);
	bool late = outcome == DELIVERY_OK && delivery_await(delivery, ANSWER_MS, &answered) <= 0;
	if (outcome == DELIVERY_OK)
		outcome = delivery_take(call, &page, &advice, &err);
	if (late) {
		outcome = DELIVERY_UNAVAILABLE;
		err_set(&err, 0, "%s does not answer within %d s", host, ANSWER_MS / 1000);
	}
	tell_outcome(findings, outcome, host, clock_monotonic_ms() - began, err.text);
	examine_clock(findings, advice.date_ms);
	page_finish(&page);
}

void examine_service(struct findings *findings, const struct config *config)
{
	struct err err = {0};
	const char *host = engine_host(config, &err);
	struct delivery *delivery = NULL;
	if (!config->api_key || !config->token || !config->environment)
		return; /* the settings or the token were found to be incomplete */
	const struct delivery_target target = {host, config->api_key, config->token, config->environment,
					       config->branch};
	int rc = host ? delivery_create(&delivery, &target, &err) : -EINVAL;
	if (rc < 0)
		finding_failed(findings, "service", rc, "%s", err.text);
	else
		ask(findings, delivery, config, host);
	delivery_destroy(delivery);
}
