#include "config/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void list_finish(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){0};
}

int list_add(struct config_list *list, const char *value, const char *what, struct err *err)
{
	if (list->of_profile)
		list_finish(list);
	size_t at = 0;
	while (at < list->count && strcmp(list->items[at], value) < 0)
		at++;
	if (at < list->count && strcmp(list->items[at], value) == 0)
		return 0;
	if (list->count == CONFIG_LIST_MAX)
		return err_set(err, -EINVAL, "more than %d times a %s", CONFIG_LIST_MAX, what);
	char **items = realloc(list->items, (list->count + 2) * sizeof(*items));
	if (!items)
		return err_oom(err);
	list->items = items;
	char *copy = strdup(value);
	if (!copy) {
		items[list->count] = NULL;
		return err_oom(err);
	}
	memmove(&items[at + 1], &items[at], (list->count - at) * sizeof(*items));
	items[at] = copy;
	items[++list->count] = NULL;
	return 0;
}
