#include "config/url.h"

#include "util/buf.h"
#include "util/cleanup.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 255

/* Reads the host as an address of the family; `bytes` is large enough for it. */
static bool is_address(struct slice host, int family, unsigned char bytes[16])
{
	char text[INET6_ADDRSTRLEN];
	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = '\0';
	return inet_pton(family, text, bytes) == 1;
}

/* What only looks like an address would be looked up as a name, and might be found somewhere else. */
static bool is_loopback(struct slice host)
{
	unsigned char bytes[16];
	return slice_is(host, "localhost") || slice_is(host, "[::1]") ||
	       (is_address(host, AF_INET, bytes) && bytes[0] == 127);
}

static bool is_host(struct slice host)
{
	unsigned char bytes[16];
	if (host.len == 0 || host.len > HOST_MAX)
		return false;
	if (host.at[0] == '[')
		return host.at[host.len - 1] == ']' &&
		       is_address(slice_make(host.at + 1, host.len - 2), AF_INET6, bytes);
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.at[i];
		if (!isalnum(c) && c != '-' && c != '.')
			return false;
	}
	return true;
}

static bool is_port(struct slice port)
{
	long number = 0;
	for (size_t i = 0; i < port.len; i++) {
		if (!isdigit((unsigned char)port.at[i]) || number > 65535)
			return false;
		number = number * 10 + (port.at[i] - '0');
	}
	return port.len > 0 && number >= 1 && number <= 65535;
}

static int check_parts(const char *text, struct slice authority, bool plain, struct err *err)
{
	struct slice host = authority;
	const char *bracket = memchr(authority.at, ']', authority.len);
	const char *from = bracket ? bracket : authority.at;
	const char *colon = memchr(from, ':', (size_t)(authority.at + authority.len - from));
	bool has_path = authority.len > 0 && memchr(authority.at, '/', authority.len);
	if (colon && !has_path) {
		host.len = (size_t)(colon - authority.at);
		struct slice port = slice_make(colon + 1, authority.len - host.len - 1);
		if (!is_port(port))
			return err_set(err, -EINVAL, "'%s' is not a host: the port is no number from 1 to 65535", text);
	}
	if (has_path || !is_host(host))
		return err_set(err, -EINVAL,
			       "'%s' is not a host: give scheme, name and port only, as in "
			       "https://cdn.contentstack.io or http://127.0.0.1:8080",
			       text);
	if (plain && !is_loopback(host))
		return err_set(err, -EINVAL,
			       "'%s' would send the delivery token unencrypted: use https "
			       "(http is for loopback addresses only)",
			       text);
	return 0;
}

int url_normalize_host(const char *text, char **out, struct err *err)
{
	bool plain = strncmp(text, "http://", 7) == 0;
	bool secure = strncmp(text, "https://", 8) == 0;
	if (!plain && !secure && strstr(text, "://"))
		return err_set(err, -EINVAL, "'%s' is not a host: only https:// and http:// are spoken", text);
	struct slice authority = slice_of(text + (plain ? 7 : secure ? 8 : 0));
	while (authority.len > 0 && authority.at[authority.len - 1] == '/')
		authority.len--;
	int rc = check_parts(text, authority, plain, err);
	if (rc < 0)
		return rc;
	struct buf url = BUF_INIT;
	buf_printf(&url, "%s%.*s", plain ? "http://" : "https://", SLICE_FMT(authority));
	if (url.failed)
		return err_oom(err);
	*out = url.text;
	return 0;
}
