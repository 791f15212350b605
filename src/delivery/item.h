/* One element of a page. Private to this folder. */
#ifndef CONTENTFS_DELIVERY_ITEM_H
#define CONTENTFS_DELIVERY_ITEM_H

#include "delivery/answer.h"
#include "delivery/page.h"

/*
 * Reads `element` of `answer`. 0 or -ENOMEM; what the element lacks is no failure but item->fault. The item's slices
 * point into the answer and into *strings.
 */
int item_read(const struct answer *answer, struct json_value element, struct page_strings **strings, struct item *item);

#endif
