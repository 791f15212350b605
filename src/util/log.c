#include "util/log.h"

#include "util/printable.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static atomic_int log_levels[LOG_TOPICS]; /* counted from LOG_LEVEL_NOTICE, which holds until one is set */
static atomic_bool log_syslog;
static atomic_bool log_journal;
static _Atomic(const char *) log_eraser;

void log_set_filter(const struct log_filter *filter)
{
	for (int i = 0; i < LOG_TOPICS; i++)
		atomic_store(&log_levels[i], (int)filter->level[i] - LOG_LEVEL_NOTICE);
}

void log_set_level(enum log_level level)
{
	struct log_filter filter;
	log_filter_set(&filter, level);
	log_set_filter(&filter);
}

bool log_is_journal(const char *stream, dev_t device, ino_t inode)
{
	char want[64];
	snprintf(want, sizeof(want), "%llu:%llu", (unsigned long long)device, (unsigned long long)inode);
	return stream && strcmp(stream, want) == 0;
}

void log_open(void)
{
	struct stat st;
	bool known = fstat(STDERR_FILENO, &st) == 0;
	atomic_store(&log_journal, known && log_is_journal(getenv("JOURNAL_STREAM"), st.st_dev, st.st_ino));
}

void log_to_syslog(void)
{
	openlog("contentfs", LOG_PID, LOG_DAEMON);
	atomic_store(&log_syslog, true);
}

void log_set_eraser(const char *eraser)
{
	atomic_store(&log_eraser, eraser);
}

static void write_line(enum log_level level, int priority, const char *topic, const char *text)
{
	static const char *const words[] = {
		[LOG_LEVEL_ERROR] = "", [LOG_LEVEL_WARNING] = "warning: ", [LOG_LEVEL_NOTICE] = "",
		[LOG_LEVEL_INFO] = "",  [LOG_LEVEL_DEBUG] = "debug: ",
	};
	char line[2200];
	const char *eraser = atomic_load(&log_eraser);
	int len;
	if (atomic_load(&log_journal))
		len = snprintf(line, sizeof(line), "<%d>%s%s\n", priority, topic, text);
	else
		len = snprintf(line, sizeof(line), "%scontentfs: %s%s%s\n", eraser ? eraser : "", words[level], topic,
			       text);
	ssize_t written = write(STDERR_FILENO, line, (size_t)len);
	(void)written; /* nowhere left to say it */
}

void log_write(enum log_level level, const char *file, const char *fmt, ...)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR, [LOG_LEVEL_WARNING] = LOG_WARNING, [LOG_LEVEL_NOTICE] = LOG_NOTICE,
		[LOG_LEVEL_INFO] = LOG_INFO, [LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	enum log_topic topic = log_topic_of(file);
	if ((int)level - LOG_LEVEL_NOTICE > atomic_load(&log_levels[topic]))
		return;
	char text[2048];
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0)
		return;
	make_printable(text, strlen(text));
	/* Who asked for details wants to know whose they are. */
	char about[24] = "";
	if (level > LOG_LEVEL_NOTICE && topic != LOG_TOPIC_OTHER)
		snprintf(about, sizeof(about), "%s: ", log_topic_name(topic));
	if (atomic_load(&log_syslog))
		syslog(priorities[level], "%s%s", about, text);
	else
		write_line(level, priorities[level], about, text);
}
