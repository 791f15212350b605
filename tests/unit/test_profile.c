/* Profiles: what a file of them may say, who may read it, and which file counts. */
#include "config/profile.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "cs0123s3cretT0ken"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* --- the text ----------------------------------------------------------------------------------------------------- */

static int write_down(void *context, const struct profile_line *line, struct err *err)
{
	(void)err;
	return buf_printf(context, "%d %s.%s=%s;", line->number, line->profile, line->setting->option, line->value);
}

static const struct {
	const char *name;
	const char *text;
	const char *want; /* NULL: refused */
	const char *says;
} texts[] = {
	{"nothing", "", "", NULL},
	{"a profile", "[work]\napi-key = blt1\nenvironment=dev\n", "2 work.api-key=blt1;3 work.environment=dev;", NULL},
	{"two profiles", "[a]\nbranch = x\n\n[b]\nbranch = y\n", "2 a.branch=x;5 b.branch=y;", NULL},
	{"comments", "# one\n; two\n[a]\n# three\nbranch = x ; four\n", "5 a.branch=x;", NULL},
	{"a colon", "[a]\nhost: https://x\n", "2 a.host=https://x;", NULL},
	{"a value without a newline", "[a]\nbranch=x", "2 a.branch=x;", NULL},
	{"lines as Windows ends them", "[a]\r\nbranch = x\r\n", "2 a.branch=x;", NULL},
	{"a byte order mark", "\xef\xbb\xbf[a]\nbranch = x\n", "2 a.branch=x;", NULL},
	{"an equals sign in a value", "[a]\no = uid=1,gid=2\n", "2 a.o=uid=1,gid=2;", NULL},
	{"an empty value is none", "[a]\nbranch =\nregion = eu\n", "3 a.region=eu;", NULL},
	{"what may be said several times", "[a]\nlocale = x\nlocale = y\n", "2 a.locale=x;3 a.locale=y;", NULL},
	{"or be indented below", "[a]\nlocale = x\n  y\n\tz\n", "2 a.locale=x;3 a.locale=y;4 a.locale=z;", NULL},
	{"a profile without settings", "[a]\n[b]\nbranch = x\n", "3 b.branch=x;", NULL},
	{"the token", "[a]\ndelivery-token = " SECRET "\n", "2 a.delivery-token=" SECRET ";", NULL},
	{"an unknown key", "[a]\n\nbogus = 1\n", NULL, "f:3: the key 'bogus' is not known"},
	{"a key of a command line only", "[a]\nprofile = b\n", NULL, "f:2: the key 'profile' is not known"},
	{"a key that is there twice", "[a]\nbranch = x\nbranch = y\n", NULL, "f:3: the key 'branch' is there twice"},
	{"one that goes on below", "[a]\nbranch = x\n  y\n", NULL, "f:3: the key 'branch' is there twice"},
	{"a profile that is there twice", "[a]\nbranch = x\n[b]\nbranch = x\n[a]\nregion = eu\n", NULL,
	 "f:6: the profile [a] is there twice"},
	{"twice in a row", "[a]\nbranch = x\n[a]\nregion = eu\n", NULL, "f:4: the profile [a] is there twice"},
	{"a line before any profile", "branch = x\n", NULL, "f:1: the line stands in no profile"},
	{"a name that none can have", "[a b]\nbranch = x\n", NULL, "f:2: 'a b' is no name of a profile"},
	{"a name that is too long", "[" X50 "]\nbranch = x\n", NULL, "is no name of a profile"},
	{"a line that says nothing", "[a]\nbranch\n", NULL, "f:2: this is neither [PROFILE] nor KEY = VALUE"},
	{"a bracket that stays open", "[a\nbranch = x\n", NULL, "f:1: this is neither"},
	{"a line of 199 bytes", "[a]\nbranch = " X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", NULL,
	 "f:2: the line has more than 198 bytes"},
	{"a token in a line that is refused", "[a]\ndelivery-token = " SECRET "\ndelivery-token = " SECRET "\n", NULL,
	 "f:3: the key 'delivery-token' is there twice"},
	{"a token in no profile", "delivery-token = " SECRET "\n", NULL, "f:1"},
};

static void test_texts(void)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(buf_finish) struct buf got = BUF_INIT;
		struct err err = {0};
		bool secret = false;
		int rc = profile_parse(texts[i].text, "f", write_down, &got, &secret, &err);
		is_int(rc, texts[i].want ? 0 : -EINVAL, "%s: is %s", texts[i].name, texts[i].want ? "read" : "refused");
		if (texts[i].want)
			is_str(buf_text(&got), texts[i].want, "%s: what it says", texts[i].name);
		else if (!ok(strstr(err.text, texts[i].says) != NULL, "%s: the message", texts[i].name))
			diag("  got: %s\n want: %s", err.text, texts[i].says);
		ok(!strstr(err.text, SECRET), "%s: no token in the message", texts[i].name);
		if (texts[i].want)
			is_int(secret, strstr(texts[i].want, SECRET) != NULL, "%s: whether a token is in it",
			       texts[i].name);
	}
}

static void test_many(void)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	CLEANUP(buf_finish) struct buf got = BUF_INIT;
	struct err err = {0};
	bool secret;
	for (int i = 0; i < PROFILES_MAX; i++)
		buf_printf(&text, "[p%d]\nbranch = x\n", i);
	is_int(profile_parse(text.text, "f", write_down, &got, &secret, &err), 0, "%d profiles are read", PROFILES_MAX);
	buf_append_text(&text, "[more]\nbranch = x\n");
	is_int(profile_parse(text.text, "f", write_down, &got, &secret, &err), -EINVAL, "one more is refused");
	ok(strstr(err.text, "more than 256 profiles") != NULL, "with the reason: %s", err.text);
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/contentfs-profile.XXXXXX";
static char path[64];

static void make_file(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) < 0) {
		printf("Bail out! cannot make %s\n", path);
		exit(1);
	}
}

static void make_folders(void)
{
	char config[64];
	if (!mkdtemp(folder)) {
		puts("Bail out! cannot make a folder");
		exit(1);
	}
	setenv("HOME", folder, 1);
	setenv("XDG_CONFIG_HOME", folder, 1);
	snprintf(config, sizeof(config), "%s/contentfs", folder);
	snprintf(path, sizeof(path), "%s/config", config);
	mkdir(config, 0700);
}

static void remove_folders(void)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	ok(rmdir(folder) == 0, "nothing else was made");
}

static int load(struct config *config, const char *profile, struct err *err)
{
	config_init(config);
	config->profile = strdup(profile);
	return profile_load(config, err);
}

static const struct {
	const char *name;
	const char *text;
	mode_t mode;
	const char *says; /* NULL: it is taken */
} files[] = {
	{"a file of its owner", "[a]\nbranch = x\ndelivery-token = " SECRET "\n", 0600, NULL},
	{"one that others read, without a token", "[a]\nbranch = x\n", 0644, NULL},
	{"one that others read, with a token", "[a]\nbranch = x\ndelivery-token = " SECRET "\n", 0644, "chmod 600"},
	{"with the token of another profile", "[a]\nbranch = x\n[b]\ndelivery-token = " SECRET "\n", 0640, "chmod 600"},
	{"one that others may change", "[a]\nbranch = x\n", 0660, "others may change"},
	{"an unknown key of another profile", "[a]\nbranch = x\n[b]\nbogus = 1\n", 0600, "config:4: the key 'bogus'"},
	{"a value that cannot be used", "[a]\nbranch = x\ninterval = soon\n", 0600, "interval: the interval 'soon'"},
	{"one of another profile is its own matter", "[a]\nbranch = x\n[b]\ninterval = soon\n", 0600, NULL},
	{"a path from nowhere", "[a]\nbranch = x\nstore = x.db\n", 0600, "store: the path has to begin with / or ~/"},
	{"no such profile", "[b]\nbranch = x\n", 0600, "there is no profile 'a'"},
};

static void test_files(void)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(config_finish) struct config config;
		struct err err = {0};
		make_file(files[i].text, files[i].mode);
		is_int(load(&config, "a", &err), files[i].says ? -EINVAL : 0, "%s", files[i].name);
		if (!files[i].says)
			is_str(config.branch, "x", "%s: it is taken", files[i].name);
		else if (!ok(strstr(err.text, files[i].says) && strstr(err.text, path), "%s: the message says why",
			     files[i].name))
			diag("  got: %s\n want: %s", err.text, files[i].says);
		ok(!strstr(err.text, SECRET), "%s: no token in it", files[i].name);
		if (files[i].says)
			ok(!config.token, "%s: and nothing of it is taken", files[i].name);
	}
	unlink(path);
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	is_int(load(&config, "a", &err), -EINVAL, "no file at all");
	ok(strstr(err.text, "contentfs configure a") != NULL, "says how to get one: %s", err.text);
}

static void test_order(void)
{
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	make_file("[a]\nbranch = of-profile\nregion = eu\ninterval = 5\ncontent-type = x\n  y\nstore = ~/s.db\n", 0600);
	config_init(&config);
	config.profile = strdup("a");
	setenv("CONTENTSTACK_BRANCH", "of-environment", 1);
	is_int(config_load(&config, &err), 0, "a profile and the environment are taken");
	unsetenv("CONTENTSTACK_BRANCH");
	is_str(config.branch, "of-environment", "the environment counts more than the profile");
	is_str(config.region, "eu", "the profile says what nothing else does");
	ok(strncmp(config.store, folder, strlen(folder)) == 0, "~ is the home folder: %s", config.store);
	is_int((long long)config.content_types.count, 2, "a list has what the profile says");
	config_find_setting(slice_of("content-type"))->set(&config, "z", NULL);
	config_find_setting(slice_of("content-type"))->set(&config, "w", NULL);
	is_int((long long)config.content_types.count, 2, "until an option says another one");
	is_str(config.content_types.items[1], "z", "which adds up by itself");
}

int main(void)
{
	make_folders();
	test_texts();
	test_many();
	test_files();
	test_order();
	remove_folders();
	return tap_done();
}
