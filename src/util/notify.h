/*
 * Telling the service manager how it goes: the protocol of sd_notify(3), a datagram for each message to the socket that
 * NOTIFY_SOCKET names. The protocol is stable and small, so there is no need of libsystemd, and one way only.
 */
#ifndef CONTENTFS_UTIL_NOTIFY_H
#define CONTENTFS_UTIL_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd;              /* -1 if nobody is to be told */
	int64_t watchdog_ms; /* how often the manager wants to hear WATCHDOG=1; 0 if it does not */
};

#define NOTIFY_NONE                                                                                                    \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Takes what the environment says, out of it: no child is to speak for this process. A socket that cannot be used is
 * reported in the log and counts as none. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* Sends "NAME=value" lines. Waits for a moment at most; what cannot be delivered is lost. */
void notify_send(const struct notify *notify, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
