#include "sync/order.h"

const struct store_version *order_incumbent(const struct store_known *known)
{
	return known->staged.ino != 0 ? &known->staged : &known->live;
}

enum order_verdict order_publication(int64_t event_at, long long version, const struct store_known *known)
{
	if (known->removed_at != NO_EVENT && known->removed_at >= event_at)
		return ORDER_IGNORE;
	const struct store_version *incumbent = order_incumbent(known);
	if (incumbent->ino == 0 || incumbent->event_at < event_at)
		return ORDER_APPLY;
	if (incumbent->event_at > event_at || incumbent->number > version)
		return ORDER_IGNORE;
	return ORDER_APPLY;
}
