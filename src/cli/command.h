/* The commands, their options, and how a command line is read. */
#ifndef CONTENTFS_CLI_COMMAND_H
#define CONTENTFS_CLI_COMMAND_H

#include "config/config.h"
#include "util/err.h"

#include <stdbool.h>

/* What the options that are no settings said. */
struct invocation {
	struct config config;
	const char *operand; /* the mount point, or the profile of configure; NULL if none was given */
	char **operands;     /* all of them, of a command that takes many */
	int operand_count;
	bool foreground;
	bool json;
	bool metrics;
	bool follow;
	bool help;
	long lines;         /* of a log */
	int64_t max_age_ms; /* of the content; -1 if it does not matter */
	bool system;        /* the profiles of the whole machine */
	bool no_check;      /* the service is not asked */
	const char *names;  /* of what to list nothing else */
};

/* OPERAND_MOUNT: a mount point, behind a profile, or none where a profile says it. OPERAND_PROFILE: one, or none. */
enum operand_need {
	OPERAND_NONE,
	OPERAND_OPTIONAL,
	OPERAND_REQUIRED,
	OPERAND_MANY,
	OPERAND_MOUNT,
	OPERAND_PROFILE,
};

/* Options that are no settings, beside those that every command has. */
enum takes {
	TAKES_FOREGROUND = 1,
	TAKES_JSON = 2,
	TAKES_QUIET = 4,
	TAKES_FOLLOW = 8,   /* and a number of lines */
	TAKES_METRICS = 16, /* and an age */
	TAKES_NAMES = 32,
	TAKES_PROFILE = 64, /* what is to become of one that is made */
};

struct command {
	const char *name;
	const char *synopsis; /* behind the name, in the help */
	const char *summary;  /* a line */
	const char *description;
	bool uses_stack; /* takes settings of SETTING_STACK, and so on */
	bool uses_sync;
	bool uses_assets;
	bool uses_mount;
	unsigned takes; /* of enum takes */
	bool diagnoses; /* looks into faults of settings that end other commands */
	enum operand_need operand;
	/* Returns the exit status; on failure err says why. */
	int (*run)(struct invocation *invocation, struct err *err);
};

/* The table, ended by a command without a name. */
extern const struct command commands[];

/* Reads what stands behind the name of the command, but for the settings: where they come from, what is no setting, and
 * the operands. 0, or -EINVAL with the reason. argv is put in another order. */
int command_parse(const struct command *command, int argc, char **argv, struct invocation *invocation, struct err *err);

/* Sets what the options that are settings say, over what the config has already. After command_parse, of the same argv. */
int command_parse_settings(const struct command *command, int argc, char **argv, struct invocation *invocation,
			   struct err *err);

/* Prints the help of one command, or of all for NULL, to stdout. */
void help_print(const struct command *command);

int command_mount(struct invocation *invocation, struct err *err);
int command_sync(struct invocation *invocation, struct err *err);
int command_status(struct invocation *invocation, struct err *err);
int command_log(struct invocation *invocation, struct err *err);
int command_doctor(struct invocation *invocation, struct err *err);
int command_fetch(struct invocation *invocation, struct err *err);
int command_refresh(struct invocation *invocation, struct err *err);
int command_umount(struct invocation *invocation, struct err *err);
int command_list(struct invocation *invocation, struct err *err);
int command_configure(struct invocation *invocation, struct err *err);

#endif
