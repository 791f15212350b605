#include "sync/reaction.h"

const struct reaction *reaction_to(enum delivery_outcome outcome)
{
	static const struct reaction reactions[] = {
		[DELIVERY_OK] = {0},
		[DELIVERY_TOKEN_REFUSED] = {3, {100, 400, 4000}, REACTION_RELIST}, /* refusals pass (U, C) */
		[DELIVERY_CREDENTIALS_REFUSED] = {0, {0}, REACTION_FAIL_RUN},
		[DELIVERY_TYPE_UNKNOWN] = {0, {0}, REACTION_FAIL_STREAM},
		[DELIVERY_QUERY_REFUSED] = {0, {0}, REACTION_FAIL_STREAM},
		[DELIVERY_RATE_LIMITED] = {5, {20, 500, 8000}, REACTION_FAIL_RUN},
		[DELIVERY_UNAVAILABLE] = {4, {50, 250, 4000}, REACTION_FAIL_RUN},
		[DELIVERY_NONSENSE] = {2, {50, 250, 4000}, REACTION_FAIL_STREAM},
		[DELIVERY_STOPPED] = {0, {0}, REACTION_FAIL_RUN},
		[DELIVERY_FAILED] = {0, {0}, REACTION_FAIL_RUN},
	};
	return &reactions[outcome];
}
