/* What is asked for, and where, to get an asset. Pure. Private to assets/. */
#ifndef CONTENTFS_ASSETS_URL_H
#define CONTENTFS_ASSETS_URL_H

#include "assets/assets.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/slice.h"

#include <stdbool.h>

#define ASSET_URL_MAX 8192 /* of the URL as it is sent */

/*
 * Appends the URL to be asked for `raw`, the URL of a record: encoded as the official clients do it (encodeURI; what is
 * encoded already stays so), with the stack's token if it is for a host of the stack. 0, -ENOMEM, or -EINVAL if it is not
 * https, nor http for this machine, brings a user along, or is too long. Messages do not quote it.
 */
int asset_url(const struct assets_config *config, struct slice raw, struct buf *url, struct err *err);

/* Whether a URL is of one of the stack's own asset hosts, which are sent the token. */
bool asset_url_is_own(const struct assets_config *config, const char *url);

/* Whether a redirect from one URL to the other may be followed: 0, -ENOMEM, or -EPROTO. Messages name the host only. Servers
 * copy the query that they were asked with: the stack's token is taken out of `to`, but for the query of a host of the stack. */
int asset_redirect(const struct assets_config *config, const char *from, char *to, struct err *err);

#endif
