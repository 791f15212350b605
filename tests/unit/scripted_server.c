#include "scripted_server.h"

#include "util/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	printf("Bail out! the test server: %s\n", what);
	fflush(stdout);
	_exit(1);
}

static bool readable(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	return poll(&wait, 1, SERVER_DEADLINE_MS) == 1;
}

/* One head of a request. False if the other side closed, or the deadline passed. */
static bool read_request(int fd, char request[SERVER_REQUEST_SIZE])
{
	size_t len = 0;
	request[0] = '\0';
	while (!strstr(request, "\r\n\r\n")) {
		if (len == SERVER_REQUEST_SIZE - 1 || !readable(fd))
			return false;
		ssize_t got = recv(fd, request + len, SERVER_REQUEST_SIZE - 1 - len, 0);
		if (got <= 0)
			return false;
		len += (size_t)got;
		request[len] = '\0';
	}
	return true;
}

static void send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		bytes += sent;
		len -= (size_t)sent;
	}
}

static void drain(int fd)
{
	char rest[4096];
	while (readable(fd) && recv(fd, rest, sizeof(rest), 0) > 0)
		;
}

/* Returns the connection for the next answer, -1 for a new one. */
static int end_answer(int fd, enum server_then then)
{
	static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	if (then == THEN_KEEP)
		return fd;
	if (then == THEN_HOLD)
		drain(fd);
	if (then == THEN_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	return -1;
}

static void *serve(void *opaque)
{
	struct server *server = opaque;
	int fd = -1;
	for (size_t i = 0; i < server->count; i++) {
		const struct server_answer *answer = &server->answers[i];
		if (fd < 0) {
			fd = readable(server->listener) ? accept(server->listener, NULL, NULL) : -1;
			server->connections += fd >= 0;
		}
		if (fd < 0 || !read_request(fd, server->requests[i]))
			break;
		send_all(fd, answer->bytes, answer->len ? answer->len : strlen(answer->bytes));
		atomic_fetch_add(&server->answered, 1);
		fd = end_answer(fd, answer->then);
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

void server_start(struct server *server, const struct server_answer *answers, size_t count)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	memset(server, 0, sizeof(*server));
	server->answers = answers;
	server->count = count;
	if (count > SERVER_REQUESTS_MAX)
		die("the script is too long");
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&here, sizeof(here)) < 0 ||
	    listen(server->listener, 8) < 0)
		die("cannot listen on 127.0.0.1");
	if (pthread_create(&server->thread, NULL, serve, server) != 0)
		die("cannot start a thread");
}

char *server_url(const struct server *server, const char *path, char *url, size_t size)
{
	struct sockaddr_in here = {0};
	socklen_t len = sizeof(here);
	getsockname(server->listener, (struct sockaddr *)&here, &len);
	snprintf(url, size, "http://127.0.0.1:%u%s", ntohs(here.sin_port), path);
	return url;
}

int server_wait(const struct server *server, size_t count)
{
	int64_t deadline = clock_monotonic_ms() + SERVER_DEADLINE_MS;
	while (atomic_load(&server->answered) < count) {
		if (clock_monotonic_ms() > deadline)
			return -1;
		poll(NULL, 0, 5);
	}
	return 0;
}

void server_stop(struct server *server)
{
	pthread_join(server->thread, NULL);
	close(server->listener);
}

void server_cancel(struct server *server)
{
	shutdown(server->listener, SHUT_RDWR); /* accept fails from now on */
	server_stop(server);
}

char *request_header(const char *request, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);
	for (const char *line = strstr(request, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " ");
		snprintf(value, size, "%.*s", (int)strcspn(line, "\r"), line);
		return value;
	}
	return NULL;
}
