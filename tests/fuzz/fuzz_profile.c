/* Files of profiles: any text is read or refused, and one that is read can be changed and read again. */
#include "config/profile.h"
#include "config/profile_edit.h"
#include "fuzz.h"
#include "util/cleanup.h"

#include <errno.h>

#define PROFILE "fuzz"

struct seen {
	bool before; /* a branch of the profile stood in the text */
	bool now;
	size_t others;
};

static int look(void *context, const struct profile_line *line, struct err *err)
{
	struct seen *seen = context;
	(void)err;
	MUST(line->value[0] && line->number > 0 && profile_check_name(line->profile, NULL) == 0);
	bool ours = strcmp(line->profile, PROFILE) == 0 && strcmp(line->setting->option, "branch") == 0;
	if (ours)
		seen->now = strcmp(line->value, "new") == 0;
	seen->others += !ours;
	return 0;
}

static int parse(const char *text, struct seen *seen)
{
	bool secret;
	struct err err = {0};
	int rc = profile_parse(text, "f", look, seen, &secret, &err);
	MUST(rc == 0 || (rc == -EINVAL && err.text[0]));
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct profile_value values[] = {{"branch", "new"}};
	CLEANUP(cleanup_free) char *text = strndup((const char *)bytes, len);
	CLEANUP(buf_finish) struct buf edited = BUF_INIT;
	struct seen before = {0};
	struct seen after = {0};
	MUST(text);
	if (parse(text, &before) < 0)
		return 0;
	MUST(profile_edit(slice_of(text), PROFILE, values, 1, &edited) == 0);
	if (parse(edited.text, &after) < 0)
		return 0; /* there were as many profiles as there can be */
	MUST(after.now && after.others == before.others);
	return 0;
}
