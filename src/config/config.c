#include "config/config.h"

#include "config/dotenv.h"
#include "config/list.h"
#include "config/places.h"
#include "config/profile.h"
#include "config/token.h"
#include "tree/name.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void config_init(struct config *config)
{
	*config = (struct config){
		.interval_ms = CONFIG_INTERVAL_MS,
		.cache_bytes = CONFIG_CACHE_BYTES,
		.patience_ms = CONFIG_PATIENCE_MS,
		.uid = getuid(),
		.gid = getgid(),
	};
	log_filter_set(&config->log, LOG_LEVEL_NOTICE);
}

void config_finish(struct config *config)
{
	token_wipe(&config->token);
	free(config->profile);
	free(config->env_file);
	free(config->token_file);
	free(config->api_key);
	free(config->environment);
	free(config->branch);
	free(config->region);
	free(config->host);
	free(config->store);
	free(config->start_from);
	free(config->types);
	free(config->cache);
	free(config->mountpoint);
	free(config->mount_options);
	list_finish(&config->content_types);
	list_finish(&config->locales);
	*config = (struct config){0};
}

/* The API key is no credential: it is in the names of stores, and of no use without the token. */
static int token_from_credentials(char **out, struct err *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	struct err why = {0};
	if (!folder || folder[0] != '/')
		return 0;
	int rc = token_read_credential(folder, out, &why);
	return rc < 0 && rc != -ENOENT ? err_set(err, rc, "%s", why.text) : 0;
}

static int token_from_environment(char **out, struct err *err)
{
	char *token = getenv(CONFIG_TOKEN_VARIABLE);
	if (!token || !*token)
		return token_from_credentials(out, err);
	int rc = token_set(token, out, err);
	explicit_bzero(token, strlen(token)); /* what /proc/PID/environ shows is this memory */
	unsetenv(CONFIG_TOKEN_VARIABLE);
	return rc < 0 ? err_prefix(err, rc, CONFIG_TOKEN_VARIABLE) : 0;
}

static int settings_from_environment(struct config *config, struct err *err)
{
	for (const struct setting *setting = config_settings; setting->option; setting++) {
		const char *value = setting->variable ? getenv(setting->variable) : NULL;
		if (!value || !*value || setting->use == SETTING_SOURCE)
			continue;
		int rc = setting->set(config, value, err);
		if (rc < 0)
			return err_prefix(err, rc, "%s", setting->variable);
	}
	return 0;
}

static void keep_token(struct config *config, char **token)
{
	if (!*token)
		return;
	token_wipe(&config->token);
	free(config->token_file);
	config->token_file = NULL;
	config->token_fault = (struct err){0};
	config->token = *token;
	*token = NULL;
}

int config_load(struct config *config, struct err *err)
{
	CLEANUP(token_wipe) char *token = NULL;
	int rc = token_from_environment(&token, err);
	if (rc == 0 && config->profile)
		rc = profile_load(config, err);
	if (rc == 0 && config->env_file)
		rc = dotenv_load(config, err);
	if (rc == 0)
		rc = settings_from_environment(config, err);
	if (rc == 0)
		keep_token(config, &token);
	return rc;
}

static void append_name(struct buf *path, const char *text, const char *suffix)
{
	char name[NAME_BYTES_MAX + 1];
	name_encode(slice_of(text), suffix, name);
	buf_append_text(path, name);
}

/* STATE/contentfs/API_KEY/ENVIRONMENT/BRANCH.db: each part encoded for itself, so that no two stacks share a file. */
static int default_store(struct config *config, struct err *err)
{
	if (!config->api_key || !config->environment)
		return err_set(err, -EINVAL,
			       "which store? Set CONTENTSTACK_API_KEY and CONTENTSTACK_ENVIRONMENT, or use --store or "
			       "--profile");
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	int rc = places_state(&path);
	if (rc < 0)
		return rc == -ENOMEM
			       ? err_oom(err)
			       : err_set(err, -EINVAL,
					 "there is no place for the store: set HOME or XDG_STATE_HOME, or use --store");
	buf_append_char(&path, '/');
	append_name(&path, config->api_key, "");
	buf_append_char(&path, '/');
	append_name(&path, config->environment, "");
	buf_append_char(&path, '/');
	append_name(&path, config->branch ? config->branch : CONFIG_MAIN_BRANCH, ".db");
	if (path.failed)
		return err_oom(err);
	config->store = path.text;
	path = (struct buf)BUF_INIT;
	return 0;
}

static int missing(const struct config *config, const char *what, struct err *err)
{
	return config->profile ? err_set(err, -EINVAL, "%s, or write it into the profile (contentfs configure %s)",
					 what, config->profile)
			       : err_set(err, -EINVAL, "%s, or name a profile (contentfs configure makes one)", what);
}

static int check_credentials(const struct config *config, struct err *err)
{
	if (!config->api_key)
		return missing(config, "which stack? Set CONTENTSTACK_API_KEY or use --api-key", err);
	if (!config->token)
		return missing(config,
			       "the delivery token is missing: set " CONFIG_TOKEN_VARIABLE
			       " or use --delivery-token-file",
			       err);
	if (!config->environment)
		return missing(config, "which environment? Set CONTENTSTACK_ENVIRONMENT or use --environment", err);
	return 0;
}

int config_complete(struct config *config, bool needs_credentials, struct err *err)
{
	int rc = needs_credentials ? check_credentials(config, err) : 0;
	if (rc == 0 && !config->store)
		rc = default_store(config, err);
	return rc < 0 ? rc : places_make_absolute(&config->store, err);
}

int config_complete_assets(struct config *config, struct err *err)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	if (config->cache)
		return places_make_absolute(&config->cache, err);
	int rc = places_cache(&path);
	if (rc < 0)
		return rc == -ENOMEM ? err_oom(err)
				     : err_set(err, -EINVAL,
					       "there is no place for the cache of assets: set HOME or XDG_CACHE_HOME, "
					       "or use --cache");
	config->cache = path.text;
	path = (struct buf)BUF_INIT;
	return 0;
}
