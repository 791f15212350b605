/* What libfuse is told of a mount. */
#include "fs/internal.h"
#include "tap.h"

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	const char *options;
	int rc;
} rows[] = {
	{"no options", NULL, 0},
	{"those that everybody may have", "nosuid,noatime", 0},
	{"one that libfuse does not know", "frobnicate", -EINVAL},
};

int main(void)
{
	static const struct fuse_lowlevel_ops none;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fuse_session *session = NULL;
		struct err err = {0};
		is_int(fs_session_create(&session, "work", rows[i].options, &none, NULL, &err), rows[i].rc, "%s",
		       rows[i].name);
		ok((rows[i].rc == 0) == (session != NULL), "%s: a session, or none", rows[i].name);
		ok(rows[i].rc == 0 || (strstr(err.text, rows[i].options) && strstr(err.text, "are not accepted")),
		   "%s: the message: %s", rows[i].name, err.text);
		if (session)
			fuse_session_destroy(session);
	}
	return tap_done();
}
