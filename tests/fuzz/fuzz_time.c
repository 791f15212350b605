/* Times as the service writes them, and any number of milliseconds. */
#include "fuzz.h"
#include "util/clock.h"

#include <errno.h>

#define ISO_LEN 24 /* with a year of four digits */

/* What is written is read as the same time, if its year is one that can be read. */
static void check_written(int64_t ms)
{
	char text[TIME_ISO_SIZE];
	int64_t again;
	MUST(time_format_iso(ms, text) == text && strnlen(text, sizeof(text)) < sizeof(text));
	if (text[0] == '-' || strlen(text) != ISO_LEN)
		return;
	MUST(time_parse_iso(slice_of(text), &again) == 0 && again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int64_t ms = INT64_MIN;
	int rc = time_parse_iso(slice_make((const char *)bytes, len), &ms);
	MUST(rc == 0 || (rc == -EINVAL && ms == INT64_MIN));
	check_written(ms);
	if (len >= sizeof(ms)) {
		memcpy(&ms, bytes, sizeof(ms));
		check_written(ms);
	}
	return 0;
}
