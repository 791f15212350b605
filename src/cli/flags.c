#include "cli/flags.h"

#include "config/places.h"
#include "util/human.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 1000000

static int set_lines(struct invocation *invocation, const char *value, struct err *err)
{
	char *end;
	errno = 0;
	long lines = strtol(value, &end, 10);
	if (end == value || *end || errno || lines < 0 || lines > LINES_MAX)
		return err_set(err, -EINVAL, "'%s' is not a number of lines from 0 to %d", value, LINES_MAX);
	invocation->lines = lines;
	return 0;
}

static int set_max_age(struct invocation *invocation, const char *value, struct err *err)
{
	return human_parse_duration(value, "age", &invocation->max_age_ms, err);
}

static int set_names(struct invocation *invocation, const char *value, struct err *err)
{
	if (strcmp(value, "profiles") != 0 && strcmp(value, "mounts") != 0)
		return err_set(err, -EINVAL, "there are no names of '%s': there are those of profiles and mounts",
			       value);
	invocation->names = value;
	return 0;
}

static int set_quiet(struct invocation *invocation, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	log_filter_set(&invocation->config.log, LOG_LEVEL_WARNING);
	invocation->config.quiet = true;
	return 0;
}

static int set_verbose(struct invocation *invocation, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	log_filter_set(&invocation->config.log, LOG_LEVEL_DEBUG);
	return 0;
}

#define FIELD(name) offsetof(struct invocation, name), NULL

const struct flag flags[] = {
	{"foreground", 'f', NULL, TAKES_FOREGROUND, "stay in the foreground", FIELD(foreground)},
	{"follow", 'f', NULL, TAKES_FOLLOW, "go on with what comes, until interrupted", FIELD(follow)},
	{"lines", 'n', "N", TAKES_FOLLOW, "begin with the last N changes (default 20)", 0, set_lines},
	{"json", 0, NULL, TAKES_JSON, "for programs", FIELD(json)},
	{"names", 0, "KIND", TAKES_NAMES, "only the names of profiles or mounts, one a line, as for completions", 0,
	 set_names},
	{"system", 0, NULL, TAKES_PROFILE, "write " PLACES_SYSTEM_PROFILES ", for the whole machine", FIELD(system)},
	{"no-check", 0, NULL, TAKES_PROFILE, "do not ask the service whether it takes the settings", FIELD(no_check)},
	{"metrics", 0, NULL, TAKES_METRICS, "for Prometheus; exits with 0 if there is something to say",
	 FIELD(metrics)},
	{"max-age", 0, "TIME", TAKES_METRICS,
	 "for monitoring: exit with 0 while the content is whole and\nthe last successful sync no longer ago than TIME, as in\n"
	 "90, 15min or 2h, else with 75, whatever became of the last",
	 0, set_max_age},
	{"quiet", 'q', NULL, TAKES_QUIET, "no progress, and of messages only errors and warnings", 0, set_quiet},
	{"verbose", 'v', NULL, 0, "say everything: --log-level debug", 0, set_verbose},
	{"help", 'h', NULL, 0, "this text", FIELD(help)},
	{0},
};

bool flag_applies(const struct flag *flag, const struct command *command)
{
	return (command->takes & flag->needs) == flag->needs;
}

int flag_take(const struct flag *flag, const char *value, struct invocation *invocation, struct err *err)
{
	if (!flag->set) {
		*(bool *)((char *)invocation + flag->field) = true;
		return 0;
	}
	int rc = flag->set(invocation, value, err);
	return rc < 0 ? err_prefix(err, rc, "--%s", flag->name) : 0;
}
