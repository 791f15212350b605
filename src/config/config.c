#include "config/config.h"

#include "config/token.h"
#include "tree/name.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TOKEN_VARIABLE "CONTENTSTACK_DELIVERY_TOKEN"

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

static void list_finish(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

void config_finish(struct config *config)
{
	token_wipe(&config->token);
	free(config->api_key);
	free(config->environment);
	free(config->branch);
	free(config->region);
	free(config->host);
	free(config->store);
	free(config->start_from);
	free(config->types);
	free(config->cache);
	free(config->mount_options);
	list_finish(&config->content_types);
	list_finish(&config->locales);
	*config = (struct config){0};
}

static int token_from_environment(struct config *config, struct err *err)
{
	char *token = getenv(TOKEN_VARIABLE);
	if (!token || !*token)
		return 0;
	int rc = token_set(token, &config->token, err);
	explicit_bzero(token, strlen(token)); /* what /proc/PID/environ shows is this memory */
	unsetenv(TOKEN_VARIABLE);
	return rc < 0 ? err_prefix(err, rc, TOKEN_VARIABLE) : 0;
}

int config_from_environment(struct config *config, struct err *err)
{
	int rc =
		token_from_environment(config, err); /* first: it is not to stay there whatever becomes of the others */
	if (rc < 0)
		return rc;
	for (const struct setting *setting = config_settings; setting->option; setting++) {
		const char *value = setting->variable ? getenv(setting->variable) : NULL;
		if (!value || !*value)
			continue;
		rc = setting->set(config, value, err);
		if (rc < 0)
			return err_prefix(err, rc, "%s", setting->variable);
	}
	return 0;
}

/* A folder of the user's, by the XDG Base Directory Specification: $VARIABLE/contentfs, or the same below $HOME. */
static int user_folder(const char *variable, const char *below_home, struct buf *path)
{
	const char *base = getenv(variable);
	const char *home = getenv("HOME");
	if (base && base[0] == '/')
		buf_printf(path, "%s/contentfs", base);
	else if (home && home[0] == '/')
		buf_printf(path, "%s/%s/contentfs", home, below_home);
	else
		return -ENOENT;
	return path->failed ? -ENOMEM : 0;
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
			       "which store? Set CONTENTSTACK_API_KEY and CONTENTSTACK_ENVIRONMENT, or use --store");
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	int rc = user_folder("XDG_STATE_HOME", ".local/state", &path);
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

static int check_credentials(const struct config *config, struct err *err)
{
	if (!config->api_key)
		return err_set(err, -EINVAL, "which stack? Set CONTENTSTACK_API_KEY or use --api-key");
	if (!config->token)
		return err_set(err, -EINVAL,
			       "the delivery token is missing: set " TOKEN_VARIABLE " or use --delivery-token-file");
	if (!config->environment)
		return err_set(err, -EINVAL, "which environment? Set CONTENTSTACK_ENVIRONMENT or use --environment");
	return 0;
}

/* A relative name would mean another file once the program has left its folder. */
static int make_absolute(char **path, struct err *err)
{
	if ((*path)[0] == '/')
		return 0;
	CLEANUP(cleanup_free) char *here = getcwd(NULL, 0);
	if (!here)
		return err_set(err, -errno, "cannot find out the current folder: %s", strerror(errno));
	CLEANUP(buf_finish) struct buf full = BUF_INIT;
	buf_printf(&full, "%s/%s", here, *path);
	if (full.failed)
		return err_oom(err);
	free(*path);
	*path = full.text;
	full = (struct buf)BUF_INIT;
	return 0;
}

int config_complete(struct config *config, bool needs_credentials, struct err *err)
{
	int rc = needs_credentials ? check_credentials(config, err) : 0;
	if (rc == 0 && !config->store)
		rc = default_store(config, err);
	return rc < 0 ? rc : make_absolute(&config->store, err);
}

int config_complete_assets(struct config *config, struct err *err)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	if (config->cache)
		return make_absolute(&config->cache, err);
	int rc = user_folder("XDG_CACHE_HOME", ".cache", &path);
	if (rc < 0)
		return rc == -ENOMEM ? err_oom(err)
				     : err_set(err, -EINVAL,
					       "there is no place for the cache of assets: set HOME or XDG_CACHE_HOME, "
					       "or use --cache");
	config->cache = path.text;
	path = (struct buf)BUF_INIT;
	return 0;
}
