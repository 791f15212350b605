/* Where a user's things are, by the XDG Base Directory Specification. */
#ifndef CONTENTFS_CONFIG_PLACES_H
#define CONTENTFS_CONFIG_PLACES_H

#include "util/buf.h"
#include "util/err.h"

/* The folder of stores ($XDG_STATE_HOME/contentfs), of the cache of assets ($XDG_CACHE_HOME/contentfs) and the file of
 * profiles ($XDG_CONFIG_HOME/contentfs/config), or the same below $HOME. Appended to `path`. -ENOENT if neither variable
 * is an absolute path, or -ENOMEM. */
int places_state(struct buf *path);
int places_cache(struct buf *path);
int places_profiles(struct buf *path);

/* Makes a name that is relative one below the current folder: it would mean another file once the program has left that.
 * `*path` is replaced. 0 or a negative errno, with *path as it was. */
int places_make_absolute(char **path, struct err *err);

/* The profiles of the whole machine. */
#define PLACES_SYSTEM_PROFILES "/etc/contentfs/config"

#endif
