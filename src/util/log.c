#include "util/log.h"

#include "util/printable.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static atomic_int log_level = LOG_LEVEL_NOTICE;
static atomic_bool log_syslog;

void log_set_level(enum log_level level)
{
	atomic_store(&log_level, (int)level);
}

void log_to_syslog(void)
{
	openlog("contentfs", LOG_PID, LOG_DAEMON);
	atomic_store(&log_syslog, true);
}

static void log_line(enum log_level level, const char *fmt, va_list args)
{
	static const int priority[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_WARNING] = LOG_WARNING,
		[LOG_LEVEL_NOTICE] = LOG_NOTICE,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	static const char *const word[] = {
		[LOG_LEVEL_ERROR] = "",
		[LOG_LEVEL_WARNING] = "warning: ",
		[LOG_LEVEL_NOTICE] = "",
		[LOG_LEVEL_DEBUG] = "debug: ",
	};
	if ((int)level > atomic_load(&log_level))
		return;
	char text[2048];
	int len = vsnprintf(text, sizeof(text) - 1, fmt, args);
	if (len < 0)
		return;
	make_printable(text, strlen(text));
	if (atomic_load(&log_syslog)) {
		syslog(priority[level], "%s", text);
		return;
	}
	char line[2200];
	len = snprintf(line, sizeof(line), "contentfs: %s%s\n", word[level], text);
	ssize_t written = write(STDERR_FILENO, line, (size_t)len);
	(void)written; /* nowhere left to say it */
}

#define LOG_FUNCTION(name, level)                                                                                      \
	void name(const char *fmt, ...)                                                                                \
	{                                                                                                              \
		va_list args;                                                                                          \
		va_start(args, fmt);                                                                                   \
		log_line(level, fmt, args);                                                                            \
		va_end(args);                                                                                          \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_notice, LOG_LEVEL_NOTICE)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
