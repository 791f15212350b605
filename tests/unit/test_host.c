/* Which hosts a delivery token may be sent to. */
#include "config/url.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	const char *want; /* NULL: refused */
	const char *says;
} rows[] = {
	{"cdn.example.org", "https://cdn.example.org", NULL},
	{"https://cdn.example.org", "https://cdn.example.org", NULL},
	{"https://cdn.example.org/", "https://cdn.example.org", NULL},
	{"https://cdn.example.org///", "https://cdn.example.org", NULL},
	{"https://cdn.example.org:8443", "https://cdn.example.org:8443", NULL},
	{"cdn.example.org:1", "https://cdn.example.org:1", NULL},
	{"cdn.example.org:65535", "https://cdn.example.org:65535", NULL},
	{"CDN.example.ORG", "https://CDN.example.ORG", NULL},
	{"localhost", "https://localhost", NULL},
	{"https://[2001:db8::1]:443", "https://[2001:db8::1]:443", NULL},
	{"http://127.0.0.1", "http://127.0.0.1", NULL},
	{"http://127.0.0.1:8080/", "http://127.0.0.1:8080", NULL},
	{"http://127.255.255.254:1", "http://127.255.255.254:1", NULL},
	{"http://localhost:3000", "http://localhost:3000", NULL},
	{"http://[::1]:3000", "http://[::1]:3000", NULL},
	{"https://127.0.0.1:8080", "https://127.0.0.1:8080", NULL},

	{"http://cdn.example.org", NULL, "would send the delivery token unencrypted"},
	{"http://10.0.0.1", NULL, "unencrypted"},
	{"http://128.0.0.1", NULL, "unencrypted"},
	{"http://127.0.0.1.example.org", NULL, "unencrypted"},
	{"http://localhost.example.org", NULL, "unencrypted"},
	{"http://notlocalhost", NULL, "unencrypted"},
	{"http://127.1", NULL, "unencrypted"},
	{"http://127.0.0.256", NULL, "unencrypted"},
	{"http://127.999.999.999", NULL, "unencrypted"},
	{"http://127..0.1", NULL, "unencrypted"},
	{"http://127.0.0.", NULL, "unencrypted"},
	{"http://127.0.0.1.", NULL, "unencrypted"},
	{"http://[::2]", NULL, "unencrypted"},
	{"http://[::ffff:10.0.0.1]", NULL, "unencrypted"},
	{"http://0.0.0.0", NULL, "unencrypted"},

	{"", NULL, "give scheme, name and port only"},
	{"/", NULL, "give scheme, name and port only"},
	{"https://", NULL, "give scheme, name and port only"},
	{"https:///x", NULL, "give scheme, name and port only"},
	{"https://cdn.example.org/v3", NULL, "give scheme, name and port only"},
	{"https://cdn.example.org?x=1", NULL, "give scheme, name and port only"},
	{"https://cdn.example.org#x", NULL, "give scheme, name and port only"},
	{"https://user@cdn.example.org", NULL, "give scheme, name and port only"},
	{"https://user:secret@cdn.example.org", NULL, NULL},
	{"https://127.0.0.1:80@cdn.example.org", NULL, NULL},
	{"http://127.0.0.1\\@cdn.example.org", NULL, NULL},
	{"https://cdn example.org", NULL, "give scheme, name and port only"},
	{"https://cdn.example.org\r\nx: y", NULL, NULL},
	{"https://cdn.\xc3\xa9xample.org", NULL, "give scheme, name and port only"},
	{"https://[::1", NULL, NULL},
	{"https://[]", NULL, "give scheme, name and port only"},
	{"https://[zz.1]", NULL, "give scheme, name and port only"},
	{"https://[::1]x", NULL, NULL},
	{LABEL "." LABEL "." LABEL "." LABEL "." LABEL, NULL, "give scheme, name and port only"},
	{"https://cdn.example.org:", NULL, "the port is no number from 1 to 65535"},
	{"https://cdn.example.org:0", NULL, "the port is no number from 1 to 65535"},
	{"https://cdn.example.org:65536", NULL, "the port is no number from 1 to 65535"},
	{"https://cdn.example.org:99999999999999999999", NULL, "the port is no number from 1 to 65535"},
	{"https://cdn.example.org:80a", NULL, "the port is no number from 1 to 65535"},
	{"https://cdn.example.org:-1", NULL, "the port is no number from 1 to 65535"},
	{"https://cdn.example.org:80/v3", NULL, "give scheme, name and port only"},
	{"https://cdn.example.org/v3:80", NULL, "give scheme, name and port only"},
	{"https://2001:db8::1", NULL, "the port is no number from 1 to 65535"},
	{"ftp://cdn.example.org", NULL, "only https:// and http:// are spoken"},
	{"file:///etc/passwd", NULL, "only https:// and http:// are spoken"},
	{"HTTP://127.0.0.1", NULL, "only https:// and http:// are spoken"},
	{"https://http://x", NULL, NULL},
};

int main(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(cleanup_free) char *got = NULL;
		struct err err = {0};
		int rc = url_normalize_host(rows[i].text, &got, &err);
		is_int(rc, rows[i].want ? 0 : -EINVAL, "'%s' is %s", rows[i].text, rows[i].want ? "taken" : "refused");
		is_str(got, rows[i].want, "'%s': what it becomes", rows[i].text);
		if (rows[i].says &&
		    !ok(strstr(err.text, rows[i].says) != NULL, "'%s': the message says why", rows[i].text))
			diag("  got: %s\n want: %s", err.text, rows[i].says);
	}
	return tap_done();
}
