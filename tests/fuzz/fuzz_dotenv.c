/* .env files: whatever they hold, it is read to its end, within its bounds. */
#include "config/dotenv.h"
#include "fuzz.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(buf_finish) struct buf copy = exact_copy(slice_make((const char *)bytes, len));
	struct slice text = buf_slice(&copy);
	struct dotenv_line line;
	int number = 0;
	int last = 0;
	while (dotenv_next(&text, &number, &line)) {
		MUST(line.number > last && line.number <= number && line.name.len > 0);
		MUST(line.name.at >= copy.text && line.value.at >= line.name.at + line.name.len);
		MUST(line.value.at + line.value.len <= copy.text + len);
		MUST(dotenv_plain_name(line.name).len > 0);
		last = line.number;
	}
	MUST(text.len == 0);
	return 0;
}
