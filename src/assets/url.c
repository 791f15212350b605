#include "assets/url.h"

#include "http/http.h"
#include "http/url.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static bool begins_with(struct slice text, const char *prefix)
{
	size_t len = strlen(prefix);
	return text.len >= len && strncasecmp(text.at, prefix, len) == 0;
}

static struct slice behind(struct slice text, size_t len)
{
	return slice_make(text.at + len, text.len - len);
}

static bool is_kept(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr(";,/?:@&=+$-_.!~*'()", c));
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* A "%" that stands for itself is encoded like any other byte; so is "#", since a record's URL has no fragment. */
static void append_path(struct buf *url, struct slice path)
{
	if (path.len > 0 && path.at[0] != '/' && path.at[0] != '?')
		buf_append_char(url, '/');
	for (size_t i = 0; i < path.len; i++) {
		bool escape = path.at[i] == '%' && path.len - i > 2 && is_hex(path.at[i + 1]) && is_hex(path.at[i + 2]);
		if (escape || is_kept(path.at[i]))
			buf_append_char(url, path.at[i]);
		else
			http_append_encoded(url, slice_make(path.at + i, 1));
	}
}

/* The host is left as it stands, for http/ to judge. A backslash in it is what parsers disagree about. */
static int append_host(struct buf *url, struct slice *rest, struct err *err)
{
	size_t len = 0;
	for (; len < rest->len && !strchr("/?#", rest->at[len]); len++)
		if ((unsigned char)rest->at[len] <= ' ' || rest->at[len] == '\\' || rest->at[len] == 0x7f)
			return err_set(err, -EINVAL, "its URL names no host");
	if (len == 0) /* libcurl would take the first word of the path */
		return err_set(err, -EINVAL, "its URL names no host");
	buf_append(url, rest->at, len);
	*rest = behind(*rest, len);
	return 0;
}

static int append_scheme(const char *base, struct buf *url, struct slice *rest, struct err *err)
{
	const char *scheme = "https://";
	size_t len = 2;
	if (begins_with(*rest, "https://"))
		len = strlen("https://");
	else if (begins_with(*rest, "http://") || (begins_with(*rest, "//") && begins_with(slice_of(base), "http://")))
		scheme = "http://";
	else if (!begins_with(*rest, "//"))
		return err_set(err, -EINVAL, "its URL is not an http or https URL");
	if (begins_with(*rest, "http://"))
		len = strlen("http://");
	buf_append_text(url, scheme);
	*rest = behind(*rest, len);
	return 0;
}

static bool is_own_host(const struct assets_config *config, const struct url *url)
{
	for (const char *const *host = config->hosts; host && *host; host++) {
		CLEANUP(url_finish) struct url own = {0};
		if (url_look(*host, &own, NULL) == 0 && strcmp(own.origin, url->origin) == 0)
			return true;
	}
	return false;
}

bool asset_url_is_own(const struct assets_config *config, const char *url)
{
	CLEANUP(url_finish) struct url look = {0};
	return url_look(url, &look, NULL) == 0 && is_own_host(config, &look);
}

/* With room for all of it from the start: a buffer that grows leaves a copy behind. */
static void append_token(const struct assets_config *config, struct buf *url)
{
	buf_reserve(url, 64 + 3 * (strlen(config->token) + strlen(config->environment)));
	buf_append_text(url, strchr(buf_text(url), '?') ? "&access_token=" : "?access_token=");
	http_append_encoded(url, slice_of(config->token));
	buf_append_text(url, "&environment=");
	http_append_encoded(url, slice_of(config->environment));
}

int asset_url(const struct assets_config *config, struct slice raw, struct buf *url, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT;
	CLEANUP(url_finish) struct url look = {0};
	struct slice rest = raw;
	if (raw.len > ASSET_URL_MAX)
		return err_set(err, -EINVAL, "its URL is longer than %d bytes", ASSET_URL_MAX);
	int rc = append_scheme(config->base, &text, &rest, err);
	if (rc == 0)
		rc = append_host(&text, &rest, err);
	if (rc < 0)
		return rc;
	append_path(&text, rest);
	if (text.failed)
		return err_oom(err);
	rc = url_look(buf_text(&text), &look, NULL);
	if (rc == -EINVAL)
		return err_set(err, rc, "its URL names no host, or a user or password");
	if (rc < 0)
		return err_oom(err);
	if (!look.https && !look.loopback)
		return err_set(err, -EINVAL, "its URL is plain http, which is refused for other machines");
	if (config->token && is_own_host(config, &look))
		append_token(config, &text);
	if (text.failed)
		return err_oom(err);
	if (text.len > ASSET_URL_MAX)
		return err_set(err, -EINVAL, "its URL is longer than %d bytes", ASSET_URL_MAX);
	return buf_append(url, text.text, text.len) < 0 ? err_oom(err) : 0;
}

/* Takes it out of the first `len` bytes. */
static int strip(char *url, size_t len, struct slice secret)
{
	CLEANUP(buf_wipe) struct buf encoded = BUF_INIT;
	if (buf_reserve(&encoded, 3 * secret.len + 1) < 0 || http_append_encoded(&encoded, secret) < 0)
		return -ENOMEM;
	const struct slice forms[] = {secret, buf_slice(&encoded)};
	for (size_t i = 0; i < 2; i++) {
		char *at;
		while (forms[i].len > 0 && (at = memmem(url, len, forms[i].at, forms[i].len))) {
			memmove(at, at + forms[i].len, strlen(at + forms[i].len) + 1);
			len -= forms[i].len;
		}
	}
	return 0;
}

int asset_redirect(const struct assets_config *config, const char *from, char *to, struct err *err)
{
	CLEANUP(url_finish) struct url old = {0};
	CLEANUP(url_finish) struct url new = {0};
	int rc = url_look(from, &old, NULL);
	if (rc == 0)
		rc = url_look(to, &new, NULL);
	if (rc == 0 && config->token) {
		/* All of a URL but its query gets into messages. */
		rc = strip(to, is_own_host(config, &new) ? strcspn(to, "?") : strlen(to), slice_of(config->token));
		url_finish(&new);
		rc = rc == 0 ? url_look(to, &new, NULL) : rc;
	}
	if (rc == -ENOMEM)
		return err_oom(err);
	if (rc < 0)
		return err_set(err, -EPROTO, "it is redirected to something that is not an http or https URL");
	if (!new.https && (old.https || !new.loopback))
		return err_set(err, -EPROTO, "it is redirected to plain http, which is refused (%.200s)", new.origin);
	return 0;
}
