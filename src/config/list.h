/* Settings that may be given several times. */
#ifndef CONTENTFS_CONFIG_LIST_H
#define CONTENTFS_CONFIG_LIST_H

#include "config/config.h"
#include "util/err.h"

/* Adds a copy of the value where it belongs, unless it is there. -EINVAL if there are too many; `what` is for the message. */
int list_add(struct config_list *list, const char *value, const char *what, struct err *err);

/* Frees what is in it. */
void list_finish(struct config_list *list);

#endif
