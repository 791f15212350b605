/* The delivery token from a file that nobody else may read. */
#include "config/token.h"
#include "tap.h"
#include "util/cleanup.h"
#include "util/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECRET "cs0123s3cretT0ken"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X512 X64 X64 X64 X64 X64 X64 X64 X64

static char folder[256];
static char path[300];

static void make_file(const char *content, mode_t mode)
{
	unlink(path);
	FILE *file = fopen(path, "w");
	if (!file || fputs(content, file) < 0 || fclose(file) != 0 || chmod(path, mode) < 0) {
		printf("Bail out! cannot make %s\n", path);
		exit(1);
	}
}

static const struct {
	const char *name;
	const char *content;
	mode_t mode;
	const char *want; /* NULL: refused */
	const char *says;
} files[] = {
	{"a line of its own", SECRET "\n", 0600, SECRET, NULL},
	{"no newline", SECRET, 0600, SECRET, NULL},
	{"a line as Windows ends it", SECRET "\r\n", 0600, SECRET, NULL},
	{"a file that its owner may only read", SECRET "\n", 0400, SECRET, NULL},
	{"a file that its owner may run", SECRET "\n", 0700, SECRET, NULL},
	{"512 letters", X512 "\n", 0600, X512, NULL},
	{"a second line, which does not count", SECRET "\nand more\n", 0600, SECRET, NULL},
	{"a file that its group may read", SECRET "\n", 0640, NULL, "others may read"},
	{"a file that its group may write", SECRET "\n", 0620, NULL, "others may read"},
	{"a file that everybody may read", SECRET "\n", 0604, NULL, "others may read"},
	{"a file that everybody may run", SECRET "\n", 0601, NULL, "others may read"},
	{"an empty file", "", 0600, NULL, "the delivery token is empty"},
	{"an empty line", "\n" SECRET "\n", 0600, NULL, "the delivery token is empty"},
	{"513 letters", X512 "x\n", 0600, NULL, "too long"},
	{"thousands of letters", X512 X512 X512 X512, 0600, NULL, "too long"},
	{"a blank before it", " " SECRET "\n", 0600, NULL, "a character in it that no token has"},
	{"a blank after it", SECRET " \n", 0600, NULL, "a character in it that no token has"},
	{"a byte order mark", "\xef\xbb\xbf" SECRET "\n", 0600, NULL, "a character in it that no token has"},
};

static void test_files(void)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(token_wipe) char *token = NULL;
		struct err err = {0};
		make_file(files[i].content, files[i].mode);
		int rc = token_read(path, &token, &err);
		is_int(rc, files[i].want ? 0 : -EINVAL, "%s is %s", files[i].name, files[i].want ? "taken" : "refused");
		is_str(token, files[i].want, "%s: the token", files[i].name);
		ok(!strstr(err.text, SECRET) && !strstr(err.text, X64), "%s: no token in the message", files[i].name);
		if (files[i].says && !ok(strstr(err.text, files[i].says) && strstr(err.text, path),
					 "%s: the message says why", files[i].name))
			diag("  got: %s\n want: %s", err.text, files[i].says);
	}
}

static void test_no_text(void)
{
	CLEANUP(token_wipe) char *token = NULL;
	struct err err = {0};
	make_file(SECRET, 0600);
	FILE *file = fopen(path, "a");
	ok(file && fwrite("\0\n", 1, 2, file) == 2 && fclose(file) == 0, "(there is a file with a NUL in it)");
	is_int(token_read(path, &token, &err), -EINVAL, "which is refused");
	ok(strstr(err.text, "not a text") && strstr(err.text, path), "as what it is: %s", err.text);
	ok(!token, "and not read up to there");
}

static void test_what_is_no_file(void)
{
	CLEANUP(token_wipe) char *token = NULL;
	struct err err = {0};
	is_int(token_read(folder, &token, &err), -EINVAL, "a folder is refused");
	ok(strstr(err.text, "is not a file") != NULL, "as what it is: %s", err.text);
	unlink(path);
	is_int(token_read(path, &token, &err), -EINVAL, "a file that is not there is refused");
	if (mkfifo(path, 0600) == 0)
		is_int(token_read(path, &token, &err), -EINVAL, "a pipe is refused, at once");
	is_int(token_read("/dev/null", &token, &err), -EINVAL, "a device is refused");
	ok(!token, "and no token comes of any of them");
}

static void test_replacing(void)
{
	CLEANUP(token_wipe) char *token = NULL;
	struct err err = {0};
	is_int(token_set("first", &token, &err), 0, "a token is taken");
	is_int(token_set("", &token, &err), -EINVAL, "an empty one is refused");
	is_str(token, "first", "and leaves the first");
	is_int(token_set("second", &token, &err), 0, "another one is taken");
	is_str(token, "second", "and takes its place");
	make_file("third\n", 0644);
	is_int(token_read(path, &token, &err), -EINVAL, "a file with a third one is refused");
	is_str(token, "second", "and leaves the second");
	token_wipe(&token);
	ok(!token, "a token that was wiped is gone");
	token_wipe(&token);
	ok(!token, "and may be wiped again");
}

/* What systemd gives a service: an access list may make the mode look as if others could read it. */
static void test_credentials(void)
{
	CLEANUP(token_wipe) char *token = NULL;
	struct err err = {0};
	char credential[320];
	snprintf(credential, sizeof(credential), "%s/" TOKEN_CREDENTIAL, folder);
	is_int(token_read_credential(folder, &token, &err), -ENOENT, "no credential is no token");
	ok(!token, "indeed");
	make_file(SECRET "\n", 0440);
	if (rename(path, credential) < 0)
		diag("cannot rename: %s", strerror(errno));
	is_int(token_read_credential(folder, &token, &err), 0, "a credential is taken");
	is_str(token, SECRET, "as the token");
	make_file("no token", 0400);
	if (rename(path, credential) < 0)
		diag("cannot rename: %s", strerror(errno));
	is_int(token_read_credential(folder, &token, &err), -EINVAL, "what is no token is refused");
	ok(strstr(err.text, credential) != NULL, "with the file's name: %s", err.text);
	unlink(credential);
}

/* Only root can give a file to another owner; anybody else could not even open it. */
static void test_owner(void)
{
	CLEANUP(token_wipe) char *token = NULL;
	struct err err = {0};
	make_file(SECRET "\n", 0600);
	if (geteuid() != 0 || chown(path, 1, 1) < 0) {
		diag("a file of somebody else: only root can make one");
		return;
	}
	is_int(token_read(path, &token, &err), -EINVAL, "a file of somebody else is refused");
	ok(strstr(err.text, "belongs to somebody else") != NULL, "with the reason: %s", err.text);
}

int main(void)
{
	const char *under = getenv("TMPDIR");
	snprintf(folder, sizeof(folder), "%s/contentfs-test-XXXXXX", under && *under ? under : "/tmp");
	if (!mkdtemp(folder)) {
		printf("Bail out! cannot make a folder\n");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/token", folder);
	test_files();
	test_no_text();
	test_what_is_no_file();
	test_replacing();
	test_credentials();
	test_owner();
	unlink(path);
	rmdir(folder);
	return tap_done();
}
