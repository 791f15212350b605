/* Folders that others could lead elsewhere. Only root can make what belongs to others; without it those rows are left out. */
#include "tap.h"
#include "temp_store.h"
#include "util/folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OTHER 12345 /* a user and a group */

static char top[TEMP_PATH_SIZE];

/* What there is on the way: folders by their modes, links by their targets. */
static const struct {
	const char *name;
	const char *link; /* NULL for a folder */
	mode_t mode;
	uid_t owner; /* OTHER, or 0 for ours */
	gid_t group;
} things[] = {
	{"own", NULL, 0700, 0, 0},
	{"readable", NULL, 0755, 0, 0},
	{"open", NULL, 0777, 0, 0},
	{"open/own", NULL, 0700, 0, 0},
	{"sticky", NULL, 01777, 0, 0},
	{"sticky/own", NULL, 0700, 0, 0},
	{"grouped", NULL, 0770, 0, 0},
	{"shared", NULL, 0770, 0, OTHER},
	{"theirs", NULL, 0755, OTHER, 0},
	{"theirs/own", NULL, 0700, 0, 0},
	{"sticky/theirs", NULL, 0700, OTHER, 0},
	{"file", NULL, 0, 0, 0},
	{"to-own", "own", 0, 0, 0},
	{"to-open", "open", 0, 0, 0},
	{"to-theirs", "theirs/own", 0, 0, 0},
	{"to-nothing", "nothing/at/all", 0, 0, 0},
	{"to-itself", "to-itself", 0, 0, 0},
	{"own/up", "../readable", 0, 0, 0},
	{"their-link", "own", 0, OTHER, 0},
	{"sticky/their-link", "../own", 0, OTHER, 0},
};

static const struct {
	const char *path;
	int want;
	const char *says; /* a thing that the message names */
	bool needs_root;
} rows[] = {
	{"own", 0, NULL, false},
	{"own/not/there/yet", 0, NULL, false},
	{"readable", 0, NULL, false},
	{"own/../readable/./", 0, NULL, false},
	{"open", -EINVAL, "/open", false},
	{"open/own", -EINVAL, "/open", false},
	{"open/not-there", -EINVAL, "/open", false},
	{"sticky", 0, NULL, false},
	{"sticky/own", 0, NULL, false},
	{"grouped", 0, NULL, false},
	{"shared", -EINVAL, "/shared", true},
	{"theirs", -EINVAL, "/theirs", true},
	{"theirs/own", -EINVAL, "/theirs", true},
	{"sticky/theirs/more", -EINVAL, "/sticky/theirs", true},
	{"file", -ENOTDIR, "/file", false},
	{"file/below", -ENOTDIR, "/file", false},
	{"to-own", 0, NULL, false},
	{"to-own/more", 0, NULL, false},
	{"to-open/own", -EINVAL, "/open", false},
	{"to-theirs", -EINVAL, "/theirs", true},
	{"to-nothing", 0, NULL, false},
	{"to-itself", -EINVAL, "/to-itself", false},
	{"own/up", 0, NULL, false},
	{"their-link", -EINVAL, "/their-link", true},
	{"sticky/their-link/more", -EINVAL, "/sticky/their-link", true},
};

static void make_things(void)
{
	char path[2 * TEMP_PATH_SIZE];
	for (size_t i = 0; i < COUNT(things); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, things[i].name);
		int rc = 0;
		if (things[i].link)
			rc = symlink(things[i].link, path);
		else if (things[i].mode)
			rc = mkdir(path, 0700) < 0 ? -1 : chmod(path, things[i].mode);
		else
			temp_file_write(path, "", 0);
		temp_must(rc < 0 ? -errno : 0, NULL, path);
		bool others = things[i].owner || things[i].group;
		if (others && geteuid() == 0)
			temp_must(lchown(path, things[i].owner, things[i].group) < 0 ? -errno : 0, NULL, path);
	}
}

static void test_check(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[2 * TEMP_PATH_SIZE];
		struct err err = {0};
		if (rows[i].needs_root && geteuid() != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", top, rows[i].path);
		if (!is_int(folder_check(path, &err), rows[i].want, "%s is %s", rows[i].path,
			    rows[i].want ? "refused" : "taken"))
			diag("%s", err.text);
		ok(rows[i].says ? strstr(err.text, rows[i].says) != NULL : !err.text[0], "%s: the message: %s",
		   rows[i].path, err.text);
	}
}

static void test_make(void)
{
	char path[2 * TEMP_PATH_SIZE];
	struct stat st;
	struct err err = {0};
	snprintf(path, sizeof(path), "%s/own/a/b/c", top);
	is_int(folder_make(path, &err), 0, "what is missing is made");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700, "for its owner only");
	is_int(folder_make(path, &err), 0, "and taken when it is there");
	snprintf(path, sizeof(path), "%s/open/a", top);
	is_int(folder_make(path, &err), -EINVAL, "nothing is made where others may write");
	ok(stat(path, &st) < 0, "indeed");
	snprintf(path, sizeof(path), "%s/to-nothing", top);
	ok(folder_make(path, &err) < 0, "nor at the end of a link that leads nowhere: %s", err.text);
}

int main(void)
{
	temp_folder_make(top);
	make_things();
	test_check();
	test_make();
	temp_folder_remove(top);
	return tap_done();
}
