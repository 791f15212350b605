#include "util/notify.h"

#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 2048
#define SEND_SECONDS 1 /* a manager that does not read is not waited for */

/* A path, or a name in the abstract namespace that begins with "@". Returns the length of the address, or 0. */
static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
	size_t len = strlen(name);
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, name, len);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/' ? 1 : 0));
}

/* Connected now, while every socket can be reached. */
static int connect_to(const char *name)
{
	struct sockaddr_un address;
	const struct timeval patience = {.tv_sec = SEND_SECONDS};
	socklen_t len = address_of(name, &address);
	if (len == 0) {
		errno = EINVAL;
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, len) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static long long number(const char *text)
{
	char *end;
	errno = 0;
	long long value = text && *text ? strtoll(text, &end, 10) : 0;
	return text && *text && !*end && !errno && value > 0 ? value : 0;
}

static int64_t watchdog_ms(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	long long us = number(getenv("WATCHDOG_USEC"));
	if (pid && number(pid) != getpid())
		return 0;
	return us > 0 && us < 1000 ? 1 : us / 1000;
}

void notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	*notify = (struct notify)NOTIFY_NONE;
	if (name && *name) {
		notify->fd = connect_to(name);
		if (notify->fd < 0)
			log_warning("the service manager cannot be told of anything at %s: %s", name, strerror(errno));
		else
			notify->watchdog_ms = watchdog_ms();
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	*notify = (struct notify)NOTIFY_NONE;
}

void notify_send(const struct notify *notify, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list args;
	if (notify->fd < 0)
		return;
	va_start(args, fmt);
	int len = vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (len > 0 && send(notify->fd, message, strnlen(message, sizeof(message)), MSG_NOSIGNAL) < 0)
		log_debug("the service manager was not told: %s", strerror(errno));
}
