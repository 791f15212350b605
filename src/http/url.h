/* What has to be known of a URL before it is used. */
#ifndef CONTENTFS_HTTP_URL_H
#define CONTENTFS_HTTP_URL_H

#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>
#include <stddef.h>

struct url {
	char *label;  /* scheme, host, port and path, for messages: a query may hold tokens; owned */
	char *origin; /* scheme, host and port, to be compared: lower case, the port always there; owned */
	bool https;
	bool loopback; /* the host is this machine by its form ("localhost", 127.0.0.0/8, ::1); nothing is resolved */
};

/* Looks at `text`. 0, -ENOMEM, or -EINVAL if it is not an http or https URL or brings a user or password along. On
 * failure `url` is untouched and the message does not quote the text. */
int url_look(const char *text, struct url *url, struct err *err);

void url_finish(struct url *url);

/* Appends what `reference`, of a page or a redirect at `base`, leads to; nothing if that is no URL or longer than `max`.
 * Spaces and bytes above ASCII are encoded. 0 or -ENOMEM. */
int url_resolve(const char *base, const char *reference, size_t max, struct buf *url);

#endif
