/* contentfs configure: asks for the settings of a profile, tries them, and writes them. */
#include "app/engine.h"
#include "app/exit_status.h"
#include "app/trial.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "config/places.h"
#include "config/private_file.h"
#include "config/profile.h"
#include "config/profile_edit.h"
#include "config/token.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PROFILE "default"

static const struct question {
	const char *key;
	const char *text;
	size_t field; /* of struct config, a string */
	bool required;
} questions[] = {
	{"api-key", "API key of the stack", offsetof(struct config, api_key), true},
	{"delivery-token", "Delivery token (is not shown)", offsetof(struct config, token), true},
	{"environment", "Environment", offsetof(struct config, environment), true},
	{"branch", "Branch, if not the main one", offsetof(struct config, branch), false},
	{"region", "Region (na, eu, au, azure-na, azure-eu, gcp-na, gcp-eu)", offsetof(struct config, region), false},
	{"host", "Host, if not the region's", offsetof(struct config, host), false},
	{"mountpoint", "Mount point, if it has one", offsetof(struct config, mountpoint), false},
};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static bool is_token(const struct question *question)
{
	return question->field == offsetof(struct config, token);
}

static char **field_of(struct config *config, const struct question *question)
{
	return (char **)((char *)config + question->field);
}

/* --- what is there already ---------------------------------------------------------------------------------------- */

struct former {
	struct config config;
	const char *profile;
};

/* A value that cannot be used any more is no reason not to ask for another one. */
static int take_former(void *context, const struct profile_line *line, struct err *err)
{
	struct former *former = context;
	if (strcmp(line->profile, former->profile) == 0)
		profile_set(&former->config, line, NULL);
	(void)err;
	return 0;
}

static void adopt(char **to, char **from)
{
	if (*to)
		return;
	*to = *from;
	*from = NULL;
}

/* The profile as it stands in the file fills what nothing else has said. */
static int adopt_former(struct config *config, const char *path, const char *profile, struct err *err)
{
	struct former former = {.profile = profile};
	config_init(&former.config);
	struct err why;
	int rc = profile_read(path, take_former, &former, &why);
	if (rc == 0 && !config->token)
		adopt(&config->token_file, &former.config.token_file);
	for (size_t i = 0; rc == 0 && i < QUESTIONS; i++)
		adopt(field_of(config, &questions[i]), field_of(&former.config, &questions[i]));
	config_finish(&former.config);
	return rc == 0 || rc == -ENOENT ? 0 : err_set(err, rc, "%s", why.text);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static void forget(const struct question *question, char **field)
{
	if (is_token(question)) {
		token_wipe(field);
		return;
	}
	free(*field);
	*field = NULL;
}

static int take_answer(struct config *config, const struct question *question, const char *answer, struct err *err)
{
	char **field = field_of(config, question);
	int rc = 0;
	if (strcmp(answer, "-") == 0)
		forget(question, field);
	else if (*answer)
		rc = config_find_setting(slice_of(question->key))->set(config, answer, err);
	/* What regions there are is known elsewhere. */
	if (rc == 0 && strcmp(question->key, "region") == 0 && *field && !engine_host(config, err)) {
		forget(question, field);
		rc = -EINVAL;
	}
	if (rc == 0 && question->required && !*field)
		rc = err_set(err, -EINVAL, "there is no answer to '%s'", question->text);
	return rc;
}

static int ask_question(struct config *config, const struct question *question, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	const char *is = *field_of(config, question);
	if (is && is_token(question))
		is = config->token_file ? config->token_file : "as it is";
	buf_printf(&text, "%s%s%s%s: ", question->text, is ? " [" : "", is ? is : "", is ? "]" : "");
	if (text.failed)
		return err_oom(err);
	char answer[ASK_ANSWER_MAX];
	int rc = ask(text.text, is_token(question), answer, err);
	bool ended = rc == -ENODATA;
	if (rc == 0 || ended)
		rc = take_answer(config, question, answer, err);
	explicit_bzero(answer, sizeof(answer));
	return ended && rc < 0 ? err_set(err, -ENODATA, "there is no answer to '%s'", question->text) : rc;
}

static int ask_all(struct config *config, struct err *err)
{
	for (size_t i = 0; i < QUESTIONS; i++) {
		int rc = ask_question(config, &questions[i], err);
		while (rc == -EINVAL && ask_is_person()) {
			fprintf(stderr, "%s\n", err->text);
			rc = ask_question(config, &questions[i], err);
		}
		if (rc < 0)
			return rc == -ENODATA ? -EINVAL : rc;
	}
	err->text[0] = '\0';
	return 0;
}

static int ask_name(char name[ASK_ANSWER_MAX], struct err *err)
{
	int rc = ask("Name of the profile [" DEFAULT_PROFILE "]: ", false, name, err);
	if (rc < 0 && rc != -ENODATA)
		return rc;
	if (!*name)
		strcpy(name, DEFAULT_PROFILE);
	return 0;
}

/* --- trying ------------------------------------------------------------------------------------------------------- */

static int confirm(int rc, struct err *err)
{
	char answer[ASK_ANSWER_MAX];
	struct err failure;
	fprintf(stderr, "%s\n", err->text);
	if (ask("Write the profile all the same? [y/N] ", false, answer, &failure) == 0 &&
	    strcasecmp(answer, "y") == 0) {
		err->text[0] = '\0';
		return 0;
	}
	return err_set(err, rc, "the profile was not written");
}

static int try(const struct config *config, struct err *err)
{
	long long total = -1;
	if (ask_is_person())
		fputs("Asking the service...\n", stderr);
	int rc = trial_run(config, &total, err);
	if (rc < 0)
		return ask_is_person() ? confirm(rc, err)
				       : err_prefix(err, rc, "the profile was not written (--no-check would)");
	if (total >= 0)
		printf("The service takes these settings: %lld entries and assets are published in %s.\n", total,
		       config->environment);
	else
		puts("The service takes these settings.");
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* A profile is used from any folder; where there is nothing yet, the name is believed. */
static int make_absolute(char **path, struct err *err)
{
	bool stays = !*path || strncmp(*path, "~/", 2) == 0;
	return stays ? 0 : places_make_absolute(path, err);
}

/* The token, or the file that it is in; the other key goes. */
static int collect(struct config *config, struct profile_value values[QUESTIONS + 1], struct err *err)
{
	int rc = make_absolute(&config->mountpoint, err);
	if (rc == 0)
		rc = make_absolute(&config->token_file, err);
	for (size_t i = 0; rc == 0 && i < QUESTIONS; i++) {
		values[i] = (struct profile_value){questions[i].key, *field_of(config, &questions[i])};
		if (is_token(&questions[i]) && config->token_file)
			values[i].value = NULL;
	}
	values[QUESTIONS] = (struct profile_value){"delivery-token-file", config->token_file};
	for (size_t i = 0; rc == 0 && i <= QUESTIONS; i++)
		if (values[i].value)
			rc = profile_check_value(values[i].key, values[i].value, err);
	return rc;
}

static int nothing(void *context, const struct profile_line *line, struct err *err)
{
	(void)context, (void)line, (void)err;
	return 0;
}

/* No file is an empty one. */
static int read_former(const char *path, struct private_text *text, struct err *err)
{
	struct err why;
	int rc = private_text_read(path, PROFILE_FILE_MAX, text, &why);
	return rc == 0 || rc == -ENOENT ? 0 : err_set(err, rc, "%s", why.text);
}

static int write_profile(struct config *config, const char *path, const char *profile, mode_t folder_mode,
			 struct err *err)
{
	CLEANUP(private_text_finish) struct private_text former = {0};
	CLEANUP(buf_wipe) struct buf text = BUF_INIT;
	struct profile_value values[QUESTIONS + 1];
	bool secret;
	int rc = collect(config, values, err);
	if (rc == 0)
		rc = read_former(path, &former, err);
	if (rc < 0)
		return rc;
	/* With room for all, so that it does not leave copies of the token where it grows. */
	buf_reserve(&text, former.len + PROFILE_LINE_MAX * (QUESTIONS + 4));
	if (profile_edit(slice_make(former.text, former.len), profile, values, QUESTIONS + 1, &text) < 0)
		return err_oom(err);
	rc = profile_parse(text.text, path, nothing, NULL, &secret, err);
	return rc < 0 ? rc : profile_write(path, buf_slice(&text), folder_mode, err);
}

static int find_file(const struct invocation *invocation, struct buf *path, struct err *err)
{
	int rc = invocation->system ? buf_append_text(path, PLACES_SYSTEM_PROFILES) : places_profiles(path);
	if (rc == -ENOENT)
		return err_set(err, -EINVAL,
			       "there is no place for profiles: set HOME or XDG_CONFIG_HOME, or use --system");
	return rc < 0 ? err_oom(err) : 0;
}

int command_configure(struct invocation *invocation, struct err *err)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	struct config *config = &invocation->config;
	char asked[ASK_ANSWER_MAX];
	const char *profile = invocation->operand ? invocation->operand : asked;
	int rc = find_file(invocation, &path, err);
	if (rc == 0 && !invocation->operand)
		rc = ask_name(asked, err);
	if (rc == 0)
		rc = profile_check_name(profile, err);
	if (rc == 0)
		rc = adopt_former(config, path.text, profile, err);
	if (rc == 0)
		rc = ask_all(config, err);
	if (rc == 0 && !invocation->no_check)
		rc = try(config, err);
	if (rc == 0)
		rc = write_profile(config, path.text, profile, invocation->system ? 0755 : 0700, err);
	if (rc == 0)
		printf("Wrote [%s] into %s. contentfs mount %s %s mounts it.\n", profile, path.text,
		       config->mountpoint ? "--profile" : profile, config->mountpoint ? profile : "DIR");
	return exit_status(rc);
}
