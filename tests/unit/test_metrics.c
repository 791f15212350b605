/* A status in the text format of Prometheus. */
#include "app/metrics.h"
#include "tap.h"
#include "util/cleanup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *value;
	const char *want;
} values[] = {
	{"", ""},
	{"plain", "plain"},
	{"a \"b\"", "a \\\"b\\\""},
	{"C:\\x", "C:\\\\x"},
	{"two\nlines", "two\\nlines"},
	{"\\n", "\\\\n"},
	{"\t{}=,", "\t{}=,"},
	{"\xc3\xa4", "\xc3\xa4"},
};

static void test_values(void)
{
	for (size_t i = 0; i < COUNT(values); i++) {
		CLEANUP(buf_finish) struct buf out = BUF_INIT;
		metrics_append_value(&out, slice_of(values[i].value));
		is_str(buf_text(&out), values[i].want, "the label value '%s'", values[i].want);
	}
}

static const char info[] = "# HELP contentfs_info What this is about; always 1.\n# TYPE contentfs_info gauge\n";

static const struct {
	const char *name;
	const char *status;
	const char *want; /* behind contentfs_info */
} rows[] = {
	{"nothing known", "{}", ""},
	{"true and false", "{\"store\": \"s\", \"healthy\": true, \"complete\": false}",
	 "# HELP contentfs_healthy Whether the content is whole and the last sync succeeded.\n"
	 "# TYPE contentfs_healthy gauge\ncontentfs_healthy{store=\"s\"} 1\n"
	 "# HELP contentfs_complete Whether the content is whole.\n"
	 "# TYPE contentfs_complete gauge\ncontentfs_complete{store=\"s\"} 0\n"},
	{"a null is left out", "{\"age_seconds\": null, \"last_success\": null, \"entries\": null}", ""},
	{"a time", "{\"store\": \"s\", \"last_success\": \"2026-01-31T08:00:12.034Z\"}",
	 "# HELP contentfs_last_success_timestamp_seconds When a sync last succeeded.\n"
	 "# TYPE contentfs_last_success_timestamp_seconds gauge\n"
	 "contentfs_last_success_timestamp_seconds{store=\"s\"} 1769846412.034\n"},
	{"a time that is none", "{\"last_success\": \"yesterday\"}", ""},
	{"a counter", "{\"store\": \"a\\\"b\\\\c\\nd\", \"service_calls\": 12}",
	 "# HELP contentfs_service_calls_total Questions to the service.\n"
	 "# TYPE contentfs_service_calls_total counter\n"
	 "contentfs_service_calls_total{store=\"a\\\"b\\\\c\\nd\"} 12\n"},
	{"a part of the cache", "{\"store\": \"s\", \"cache\": {\"hits\": 7, \"folder\": \"f\"}}",
	 "# HELP contentfs_cache_hits_total Reads of assets that the cache answered.\n"
	 "# TYPE contentfs_cache_hits_total counter\ncontentfs_cache_hits_total{store=\"s\"} 7\n"},
	{"entries",
	 "{\"store\": \"s\", \"entries_by_type\": [{\"content_type\": \"a\\\\b\", \"locale\": \"en\", \"entries\": 3},"
	 "{\"content_type\": \"c\", \"locale\": \"de\", \"entries\": 0}]}",
	 "# HELP contentfs_entries Entries, by content type and locale.\n# TYPE contentfs_entries gauge\n"
	 "contentfs_entries{store=\"s\",content_type=\"a\\\\b\",locale=\"en\"} 3\n"
	 "contentfs_entries{store=\"s\",content_type=\"c\",locale=\"de\"} 0\n"},
	{"requests", "{\"store\": \"s\", \"requests_by_operation\": {\"lookup\": 1, \"read\": 2}}",
	 "# HELP contentfs_requests_total Requests of the kernel, by operation.\n"
	 "# TYPE contentfs_requests_total counter\n"
	 "contentfs_requests_total{store=\"s\",operation=\"lookup\"} 1\n"
	 "contentfs_requests_total{store=\"s\",operation=\"read\"} 2\n"},
};

static void test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(buf_finish) struct buf out = BUF_INIT;
		struct json_value status;
		json_check(slice_of(rows[i].status), 8, &status, NULL);
		is_int(metrics_append(&out, status), 0, "%s", rows[i].name);
		const char *text = buf_text(&out);
		ok(strncmp(text, info, sizeof(info) - 1) == 0, "%s: begins with what it is about", rows[i].name);
		const char *behind = strstr(text, "} 1\n");
		is_str(behind ? behind + 4 : NULL, rows[i].want, "%s: the rest", rows[i].name);
	}
}

static void test_info(void)
{
	CLEANUP(buf_finish) struct buf out = BUF_INIT;
	struct json_value status;
	json_check(slice_of("{\"store\": \"s\", \"version\": \"1\", \"host\": \"h\", \"environment\": \"e\"}"), 8,
		   &status, NULL);
	metrics_append(&out, status);
	ok(strstr(buf_text(&out), "contentfs_info{store=\"s\",version=\"1\",host=\"h\",environment=\"e\",branch=\"\","
				  "mountpoint=\"\"} 1\n"),
	   "what it is about");
}

int main(void)
{
	test_values();
	test_rows();
	test_info();
	return tap_done();
}
