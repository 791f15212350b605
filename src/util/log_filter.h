/* Which messages are wanted: how important they must be, by topic. A topic is the folder of src/ that speaks. Pure. */
#ifndef CONTENTFS_UTIL_LOG_FILTER_H
#define CONTENTFS_UTIL_LOG_FILTER_H

#include "util/err.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_topic {
	LOG_TOPIC_APP,
	LOG_TOPIC_ASSETS,
	LOG_TOPIC_CLI,
	LOG_TOPIC_FS,
	LOG_TOPIC_HTTP,
	LOG_TOPIC_STORE,
	LOG_TOPIC_SYNC,
	LOG_TOPIC_OTHER, /* of any other folder; has no name */
};

#define LOG_TOPICS (LOG_TOPIC_OTHER + 1)

struct log_filter {
	enum log_level level[LOG_TOPICS]; /* the least important that is wanted */
};

/* The same level for all topics. Notices and what is more important is the default. */
void log_filter_set(struct log_filter *filter, enum log_level level);

/*
 * Reads "LEVEL", "TOPIC=LEVEL", or several with commas between them, over what the filter has: a level alone counts for
 * all topics that are not named, wherever it stands. "info,http=debug". -EINVAL with the words that are known; then the filter
 * is as it was.
 */
int log_filter_parse(struct log_filter *filter, const char *text, struct err *err);

/* The topic of a source file, by its path. */
enum log_topic log_topic_of(const char *file);

/* "http" and so on; "" for LOG_TOPIC_OTHER. Static. */
const char *log_topic_name(enum log_topic topic);

#endif
