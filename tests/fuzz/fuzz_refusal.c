/* Answers that are not 200. The first two bytes choose the status, the rest is the body, or where a redirect points. */
#include "delivery/refusal.h"
#include "fuzz.h"
#include "util/cleanup.h"

#define SECRET "zq9"

static void check_sentence(const char *text)
{
	MUST(text[0] && strnlen(text, ERR_TEXT_MAX) < ERR_TEXT_MAX);
	for (const char *c = text; *c; c++)
		MUST((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static bool is_refusal(enum delivery_outcome outcome)
{
	return outcome == DELIVERY_TOKEN_REFUSED || outcome == DELIVERY_CREDENTIALS_REFUSED ||
	       outcome == DELIVERY_QUERY_REFUSED || outcome == DELIVERY_RATE_LIMITED ||
	       outcome == DELIVERY_UNAVAILABLE || outcome == DELIVERY_NONSENSE;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	long status = 100 + (bytes[0] << 8 | bytes[1]) % 500;
	CLEANUP(buf_finish) struct buf body = exact_copy(slice_make((const char *)bytes + 2, len - 2));
	CLEANUP(cleanup_free) char *location = strndup((const char *)bytes + 2, len - 2);
	struct err err = {""};
	enum delivery_outcome outcome = refusal_outcome(status, buf_slice(&body), slice_of(SECRET), &err);
	MUST(is_refusal(outcome));
	MUST(status != 429 || outcome == DELIVERY_RATE_LIMITED);
	MUST(status < 500 || outcome == DELIVERY_UNAVAILABLE);
	check_sentence(err.text);
	MUST(!strstr(err.text, SECRET));
	err.text[0] = '\0';
	MUST(location && refusal_redirect(status, location, &err) == DELIVERY_NONSENSE);
	check_sentence(err.text);
	return 0;
}
