#include "config/profile.h"

#include "config/places.h"
#include "config/private_file.h"
#include "util/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <string.h>

#define SETTINGS_MAX 64 /* bits of `seen` */

int profile_check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);
	bool fits = len > 0 && len <= PROFILE_NAME_MAX && name[0] != '-' && name[0] != '.' && strcmp(name, "none") != 0;
	for (size_t i = 0; fits && i < len; i++)
		fits = isascii(name[i]) && (isalnum((unsigned char)name[i]) || strchr("._-", name[i]));
	return fits ? 0
		    : err_set(err, -EINVAL,
			      "'%s' is no name of a profile: letters, digits, '.', '_' and '-' make one, up to %d",
			      name, PROFILE_NAME_MAX);
}

/* --- the text ----------------------------------------------------------------------------------------------------- */

struct parsing {
	const char *at; /* what is still to be read */
	const char *file;
	int number; /* of the line that was read last */
	profile_take *take;
	void *context;
	struct err *err;
	int rc;
	bool begins; /* a section does, as the last lines say */
	bool secret;
	char profiles[PROFILES_MAX][PROFILE_NAME_MAX + 1]; /* the last one is being read */
	size_t count;
	uint64_t seen; /* settings of this profile, by their place in the table */
};

static int fail(struct parsing *parsing, int rc)
{
	parsing->rc = err_prefix(parsing->err, rc, "%s:%d", parsing->file, parsing->number);
	return 0; /* what inih takes for a failure */
}

/* As fgets: inih's way to get a line. */
static char *next_line(char *line, int size, void *stream)
{
	struct parsing *parsing = stream;
	if (parsing->rc < 0 || !*parsing->at)
		return NULL;
	size_t len = strcspn(parsing->at, "\n");
	size_t whole = len + (parsing->at[len] == '\n');
	parsing->number++;
	if (len > PROFILE_LINE_MAX || whole >= (size_t)size) {
		fail(parsing, err_set(parsing->err, -EINVAL, "the line has more than %d bytes", PROFILE_LINE_MAX));
		return NULL;
	}
	memcpy(line, parsing->at, whole);
	line[whole] = '\0';
	parsing->begins |= line[0] == '[';
	parsing->at += whole;
	return line;
}

static int begin_profile(struct parsing *parsing, const char *name)
{
	struct err *err = parsing->err;
	int rc = *name ? profile_check_name(name, err)
		       : err_set(err, -EINVAL, "the line stands in no profile: [NAME] begins one");
	for (size_t i = 0; rc == 0 && i < parsing->count; i++)
		if (strcmp(parsing->profiles[i], name) == 0)
			rc = err_set(err, -EINVAL, "the profile [%s] is there twice: give one of them another name",
				     name);
	if (rc == 0 && parsing->count == PROFILES_MAX)
		rc = err_set(err, -EINVAL, "there are more than %d profiles", PROFILES_MAX);
	if (rc < 0)
		return rc;
	strcpy(parsing->profiles[parsing->count++], name);
	parsing->seen = 0;
	return 0;
}

/* What may be said several times adds up, also by lines that are indented below a first one. */
static bool adds_up(const struct setting *setting)
{
	return strcmp(setting->option, "content-type") == 0 || strcmp(setting->option, "locale") == 0 ||
	       strcmp(setting->option, "o") == 0;
}

static int find_key(struct parsing *parsing, const char *key, const struct setting **out)
{
	const struct setting *setting = config_find_setting(slice_of(key));
	if (!setting || setting->use == SETTING_SOURCE)
		return err_set(parsing->err, -EINVAL,
			       "the key '%s' is not known: keys are called like the options of contentfs mount", key);
	uint64_t bit = 1ULL << (setting - config_settings);
	if (parsing->seen & bit && !adds_up(setting))
		return err_set(parsing->err, -EINVAL, "the key '%s' is there twice: take one of them away", key);
	parsing->seen |= bit;
	*out = setting;
	return 0;
}

static int on_line(void *user, const char *section, const char *key, const char *value)
{
	struct parsing *parsing = user;
	const struct setting *setting = NULL;
	bool same = parsing->count > 0 && strcmp(parsing->profiles[parsing->count - 1], section) == 0;
	int rc = parsing->rc;
	if (rc == 0 && (parsing->begins || !same))
		rc = begin_profile(parsing, section);
	parsing->begins = false;
	if (rc == 0)
		rc = find_key(parsing, key, &setting);
	if (rc == 0 && *value) {
		const struct profile_line line = {section, setting, value, parsing->file, parsing->number};
		parsing->secret |= strcmp(setting->option, "delivery-token") == 0;
		rc = parsing->take(parsing->context, &line, parsing->err);
	}
	return rc < 0 ? fail(parsing, rc) : 1;
}

int profile_parse(const char *text, const char *file, profile_take *take, void *context, bool *secret, struct err *err)
{
	struct err unwanted = {0};
	CLEANUP(cleanup_free) struct parsing *parsing = calloc(1, sizeof(*parsing));
	if (!parsing)
		return err_oom(err);
	*parsing = (struct parsing){
		.at = text, .file = file, .take = take, .context = context, .err = err ? err : &unwanted};
	int line = ini_parse_stream(next_line, parsing, on_line, parsing);
	bool earlier = line != 0 && (parsing->rc == 0 || line < parsing->number); /* it reads on */
	if (parsing->rc < 0 && !earlier)
		return parsing->rc;
	if (earlier)
		return err_set(err, -EINVAL, "%s:%d: this is neither [PROFILE] nor KEY = VALUE", file, line);
	*secret = parsing->secret;
	return 0;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static int nothing(void *context, const struct profile_line *line, struct err *err)
{
	(void)context, (void)line, (void)err;
	return 0;
}

/* Whether anything may be taken of it is known at its end only. */
int profile_read(const char *path, profile_take *take, void *context, struct err *err)
{
	CLEANUP(private_text_finish) struct private_text text = {0};
	bool secret = false;
	int rc = private_text_read(path, PROFILE_FILE_MAX, &text, err);
	if (rc == 0)
		rc = profile_parse(text.text, path, nothing, NULL, &secret, err);
	if (rc == 0 && secret && text.others_read)
		rc = err_set(err, -EINVAL, "others may read %s, which has a delivery token in it: chmod 600 %s", path,
			     path);
	return rc < 0 ? rc : profile_parse(text.text, path, take, context, &secret, err);
}

static bool is_path(const struct setting *setting)
{
	return setting->argument && (strcmp(setting->argument, "FILE") == 0 || strcmp(setting->argument, "DIR") == 0);
}

/* A profile is used from any folder. */
static int set_path(struct config *config, const struct profile_line *line, struct err *err)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	const char *home = getenv("HOME");
	if (strncmp(line->value, "~/", 2) == 0 && home)
		buf_printf(&path, "%s%s", home, line->value + 1);
	else
		buf_append_text(&path, line->value);
	if (path.failed)
		return err_oom(err);
	if (path.text[0] != '/')
		return err_set(err, -EINVAL, "the path has to begin with / or ~/");
	return line->setting->set(config, path.text, err);
}

int profile_set(struct config *config, const struct profile_line *line, struct err *err)
{
	int rc = is_path(line->setting) ? set_path(config, line, err) : line->setting->set(config, line->value, err);
	return rc < 0 ? err_prefix(err, rc, "%s", line->setting->option) : 0;
}

struct loading {
	struct config *config;
	bool found;
};

static int take_setting(void *context, const struct profile_line *line, struct err *err)
{
	struct loading *loading = context;
	if (strcmp(line->profile, loading->config->profile) != 0)
		return 0;
	loading->found = true;
	return profile_set(loading->config, line, err);
}

/* Takes the profile from a file if it is there. -ENOENT and -EACCES are no failures: `why` says so. */
static int load_from(const char *path, struct loading *loading, struct err *why, struct err *err)
{
	int rc = profile_read(path, take_setting, loading, err);
	if (rc == -ENOENT || rc == -EACCES)
		return err_set(why, 0, "%s", err->text);
	if (!loading->found)
		err_set(why, 0, "%s has none", path);
	return rc;
}

int profile_load(struct config *config, struct err *err)
{
	struct err ignored = {0};
	struct err own = {0};
	struct err system = {0};
	struct loading loading = {.config = config};
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	err = err ? err : &ignored;
	int rc = places_profiles(&path);
	if (rc == -ENOMEM)
		return err_oom(err);
	if (rc == 0)
		rc = load_from(path.text, &loading, &own, err);
	else
		rc = err_set(&own, 0, "HOME is not set");
	if (rc == 0 && !loading.found)
		rc = load_from(PLACES_SYSTEM_PROFILES, &loading, &system, err);
	if (rc < 0)
		return rc == -ENOMEM ? rc : -EINVAL;
	if (!loading.found)
		return err_set(
			err, -EINVAL,
			"there is no profile '%s' (%s; %s): contentfs configure %s makes it, contentfs list shows "
			"those there are",
			config->profile, own.text, system.text, config->profile);
	config->content_types.of_profile = true;
	config->locales.of_profile = true;
	err->text[0] = '\0';
	return 0;
}
