/*
 * Settings: what they are, where they come from, and whether they make sense. One table names them all; the parser, the
 * environment and the help text are made from it.
 */
#ifndef CONTENTFS_CONFIG_CONFIG_H
#define CONTENTFS_CONFIG_CONFIG_H

#include "util/err.h"
#include "util/log_filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CONFIG_LIST_MAX 256   /* content types or locales to keep */
#define CONFIG_VALUE_MAX 4096 /* bytes of one setting */
#define CONFIG_INTERVAL_MS 30000
#define CONFIG_JOBS_MAX 64
#define CONFIG_CACHE_BYTES (10LL << 30)
#define CONFIG_CACHE_BYTES_MIN (1LL << 20)
#define CONFIG_PATIENCE_MS 30000
#define CONFIG_MAIN_BRANCH "main" /* what a branch that was not set is called; the service is not told */

struct config_list {
	char **items; /* sorted, without repeats, NULL-terminated; NULL while empty */
	size_t count;
};

/* All strings are owned by the config and NULL where nothing was set. */
struct config {
	char *api_key;
	char *token; /* secret: wiped when the config is finished */
	char *environment;
	char *branch;
	char *region;
	char *host; /* an URL without a slash at its end */
	char *store;
	char *start_from;
	char *types;
	struct config_list content_types;
	struct config_list locales;
	int64_t interval_ms;
	unsigned jobs;       /* questions to the service under way at once; 0: not said */
	char *cache;         /* the folder of assets that were read */
	int64_t cache_bytes; /* what it may take */
	int64_t patience_ms; /* how long a read of an asset waits while nothing of it arrives */
	bool secure_assets;  /* the stack gives assets to whoever has the token only */
	char *mount_options; /* for the kernel and libfuse, checked */
	uid_t uid;
	gid_t gid;
	mode_t umask;
	struct log_filter log; /* which messages are wanted */
	bool quiet;            /* no progress is wanted */
	bool lenient; /* to be set before settings are taken: a token file of no use is a fault to be told of, and no end */
	struct err token_fault; /* why it is of no use; empty as a rule */
};

void config_init(struct config *config);
void config_finish(struct config *config);

/* Who a setting matters to. */
enum setting_use { SETTING_ALL, SETTING_STACK, SETTING_SYNC, SETTING_ASSETS, SETTING_MOUNT };

struct setting {
	const char *option;   /* without the dashes; one letter is a short option */
	const char *variable; /* of the environment; NULL if there is none */
	const char *argument; /* its name in the help; NULL: the option takes none, and the variable "1" or "0" */
	const char *help;
	enum setting_use use;
	int (*set)(struct config *config, const char *value, struct err *err);
};

/* The table, ended by a setting without option. */
extern const struct setting config_settings[];

/* Takes every setting that the environment has. -EINVAL names the variable that cannot be used. The token is wiped from
 * the environment, so that the process does not carry it in /proc/PID/environ. */
int config_from_environment(struct config *config, struct err *err);

/* Checks that what a sync needs is there (with needs_credentials), and fills in the store's default place. */
int config_complete(struct config *config, bool needs_credentials, struct err *err);

/* The same for what reading assets needs: the cache's place. */
int config_complete_assets(struct config *config, struct err *err);

#endif
