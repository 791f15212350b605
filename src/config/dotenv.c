#include "config/dotenv.h"

#include "config/private_file.h"
#include "util/cleanup.h"
#include "util/secret.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- the text ----------------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name_letter(char c)
{
	return isascii(c) && (isalnum((unsigned char)c) || c == '_');
}

static struct slice skip(struct slice text, size_t len)
{
	return slice_make(text.at + len, text.len - len);
}

static struct slice skip_blanks(struct slice text)
{
	while (text.len > 0 && is_blank(*text.at))
		text = skip(text, 1);
	return text;
}

static struct slice take_line(struct slice text)
{
	const char *end = text.len > 0 ? memchr(text.at, '\n', text.len) : NULL;
	return slice_make(text.at, end ? (size_t)(end - text.at) : text.len);
}

/* Up to a comment, which needs a blank before it, without blanks at the end. */
static struct slice bare_value(struct slice line)
{
	size_t len = 0;
	while (len < line.len && (line.at[len] != '#' || (len > 0 && !is_blank(line.at[len - 1]))))
		len++;
	while (len > 0 && is_blank(line.at[len - 1]))
		len--;
	return slice_make(line.at, len);
}

/* Between quotes, over several lines if it has to be; without a second quote there is none at all. */
static bool quoted_value(struct slice text, struct slice *value)
{
	char quote = *text.at;
	for (size_t i = 1; i < text.len; i++) {
		if (text.at[i] == quote) {
			*value = slice_make(text.at + 1, i - 1);
			return true;
		}
		i += quote == '"' && text.at[i] == '\\';
	}
	return false;
}

static int count_lines(struct slice text)
{
	int count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == '\n';
	return count;
}

/* "export NAME =", up to the value. */
static bool take_name(struct slice *rest, struct slice *name)
{
	static const char word[] = "export";
	struct slice at = skip_blanks(*rest);
	if (at.len > sizeof(word) - 1 && memcmp(at.at, word, sizeof(word) - 1) == 0 &&
	    is_blank(at.at[sizeof(word) - 1]))
		at = skip_blanks(skip(at, sizeof(word)));
	size_t len = 0;
	while (len < at.len && is_name_letter(at.at[len]))
		len++;
	*name = slice_make(at.at, len);
	at = skip_blanks(skip(at, len));
	if (len == 0 || at.len == 0 || *at.at != '=')
		return false;
	*rest = skip_blanks(skip(at, 1));
	return true;
}

bool dotenv_next(struct slice *text, int *number, struct dotenv_line *line)
{
	while (text->len > 0) {
		struct slice whole = take_line(*text);
		struct slice rest = whole;
		bool found = take_name(&rest, &line->name);
		*line = (struct dotenv_line){.name = line->name, .value = bare_value(rest), .number = *number + 1};
		struct slice beyond = slice_make(rest.at, (size_t)(text->at + text->len - rest.at));
		if (found && rest.len > 0 && strchr("\"'`", *rest.at) && quoted_value(beyond, &line->value)) {
			line->quote = *rest.at;
			const char *end = line->value.at + line->value.len + 1;
			struct slice after = take_line(slice_make(end, (size_t)(text->at + text->len - end)));
			whole.len = (size_t)(after.at + after.len - text->at);
		}
		*number += count_lines(whole) + 1;
		*text = skip(*text, whole.len < text->len ? whole.len + 1 : whole.len);
		if (found)
			return true;
	}
	return false;
}

struct slice dotenv_plain_name(struct slice name)
{
	static const char *const prefixes[] = {
		"NEXT_PUBLIC_", "REACT_APP_", "GATSBY_", "NUXT_PUBLIC_", "NUXT_ENV_",    "NUXT_",
		"VITE_",        "VUE_APP_",   "NG_APP_", "PUBLIC_",      "EXPO_PUBLIC_", "STORYBOOK_",
	};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);
		if (name.len > len && memcmp(name.at, prefixes[i], len) == 0)
			return skip(name, len);
	}
	return name;
}

/* --- settings of it ----------------------------------------------------------------------------------------------- */

static const struct setting *setting_of(struct slice variable)
{
	if (slice_is(variable, CONFIG_TOKEN_VARIABLE))
		return config_find_setting(slice_of("delivery-token"));
	for (const struct setting *setting = config_settings; setting->option; setting++)
		if (setting->variable && setting->use != SETTING_SOURCE && slice_is(variable, setting->variable))
			return setting;
	return NULL;
}

/* The value as a string of its own, to be wiped. None of our settings has a use for escapes and other variables. */
static int value_of(const struct dotenv_line *line, char **out, struct err *err)
{
	if (line->value.len > CONFIG_VALUE_MAX)
		return err_set(err, -EINVAL, "the value has more than %d bytes", CONFIG_VALUE_MAX);
	if (line->quote != '\'' && memmem(line->value.at, line->value.len, "${", 2))
		return err_set(
			err, -EINVAL,
			"the value is made of another variable, which cannot be done here: write out what it is");
	*out = strndup(line->value.len > 0 ? line->value.at : "", line->value.len);
	return *out ? 0 : err_oom(err);
}

static void wipe_value(char **value)
{
	secret_wipe(*value);
}

static int set_from(struct config *config, const struct setting *setting, const struct dotenv_line *line,
		    struct err *err)
{
	CLEANUP(wipe_value) char *value = NULL;
	int rc = value_of(line, &value, err);
	if (rc == 0 && *value)
		rc = setting->set(config, value, err);
	return rc < 0 ? err_prefix(err, rc, "%s:%d: %.*s", config->env_file, line->number, SLICE_FMT(line->name)) : 0;
}

/* One pass over the names that have a framework's prefix, or over those that have none. */
static int take_settings(struct config *config, struct slice text, bool prefixed, bool *found, bool *secret,
			 struct err *err)
{
	struct dotenv_line line;
	int number = 0;
	int rc = 0;
	while (rc == 0 && dotenv_next(&text, &number, &line)) {
		struct slice plain = dotenv_plain_name(line.name);
		const struct setting *setting = setting_of(plain);
		if (!setting || (plain.len != line.name.len) != prefixed)
			continue;
		*found = true;
		*secret |= setting->use == SETTING_PROFILE;
		rc = set_from(config, setting, &line, err);
	}
	return rc;
}

int dotenv_load(struct config *config, struct err *err)
{
	CLEANUP(private_text_finish) struct private_text text = {0};
	bool found = false;
	bool secret = false;
	if (private_text_read(config->env_file, DOTENV_FILE_MAX, &text, err) < 0)
		return -EINVAL;
	const struct slice all = slice_make(text.text, text.len);
	int rc = take_settings(config, all, true, &found, &secret, err);
	if (rc == 0)
		rc = take_settings(config, all, false, &found, &secret, err);
	if (rc == 0 && secret && text.others_read)
		rc = err_set(err, -EINVAL, "others may read %s, which has a delivery token in it: chmod 600 %s",
			     config->env_file, config->env_file);
	if (rc == 0 && !found)
		rc = err_set(err, -EINVAL,
			     "%s has none of the variables that contentfs knows (CONTENTSTACK_API_KEY, "
			     "CONTENTSTACK_ENVIRONMENT, ...): is it the right file?",
			     config->env_file);
	return rc;
}
