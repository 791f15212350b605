/* The host setting: which URLs name a service that a token may be sent to. */
#ifndef CONTENTFS_CONFIG_URL_H
#define CONTENTFS_CONFIG_URL_H

#include "util/err.h"

/*
 * Checks the host that a person gave, and makes "scheme://host[:port]" of it: "cdn.example.org" is https; http is for
 * loopback addresses (127.0.0.0/8, ::1, localhost) only; no user, path or query. *out is the caller's to free.
 */
int url_normalize_host(const char *text, char **out, struct err *err);

#endif
