#include "util/log_filter.h"

#include "util/slice.h"

#include <errno.h>

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

static const char *const topic_names[LOG_TOPICS] = {
	[LOG_TOPIC_APP] = "app",   [LOG_TOPIC_ASSETS] = "assets", [LOG_TOPIC_CLI] = "cli",   [LOG_TOPIC_FS] = "fs",
	[LOG_TOPIC_HTTP] = "http", [LOG_TOPIC_STORE] = "store",   [LOG_TOPIC_SYNC] = "sync", [LOG_TOPIC_OTHER] = "",
};

#define LEVELS (int)(sizeof(level_names) / sizeof(level_names[0]))
#define NO_LEVEL (-1)

void log_filter_set(struct log_filter *filter, enum log_level level)
{
	for (int i = 0; i < LOG_TOPICS; i++)
		filter->level[i] = level;
}

static int find(struct slice word, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (slice_is(word, names[i]))
			return i;
	return -1;
}

/* One part of the text; `levels` are those of topics that are named, NO_LEVEL for the others. */
static int take(struct slice part, int levels[LOG_TOPICS], int *others, struct err *err)
{
	const char *sign = part.len > 0 ? memchr(part.at, '=', part.len) : NULL;
	struct slice topic = sign ? slice_make(part.at, (size_t)(sign - part.at)) : part;
	struct slice level = sign ? slice_make(sign + 1, part.len - topic.len - 1) : part;
	int number = find(level, level_names, LEVELS);
	int place = sign ? find(topic, topic_names, LOG_TOPIC_OTHER) : 0;
	if (number < 0)
		return err_set(err, -EINVAL,
			       "there is no level '%.*s': there are error, warning, notice, info and debug",
			       SLICE_FMT(level));
	if (place < 0)
		return err_set(err, -EINVAL,
			       "there is no topic '%.*s': there are app, assets, cli, fs, http, store and sync",
			       SLICE_FMT(topic));
	*(sign ? &levels[place] : others) = number;
	return 0;
}

int log_filter_parse(struct log_filter *filter, const char *text, struct err *err)
{
	int levels[LOG_TOPICS];
	int others = NO_LEVEL;
	for (int i = 0; i < LOG_TOPICS; i++)
		levels[i] = NO_LEVEL;
	for (const char *at = text; at;) {
		const char *comma = strchr(at, ',');
		int rc = take(slice_make(at, comma ? (size_t)(comma - at) : strlen(at)), levels, &others, err);
		if (rc < 0)
			return rc;
		at = comma ? comma + 1 : NULL;
	}
	for (int i = 0; i < LOG_TOPICS; i++) {
		int level = levels[i] == NO_LEVEL ? others : levels[i];
		if (level != NO_LEVEL)
			filter->level[i] = (enum log_level)level;
	}
	return 0;
}

enum log_topic log_topic_of(const char *file)
{
	const char *name = strrchr(file, '/');
	const char *folder = name;
	while (folder && folder > file && folder[-1] != '/')
		folder--;
	int topic = folder ? find(slice_make(folder, (size_t)(name - folder)), topic_names, LOG_TOPIC_OTHER) : -1;
	return topic < 0 ? LOG_TOPIC_OTHER : (enum log_topic)topic;
}

const char *log_topic_name(enum log_topic topic)
{
	return topic_names[topic];
}
