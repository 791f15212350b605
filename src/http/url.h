/* What http.c has to know of a URL before it is used. Private to this folder. */
#ifndef CONTENTFS_HTTP_URL_H
#define CONTENTFS_HTTP_URL_H

#include "util/err.h"

#include <stdbool.h>

struct url {
	char *label;   /* scheme, host, port and path, for messages: a query may hold tokens; owned */
	bool loopback; /* the host is this machine by its form ("localhost", 127.0.0.0/8, ::1); nothing is resolved */
};

/* Looks at `text`. 0, -ENOMEM, or -EINVAL if it is not an http or https URL or brings a user or password along. On
 * failure `url` is untouched and the message does not quote the text. */
int url_look(const char *text, struct url *url, struct err *err);

void url_finish(struct url *url);

#endif
