#include "app/findings.h"

#include "util/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void add_member(struct buf *json, const char *key, const char *value)
{
	buf_printf(json, "\"%s\": ", key);
	json_append_string(json, slice_of(value));
}

static void add(struct findings *findings, const char *check, const char *outcome, const char *fmt, va_list args)
{
	struct err text = {0};
	char line[ERR_TEXT_MAX];
	vsnprintf(line, sizeof(line), fmt, args);
	err_set(&text, 0, "%s", line); /* what came from outside is made printable */
	if (findings->json) {
		buf_append_text(&findings->text, findings->count ? ",\n    {" : "\n    {");
		add_member(&findings->text, "check", check);
		buf_append_text(&findings->text, ", ");
		add_member(&findings->text, "outcome", outcome);
		buf_append_text(&findings->text, ", ");
		add_member(&findings->text, "text", text.text);
		buf_append_char(&findings->text, '}');
	} else {
		printf("%-8s %-12s %s\n", outcome, check, text.text);
		fflush(stdout); /* the next one may take long */
	}
	findings->count++;
}

void finding_ok(struct findings *findings, const char *check, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	add(findings, check, "ok", fmt, args);
	va_end(args);
}

void finding_warning(struct findings *findings, const char *check, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	add(findings, check, "warning", fmt, args);
	va_end(args);
	findings->warnings++;
}

void finding_failed(struct findings *findings, const char *check, int rc, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	add(findings, check, "failed", fmt, args);
	va_end(args);
	if (findings->failed++ == 0)
		findings->first_rc = rc;
}

int findings_end(struct findings *findings, struct err *err)
{
	if (findings->json)
		printf("{\n  \"ok\": %s,\n  \"warnings\": %u,\n  \"failed\": %u,\n  \"checks\": [%s\n  ]\n}\n",
		       findings->failed ? "false" : "true", findings->warnings, findings->failed,
		       buf_text(&findings->text));
	else
		printf("%u checks: %u well, %u with a warning, %u failed\n", findings->count,
		       findings->count - findings->warnings - findings->failed, findings->warnings, findings->failed);
	return findings->text.failed ? err_oom(err) : 0;
}
