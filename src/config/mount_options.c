#include "config/mount_options.h"

#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel and libfuse understand and a read-only, private file system can grant. */
static const char *const passed_on[] = {
	"allow_other", "allow_root", "auto_unmount", "dev",   "nodev",   "suid",  "nosuid",
	"exec",        "noexec",     "sync",         "async", "dirsync", "atime", "noatime",
};

/* Words of fstab and of mount(8) that ask for nothing here. */
static const char *const understood[] = {
	"ro",       "auto",   "noauto",  "user",     "nouser",     "users",
	"defaults", "nofail", "_netdev", "relatime", "norelatime", "default_permissions",
};

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

static int take_word(struct config *config, struct slice word, struct buf *passed, struct err *err)
{
	unsigned long value = 0;
	int rc = 0;
	if (starts_with(word, "uid=")) {
		rc = number(word, "uid=", 10, (uid_t)-2, &value, err);
		config->uid = rc == 0 ? (uid_t)value : config->uid;
	} else if (starts_with(word, "gid=")) {
		rc = number(word, "gid=", 10, (gid_t)-2, &value, err);
		config->gid = rc == 0 ? (gid_t)value : config->gid;
	} else if (starts_with(word, "umask=")) {
		rc = number(word, "umask=", 8, 0777, &value, err);
		config->umask = rc == 0 ? (mode_t)value : config->umask;
	} else if (is_in(word, passed_on, sizeof(passed_on) / sizeof(passed_on[0]))) {
		buf_printf(passed, "%s%.*s", passed->len ? "," : "", SLICE_FMT(word));
	} else if (slice_is(word, "rw")) {
		rc = err_set(err, -EINVAL, "the mount option 'rw' cannot be granted: contentfs is read-only");
	} else if (word.len > 0 && !starts_with(word, "x-") && !starts_with(word, "comment=") &&
		   !is_in(word, understood, sizeof(understood) / sizeof(understood[0]))) {
		rc = err_set(
			err, -EINVAL,
			"the mount option '%.*s' is not known: there are allow_other, allow_root, auto_unmount, uid=, "
			"gid=, umask= and the general ones of mount(8)",
			SLICE_FMT(word));
	}
	return rc;
}

int mount_options_set(struct config *config, const char *list, struct err *err)
{
	CLEANUP(buf_finish) struct buf passed = BUF_INIT;
	if (config->mount_options)
		buf_append_text(&passed, config->mount_options);
	for (const char *at = list; at;) {
		const char *comma = strchr(at, ',');
		struct slice word = slice_make(at, comma ? (size_t)(comma - at) : strlen(at));
		int rc = take_word(config, word, &passed, err);
		if (rc < 0)
			return rc;
		at = comma ? comma + 1 : NULL;
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
