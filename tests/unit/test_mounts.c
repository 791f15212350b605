/* Finding the mounts of contentfs in what the kernel says of all mounts. */
#include "fs/mounts.h"
#include "tap.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *line;
	const char *want; /* NULL: none of ours */
} rows[] = {
	{"36 35 0:52 / /mnt/content ro,nosuid,nodev - fuse.contentfs contentfs ro,user_id=0\n", "/mnt/content"},
	{"36 35 0:52 / /mnt/a\\040b ro shared:2 master:1 - fuse.contentfs contentfs ro\n", "/mnt/a b"},
	{"36 35 0:52 / /a\\134b\\011c\\012d ro - fuse.contentfs contentfs ro\n", "/a\\b\tc\nd"},
	{"36 35 0:52 / /a\\04 ro - fuse.contentfs contentfs ro\n", "/a\\04"},
	{"36 35 0:52 / /\\303\\244 ro - fuse.contentfs contentfs ro\n", "/\xc3\xa4"},
	{"36 35 0:52 / /mnt ro - fuse.sshfs contentfs ro\n", NULL},
	{"36 35 0:52 / /fuse.contentfs rw - ext4 /dev/sda1 rw\n", NULL},
	{"", NULL},
};

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[256];
		snprintf(line, sizeof(line), "%s", rows[i].line);
		is_str(mounts_parse(line), rows[i].want, "%s", rows[i].line);
	}
	return tap_done();
}
