/*
 * Settings: what they are, where they come from, and whether they make sense. One table names them all; the parser, the
 * environment and the help text are made from it.
 */
#ifndef CONTENTFS_CONFIG_CONFIG_H
#define CONTENTFS_CONFIG_CONFIG_H

#include "util/err.h"
#include "util/log_filter.h"
#include "util/slice.h"

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
	bool of_profile; /* what an option adds takes its place */
};

/* All strings are owned by the config and NULL where nothing was set. */
struct config {
	char *profile;  /* which one the settings come from */
	char *env_file; /* another place they come from */
	char *api_key;
	char *token;      /* secret: wiped when the config is finished */
	char *token_file; /* where it was read from; NULL if elsewhere */
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
	unsigned jobs;          /* questions to the service under way at once; 0: not said */
	char *cache;            /* the folder of assets that were read */
	int64_t cache_bytes;    /* what it may take */
	bool cache_bytes_given; /* by somebody: a mount's own limit does not take its place */
	int64_t patience_ms;    /* how long a read of an asset waits while nothing of it arrives */
	bool secure_assets;     /* the stack gives assets to whoever has the token only */
	char *mountpoint;       /* for who names none */
	char *mount_options;    /* for the kernel and libfuse, checked */
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

/* Who a setting matters to. SETTING_SOURCE: it says where others come from, on a command line only. SETTING_PROFILE: it
 * stands in profiles only. */
enum setting_use {
	SETTING_SOURCE,
	SETTING_ALL,
	SETTING_STACK,
	SETTING_SYNC,
	SETTING_ASSETS,
	SETTING_MOUNT,
	SETTING_PROFILE,
};

struct setting {
	const char *option;   /* without the dashes; one letter is a short option */
	const char *variable; /* of the environment; NULL if there is none */
	const char *argument; /* its name in the help, FILE and DIR for paths; NULL: the option takes none, and the
	                         variable "1" or "0" */
	const char *help;
	enum setting_use use;
	int (*set)(struct config *config, const char *value, struct err *err);
};

/* The table, ended by a setting without option. */
extern const struct setting config_settings[];

/* The setting of that name, NULL if there is none. */
const struct setting *config_find_setting(struct slice option);

#define CONFIG_TOKEN_VARIABLE "CONTENTSTACK_DELIVERY_TOKEN"
#define CONFIG_PROFILE_VARIABLE "CONTENTFS_PROFILE"

/*
 * Takes the settings that do not stand on the command line: those of the profile and of the env file, if config names
 * them, and those of the environment; what comes later counts more, and an option that is set after this most. -EINVAL
 * names the place that cannot be used. The token is wiped from the environment whatever becomes of the others, so that the
 * process does not carry it in /proc/PID/environ.
 */
int config_load(struct config *config, struct err *err);

/* Checks that what a sync needs is there (with needs_credentials), and fills in the store's default place. */
int config_complete(struct config *config, bool needs_credentials, struct err *err);

/* The same for what reading assets needs: the cache's place. */
int config_complete_assets(struct config *config, struct err *err);

#endif
