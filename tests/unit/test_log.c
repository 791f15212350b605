/* Which messages are wanted, whose they are, and where they go. */
#include "tap.h"
#include "util/log.h"

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Levels as letters, in the order of enum log_topic: app, assets, cli, fs, http, store, sync, others. */
static const struct {
	const char *text;
	const char *want; /* NULL: refused */
	const char *says;
} filters[] = {
	{"error", "eeeeeeee", NULL},
	{"warning", "wwwwwwww", NULL},
	{"notice", "nnnnnnnn", NULL},
	{"info", "iiiiiiii", NULL},
	{"debug", "dddddddd", NULL},
	{"http=debug", "nnnndnnn", NULL},
	{"sync=debug,http=error", "nnnnendn", NULL},
	{"info,http=debug", "iiiidiii", NULL},
	{"http=debug,info", "iiiidiii", NULL},
	{"http=debug,http=info", "nnnninnn", NULL},
	{"app=error,assets=warning,cli=info,fs=debug,store=error", "ewidnenn", NULL},
	{"", NULL, "no level ''"},
	{"loud", NULL, "no level 'loud'"},
	{"Debug", NULL, "no level 'Debug'"},
	{"http=", NULL, "no level ''"},
	{"http=loud", NULL, "no level 'loud'"},
	{"=debug", NULL, "no topic ''"},
	{"network=debug", NULL, "no topic 'network'"},
	{"debug,", NULL, "no level ''"},
	{"debug,,info", NULL, "no level ''"},
	{"http=debug=debug", NULL, "no level 'debug=debug'"},
};

static const char *letters_of(const struct log_filter *filter, char letters[LOG_TOPICS + 1])
{
	for (int i = 0; i < LOG_TOPICS; i++)
		letters[i] = "ewnid"[filter->level[i]];
	letters[LOG_TOPICS] = '\0';
	return letters;
}

static void test_filters(void)
{
	for (size_t i = 0; i < COUNT(filters); i++) {
		struct log_filter filter;
		struct err err = {0};
		char letters[LOG_TOPICS + 1];
		log_filter_set(&filter, LOG_LEVEL_NOTICE);
		int rc = log_filter_parse(&filter, filters[i].text, &err);
		is_int(rc, filters[i].want ? 0 : -EINVAL, "'%s' is a filter or not", filters[i].text);
		is_str(letters_of(&filter, letters), filters[i].want ? filters[i].want : "nnnnnnnn", "what '%s' wants",
		       filters[i].text);
		ok(!filters[i].says || strstr(err.text, filters[i].says), "and why not: '%s'", err.text);
	}
}

static const struct {
	const char *file;
	enum log_topic want;
} files[] = {
	{"../src/http/http.c", LOG_TOPIC_HTTP},
	{"src/sync/run.c", LOG_TOPIC_SYNC},
	{"/usr/src/store/open.c", LOG_TOPIC_STORE},
	{"fs/fs.c", LOG_TOPIC_FS},
	{"../src/util/log.c", LOG_TOPIC_OTHER},
	{"log.c", LOG_TOPIC_OTHER},
	{"../http/src/main.c", LOG_TOPIC_OTHER},
	{"", LOG_TOPIC_OTHER},
	{"/http.c", LOG_TOPIC_OTHER},
};

static void test_topics(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		is_int(log_topic_of(files[i].file), files[i].want, "the topic of '%s'", files[i].file);
	is_str(log_topic_name(LOG_TOPIC_ASSETS), "assets", "topics have names");
	is_str(log_topic_name(LOG_TOPIC_OTHER), "", "but for the others'");
}

static const struct {
	const char *stream;
	bool want;
} streams[] = {
	{NULL, false},    {"", false},       {"8:4711", true},   {"8:47110", false},
	{"8:471", false}, {"9:4711", false}, {"8:4711 ", false},
};

static void test_journal(void)
{
	for (size_t i = 0; i < COUNT(streams); i++)
		is_int(log_is_journal(streams[i].stream, 8, 4711), streams[i].want, "JOURNAL_STREAM=%s",
		       streams[i].stream ? streams[i].stream : "(none)");
}

int main(void)
{
	test_filters();
	test_topics();
	test_journal();
	return tap_done();
}
