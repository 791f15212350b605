#include "config/mount_options.h"

#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel and libfuse understand and a read-only, private file system can grant. */
static const char *const passed_on[] = {
	"allow_other", "allow_root", "auto_unmount", "dev",   "nodev",   "suid",  "nosuid",
	"exec",        "noexec",     "sync",         "async", "dirsync", "atime", "noatime",
};

static const char *const passed_on_values[] = {"fsname=", "max_read="};

/* Words of fstab and of mount(8) that ask for nothing here. */
static const char *const understood[] = {
	"ro",
	"auto",
	"noauto",
	"user",
	"nouser",
	"users",
	"group",
	"owner",
	"defaults",
	"nofail",
	"_netdev",
	"relatime",
	"norelatime",
	"diratime",
	"nodiratime",
	"strictatime",
	"silent",
	"loud",
	"lazytime",
	"nolazytime",
	"nonempty",
	"nostrictatime",
	"default_permissions",
};

static const char *const understood_values[] = {"x-", "X-", "comment=", "user=", "helper=", "uhelper="};

static bool is_in(struct slice word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(word, words[i]))
			return true;
	return false;
}

static int number(struct slice word, const char *key, int base, unsigned long max, unsigned long *out, struct err *err)
{
	size_t skip = strlen(key);
	char digits[16] = "";
	if (word.len - skip < sizeof(digits))
		memcpy(digits, word.at + skip, word.len - skip);
	char *end;
	errno = 0;
	unsigned long value = strtoul(digits, &end, base);
	if (digits[0] < '0' || digits[0] > '9' || *end || errno || value > max)
		return err_set(err, -EINVAL, "the mount option '%.*s' needs a number%s", SLICE_FMT(word),
			       base == 8 ? " in octal, up to 777" : "");
	*out = value;
	return 0;
}

static bool starts_with(struct slice word, const char *key)
{
	return word.len >= strlen(key) && memcmp(word.at, key, strlen(key)) == 0;
}

static bool starts_with_any(struct slice word, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (starts_with(word, keys[i]))
			return true;
	return false;
}

#define IS_IN(word, words) is_in(word, words, sizeof(words) / sizeof((words)[0]))
#define STARTS_WITH_ANY(word, keys) starts_with_any(word, keys, sizeof(keys) / sizeof((keys)[0]))

static struct slice name_of(struct slice word)
{
	const char *equals = word.len > 0 ? memchr(word.at, '=', word.len) : NULL;
	return slice_make(word.at, equals ? (size_t)(equals - word.at) : word.len);
}

/* What stands behind the name, without its quotes, as a string of its own; NULL without memory. */
static char *value_of(struct slice word)
{
	struct slice value = slice_make(word.at + word.len, 0);
	size_t skip = name_of(word).len + 1;
	if (word.len > skip)
		value = slice_make(word.at + skip, word.len - skip);
	if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
		value = slice_make(value.at + 1, value.len - 2);
	return strndup(value.at, value.len);
}

static int take_setting(struct config *config, const struct setting *setting, struct slice word, struct err *err)
{
	bool has_value = name_of(word).len < word.len;
	if (setting->use == SETTING_PROFILE && strcmp(setting->option, "delivery-token") == 0)
		return err_set(err, -EINVAL,
			       "the mount option 'delivery-token' would show the token to everybody: use "
			       "delivery-token-file=, or a profile");
	if (setting->use == SETTING_SOURCE || setting->use == SETTING_PROFILE || !setting->option[1])
		return err_set(err, -EINVAL, "'%s' cannot be a mount option", setting->option);
	if (setting->argument && !has_value)
		return err_set(err, -EINVAL, "the mount option '%s' needs a value: %s=%s", setting->option,
			       setting->option, setting->argument);
	CLEANUP(cleanup_free) char *value = has_value ? value_of(word) : strdup("1");
	if (!value)
		return err_oom(err);
	int rc = setting->set(config, value, err);
	return rc < 0 ? err_prefix(err, rc, "the mount option '%s'", setting->option) : 0;
}

/* How a list is read. */
enum manner { AS_TYPED = 0, RW_IS_NOTHING = 1, SLOPPY = 2 };

/* Of a value that is not known only the name is quoted: it may be a secret. */
static int unknown(struct slice word, int manner, struct err *err)
{
	if (manner & SLOPPY)
		return 0;
	return err_set(
		err, -EINVAL,
		"the mount option '%.*s' is not known: there are allow_other, allow_root, auto_unmount, uid=, gid=, "
		"umask=, the general ones of mount(8), and the settings of contentfs mount --help, as in "
		"interval=10",
		SLICE_FMT(name_of(word)));
}

static int take_word(struct config *config, struct slice word, int manner, struct buf *passed, struct err *err)
{
	unsigned long value = 0;
	int rc = 0;
	const struct setting *setting;
	if (starts_with(word, "uid=")) {
		rc = number(word, "uid=", 10, (uid_t)-2, &value, err);
		config->uid = rc == 0 ? (uid_t)value : config->uid;
	} else if (starts_with(word, "gid=")) {
		rc = number(word, "gid=", 10, (gid_t)-2, &value, err);
		config->gid = rc == 0 ? (gid_t)value : config->gid;
	} else if (starts_with(word, "umask=")) {
		rc = number(word, "umask=", 8, 0777, &value, err);
		config->umask = rc == 0 ? (mode_t)value : config->umask;
	} else if (IS_IN(word, passed_on) || STARTS_WITH_ANY(word, passed_on_values)) {
		if (starts_with(word, "max_read="))
			rc = number(word, "max_read=", 10, INT_MAX, &value, err);
		buf_printf(passed, "%s%.*s", passed->len ? "," : "", SLICE_FMT(word));
	} else if (slice_is(word, "rw") && !(manner & RW_IS_NOTHING)) {
		rc = err_set(err, -EINVAL, "the mount option 'rw' cannot be granted: contentfs is read-only");
	} else if (slice_is(word, "remount")) {
		rc = err_set(err, -EINVAL,
			     "contentfs cannot be remounted: unmount it, and mount it with other options");
	} else if ((setting = config_find_setting(name_of(word)))) {
		rc = take_setting(config, setting, word, err);
	} else if (word.len > 0 && !slice_is(word, "rw") && !IS_IN(word, understood) &&
		   !STARTS_WITH_ANY(word, understood_values)) {
		rc = unknown(word, manner, err);
	}
	return rc;
}

/* Up to a comma that stands in no quotes. */
static struct slice next_word(const char *at)
{
	bool quoted = false;
	size_t len = 0;
	while (at[len] && (at[len] != ',' || quoted))
		quoted ^= at[len++] == '"';
	return slice_make(at, len);
}

static int take_list(struct config *config, const char *list, int manner, struct err *err)
{
	CLEANUP(buf_finish) struct buf passed = BUF_INIT;
	if (config->mount_options)
		buf_append_text(&passed, config->mount_options);
	for (const char *at = list; at;) {
		struct slice word = next_word(at);
		int rc = take_word(config, word, manner, &passed, err);
		if (rc < 0)
			return rc;
		at += word.len;
		at = *at ? at + 1 : NULL;
	}
	if (passed.failed)
		return err_oom(err);
	if (passed.len == 0)
		return 0;
	free(config->mount_options);
	config->mount_options = passed.text;
	passed = (struct buf)BUF_INIT;
	return 0;
}

int mount_options_set(struct config *config, const char *list, struct err *err)
{
	return take_list(config, list, AS_TYPED, err);
}

int mount_options_from_mount(struct config *config, const char *list, bool sloppy, struct err *err)
{
	return take_list(config, list, RW_IS_NOTHING | (sloppy ? SLOPPY : 0), err);
}
