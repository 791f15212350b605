#include "config/places.h"

#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* $VARIABLE/contentfs, or the same below $HOME. */
static int user_folder(const char *variable, const char *below_home, struct buf *path)
{
	const char *base = getenv(variable);
	const char *home = getenv("HOME");
	if (base && base[0] == '/')
		buf_printf(path, "%s/contentfs", base);
	else if (home && home[0] == '/')
		buf_printf(path, "%s/%s/contentfs", home, below_home);
	else
		return -ENOENT;
	return path->failed ? -ENOMEM : 0;
}

int places_state(struct buf *path)
{
	return user_folder("XDG_STATE_HOME", ".local/state", path);
}

int places_cache(struct buf *path)
{
	return user_folder("XDG_CACHE_HOME", ".cache", path);
}

int places_profiles(struct buf *path)
{
	int rc = user_folder("XDG_CONFIG_HOME", ".config", path);
	return rc < 0 ? rc : buf_append_text(path, "/config");
}

int places_make_absolute(char **path, struct err *err)
{
	if ((*path)[0] == '/')
		return 0;
	CLEANUP(cleanup_free) char *here = getcwd(NULL, 0);
	if (!here)
		return err_set(err, -errno, "cannot find out the current folder, which a path without / begins in: %s",
			       strerror(errno));
	CLEANUP(buf_finish) struct buf full = BUF_INIT;
	buf_printf(&full, "%s/%s", here, *path);
	if (full.failed)
		return err_oom(err);
	free(*path);
	*path = full.text;
	full = (struct buf)BUF_INIT;
	return 0;
}
