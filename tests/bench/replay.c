/*
 * Answers requests with what was recorded of them, fast enough that what is measured is who asks. A thread a connection.
 *
 *   replay INDEX ANSWERS PORT LATENCY
 *
 * A line of INDEX is `OFFSET LENGTH TARGET`: where in the file ANSWERS the whole answer stands, head and body, to a request
 * with this path and query. PORT 0 is any free one. Prints the port once connections are accepted. LATENCY are the
 * milliseconds that each answer takes. A target that was not recorded gets a 404, and a line on standard error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES_MAX 8192
#define BACKLOG 64

struct answer {
	char *target;
	size_t offset;
	size_t len;
};

/* All of it stays as it is from the first connection on. */
static struct {
	struct answer *answers; /* by target */
	size_t count;
	const char *bytes;
	size_t len;
	struct timespec latency;
} recording;

static const char not_recorded[] =
	"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct answer *)a)->target, ((const struct answer *)b)->target);
}

static void load_index(const char *path)
{
	char *line = NULL;
	size_t cap = 0, room = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		fail(path);
	while (getline(&line, &cap, file) > 0) {
		struct answer answer;
		int at = 0;
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%zu %zu %n", &answer.offset, &answer.len, &at) != 2)
			fail(path);
		answer.target = strdup(line + at);
		if (!answer.target)
			fail(path);
		if (recording.count == room) {
			room = room ? room * 2 : 1024;
			recording.answers = reallocarray(recording.answers, room, sizeof(answer));
			if (!recording.answers)
				fail(path);
		}
		recording.answers[recording.count++] = answer;
	}
	free(line);
	fclose(file);
	qsort(recording.answers, recording.count, sizeof(*recording.answers), compare);
}

static void load_bytes(const char *path)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) < 0)
		fail(path);
	recording.len = (size_t)info.st_size;
	void *at = mmap(NULL, recording.len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		fail(path);
	recording.bytes = at;
	close(fd);
}

static bool send_all(int fd, const char *at, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
		if (sent < 0)
			return false;
		at += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* `head` is a request's, with a NUL at its end. */
static bool answer_one(int fd, char *head)
{
	struct answer wanted = {0};
	char *rest = head;
	strsep(&rest, " "); /* the method */
	wanted.target = strsep(&rest, " ");
	if (!wanted.target)
		return false;
	nanosleep(&recording.latency, NULL);
	const struct answer *found = bsearch(&wanted, recording.answers, recording.count, sizeof(wanted), compare);
	if (!found) {
		fprintf(stderr, "replay: not recorded: %s\n", wanted.target);
		return send_all(fd, not_recorded, strlen(not_recorded));
	}
	return send_all(fd, recording.bytes + found->offset, found->len);
}

/* Requests without a body, one after the other. */
static void *serve(void *opaque)
{
	char head[REQUEST_BYTES_MAX];
	int fd = (int)(intptr_t)opaque;
	size_t len = 0;
	ssize_t got;
	while ((got = recv(fd, head + len, sizeof(head) - len - 1, 0)) > 0) {
		len += (size_t)got;
		head[len] = '\0';
		if (len >= 4 && strcmp(head + len - 4, "\r\n\r\n") == 0) {
			len = 0;
			if (!answer_one(fd, head))
				break;
		}
	}
	close(fd);
	return NULL;
}

static int listen_on(unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		fail("socket");
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "Usage: replay INDEX ANSWERS PORT LATENCY\n");
		return 64;
	}
	load_index(argv[1]);
	load_bytes(argv[2]);
	unsigned long ms = strtoul(argv[4], NULL, 10);
	recording.latency = (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	int listener = listen_on((unsigned)strtoul(argv[3], NULL, 10));
	for (;;) {
		pthread_t thread;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			fail("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
			fail("thread");
		pthread_detach(thread);
	}
}
