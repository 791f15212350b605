/* The commands, their options, and how a command line is read. */
#ifndef CONTENTFS_CLI_COMMAND_H
#define CONTENTFS_CLI_COMMAND_H

#include "config/config.h"
#include "util/err.h"

#include <stdbool.h>

/* What the options that are no settings said. */
struct invocation {
	struct config config;
	const char *operand; /* the mount point; NULL if none was given */
	char **operands;     /* all of them, of a command that takes many */
	int operand_count;
	bool foreground;
	bool json;
	bool help;
};

enum operand_need { OPERAND_NONE, OPERAND_OPTIONAL, OPERAND_REQUIRED, OPERAND_MANY };

struct command {
	const char *name;
	const char *synopsis; /* behind the name, in the help */
	const char *summary;  /* a line */
	const char *description;
	bool uses_stack; /* takes settings of SETTING_STACK, and so on */
	bool uses_sync;
	bool uses_assets;
	bool uses_mount;
	bool takes_foreground;
	bool takes_json;
	enum operand_need operand;
	/* Returns the exit status; on failure err says why. */
	int (*run)(struct invocation *invocation, struct err *err);
};

/* The table, ended by a command without a name. */
extern const struct command commands[];

/* Reads what stands behind the name of the command, over what the config has already. 0, or -EINVAL with the reason. */
int command_parse(const struct command *command, int argc, char **argv, struct invocation *invocation, struct err *err);

/* Prints the help of one command, or of all for NULL, to stdout. */
void help_print(const struct command *command);

int command_mount(struct invocation *invocation, struct err *err);
int command_sync(struct invocation *invocation, struct err *err);
int command_status(struct invocation *invocation, struct err *err);
int command_fetch(struct invocation *invocation, struct err *err);
int command_refresh(struct invocation *invocation, struct err *err);
int command_umount(struct invocation *invocation, struct err *err);

#endif
