/* Options that are no settings: one table for the parser and the help. */
#ifndef CONTENTFS_CLI_FLAGS_H
#define CONTENTFS_CLI_FLAGS_H

#include "cli/command.h"

#include <stddef.h>

#define FLAGS_MAX 16

struct flag {
	const char *name;
	char letter;          /* 0 if it has none */
	const char *argument; /* its name in the help; NULL if it takes none */
	unsigned needs;       /* what the command has to take, of enum takes; 0: every command has it */
	const char *help;
	size_t field; /* where struct invocation has the bool that it sets, if it does no more */
	int (*set)(struct invocation *invocation, const char *value, struct err *err); /* NULL for such a one */
};

/* The table, ended by a flag without a name. */
extern const struct flag flags[];

bool flag_applies(const struct flag *flag, const struct command *command);

/* Takes one; `value` is not looked at where it has no argument. -EINVAL with the reason. */
int flag_take(const struct flag *flag, const char *value, struct invocation *invocation, struct err *err);

#endif
