/* The head of an answer, out of libcurl's headers. */
#include "http/head.h"

#include "http/headers.h"
#include "http/url.h"
#include "util/clock.h"

#include <string.h>

static const char *header_of(CURL *easy, const char *name)
{
	struct curl_header *header;
	return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strnlen(from, size - 1) : 0;
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
}

/* libcurl makes it absolute too, but only once the whole answer is there. */
static int read_location(CURL *easy, struct http_answer *answer)
{
	const char *base = NULL;
	const char *location = header_of(easy, "Location");
	curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &base);
	if (!location || !base || answer->status < 300 || answer->status > 399)
		return 0;
	return url_resolve(base, location, HTTP_LOCATION_MAX, &answer->location);
}

/* How the end of the body is told. */
static void read_framing(CURL *easy, struct http_answer *answer)
{
	curl_off_t length = -1;
	long version = CURL_HTTP_VERSION_1_1;
	curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
	answer->length = length;
	answer->ends_by_close = length < 0 && version <= CURL_HTTP_VERSION_1_1 && !header_of(easy, "Transfer-Encoding");
}

/* What is compared is of no use in part. */
static void copy_whole(char *to, size_t size, const char *from)
{
	copy_text(to, size, from && strlen(from) < size ? from : NULL);
}

int head_read(CURL *easy, struct http_answer *answer)
{
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
	copy_text(answer->content_type, sizeof(answer->content_type), header_of(easy, "Content-Type"));
	copy_text(answer->content_range, sizeof(answer->content_range), header_of(easy, "Content-Range"));
	copy_text(answer->content_encoding, sizeof(answer->content_encoding), header_of(easy, "Content-Encoding"));
	copy_whole(answer->etag, sizeof(answer->etag), header_of(easy, "ETag"));
	copy_whole(answer->last_modified, sizeof(answer->last_modified), header_of(easy, "Last-Modified"));
	read_framing(easy, answer);
	answer->date_ms = http_date_ms(header_of(easy, "Date"));
	/* The service's times count from its own clock: this machine's may be wrong. */
	int64_t now = answer->date_ms >= 0 ? answer->date_ms : clock_wall_ms();
	answer->retry_after_ms = retry_after_ms(header_of(easy, "Retry-After"), now);
	answer->reset_ms = retry_after_reset_ms(header_of(easy, "x-ratelimit-reset"), now);
	if (answer->reset_ms < 0)
		answer->reset_ms = retry_after_time_ms(header_of(easy, "x-ratelimit-reset-time"), now);
	if (answer->retry_after_ms < 0 && answer->status == 429)
		answer->retry_after_ms = answer->reset_ms;
	answer->remaining = rate_remaining(header_of(easy, "x-ratelimit-remaining"), header_of(easy, "Age"));
	return read_location(easy, answer);
}
