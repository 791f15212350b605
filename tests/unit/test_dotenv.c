/* .env files. */
#include "config/dotenv.h"
#include "tap.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "cs0123s3cretT0ken"

static const struct {
	const char *name;
	const char *text;
	const char *want; /* LINE:NAME=VALUE; of each */
} texts[] = {
	{"nothing", "", ""},
	{"a variable", "A=b\n", "1:A=b;"},
	{"without a newline", "A=b", "1:A=b;"},
	{"several", "A=b\n\nC=d\n", "1:A=b;3:C=d;"},
	{"lines as Windows ends them", "A=b\r\nC=d\r\n", "1:A=b;2:C=d;"},
	{"blanks around it", "  A = b  \n", "1:A=b;"},
	{"export", "export A=b\nexport\tC=d\nexport=1\nexporter=2\n", "1:A=b;2:C=d;3:export=1;4:exporter=2;"},
	{"comments", "# no=1\nA=b # c\n  # no=2\n", "2:A=b;"},
	{"a comment needs a blank", "A=b#c\n", "1:A=b#c;"},
	{"nothing but a comment", "A= # c\n", "1:A=;"},
	{"an empty value", "A=\nB=\"\"\nC=''\n", "1:A=;2:B=;3:C=;"},
	{"an equals sign in it", "A=b=c\n", "1:A=b=c;"},
	{"double quotes", "A=\"b c\" # d\n", "1:A=b c;"},
	{"single quotes", "A='b \" c'\n", "1:A=b \" c;"},
	{"back quotes", "A=`b`\n", "1:A=b;"},
	{"a comment sign in quotes", "A=\"b # c\"\n", "1:A=b # c;"},
	{"an escaped quote", "A=\"b\\\"c\"\nD=e\n", "1:A=b\\\"c;2:D=e;"},
	{"quotes over lines", "A=\"b\nc\"\nD=e\n", "1:A=b\nc;3:D=e;"},
	{"a quote that stays open", "A=\"b\nC=d\n", "1:A=\"b;2:C=d;"},
	{"what is no variable", "hello\n= x\n1 2\n-A=b\nC=d\n", "5:C=d;"},
	{"a name with a dash", "A-B=c\nD=e\n", "2:D=e;"},
	{"blanks only", " \n\t\n", ""},
};

static void test_texts(void)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(buf_finish) struct buf got = BUF_INIT;
		struct slice text = slice_of(texts[i].text);
		struct dotenv_line line;
		int number = 0;
		while (dotenv_next(&text, &number, &line))
			buf_printf(&got, "%d:%.*s=%.*s;", line.number, SLICE_FMT(line.name), SLICE_FMT(line.value));
		is_str(buf_text(&got), texts[i].want, "%s", texts[i].name);
	}
}

static void test_names(void)
{
	static const char *const rows[][2] = {
		{"CONTENTSTACK_API_KEY", "CONTENTSTACK_API_KEY"},
		{"NEXT_PUBLIC_CONTENTSTACK_API_KEY", "CONTENTSTACK_API_KEY"},
		{"REACT_APP_X", "X"},
		{"VITE_X", "X"},
		{"NUXT_PUBLIC_X", "X"},
		{"NUXT_X", "X"},
		{"PUBLIC_X", "X"},
		{"NEXT_PUBLIC_", "NEXT_PUBLIC_"},
		{"MY_X", "MY_X"},
		{"", ""},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		is_slice(dotenv_plain_name(slice_of(rows[i][0])), slice_of(rows[i][1]), "'%s' is '%s'", rows[i][0],
			 rows[i][1]);
}

/* --- settings of it ----------------------------------------------------------------------------------------------- */

static char path[] = "/tmp/contentfs-dotenv.XXXXXX";

static int load(struct config *config, const char *text, mode_t mode, struct err *err)
{
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) < 0) {
		printf("Bail out! cannot make %s\n", path);
		exit(1);
	}
	config_init(config);
	config->env_file = strdup(path);
	return dotenv_load(config, err);
}

static void test_starter(void)
{
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	is_int(load(&config,
		    "# Stack details\n"
		    "CONTENTSTACK_API_KEY='blt1'\n"
		    "export CONTENTSTACK_DELIVERY_TOKEN=" SECRET "\n"
		    "NEXT_PUBLIC_CONTENTSTACK_ENVIRONMENT=\"preview\" # which\n"
		    "CONTENTSTACK_REGION=EU\n"
		    "NEXT_PUBLIC_CONTENTSTACK_BRANCH=prefixed\n"
		    "CONTENTSTACK_BRANCH=\n"
		    "CONTENTSTACK_MANAGEMENT_TOKEN=${OTHER}\n"
		    "CONTENTSTACK_LIVE_PREVIEW=true\n"
		    "CONTENTFS_PROFILE=other\n"
		    "DATABASE_URL=postgres://u:p@h/d\n"
		    "what is this\n",
		    0600, &err),
	       0, "a file of a starter project is read: %s", err.text);
	is_str(config.api_key, "blt1", "the stack");
	is_str(config.token, SECRET, "the token");
	is_str(config.environment, "preview", "the environment, by the name for a browser");
	is_str(config.region, "EU", "the region");
	is_str(config.branch, "prefixed", "an empty one is none");
	ok(!config.profile, "it names no profile");
}

static const struct {
	const char *name;
	const char *text;
	mode_t mode;
	const char *want; /* the environment; NULL: refused */
	const char *says;
} files[] = {
	{"the name without a prefix counts more", "CONTENTSTACK_ENVIRONMENT=a\nVITE_CONTENTSTACK_ENVIRONMENT=b\n", 0600,
	 "a", NULL},
	{"of two the last counts", "CONTENTSTACK_ENVIRONMENT=a\nCONTENTSTACK_ENVIRONMENT=b\n", 0600, "b", NULL},
	{"without a token everybody may read it", "CONTENTSTACK_ENVIRONMENT=a\n", 0644, "a", NULL},
	{"with a token nobody else may", "CONTENTSTACK_DELIVERY_TOKEN=" SECRET "\n", 0644, NULL, "chmod 600"},
	{"under a browser's name neither", "NEXT_PUBLIC_CONTENTSTACK_DELIVERY_TOKEN=" SECRET "\n", 0640, NULL,
	 "chmod 600"},
	{"others may not change it", "CONTENTSTACK_ENVIRONMENT=a\n", 0606, NULL, "others may change"},
	{"a value made of another", "\nCONTENTSTACK_ENVIRONMENT=${STAGE}\n", 0600, NULL,
	 ":2: CONTENTSTACK_ENVIRONMENT: the value is made of another variable"},
	{"in quotes as well", "CONTENTSTACK_ENVIRONMENT=\"x-${STAGE}\"\n", 0600, NULL, "made of another variable"},
	{"in single quotes it is as it stands", "CONTENTSTACK_ENVIRONMENT='${STAGE}'\n", 0600, "${STAGE}", NULL},
	{"a value that cannot be used", "CONTENTSTACK_ENVIRONMENT=\"a b\"\n", 0600, NULL,
	 ":1: CONTENTSTACK_ENVIRONMENT: the "},
	{"a token that cannot be one", "CONTENTSTACK_DELIVERY_TOKEN=\"" SECRET " x\"\n", 0600, NULL, "no token has"},
	{"nothing of ours", "DATABASE_URL=x\n", 0600, NULL, "is it the right file?"},
	{"nothing", "", 0600, NULL, "is it the right file?"},
};

static void test_files(void)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(config_finish) struct config config;
		struct err err = {0};
		is_int(load(&config, files[i].text, files[i].mode, &err), files[i].want ? 0 : -EINVAL, "%s",
		       files[i].name);
		if (files[i].want)
			is_str(config.environment, files[i].want, "%s: what is taken", files[i].name);
		else if (!ok(strstr(err.text, files[i].says) && strstr(err.text, path), "%s: the message",
			     files[i].name))
			diag("  got: %s\n want: %s", err.text, files[i].says);
		ok(!strstr(err.text, SECRET), "%s: no token in it", files[i].name);
	}
	unlink(path);
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	config_init(&config);
	config.env_file = strdup(path);
	is_int(dotenv_load(&config, &err), -EINVAL, "no such file is refused: %s", err.text);
}

int main(void)
{
	int fd = mkstemp(path);
	if (fd < 0) {
		puts("Bail out! cannot make a file");
		return 1;
	}
	close(fd);
	test_texts();
	test_names();
	test_starter();
	test_files();
	return tap_done();
}
