/* contentfs: the published content of a Contentstack stack as a directory. */
#include "app/exit_status.h"
#include "cli/command.h"
#include "cli/mount_helper.h"
#include "guard/guard.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

const struct command commands[] = {
	{
		.name = "mount",
		.synopsis = "[options] [PROFILE] MOUNTPOINT",
		.summary = "mount, and return when the tree can be used",
		.description =
			"Shows the stack's published content under MOUNTPOINT and keeps it current. Returns at once\n"
			"if the store is filled, else when the first sync has ended. With --profile the profile may name the\n"
			"mount point.",
		.uses_stack = true,
		.uses_sync = true,
		.uses_assets = true,
		.uses_mount = true,
		.takes = TAKES_FOREGROUND | TAKES_QUIET,
		.operand = OPERAND_MOUNT,
		.run = command_mount,
	},
	{
		.name = "sync",
		.synopsis = "[options]",
		.summary = "bring the store up to date and exit",
		.description = "Fills or updates the store without mounting it.",
		.uses_stack = true,
		.uses_sync = true,
		.takes = TAKES_QUIET,
		.run = command_sync,
	},
	{
		.name = "fetch",
		.synopsis = "[options] [PATH...]",
		.summary = "bring assets into the cache ahead",
		.description =
			"Fetches every asset that the store knows, or those at or below each PATH, which is a place in a\n"
			"mount or in the tree (assets/en-us), so that reading them later needs no network. What is there\n"
			"already is not fetched again. Exits with 0 if all are there, and lists those that are not.",
		.uses_stack = true,
		.uses_assets = true,
		.takes = TAKES_QUIET,
		.operand = OPERAND_MANY,
		.run = command_fetch,
	},
	{
		.name = "status",
		.synopsis = "[options] [MOUNTPOINT]",
		.summary = "counts, age of the content, last error",
		.description =
			"Speaks of a mount, or without MOUNTPOINT of the store that the settings name. Exits with 0 if\n"
			"the content is whole and the last sync succeeded, else with the status of its failure.",
		.uses_stack = true,
		.uses_assets = true,
		.takes = TAKES_JSON | TAKES_METRICS,
		.operand = OPERAND_OPTIONAL,
		.run = command_status,
	},
	{
		.name = "log",
		.synopsis = "[options] [MOUNTPOINT]",
		.summary = "what was added, changed and removed last",
		.description =
			"Prints the last changes of a mount, or without MOUNTPOINT of the store that the settings name,\n"
			"the newest at the end: when they could be seen here, what it was, where, and its title.",
		.uses_stack = true,
		.takes = TAKES_JSON | TAKES_FOLLOW,
		.operand = OPERAND_OPTIONAL,
		.run = command_log,
	},
	{
		.name = "doctor",
		.synopsis = "[options] [MOUNTPOINT]",
		.summary = "look for what is wrong, and say what to do",
		.description =
			"Checks what a mount needs: FUSE, permissions, credentials, clock, disks, the store, and whether\n"
			"mounts are dead; of a mount, or without MOUNTPOINT of what the settings name. Prints a line for\n"
			"each check, and exits with 0 if none failed. Changes nothing.",
		.uses_stack = true,
		.uses_sync = true,
		.uses_assets = true,
		.uses_mount = true,
		.takes = TAKES_JSON,
		.diagnoses = true,
		.operand = OPERAND_OPTIONAL,
		.run = command_doctor,
	},
	{
		.name = "refresh",
		.synopsis = "MOUNTPOINT",
		.summary = "sync now; return when it is done",
		.description = "When it returns with 0, the tree shows what the service answered.",
		.operand = OPERAND_REQUIRED,
		.run = command_refresh,
	},
	{
		.name = "umount",
		.synopsis = "MOUNTPOINT",
		.summary = "unmount; return when the program behind it has ended",
		.description =
			"The store stays, so that the next mount is there at once. A mount whose program is gone is taken away.",
		.operand = OPERAND_REQUIRED,
		.run = command_umount,
	},
	{
		.name = "configure",
		.synopsis = "[options] [PROFILE]",
		.summary = "write a profile, after trying it",
		.description =
			"Asks for the settings of a profile, tries them against the service, and writes them into the user's\n"
			"file of profiles, beside what is there. Empty answers take what is shown, which comes from the profile,\n"
			"the environment and options; a '-' stands for nothing. Answers may come from a pipe, one a line, in the\n"
			"order: profile (unless named), API key, delivery token, environment, branch, region, host, mount point.",
		.uses_stack = true,
		.takes = TAKES_PROFILE,
		.operand = OPERAND_PROFILE,
		.run = command_configure,
	},
	{
		.name = "list",
		.synopsis = "[--json] [--names KIND]",
		.summary = "profiles, stores and mounts",
		.description = "Shows the profiles that can be used, the stores that there are, and what is mounted.",
		.takes = TAKES_JSON | TAKES_NAMES,
		.operand = OPERAND_NONE,
		.run = command_list,
	},
	{0},
};

static const struct command *find_command(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* The profile that the environment names, unless the command line does. */
static int choose_profile(const struct command *command, struct config *config, struct err *err)
{
	const char *name = getenv(CONFIG_PROFILE_VARIABLE);
	if (!command->uses_stack || (command->takes & TAKES_PROFILE) || config->profile || !name || !*name)
		return 0;
	int rc = config_find_setting(slice_of("profile"))->set(config, name, err);
	return rc < 0 ? err_prefix(err, rc, CONFIG_PROFILE_VARIABLE) : 0;
}

static int complain_of_usage(const struct command *command, const struct err *err)
{
	log_error("%s", err->text);
	fprintf(stderr, "See contentfs %s --help.\n", command->name);
	return EX_USAGE;
}

static int run_parsed(const struct command *command, int argc, char **argv, struct invocation *invocation)
{
	struct err err = {0};
	if (command_parse(command, argc, argv, invocation, &err) < 0)
		return complain_of_usage(command, &err);
	if (invocation->help) {
		help_print(command);
		return EX_OK;
	}
	int rc = choose_profile(command, &invocation->config, &err);
	if (rc == 0)
		rc = config_load(&invocation->config, &err);
	if (rc < 0) {
		log_error("%s", err.text);
		return EX_CONFIG;
	}
	if (command_parse_settings(command, argc, argv, invocation, &err) < 0)
		return complain_of_usage(command, &err);
	log_set_filter(&invocation->config.log);
	int status = command->run(invocation, &err);
	if (err.text[0])
		log_error("%s", err.text);
	return status;
}

/* A status that says it has come with a message that does. */
static int check_output(int status)
{
	errno = 0;
	if (status == EX_IOERR || (fflush(stdout) == 0 && !ferror(stdout)))
		return status;
	log_error("cannot write the output: %s", strerror(errno ? errno : EIO));
	return EX_IOERR;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct invocation invocation = {.lines = 20, .max_age_ms = -1};
	config_init(&invocation.config);
	invocation.config.lenient = command->diagnoses;
	int status = run_parsed(command, argc, argv, &invocation);
	config_finish(&invocation.config);
	return check_output(status);
}

/* A descriptor below 3 that is closed would be taken by the store, and messages written into it. */
static void fill_standard_descriptors(void)
{
	int fd;
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	guard_begin();
	fill_standard_descriptors();
	log_open();
	if (argc > 0 && is_mount_helper(argv[0]))
		return mount_helper_main(argc, argv);
	const char *word = argc > 1 ? argv[1] : "";
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		puts("contentfs " CONTENTFS_VERSION);
		return check_output(EX_OK);
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
		help_print(NULL);
		return check_output(EX_OK);
	}
	const struct command *command = find_command(word);
	if (!command) {
		if (*word)
			log_error("there is no command '%s'", word);
		else
			log_error("a command is missing");
		fputs("See contentfs --help.\n", stderr);
		return EX_USAGE;
	}
	return run_command(command, argc - 1, argv + 1);
}
