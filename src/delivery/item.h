/* One element of a page. Private to this folder. */
#ifndef CONTENTFS_DELIVERY_ITEM_H
#define CONTENTFS_DELIVERY_ITEM_H

#include "delivery/answer.h"
#include "delivery/page.h"

/*
 * Reads the next element of `list`, which is `answer`'s: 1, 0 at the end of the list, or -ENOMEM; what the element lacks is
 * no failure but item->fault. The item's slices point into the answer and into *strings.
 */
int item_next(const struct answer *answer, struct json_iter *list, struct page_strings **strings, struct item *item);

#endif
