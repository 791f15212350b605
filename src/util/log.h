/*
 * Messages for whoever runs the program: to stderr, or to the system log once the program has left its terminal. The one
 * mutable global of the house. Any thread; a message is one write.
 */
#ifndef CONTENTFS_UTIL_LOG_H
#define CONTENTFS_UTIL_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_DEBUG };

/* What is less important than `level` is dropped. Before any thread starts; the default is LOG_LEVEL_NOTICE. */
void log_set_level(enum log_level level);

/* From here on messages go to syslog(3), facility daemon. */
void log_to_syslog(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
