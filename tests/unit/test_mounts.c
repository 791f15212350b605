/* Lines of /proc/self/mountinfo. */
#include "fs/mounts.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	const char *line;
	const char *mountpoint; /* NULL: it is no mount of ours */
	const char *source;
} rows[] = {
	{"a mount without a profile",
	 "52 27 0:49 / /home/a/content ro,nosuid,nodev - fuse.contentfs contentfs ro,user_id=0\n", "/home/a/content",
	 "contentfs"},
	{"a profile is the source", "52 27 0:49 / /mnt ro - fuse.contentfs work ro", "/mnt", "work"},
	{"optional fields come before the dash", "52 27 0:49 / /mnt ro shared:1 master:2 - fuse.contentfs work ro\n",
	 "/mnt", "work"},
	{"blanks and backslashes are escaped", "52 27 0:49 / /a\\040b\\134c\\011 ro - fuse.contentfs a\\040b ro\n",
	 "/a b\\c\t", "a b"},
	{"what only looks like an escape stays", "52 27 0:49 / /a\\04 ro - fuse.contentfs work ro\n", "/a\\04", "work"},
	{"a mount point may be called like a type", "52 27 0:49 / /fuse.contentfs ro - ext4 /dev/x ro\n", NULL, NULL},
	{"another type", "52 27 0:49 / /mnt ro - fuse.sshfs contentfs ro\n", NULL, NULL},
	{"a type that goes on", "52 27 0:49 / /mnt ro - fuse.contentfs2 work ro\n", NULL, NULL},
	{"no dash", "52 27 0:49 / /mnt ro fuse.contentfs work ro\n", NULL, NULL},
	{"nothing behind the type", "52 27 0:49 / /mnt ro - fuse.contentfs\n", NULL, NULL},
	{"nothing behind the dash", "52 27 0:49 / /mnt ro -\n", NULL, NULL},
	{"too few fields", "52 27 0:49\n", NULL, NULL},
	{"an empty line", "\n", NULL, NULL},
	{"nothing", "", NULL, NULL},
};

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[256];
		struct mounts_entry entry = {0};
		snprintf(line, sizeof(line), "%s", rows[i].line);
		is_int(mounts_parse(line, &entry), rows[i].mountpoint != NULL, "%s", rows[i].name);
		is_str(entry.mountpoint, rows[i].mountpoint, "%s: the mount point", rows[i].name);
		is_str(entry.source, rows[i].source, "%s: the source", rows[i].name);
	}
	ok(!mounts_have("/proc"), "what is mounted on /proc is no contentfs");
	return tap_done();
}
