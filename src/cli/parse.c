/* Command lines and help texts, both from the tables of commands and settings. */
#include "cli/command.h"
#include "cli/flags.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define SETTINGS_MAX 32
#define LONG_BASE 256 /* getopt values of the settings' long options without a letter, and behind them those of flags */
#define FLAG_BASE (LONG_BASE + SETTINGS_MAX)

static bool uses(const struct command *command, const struct setting *setting)
{
	switch (setting->use) {
	case SETTING_ALL:
		return true;
	case SETTING_SOURCE:
		/* fall through: whatever names a stack */
	case SETTING_STACK:
		return command->uses_stack;
	case SETTING_PROFILE:
		return false;
	case SETTING_SYNC:
		return command->uses_sync;
	case SETTING_ASSETS:
		return command->uses_assets;
	default:
		return command->uses_mount;
	}
}

static bool is_letter(const struct setting *setting)
{
	return setting->option[1] == '\0';
}

struct options {
	struct option longs[SETTINGS_MAX + FLAGS_MAX + 1];
	int count;
	char shorts[(SETTINGS_MAX + FLAGS_MAX) * 2];
};

static void add_letter(struct options *options, char letter, bool argument)
{
	const char text[] = {letter, argument ? ':' : '\0', '\0'};
	strcat(options->shorts, text);
}

static void add_long(struct options *options, const char *name, bool argument, int value)
{
	options->longs[options->count++] =
		(struct option){name, argument ? required_argument : no_argument, NULL, value};
}

static void collect(const struct command *command, struct options *options)
{
	*options = (struct options){.shorts = ":"}; /* tells a missing argument from an unknown option */
	for (int i = 0; config_settings[i].option; i++) {
		const struct setting *setting = &config_settings[i];
		if (!uses(command, setting))
			continue;
		if (is_letter(setting))
			add_letter(options, setting->option[0], true);
		else
			add_long(options, setting->option, setting->argument != NULL, LONG_BASE + i);
	}
	for (int i = 0; flags[i].name; i++) {
		if (!flag_applies(&flags[i], command))
			continue;
		add_long(options, flags[i].name, flags[i].argument != NULL, FLAG_BASE + i);
		if (flags[i].letter)
			add_letter(options, flags[i].letter, flags[i].argument != NULL);
	}
}

static const struct setting *setting_of(int value)
{
	if (value >= FLAG_BASE)
		return NULL;
	if (value >= LONG_BASE)
		return &config_settings[value - LONG_BASE];
	for (const struct setting *setting = config_settings; setting->option; setting++)
		if (is_letter(setting) && setting->option[0] == value)
			return setting;
	return NULL;
}

/* The flag of a getopt value that is no setting's. */
static const struct flag *flag_of(const struct command *command, int value)
{
	if (value >= FLAG_BASE)
		return &flags[value - FLAG_BASE];
	const struct flag *flag = flags;
	while (flag->letter != value || !flag_applies(flag, command))
		flag++;
	return flag;
}

/* An option is read twice: settings come over those of their sources, which other options name. Flags are taken both times:
 * some stand over settings, and some are asked for before them. */
enum pass { PASS_COMMAND, PASS_SETTINGS };

static int take_option(const struct command *command, enum pass pass, int value, const char *word,
		       struct invocation *invocation, struct err *err)
{
	const char *end = strchr(word, '='); /* a value may be secret, or long: only the name is quoted */
	int len = end ? (int)(end - word) : (int)strlen(word);
	if (value == ':')
		return err_set(err, -EINVAL, "the option %.*s needs a value", len, word);
	if (value == '?')
		return err_set(err, -EINVAL, "the option %.*s is not known here, or not meant so", len, word);
	const struct setting *setting = setting_of(value);
	if (!setting)
		return flag_take(flag_of(command, value), optarg, invocation, err);
	if ((setting->use == SETTING_SOURCE) != (pass == PASS_COMMAND))
		return 0;
	int rc = setting->set(&invocation->config, setting->argument ? optarg : "1", err);
	return rc < 0 ? err_prefix(err, rc, "%s%s", is_letter(setting) ? "-" : "--", setting->option) : 0;
}

/* Whether the long option that getopt has just read stands there in full. */
static bool is_spelled_out(const struct option *option, char **argv)
{
	const char *word = argv[optind - 1];
	if (option->has_arg == required_argument && optarg == word)
		word = argv[optind - 2];
	size_t len = strlen(option->name);
	return strncmp(word, "--", 2) == 0 && strncmp(word + 2, option->name, len) == 0 &&
	       (word[2 + len] == '\0' || word[2 + len] == '=');
}

/* [PROFILE] MOUNTPOINT */
static int take_mount_operands(int count, char **operands, struct invocation *invocation, struct err *err)
{
	if (count > 2)
		return err_set(err, -EINVAL, "'%s' is too much: there are a profile and a mount point", operands[2]);
	if (count == 2 && invocation->config.profile)
		return err_set(err, -EINVAL, "'%s' is too much: --profile names a profile already", operands[0]);
	const struct setting *profile = config_find_setting(slice_of("profile"));
	int rc = count == 2 ? profile->set(&invocation->config, operands[0], err) : 0;
	invocation->operand = count > 0 ? operands[count - 1] : NULL;
	if (rc == 0 && invocation->operand && !*invocation->operand)
		rc = err_set(err, -EINVAL, "the mount point is empty");
	return rc;
}

static int take_operands(const struct command *command, int argc, char **argv, struct invocation *invocation,
			 struct err *err)
{
	int count = argc - optind;
	const char *what = command->operand == OPERAND_PROFILE ? "profile" : "mount point";
	invocation->operands = argv + optind;
	invocation->operand_count = count;
	if (command->operand == OPERAND_MANY)
		return 0;
	if (command->operand == OPERAND_MOUNT)
		return take_mount_operands(count, argv + optind, invocation, err);
	if (count > 0 && command->operand == OPERAND_NONE)
		return err_set(err, -EINVAL, "'%s' is too much: %s takes options only", argv[optind], command->name);
	if (count > 1)
		return err_set(err, -EINVAL, "'%s' is too much: there is one %s", argv[optind + 1], what);
	if (count == 0 && command->operand == OPERAND_REQUIRED)
		return err_set(err, -EINVAL, "the mount point is missing");
	if (count == 1 && !*argv[optind])
		return err_set(err, -EINVAL, "the %s is empty", what);
	invocation->operand = count ? argv[optind] : NULL;
	return 0;
}

static int read_options(const struct command *command, int argc, char **argv, enum pass pass,
			struct invocation *invocation, struct err *err)
{
	struct options options;
	collect(command, &options);
	opterr = 0;
	optind = 0; /* from the beginning, which glibc takes for a new command line */
	int rc = 0;
	while (rc == 0) {
		int found = -1;
		int value = getopt_long(argc, argv, options.shorts, options.longs, &found);
		if (value < 0)
			break;
		/* getopt takes the beginning of an option for it: --delivery-token for --delivery-token-file, whose value
		 * may be quoted. */
		if (found >= 0 && !is_spelled_out(&options.longs[found], argv))
			value = '?';
		const char letter[] = {'-', (char)optopt, '\0'};
		bool is_short = (value == ':' || value == '?') && optopt > ' ' && optopt < LONG_BASE;
		bool apart = value == '?' && found >= 0 && optarg == argv[optind - 1];
		rc = take_option(command, pass, value, is_short ? letter : argv[optind - (apart ? 2 : 1)], invocation,
				 err);
	}
	return rc;
}

int command_parse(const struct command *command, int argc, char **argv, struct invocation *invocation, struct err *err)
{
	int rc = read_options(command, argc, argv, PASS_COMMAND, invocation, err);
	return rc < 0 || invocation->help ? rc : take_operands(command, argc, argv, invocation, err);
}

int command_parse_settings(const struct command *command, int argc, char **argv, struct invocation *invocation,
			   struct err *err)
{
	return read_options(command, argc, argv, PASS_SETTINGS, invocation, err);
}

/* --- help --------------------------------------------------------------------------------------------------------- */

#define HELP_COLUMN 32

static void print_option(const char *text, const char *help)
{
	int width = printf("  %s", text);
	for (const char *line = help; line;) {
		const char *end = strchr(line, '\n');
		int len = end ? (int)(end - line) : (int)strlen(line);
		if (width >= HELP_COLUMN) {
			putchar('\n');
			width = 0;
		}
		printf("%*s%.*s\n", HELP_COLUMN - width, "", len, line);
		width = 0;
		line = end ? end + 1 : NULL;
	}
}

static void print_settings(const struct command *command)
{
	for (const struct setting *setting = config_settings; setting->option; setting++) {
		if (!uses(command, setting))
			continue;
		char text[128];
		snprintf(text, sizeof(text), "%s%s%s%s", is_letter(setting) ? "-" : "--", setting->option,
			 setting->argument ? " " : "", setting->argument ? setting->argument : "");
		char help[512];
		snprintf(help, sizeof(help), "%s%s%s%s", setting->help, setting->variable ? "\n[" : "",
			 setting->variable ? setting->variable : "", setting->variable ? "]" : "");
		print_option(text, help);
	}
}

static void print_all(void)
{
	puts("contentfs shows the published content of a Contentstack stack as plain files.\n\nUsage:");
	for (const struct command *command = commands; command->name; command++) {
		char text[128];
		snprintf(text, sizeof(text), "contentfs %s %s", command->name, command->synopsis);
		printf("  %-42s %s\n", text, command->summary);
	}
	puts("  contentfs COMMAND --help                   the options of a command\n"
	     "  contentfs --version\n\n"
	     "The stack is named by a profile (contentfs configure makes one), by CONTENTSTACK_API_KEY,\n"
	     "CONTENTSTACK_DELIVERY_TOKEN and CONTENTSTACK_ENVIRONMENT in the environment, or by options; what was named\n"
	     "last here counts most. Exit statuses are those of sysexits.h: 64 usage,\n"
	     "69 service unavailable, 71 out of memory or no libcurl, 73 cannot create, 74 I/O, 75 busy or ended early,\n"
	     "76 the service answered nonsense, 77 credentials refused, 78 bad configuration.");
}

void help_print(const struct command *command)
{
	if (!command) {
		print_all();
		return;
	}
	printf("Usage: contentfs %s %s\n\n%s\n\nOptions:\n", command->name, command->synopsis, command->description);
	print_settings(command);
	for (const struct flag *flag = flags; flag->name; flag++) {
		char text[64];
		const char letter[] = {'-', flag->letter, ',', ' ', '\0'};
		snprintf(text, sizeof(text), "%s--%s%s%s", flag->letter ? letter : "", flag->name,
			 flag->argument ? " " : "", flag->argument ? flag->argument : "");
		if (flag_applies(flag, command))
			print_option(text, flag->help);
	}
}
