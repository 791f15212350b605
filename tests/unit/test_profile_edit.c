/* Changing a profile in its file, and what of it must not change. */
#include "config/profile_edit.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* What is set each time: one key that gets a value, one that goes. */
static const struct profile_value values[] = {{"branch", "new"}, {"region", NULL}};

static const struct {
	const char *name;
	const char *text;
	const char *want;
} texts[] = {
	{"an empty file", "", "[p]\nbranch = new\n"},
	{"another profile before it", "[a]\nbranch = x\n", "[a]\nbranch = x\n\n[p]\nbranch = new\n"},
	{"without its last newline", "[a]\nbranch = x", "[a]\nbranch = x\n\n[p]\nbranch = new\n"},
	{"a value that is there", "[p]\nbranch = old\n", "[p]\nbranch = new\n"},
	{"in the place where it is", "[p]\napi-key = k\nbranch = old\nhost = h\n",
	 "[p]\napi-key = k\nbranch = new\nhost = h\n"},
	{"at the end without a newline", "[p]\nbranch = old", "[p]\nbranch = new\n"},
	{"a value that is not there", "[p]\napi-key = k\n\n# of a\n[a]\nbranch = x\n",
	 "[p]\napi-key = k\nbranch = new\n\n# of a\n[a]\nbranch = x\n"},
	{"behind a line without a newline", "[p]\napi-key = k", "[p]\napi-key = k\nbranch = new\n"},
	{"a profile without settings", "[p]\n\n[a]\nbranch = x\n", "[p]\nbranch = new\n\n[a]\nbranch = x\n"},
	{"a key that goes", "[p]\nregion = eu\nbranch = old\n", "[p]\nbranch = new\n"},
	{"the last one that goes", "[p]\nregion = eu\n", "[p]\nbranch = new\n"},
	{"the same key of another profile", "[a]\nregion = eu\n[p]\nregion = eu\n[b]\nregion = eu\n",
	 "[a]\nregion = eu\n[p]\nbranch = new\n[b]\nregion = eu\n"},
	{"comments and blank lines", "# top\n\n[p] ; here\n# why\nbranch = old ; was\n\n; end\n",
	 "# top\n\n[p] ; here\n# why\nbranch = new\n\n; end\n"},
	{"a key that is a comment", "[p]\n#branch = old\n", "[p]\nbranch = new\n#branch = old\n"},
	{"lines that a key goes on with", "[p]\nlocale = a\n  b\nregion = eu\n  us\n# c\n  na\nbranch = old\n",
	 "[p]\nlocale = a\n  b\n# c\nbranch = new\n"},
	{"a bracket in a line that goes on", "[a]\nlocale = x\n  [p]\nbranch = y\n",
	 "[a]\nlocale = x\n  [p]\nbranch = y\n\n[p]\nbranch = new\n"},
	{"a colon", "[p]\nbranch: old\n", "[p]\nbranch = new\n"},
	{"a key that begins the same", "[p]\nbranches = 1\n", "[p]\nbranches = 1\nbranch = new\n"},
};

static void test_texts(void)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(buf_finish) struct buf got = BUF_INIT;
		CLEANUP(buf_finish) struct buf again = BUF_INIT;
		is_int(profile_edit(slice_of(texts[i].text), "p", values, COUNT(values), &got), 0, "%s", texts[i].name);
		is_str(buf_text(&got), texts[i].want, "%s: what comes of it", texts[i].name);
		profile_edit(buf_slice(&got), "p", values, COUNT(values), &again);
		is_str(buf_text(&again), texts[i].want, "%s: once more changes nothing", texts[i].name);
	}
}

static void test_values(void)
{
	static const struct {
		const char *value;
		int rc;
	} rows[] = {
		{"production", 0},
		{"a;b", 0},
		{"a # b", 0},
		{"with a blank", 0},
		{"", 0},
		{" before", -EINVAL},
		{"behind ", -EINVAL},
		{"a ; b", -EINVAL},
		{";a", -EINVAL},
		{"a\nb", -EINVAL},
		{"a\tb", -EINVAL},
		{X64 X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0},
		{X64 X64 X64, -EINVAL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {0};
		is_int(profile_check_value("branch", rows[i].value, &err), rows[i].rc, "'%s' %s", rows[i].value,
		       rows[i].rc ? "cannot be a value" : "is a value");
	}
}

static void is_file(const char *path, const char *want, const char *name)
{
	char got[64] = "";
	struct stat st = {0};
	FILE *file = fopen(path, "r");
	if (file) {
		got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
		fclose(file);
	}
	stat(path, &st);
	is_str(got, want, "%s", name);
	is_int(st.st_mode & 07777, 0600, "%s, for its owner only", name);
}

static void test_write(void)
{
	char folder[] = "/tmp/contentfs-edit.XXXXXX";
	char below[64], inner[64], path[96], other[64];
	struct err err = {0};
	struct stat st = {0};
	if (!ok(mkdtemp(folder) != NULL, "there is a folder"))
		return;
	snprintf(below, sizeof(below), "%s/a", folder);
	snprintf(inner, sizeof(inner), "%s/b", below);
	snprintf(path, sizeof(path), "%s/config", inner);
	snprintf(other, sizeof(other), "%s/other", folder);
	is_int(profile_write(path, slice_of("one\n"), 0700, &err), 0, "a file is written: %s", err.text);
	is_file(path, "one\n", "it has the text");
	stat(inner, &st);
	is_int(st.st_mode & 07777, 0700, "its folder is private");
	ok(chmod(path, 0644) == 0 && rename(path, other) == 0 && symlink(other, path) == 0, "it becomes a link");
	is_int(profile_write(path, slice_of("two\n"), 0700, &err), 0, "a link is written through");
	is_file(other, "two\n", "the file it leads to has the text");
	ok(lstat(path, &st) == 0 && S_ISLNK(st.st_mode), "the link stays");
	unlink(path);
	ok(mkdir(path, 0700) == 0, "a folder stands in the way");
	ok(profile_write(path, slice_of("three\n"), 0700, &err) < 0, "which cannot be written");
	ok(strstr(err.text, path) != NULL, "with the reason: %s", err.text);
	ok(rmdir(path) == 0 && rmdir(inner) == 0 && rmdir(below) == 0, "and nothing is left beside it");
	unlink(other);
	rmdir(folder);
}

int main(void)
{
	test_texts();
	test_values();
	test_write();
	return tap_done();
}
