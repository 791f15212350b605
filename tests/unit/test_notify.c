/* What a service manager gets to read, and how it is found. */
#include "tap.h"
#include "util/log.h"
#include "util/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DEADLINE_SECONDS 10

static char folder[256];

/* Listens at a name as NOTIFY_SOCKET has it. */
static int manager_open(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval deadline = {.tv_sec = DEADLINE_SECONDS};
	size_t len = strlen(name);
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
		    0) {
		printf("Bail out! cannot listen at %s\n", name);
		exit(1);
	}
	return fd;
}

static const char *manager_hear(int fd, char text[4096])
{
	ssize_t len = recv(fd, text, 4095, 0);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void test_socket(const char *name)
{
	char heard[4096];
	struct notify notify;
	int manager = manager_open(name);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_open(&notify);
	ok(notify.fd >= 0, "%s is found", name);
	ok(!getenv("NOTIFY_SOCKET"), "and taken out of the environment");
	ok(fcntl(notify.fd, F_GETFD) & FD_CLOEXEC, "and handed to no program");
	is_int(notify.watchdog_ms, 0, "no watchdog is asked for");
	notify_send(&notify, "READY=1\nSTATUS=%d of %s", 7, "them");
	is_str(manager_hear(manager, heard), "READY=1\nSTATUS=7 of them", "what is sent is what is heard");
	notify_send(&notify, "STATUS=%04000d", 1);
	is_int((long long)strlen(manager_hear(manager, heard)), 2047, "what is too long is cut");
	close(manager);
	notify_send(&notify, "STATUS=to nobody");
	ok(true, "a manager that is gone is no harm");
	notify_close(&notify);
	is_int(notify.fd, -1, "it can be closed");
	notify_send(&notify, "STATUS=after the end");
}

static void test_no_manager(void)
{
	static const char too_long[] = "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const char *const names[] = {"", "relative", "@", "/", "/nowhere/notify", "vsock:2:1234", too_long};
	struct notify notify;
	unsetenv("NOTIFY_SOCKET");
	notify_open(&notify);
	is_int(notify.fd, -1, "without a socket nobody is told");
	for (size_t i = 0; i < COUNT(names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		setenv("WATCHDOG_USEC", "1000000", 1);
		notify_open(&notify);
		is_int(notify.fd, -1, "'%s' is no socket to tell", names[i]);
		is_int(notify.watchdog_ms, 0, "and wants no watchdog");
	}
}

static void test_watchdog(const char *name)
{
	char me[16];
	char other[16];
	snprintf(me, sizeof(me), "%d", (int)getpid());
	snprintf(other, sizeof(other), "%d", (int)getppid());
	const struct {
		const char *what;
		const char *us;
		const char *pid;
		int64_t want;
	} rows[] = {
		{"a watchdog for everybody", "3000000", NULL, 3000},
		{"a watchdog for this process", "3000000", me, 3000},
		{"a watchdog for another process", "3000000", other, 0},
		{"a watchdog of less than a millisecond", "1", me, 1},
		{"a watchdog that is no number", "3s", me, 0},
		{"a watchdog that is negative", "-1", me, 0},
		{"a watchdog of nothing", "0", me, 0},
		{"a watchdog for what is no process", "3000000", "x", 0},
	};
	int manager = manager_open(name);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct notify notify;
		setenv("NOTIFY_SOCKET", name, 1);
		setenv("WATCHDOG_USEC", rows[i].us, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		notify_open(&notify);
		is_int(notify.watchdog_ms, rows[i].want, "%s", rows[i].what);
		ok(!getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"), "and it is taken out of the environment");
		notify_close(&notify);
	}
	close(manager);
}

int main(void)
{
	const char *under = getenv("TMPDIR");
	char path[300];
	char abstract[300];
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "%.60s/contentfs-test-XXXXXX", under && *under ? under : "/tmp");
	if (!mkdtemp(folder)) {
		printf("Bail out! cannot make a folder\n");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/notify", folder);
	snprintf(abstract, sizeof(abstract), "@%s/notify", folder);
	test_socket(path);
	test_socket(abstract);
	test_no_manager();
	unlink(path);
	test_watchdog(path);
	unlink(path);
	rmdir(folder);
	return tap_done();
}
