/*
 * Messages for whoever runs the program: to stderr, or to the system log once the program has left its terminal. The one
 * mutable global of the house. Any thread; a message is one write.
 */
#ifndef CONTENTFS_UTIL_LOG_H
#define CONTENTFS_UTIL_LOG_H

#include "util/log_filter.h"

#include <stdbool.h>
#include <sys/types.h>

/* What the filter does not let through is dropped. Before any thread starts: until then notices and what is more important
 * are let through. */
void log_set_filter(const struct log_filter *filter);

/* The same for all topics alike. */
void log_set_level(enum log_level level);

/* Looks whether stderr is connected to the journal: then each line begins with its priority, and not with a name that the
 * journal knows anyway. To be called first. */
void log_open(void);

/* Whether `stream`, the value of JOURNAL_STREAM or NULL, names that file: see systemd.exec(5). Pure. */
bool log_is_journal(const char *stream, dev_t device, ino_t inode);

/* From here on messages go to syslog(3), facility daemon. */
void log_to_syslog(void);

/* Somebody draws a line on stderr that a message has to erase first: with these bytes, which outlive it. NULL: the line is
 * gone. */
void log_set_eraser(const char *eraser);

/* A message, of the topic that the source file belongs to. */
void log_write(enum log_level level, const char *file, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __FILE__, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __FILE__, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __FILE__, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __FILE__, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __FILE__, __VA_ARGS__)

#endif
