/* The table of settings, and how each is taken. Checks that need more than one setting are in config.c. */
#include "config/config.h"
#include "config/list.h"
#include "config/mount_options.h"
#include "config/profile.h"
#include "config/token.h"
#include "config/url.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Goes into a header or a URL: printable, without white space. */
static int check_word(const char *value, const char *what, struct err *err)
{
	size_t len = strlen(value);
	if (len == 0 || len > CONFIG_VALUE_MAX)
		return err_set(err, -EINVAL, "the %s is %s", what, len ? "too long" : "empty");
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(err, -EINVAL, "the %s has a space or a control character in it", what);
	return 0;
}

static int replace(char **field, const char *value, struct err *err)
{
	char *copy = strdup(value);
	if (!copy)
		return err_oom(err);
	free(*field);
	*field = copy;
	return 0;
}

static int set_word(char **field, const char *value, const char *what, struct err *err)
{
	int rc = check_word(value, what, err);
	return rc < 0 ? rc : replace(field, value, err);
}

static int set_path(char **field, const char *value, const char *what, struct err *err)
{
	if (!*value || strlen(value) > CONFIG_VALUE_MAX)
		return err_set(err, -EINVAL, "the name of the %s is empty or too long", what);
	return replace(field, value, err);
}

static int set_profile(struct config *config, const char *value, struct err *err)
{
	int rc = profile_check_name(value, err);
	return rc < 0 ? rc : replace(&config->profile, value, err);
}

static int set_env_file(struct config *config, const char *value, struct err *err)
{
	return set_path(&config->env_file, value, "env file", err);
}

static int set_api_key(struct config *config, const char *value, struct err *err)
{
	return set_word(&config->api_key, value, "API key", err);
}

static int set_token_file(struct config *config, const char *value, struct err *err)
{
	struct err fault = {0};
	int rc = token_read(value, &config->token, &fault);
	config->token_fault = fault;
	if (rc < 0)
		return config->lenient ? 0 : err_set(err, rc, "%s", fault.text);
	return replace(&config->token_file, value, err);
}

static int set_token(struct config *config, const char *value, struct err *err)
{
	int rc = token_set(value, &config->token, err);
	if (rc < 0)
		return rc;
	free(config->token_file);
	config->token_file = NULL;
	config->token_fault = (struct err){0};
	return 0;
}

static int set_environment(struct config *config, const char *value, struct err *err)
{
	return set_word(&config->environment, value, "environment", err);
}

static int set_branch(struct config *config, const char *value, struct err *err)
{
	return set_word(&config->branch, value, "branch", err);
}

static int set_region(struct config *config, const char *value, struct err *err)
{
	return set_word(&config->region, value, "region", err);
}

static int set_host(struct config *config, const char *value, struct err *err)
{
	char *host;
	int rc = url_normalize_host(value, &host, err);
	if (rc < 0)
		return rc;
	free(config->host);
	config->host = host;
	return 0;
}

static int set_store(struct config *config, const char *value, struct err *err)
{
	return set_path(&config->store, value, "store", err);
}

static int set_seconds(int64_t *ms, const char *value, const char *what, struct err *err)
{
	char *end;
	double seconds = strtod(value, &end);
	if (end == value || *end || !isfinite(seconds) || seconds < 0.1 || seconds > 86400)
		return err_set(err, -EINVAL, "the %s '%s' is not a number of seconds from 0.1 to 86400", what, value);
	*ms = (int64_t)(seconds * 1000);
	return 0;
}

static int set_interval(struct config *config, const char *value, struct err *err)
{
	return set_seconds(&config->interval_ms, value, "interval", err);
}

static int set_asset_timeout(struct config *config, const char *value, struct err *err)
{
	return set_seconds(&config->patience_ms, value, "asset timeout", err);
}

static int set_cache(struct config *config, const char *value, struct err *err)
{
	return set_path(&config->cache, value, "cache", err);
}

static int set_mountpoint(struct config *config, const char *value, struct err *err)
{
	return set_path(&config->mountpoint, value, "mount point", err);
}

/* "10M", "4G", or bytes. */
static int set_cache_size(struct config *config, const char *value, struct err *err)
{
	static const char units[] = "KMGT";
	char *end = NULL;
	errno = 0;
	long long size = isdigit((unsigned char)*value) ? strtoll(value, &end, 10) : 0;
	const char *unit = end && *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	int shift = unit ? 10 * (int)(unit - units + 1) : 0;
	bool understood = end && !errno && (unit ? end[1] == '\0' : *end == '\0');
	if (!understood || size > INT64_MAX >> shift || size << shift < CONFIG_CACHE_BYTES_MIN)
		return err_set(err, -EINVAL, "the cache size '%s' is not a number of bytes, as in 500M or 10G, from 1M",
			       value);
	config->cache_bytes = (int64_t)size << shift;
	config->cache_bytes_given = true;
	return 0;
}

static int set_secure_assets(struct config *config, const char *value, struct err *err)
{
	config->secure_assets = strcmp(value, "1") == 0;
	if (!config->secure_assets && strcmp(value, "0") != 0)
		return err_set(err, -EINVAL, "'%s' is neither 1 nor 0", value);
	return 0;
}

static int set_jobs(struct config *config, const char *value, struct err *err)
{
	char *end;
	errno = 0;
	long jobs = isdigit((unsigned char)*value) ? strtol(value, &end, 10) : 0;
	if (jobs < 1 || *end || errno || jobs > CONFIG_JOBS_MAX)
		return err_set(err, -EINVAL, "the jobs '%s' are not a whole number from 1 to %d", value,
			       CONFIG_JOBS_MAX);
	config->jobs = (unsigned)jobs;
	return 0;
}

static int set_log_level(struct config *config, const char *value, struct err *err)
{
	return log_filter_parse(&config->log, value, err);
}

static int add_word(struct config_list *list, const char *value, const char *what, struct err *err)
{
	int rc = check_word(value, what, err);
	return rc < 0 ? rc : list_add(list, value, what, err);
}

static int set_content_type(struct config *config, const char *value, struct err *err)
{
	return add_word(&config->content_types, value, "content type", err);
}

static int set_locale(struct config *config, const char *value, struct err *err)
{
	return add_word(&config->locales, value, "locale", err);
}

static int set_start_from(struct config *config, const char *value, struct err *err)
{
	int64_t ms;
	if (time_parse_iso(slice_of(value), &ms) < 0)
		return err_set(err, -EINVAL, "'%s' is not a date, as in 2026-01-31 or 2026-01-31T08:00:00Z", value);
	return replace(&config->start_from, value, err);
}

static bool is_item_type(struct slice word)
{
	static const char *const names[] = {
		"entry_published",   "entry_unpublished", "entry_deleted",        "asset_published",
		"asset_unpublished", "asset_deleted",     "content_type_deleted",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(word, names[i]))
			return true;
	return false;
}

static struct slice trim(struct slice word)
{
	while (word.len > 0 && word.at[0] == ' ')
		word = slice_make(word.at + 1, word.len - 1);
	while (word.len > 0 && word.at[word.len - 1] == ' ')
		word.len--;
	return word;
}

/* The vendor's own lists have blanks behind their commas (D). */
static int set_types(struct config *config, const char *value, struct err *err)
{
	CLEANUP(buf_finish) struct buf list = BUF_INIT;
	for (const char *at = value; at;) {
		const char *comma = strchr(at, ',');
		struct slice word = trim(slice_make(at, comma ? (size_t)(comma - at) : strlen(at)));
		if (!is_item_type(word))
			return err_set(err, -EINVAL,
				       "'%.*s' is not an item type: there are entry_published, entry_unpublished, "
				       "entry_deleted, asset_published, asset_unpublished, asset_deleted and "
				       "content_type_deleted",
				       SLICE_FMT(word));
		buf_append_text(&list, list.len ? "," : "");
		if (buf_append(&list, word.at, word.len) < 0)
			return err_oom(err);
		at = comma ? comma + 1 : NULL;
	}
	return replace(&config->types, buf_text(&list), err);
}

const struct setting config_settings[] = {
	{"profile", CONFIG_PROFILE_VARIABLE, "NAME",
	 "take the settings of this profile (contentfs configure makes\none, contentfs list shows them)",
	 SETTING_SOURCE, set_profile},
	{"env-file", NULL, "FILE", "take the settings of a .env file, over those of a profile", SETTING_SOURCE,
	 set_env_file},
	{"api-key", "CONTENTSTACK_API_KEY", "KEY", "the stack", SETTING_STACK, set_api_key},
	{"delivery-token-file", NULL, "FILE",
	 "a file only you can read, with the delivery token in it\n(or CONTENTSTACK_DELIVERY_TOKEN, the token itself)",
	 SETTING_STACK, set_token_file},
	{"environment", "CONTENTSTACK_ENVIRONMENT", "NAME", "whose published content to show", SETTING_STACK,
	 set_environment},
	{"branch", "CONTENTSTACK_BRANCH", "NAME", "default: the stack's main branch", SETTING_STACK, set_branch},
	{"region", "CONTENTSTACK_REGION", "NAME", "na (default), eu, au, azure-na, azure-eu, gcp-na or gcp-eu",
	 SETTING_STACK, set_region},
	{"host", "CONTENTSTACK_HOST", "URL", "another host, such as http://127.0.0.1:PORT for a local stack",
	 SETTING_STACK, set_host},
	{"store", "CONTENTFS_STORE", "FILE", "default: under $XDG_STATE_HOME/contentfs, named for the stack",
	 SETTING_STACK, set_store},
	{"content-type", NULL, "UID", "keep only this content type; may be repeated", SETTING_SYNC, set_content_type},
	{"locale", NULL, "CODE", "keep only this locale; may be repeated", SETTING_SYNC, set_locale},
	{"start-from", NULL, "DATE", "keep only what was published since", SETTING_SYNC, set_start_from},
	{"type", NULL, "LIST",
	 "ask only for these item types, a comma list; without the\ndeleted and unpublished ones nothing ever goes away",
	 SETTING_SYNC, set_types},
	{"jobs", "CONTENTFS_JOBS", "N",
	 "questions to the service under way at once (default 4); given, it\nalso splits a smaller first sync by content type; none is split that\nhas --content-type, --type or --start-from",
	 SETTING_SYNC, set_jobs},
	{"cache", "CONTENTFS_CACHE", "DIR",
	 "where assets are kept once they were read\n(default: $XDG_CACHE_HOME/contentfs)", SETTING_ASSETS, set_cache},
	{"cache-size", "CONTENTFS_CACHE_SIZE", "SIZE", "what they may take, as in 500M (default 10G)", SETTING_ASSETS,
	 set_cache_size},
	{"asset-timeout", "CONTENTFS_ASSET_TIMEOUT", "SECONDS",
	 "how long a read of an asset waits while nothing of it\narrives (default 30)", SETTING_ASSETS,
	 set_asset_timeout},
	{"secure-assets", "CONTENTFS_SECURE_ASSETS", NULL, "the stack's assets need the delivery token", SETTING_ASSETS,
	 set_secure_assets},
	{"interval", "CONTENTFS_INTERVAL", "SECONDS", "how often to ask for news (default 30)", SETTING_MOUNT,
	 set_interval},
	{"log-level", "CONTENTFS_LOG", "LEVEL",
	 "error, warning, notice (default), info or debug; also by\ntopic, as in info,http=debug", SETTING_ALL,
	 set_log_level},
	{"o", NULL, "OPTION[,OPTION...]",
	 "mount options: allow_other, uid=, gid=, umask=, ..., and settings,\nas in interval=10", SETTING_MOUNT,
	 mount_options_set},
	{"delivery-token", NULL, "TOKEN", "the delivery token itself; nobody else may read the file then",
	 SETTING_PROFILE, set_token},
	{"mountpoint", NULL, "DIR", "where contentfs mount --profile NAME mounts", SETTING_PROFILE, set_mountpoint},
	{0},
};

const struct setting *config_find_setting(struct slice option)
{
	for (const struct setting *setting = config_settings; setting->option; setting++)
		if (slice_is(option, setting->option))
			return setting;
	return NULL;
}
