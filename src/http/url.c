/* URLs: taken apart by libcurl, so that no two parsers can disagree about which host is meant. */
#include "http/url.h"

#include "http/http.h"
#include "http/libcurl.h"
#include "util/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void cleanup_curlu(CURLU **handle)
{
	curl_url_cleanup(*handle);
}

static void cleanup_part(char **part)
{
	curl_free(*part);
}

/* `host` as libcurl gives it: numeric forms made canonical, IPv6 in brackets. */
static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	char bare[INET6_ADDRSTRLEN] = "";
	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	size_t len = strlen(host);
	if (host[0] != '[' || len < 2 || len - 2 >= sizeof(bare))
		return false;
	memcpy(bare, host + 1, len - 2);
	return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool is_http(const char *scheme)
{
	return strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
}

static bool has_credentials(CURLU *handle)
{
	CLEANUP(cleanup_part) char *user = NULL;
	CLEANUP(cleanup_part) char *password = NULL;
	return curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_OK ||
	       curl_url_get(handle, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK;
}

/* "https://host:443"; NULL for lack of memory. */
static char *origin_of(CURLU *handle, const char *scheme, const char *host)
{
	CLEANUP(cleanup_part) char *port = NULL;
	char *origin = NULL;
	if (curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    asprintf(&origin, "%s://%s:%s", scheme, host, port) < 0)
		return NULL;
	for (char *c = origin; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	return origin;
}

int url_look(const char *text, struct url *url, struct err *err)
{
	int rc = libcurl_load(err);
	if (rc < 0)
		return rc;
	CLEANUP(cleanup_curlu) CURLU *handle = curl_url();
	CLEANUP(cleanup_part) char *scheme = NULL;
	CLEANUP(cleanup_part) char *host = NULL;
	CLEANUP(cleanup_part) char *label = NULL;
	if (!handle)
		return err_oom(err);
	CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, 0);
	if (code == CURLUE_OUT_OF_MEMORY)
		return err_oom(err);
	if (code != CURLUE_OK || curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK || !is_http(scheme))
		return err_set(err, -EINVAL, "the address of the service is not an http or https URL");
	if (has_credentials(handle))
		return err_set(err, -EINVAL, "the URL of the service must not hold a user or password");
	if (curl_url_set(handle, CURLUPART_QUERY, NULL, 0) != CURLUE_OK ||
	    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
	    curl_url_get(handle, CURLUPART_URL, &label, 0) != CURLUE_OK)
		return err_oom(err);
	char *origin = origin_of(handle, scheme, host);
	if (!origin)
		return err_oom(err);
	*url = (struct url){
		.label = label,
		.origin = origin,
		.https = strcasecmp(scheme, "https") == 0,
		.loopback = is_loopback(host),
	};
	label = NULL;
	return 0;
}

void url_finish(struct url *url)
{
	if (url->label)
		curl_free(url->label);
	free(url->origin);
	*url = (struct url){0};
}

int url_resolve(const char *base, const char *reference, size_t max, struct buf *url)
{
	int rc = libcurl_load(NULL);
	if (rc < 0)
		return rc;
	CLEANUP(cleanup_curlu) CURLU *handle = curl_url();
	CLEANUP(cleanup_part) char *text = NULL;
	if (!handle)
		return -ENOMEM;
	CURLUcode code = curl_url_set(handle, CURLUPART_URL, base, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(handle, CURLUPART_URL, reference, CURLU_URLENCODE | CURLU_ALLOW_SPACE);
	if (code == CURLUE_OK)
		code = curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(handle, CURLUPART_URL, &text, 0);
	if (code == CURLUE_OUT_OF_MEMORY)
		return -ENOMEM;
	return code == CURLUE_OK && strlen(text) <= max ? buf_append_text(url, text) : 0;
}

static bool is_unreserved(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

int http_append_encoded(struct buf *url, struct slice text)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
		int rc = is_unreserved(c) ? buf_append_char(url, (char)c) : buf_append(url, escape, sizeof(escape));
		if (rc < 0)
			return rc;
	}
	return 0;
}
