/* Every setting with what it takes and what it refuses, the environment, and the place of the store. */
#include "config/config.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "cs0123s3cretT0ken"
#define LETTERS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOO_LONG (char *)1 /* stands for a value of CONFIG_VALUE_MAX + 1 letters */

static const struct setting *find_setting(const char *option)
{
	const struct setting *setting = config_settings;
	while (setting->option && strcmp(setting->option, option) != 0)
		setting++;
	return setting->option ? setting : NULL;
}

static int set(struct config *config, const char *option, const char *value, struct err *err)
{
	static char too_long[CONFIG_VALUE_MAX + 2];
	memset(too_long, 'a', sizeof(too_long) - 1);
	const struct setting *setting = find_setting(option);
	return setting ? setting->set(config, value == TOO_LONG ? too_long : value, err) : -ENOENT;
}

/* What became of a setting, as text. */
static const char *shown(const struct config *config, const char *option)
{
	static char text[256];
	if (strcmp(option, "api-key") == 0)
		return config->api_key;
	if (strcmp(option, "environment") == 0)
		return config->environment;
	if (strcmp(option, "branch") == 0)
		return config->branch;
	if (strcmp(option, "region") == 0)
		return config->region;
	if (strcmp(option, "host") == 0)
		return config->host;
	if (strcmp(option, "store") == 0)
		return config->store;
	if (strcmp(option, "start-from") == 0)
		return config->start_from;
	if (strcmp(option, "type") == 0)
		return config->types;
	if (strcmp(option, "content-type") == 0)
		return config->content_types.items ? config->content_types.items[0] : NULL;
	if (strcmp(option, "locale") == 0)
		return config->locales.items ? config->locales.items[0] : NULL;
	if (strcmp(option, "cache") == 0)
		return config->cache;
	if (strcmp(option, "delivery-token") == 0)
		return config->token;
	if (strcmp(option, "mountpoint") == 0)
		return config->mountpoint;
	if (strcmp(option, "profile") == 0)
		return config->profile;
	if (strcmp(option, "env-file") == 0)
		return config->env_file;
	long long number = strcmp(option, "cache-size") == 0      ? config->cache_bytes
			   : strcmp(option, "asset-timeout") == 0 ? config->patience_ms
			   : strcmp(option, "secure-assets") == 0 ? config->secure_assets
								  : config->interval_ms;
	snprintf(text, sizeof(text), "%lld", number);
	return text;
}

static const struct {
	const char *option;
	const char *value;
	const char *want; /* NULL: refused */
	const char *says; /* NULL: nothing in particular */
} settings[] = {
	{"api-key", "blt0123", "blt0123", NULL},
	{"api-key", "", NULL, "the API key is empty"},
	{"api-key", "a b", NULL, "the API key has a space or a control character in it"},
	{"api-key", "a\r\nx-evil: 1", NULL, "control character"},
	{"api-key", "a\x7f", NULL, "control character"},
	{"api-key", TOO_LONG, NULL, "the API key is too long"},
	{"environment", "production", "production", NULL},
	{"environment", "", NULL, "the environment is empty"},
	{"environment", "pre view", NULL, "space"},
	{"environment", TOO_LONG, NULL, "too long"},
	{"branch", "feature/x", "feature/x", NULL},
	{"branch", "", NULL, "the branch is empty"},
	{"branch", "a\tb", NULL, "control character"},
	{"region", "eu", "eu", NULL},
	{"region", "", NULL, "the region is empty"},
	{"region", "e u", NULL, "space"},
	{"host", "cdn.example.org", "https://cdn.example.org", NULL},
	{"host", "http://cdn.example.org", NULL, "unencrypted"},
	{"store", "/var/lib/x.db", "/var/lib/x.db", NULL},
	{"store", "relative name.db", "relative name.db", NULL},
	{"store", "", NULL, "the store is empty"},
	{"store", TOO_LONG, NULL, "too long"},
	{"content-type", "blog", "blog", NULL},
	{"content-type", "", NULL, "the content type is empty"},
	{"content-type", "a b", NULL, "space"},
	{"content-type", TOO_LONG, NULL, "too long"},
	{"locale", "en-us", "en-us", NULL},
	{"locale", "", NULL, "the locale is empty"},
	{"locale", "en us", NULL, "space"},
	{"start-from", "2026-01-31", "2026-01-31", NULL},
	{"start-from", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z", NULL},
	{"start-from", "2026-02-30", NULL, "'2026-02-30' is not a date"},
	{"start-from", "yesterday", NULL, "is not a date"},
	{"start-from", "", NULL, "is not a date"},
	{"type", "entry_published", "entry_published", NULL},
	{"type", "entry_published,asset_deleted,content_type_deleted",
	 "entry_published,asset_deleted,content_type_deleted", NULL},
	{"type", "entry_published,", NULL, "'' is not an item type"},
	{"type", "entry_published, asset_deleted ", "entry_published,asset_deleted", NULL},
	{"type", "entry_published asset_deleted", NULL, "'entry_published asset_deleted' is not an item type"},
	{"type", "entry", NULL, "'entry' is not an item type: there are entry_published, entry_unpublished"},
	{"type", "", NULL, "is not an item type"},
	{"interval", "30", "30000", NULL},
	{"interval", "0.1", "100", NULL},
	{"interval", "0.25", "250", NULL},
	{"interval", "86400", "86400000", NULL},
	{"interval", "1e2", "100000", NULL},
	{"interval", "0.09", NULL, "'0.09' is not a number of seconds from 0.1 to 86400"},
	{"interval", "0", NULL, "is not a number of seconds"},
	{"interval", "-1", NULL, "is not a number of seconds"},
	{"interval", "86401", NULL, "is not a number of seconds"},
	{"interval", "1e999", NULL, "is not a number of seconds"},
	{"interval", "nan", NULL, "is not a number of seconds"},
	{"interval", "inf", NULL, "is not a number of seconds"},
	{"interval", "30s", NULL, "is not a number of seconds"},
	{"interval", "", NULL, "is not a number of seconds"},
	{"asset-timeout", "2", "2000", NULL},
	{"asset-timeout", "soon", NULL, "the asset timeout 'soon' is not a number of seconds"},
	{"cache", "/x", "/x", NULL},
	{"cache", "", NULL, "the name of the cache is empty"},
	{"cache", TOO_LONG, NULL, "the name of the cache is empty or too long"},
	{"cache-size", "1048576", "1048576", NULL},
	{"cache-size", "1M", "1048576", NULL},
	{"cache-size", "2048k", "2097152", NULL},
	{"cache-size", "4G", "4294967296", NULL},
	{"cache-size", "1T", "1099511627776", NULL},
	{"cache-size", "1048575", NULL,
	 "the cache size '1048575' is not a number of bytes, as in 500M or 10G, from 1M"},
	{"cache-size", "0", NULL, "is not a number of bytes"},
	{"cache-size", "-1G", NULL, "is not a number of bytes"},
	{"cache-size", "1.5G", NULL, "is not a number of bytes"},
	{"cache-size", "10MB", NULL, "is not a number of bytes"},
	{"cache-size", "10 M", NULL, "is not a number of bytes"},
	{"cache-size", "M", NULL, "is not a number of bytes"},
	{"cache-size", "", NULL, "is not a number of bytes"},
	{"cache-size", "9999999999G", NULL, "is not a number of bytes"},
	{"cache-size", "99999999999999999999", NULL, "is not a number of bytes"},
	{"secure-assets", "1", "1", NULL},
	{"secure-assets", "0", "0", NULL},
	{"secure-assets", "yes", NULL, "'yes' is neither 1 nor 0"},
	{"delivery-token-file", "/nonexistent/token", NULL,
	 "the delivery token: cannot read /nonexistent/token: No such"},
	{"delivery-token-file", "", NULL, "the delivery token: cannot read"},
	{"delivery-token", SECRET, SECRET, NULL},
	{"delivery-token", SECRET " x", NULL, "the delivery token has a character in it that no token has"},
	{"mountpoint", "/mnt/x", "/mnt/x", NULL},
	{"mountpoint", "", NULL, "the name of the mount point is empty or too long"},
	{"profile", "work-2.eu", "work-2.eu", NULL},
	{"profile", "", NULL, "'' is no name of a profile"},
	{"profile", "../x", NULL, "'../x' is no name of a profile"},
	{"profile", "-x", NULL, "'-x' is no name of a profile"},
	{"profile", "none", NULL, "'none' is no name of a profile"},
	{"env-file", ".env", ".env", NULL},
	{"env-file", "", NULL, "the name of the env file is empty or too long"},
};

static void test_settings(void)
{
	for (size_t i = 0; i < COUNT(settings); i++) {
		CLEANUP(config_finish) struct config config;
		struct err err = {0};
		const char *value = settings[i].value == TOO_LONG ? "(too long)" : settings[i].value;
		config_init(&config);
		int rc = set(&config, settings[i].option, settings[i].value, &err);
		is_int(rc, settings[i].want ? 0 : -EINVAL, "--%s '%s' is %s", settings[i].option, value,
		       settings[i].want ? "taken" : "refused");
		if (settings[i].want)
			is_str(shown(&config, settings[i].option), settings[i].want, "--%s '%s' is kept",
			       settings[i].option, value);
		else if (!ok(settings[i].says && strstr(err.text, settings[i].says), "--%s '%s': the message says why",
			     settings[i].option, value))
			diag("  got: %s\n want: %s", err.text, settings[i].says);
	}
}

/* A value that is refused leaves the one that was there; a good one takes its place. */
static void test_later_values(void)
{
	static const char *const options[] = {"api-key", "environment", "branch", "region",
					      "host",    "start-from",  "type",   "interval"};
	static const char *const good[][2] = {{"a", "b"},
					      {"a", "b"},
					      {"a", "b"},
					      {"a", "b"},
					      {"https://a", "https://b"},
					      {"2026-01-01", "2026-01-02"},
					      {"entry_published", "asset_published"},
					      {"1", "2"}};
	for (size_t i = 0; i < COUNT(options); i++) {
		CLEANUP(config_finish) struct config config;
		char before[64];
		config_init(&config);
		set(&config, options[i], good[i][0], NULL);
		snprintf(before, sizeof(before), "%s", shown(&config, options[i]));
		is_int(set(&config, options[i], "", NULL), -EINVAL, "--%s: an empty value is refused", options[i]);
		is_str(shown(&config, options[i]), before, "--%s: what was set before stays", options[i]);
		is_int(set(&config, options[i], good[i][1], NULL), 0, "--%s: another value is taken", options[i]);
		ok(strcmp(shown(&config, options[i]), before) != 0, "--%s: and takes the place of the first",
		   options[i]);
	}
}

static void test_lists(void)
{
	CLEANUP(config_finish) struct config config;
	static const char *const values[] = {"page", "blog", "page", "Blog", "zoo", "blog", "a"};
	static const char *const want[] = {"Blog", "a", "blog", "page", "zoo"};
	struct err err = {0};
	config_init(&config);
	for (size_t i = 0; i < COUNT(values); i++)
		is_int(set(&config, "content-type", values[i], &err), 0, "content type %s is taken", values[i]);
	is_int((long long)config.content_types.count, COUNT(want), "the list has no repeats");
	for (size_t i = 0; i < COUNT(want); i++)
		is_str(config.content_types.items[i], want[i], "in order, item %zu", i);
	ok(config.content_types.items[COUNT(want)] == NULL, "and NULL at the end");

	int rc = 0;
	for (int i = 0; rc == 0 && i < CONFIG_LIST_MAX; i++) {
		char value[16];
		snprintf(value, sizeof(value), "l%d", i);
		rc = set(&config, "locale", value, &err);
	}
	is_int(rc, 0, "%d locales are taken", CONFIG_LIST_MAX);
	is_int(set(&config, "locale", "l7", &err), 0, "so is one that is there already");
	is_int(set(&config, "locale", "one-more", &err), -EINVAL, "one more is refused");
	is_str(err.text, "more than 256 times a locale", "with the reason");
	is_int((long long)config.locales.count, CONFIG_LIST_MAX, "and the list stays");
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

static void test_table(void)
{
	for (const struct setting *setting = config_settings; setting->option; setting++) {
		ok(setting->help && setting->set, "--%s has a help", setting->option);
		ok(find_setting(setting->option) == setting, "--%s is there once", setting->option);
		ok(!setting->variable || strncmp(setting->variable, "CONTENT", 7) == 0,
		   "--%s: its variable is one of ours", setting->option);
	}
	is_int(find_setting("delivery-token")->use, SETTING_PROFILE, "the token itself stands in profiles only");
}

/* --- the environment ---------------------------------------------------------------------------------------------- */

static void clear_environment(void)
{
	for (const struct setting *setting = config_settings; setting->option; setting++)
		if (setting->variable)
			unsetenv(setting->variable);
	unsetenv("CONTENTSTACK_DELIVERY_TOKEN");
}

static void test_environment(void)
{
	static const struct {
		const char *variable, *value, *option, *want;
	} rows[] = {
		{"CONTENTSTACK_API_KEY", "blt1", "api-key", "blt1"},
		{"CONTENTSTACK_ENVIRONMENT", "preview", "environment", "preview"},
		{"CONTENTSTACK_BRANCH", "dev", "branch", "dev"},
		{"CONTENTSTACK_REGION", "azure-na", "region", "azure-na"},
		{"CONTENTSTACK_HOST", "http://127.0.0.1:8080/", "host", "http://127.0.0.1:8080"},
		{"CONTENTFS_STORE", "/x/y.db", "store", "/x/y.db"},
		{"CONTENTFS_INTERVAL", "5", "interval", "5000"},
		{"CONTENTFS_CACHE", "/x/cache", "cache", "/x/cache"},
		{"CONTENTFS_CACHE_SIZE", "10M", "cache-size", "10485760"},
		{"CONTENTFS_ASSET_TIMEOUT", "2.5", "asset-timeout", "2500"},
		{"CONTENTFS_SECURE_ASSETS", "1", "secure-assets", "1"},
	};
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	clear_environment();
	for (size_t i = 0; i < COUNT(rows); i++)
		setenv(rows[i].variable, rows[i].value, 1);
	config_init(&config);
	is_int(config_load(&config, &err), 0, "the environment is read");
	for (size_t i = 0; i < COUNT(rows); i++)
		is_str(shown(&config, rows[i].option), rows[i].want, "%s", rows[i].variable);
	clear_environment();

	CLEANUP(config_finish) struct config empty;
	config_init(&empty);
	setenv("CONTENTSTACK_BRANCH", "", 1);
	setenv("CONTENTSTACK_DELIVERY_TOKEN", "", 1);
	is_int(config_load(&empty, &err), 0, "an empty variable counts as none");
	ok(!empty.branch && !empty.api_key && !empty.token, "and sets nothing");
	is_int(empty.interval_ms, CONFIG_INTERVAL_MS, "the interval has a default");

	setenv("CONTENTFS_INTERVAL", "soon", 1);
	is_int(config_load(&empty, &err), -EINVAL, "a variable that cannot be used is refused");
	ok(strncmp(err.text, "CONTENTFS_INTERVAL: ", 20) == 0, "and named: %s", err.text);
	clear_environment();
}

static void test_token_in_environment(void)
{
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	clear_environment();
	config_init(&config);
	setenv("CONTENTSTACK_DELIVERY_TOKEN", SECRET, 1);
	const char *where = getenv("CONTENTSTACK_DELIVERY_TOKEN");
	is_int(config_load(&config, &err), 0, "a token in the environment is taken");
	is_str(config.token, SECRET, "as it is");
	ok(!getenv("CONTENTSTACK_DELIVERY_TOKEN"), "the variable is gone");
	bool wiped = true;
	for (size_t i = 0; i < strlen(SECRET); i++)
		wiped &= where[i] == '\0';
	ok(wiped, "and the memory that /proc/PID/environ shows is overwritten");
	is_int(config_load(&config, &err), 0, "reading the environment again");
	is_str(config.token, SECRET, "does not lose the token");
	clear_environment();
}

static const struct {
	const char *name;
	const char *token;
	const char *says;
} bad_tokens[] = {
	{"a blank in it", SECRET " x", "has a character in it that no token has"},
	{"a newline at its end", SECRET "\n", "has a character in it that no token has"},
	{"a letter that is not ASCII", SECRET "\xc3\xa9", "has a character in it that no token has"},
	{"a control character", "\x01" SECRET, "has a character in it that no token has"},
	{"513 letters", LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS "x", "too long to be one"},
};

static void test_bad_tokens_in_environment(void)
{
	for (size_t i = 0; i < COUNT(bad_tokens); i++) {
		CLEANUP(config_finish) struct config config;
		struct err err = {0};
		config_init(&config);
		setenv("CONTENTSTACK_DELIVERY_TOKEN", bad_tokens[i].token, 1);
		const char *where = getenv("CONTENTSTACK_DELIVERY_TOKEN");
		is_int(config_load(&config, &err), -EINVAL, "a token with %s is refused", bad_tokens[i].name);
		if (!ok(strstr(err.text, "CONTENTSTACK_DELIVERY_TOKEN: ") && strstr(err.text, bad_tokens[i].says),
			"with the reason"))
			diag("%s", err.text);
		ok(!strstr(err.text, SECRET) && !strstr(err.text, LETTERS), "which does not quote it");
		ok(!config.token && !getenv("CONTENTSTACK_DELIVERY_TOKEN") && where[0] == '\0',
		   "and it is wiped all the same");
	}
	clear_environment();
}

/* A refusal of some other variable ends the program with the message; the token is not to outlive it either. */
static void test_token_beside_a_bad_variable(void)
{
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	clear_environment();
	config_init(&config);
	setenv("CONTENTSTACK_DELIVERY_TOKEN", SECRET, 1);
	setenv("CONTENTFS_INTERVAL", "soon", 1);
	is_int(config_load(&config, &err), -EINVAL, "a bad variable beside a token is refused");
	ok(!strstr(err.text, SECRET), "without the token in the message");
	ok(!getenv("CONTENTSTACK_DELIVERY_TOKEN"), "and the token is taken from the environment");
	clear_environment();
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *state, *home; /* XDG_STATE_HOME, HOME */
	const char *api_key, *environment, *branch;
	const char *want; /* NULL: refused */
	const char *says;
} places[] = {
	{"XDG_STATE_HOME is where stores are", "/s", "/h", "blt1", "dev", NULL, "/s/contentfs/blt1/dev/main.db", NULL},
	{"else it is under HOME", NULL, "/h", "blt1", "dev", NULL, "/h/.local/state/contentfs/blt1/dev/main.db", NULL},
	{"an empty XDG_STATE_HOME is none", "", "/h", "blt1", "dev", NULL, "/h/.local/state/contentfs/blt1/dev/main.db",
	 NULL},
	{"a relative one is ignored, as its specification says", "s", "/h", "blt1", "dev", NULL,
	 "/h/.local/state/contentfs/blt1/dev/main.db", NULL},
	{"the branch names the file", "/s", NULL, "blt1", "dev", "next", "/s/contentfs/blt1/dev/next.db", NULL},
	{"a slash in a name makes no folder", "/s", NULL, "blt1", "dev", "a/b", "/s/contentfs/blt1/dev/a%2Fb.db", NULL},
	{"two dots do not climb", "/s", NULL, "..", "..", "..", "/s/contentfs/%2E%2E/%2E%2E/%2E%2E.db", NULL},
	{"without HOME there is no place", NULL, NULL, "blt1", "dev", NULL, NULL, "set HOME or XDG_STATE_HOME"},
	{"without an API key there is no name", "/s", NULL, NULL, "dev", NULL, NULL,
	 "which store? Set CONTENTSTACK_API_KEY"},
	{"without an environment there is no name", "/s", NULL, "blt1", NULL, NULL, NULL, "which store?"},
};

static void set_variable(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void test_default_store(void)
{
	for (size_t i = 0; i < COUNT(places); i++) {
		CLEANUP(config_finish) struct config config;
		struct err err = {0};
		config_init(&config);
		set_variable("XDG_STATE_HOME", places[i].state);
		set_variable("HOME", places[i].home);
		if (places[i].api_key)
			set(&config, "api-key", places[i].api_key, NULL);
		if (places[i].environment)
			set(&config, "environment", places[i].environment, NULL);
		if (places[i].branch)
			set(&config, "branch", places[i].branch, NULL);
		is_int(config_complete(&config, false, &err), places[i].want ? 0 : -EINVAL, "%s", places[i].name);
		is_str(config.store, places[i].want, "%s: the path", places[i].name);
		if (places[i].says && !ok(strstr(err.text, places[i].says) != NULL, "%s: the message", places[i].name))
			diag("%s", err.text);
	}
}

static void test_given_store(void)
{
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	char here[PATH_MAX], want[PATH_MAX + 16];
	if (!ok(getcwd(here, sizeof(here)) != NULL, "there is a current folder"))
		return;
	config_init(&config);
	unsetenv("HOME");
	unsetenv("XDG_STATE_HOME");
	set(&config, "store", "sub/x.db", NULL);
	is_int(config_complete(&config, false, &err), 0, "a store that was named needs nothing else");
	snprintf(want, sizeof(want), "%s/sub/x.db", here);
	is_str(config.store, want, "its path is made absolute");
	is_int(config_complete(&config, false, &err), 0, "completing again");
	is_str(config.store, want, "changes nothing");
}

static void test_credentials(void)
{
	static const struct {
		const char *name, *api_key, *token, *environment, *says;
	} rows[] = {
		{"no stack", NULL, SECRET, "dev", "which stack? Set CONTENTSTACK_API_KEY or use --api-key"},
		{"no token", "blt1", NULL, "dev", "the delivery token is missing: set CONTENTSTACK_DELIVERY_TOKEN"},
		{"no environment", "blt1", SECRET, NULL, "which environment? Set CONTENTSTACK_ENVIRONMENT"},
		{"all of them", "blt1", SECRET, "dev", NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(config_finish) struct config config;
		struct err err = {0};
		clear_environment();
		set_variable("CONTENTSTACK_API_KEY", rows[i].api_key);
		set_variable("CONTENTSTACK_DELIVERY_TOKEN", rows[i].token);
		set_variable("CONTENTSTACK_ENVIRONMENT", rows[i].environment);
		config_init(&config);
		config_load(&config, NULL);
		set(&config, "store", "/x.db", NULL);
		is_int(config_complete(&config, true, &err), rows[i].says ? -EINVAL : 0, "%s", rows[i].name);
		ok(!strstr(err.text, SECRET), "%s: no token in the message", rows[i].name);
		if (rows[i].says && !ok(strstr(err.text, rows[i].says) != NULL, "%s: the message", rows[i].name))
			diag("%s", err.text);
	}
	clear_environment();
}

int main(void)
{
	test_table();
	test_settings();
	test_later_values();
	test_lists();
	test_environment();
	test_token_in_environment();
	test_bad_tokens_in_environment();
	test_token_beside_a_bad_variable();
	test_default_store();
	test_given_store();
	test_credentials();
	return tap_done();
}
