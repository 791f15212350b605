#include "asset_server.h"

#include "scripted_server.h"
#include "util/clock.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 16384

struct connection {
	struct asset_server *server;
	int fd;
};

/* What one answer is to be. */
struct plan {
	struct fault fault;
	int version;
	int64_t size, begin, end; /* of the asset, of the part that is sent */
	bool part;
	int64_t cut; /* bytes of the body that are sent; -1: all */
};

static bool send_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		at += sent;
		len -= (size_t)sent;
	}
	return true;
}

static bool send_text(int fd, const char *text)
{
	return send_all(fd, text, strlen(text));
}

/* Until the other side, or asset_server_stop, closes it. */
static void drain(int fd)
{
	char rest[4096];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	while (poll(&ready, 1, ASSET_SERVER_DEADLINE_MS) == 1 && recv(fd, rest, sizeof(rest), 0) > 0)
		;
}

static bool is_chunked(const struct plan *plan)
{
	return plan->fault.kind == CHUNKED || plan->fault.kind == CHUNKED_WHOLE;
}

static bool send_body(struct asset_server *server, int fd, const struct plan *plan)
{
	unsigned char chunk[CHUNK];
	size_t most = plan->fault.kind == TRICKLE ? (size_t)plan->fault.number : sizeof(chunk);
	int64_t end = plan->cut >= 0 ? plan->begin + plan->cut : plan->end;
	for (int64_t at = plan->begin; at < end;) {
		size_t len = end - at < (int64_t)most ? (size_t)(end - at) : most;
		char size[32];
		for (size_t i = 0; i < len; i++)
			chunk[i] = asset_byte(plan->version, at + (int64_t)i);
		snprintf(size, sizeof(size), "%zx\r\n", len);
		if (is_chunked(plan) && !send_text(fd, size))
			return false;
		if (!send_all(fd, chunk, len) || (is_chunked(plan) && !send_text(fd, "\r\n")))
			return false;
		at += (int64_t)len;
		atomic_fetch_add(&server->sent, (int64_t)len);
		if (plan->fault.kind == TRICKLE)
			poll(NULL, 0, 2);
	}
	return !is_chunked(plan) || send_text(fd, "0\r\n\r\n");
}

static void write_head(const struct asset_server *server, const struct plan *plan, char *head, size_t size)
{
	enum fault_kind kind = plan->fault.kind;
	int len = snprintf(head, size, "HTTP/1.1 %s\r\nContent-Type: %s\r\n", plan->part ? "206 Part" : "200 OK",
			   server->type);
	if (kind == DATED)
		len += snprintf(head + len, size - (size_t)len, "Last-Modified: Mon, 0%d Jan 2024 00:00:00 GMT\r\n",
				1 + plan->version % 9);
	else if (kind != NO_TAG && kind != OTHER_BYTES && kind != SHORT_UNTAGGED)
		len += snprintf(head + len, size - (size_t)len, "ETag: \"%d%s\"\r\n", plan->version,
				kind == OTHER_TAG ? "x" : "");
	if (plan->part && kind == STAR_RANGE)
		len += snprintf(head + len, size - (size_t)len, "Content-Range: bytes %lld-%lld/*\r\n",
				(long long)plan->begin, (long long)plan->end - 1);
	else if (plan->part && kind != BARE_RANGE)
		len += snprintf(head + len, size - (size_t)len, "Content-Range: bytes %lld-%lld/%lld\r\n",
				(long long)plan->begin, (long long)plan->end - 1, (long long)plan->size);
	if (kind == GZIP)
		len += snprintf(head + len, size - (size_t)len, "Content-Encoding: gzip\r\n");
	if (is_chunked(plan))
		len += snprintf(head + len, size - (size_t)len, "Transfer-Encoding: chunked\r\n");
	else if (kind != CLOSED && kind != CLOSED_CUT)
		len += snprintf(head + len, size - (size_t)len, "Content-Length: %lld\r\n",
				(long long)(plan->end - plan->begin));
	snprintf(head + len, size - (size_t)len, "\r\n");
}

/* Which bytes are asked for: false if there are none. */
static bool choose_range(const struct asset_request *request, struct plan *plan)
{
	enum fault_kind kind = plan->fault.kind;
	char tag[32];
	long long first;
	long long last;
	int count = sscanf(request->range, "bytes=%lld-%lld", &first, &last);
	snprintf(tag, sizeof(tag), "\"%d\"", plan->version);
	plan->end = plan->size;
	if (count < 1 || kind == NO_RANGES || kind == CLOSED || kind == CLOSED_CUT || kind == CHUNKED_WHOLE)
		return true;
	if (request->if_range[0] && (kind == NO_IF_RANGE || strcmp(request->if_range, tag) != 0))
		return true;
	if (first >= plan->size)
		return false;
	plan->part = true;
	plan->begin = first;
	if (count == 2 && last + 1 < plan->size)
		plan->end = last + 1;
	if ((kind == SHORT_RANGE || kind == SHORT_UNTAGGED) && plan->end > plan->begin + plan->fault.number)
		plan->end = plan->begin + plan->fault.number;
	if (kind == WRONG_RANGE && plan->begin + 262144 < plan->size) {
		plan->begin += 262144;
		if (plan->end <= plan->begin)
			plan->end = plan->begin + 1;
	}
	return true;
}

/* Answers that have nothing of the asset. True if this was one; *keep tells whether the connection stays. */
static bool answer_without(int fd, const struct plan *plan, bool *keep)
{
	char text[1024] = "";
	const char *empty = "Content-Length: 0\r\n\r\n";
	*keep = true;
	switch (plan->fault.kind) {
	case STATUS:
		snprintf(text, sizeof(text), "HTTP/1.1 %ld Text\r\n%s", plan->fault.number, empty);
		break;
	case RETRY_AFTER:
		snprintf(text, sizeof(text), "HTTP/1.1 429 Text\r\nRetry-After: %ld\r\n%s", plan->fault.number, empty);
		break;
	case REDIRECT:
		snprintf(text, sizeof(text), "HTTP/1.1 %ld Text\r\nLocation: %s\r\nContent-Length: 5\r\n\r\nhello",
			 plan->fault.number ? plan->fault.number : 302, plan->fault.text);
		break;
	case RANGE_REFUSED:
		snprintf(text, sizeof(text), "HTTP/1.1 416 Text\r\nContent-Range: bytes */%lld\r\n%s",
			 (long long)plan->size, empty);
		break;
	case RANGE_UNKNOWN:
		snprintf(text, sizeof(text), "HTTP/1.1 416 Text\r\n%s", empty);
		break;
	case HTML:
		snprintf(text, sizeof(text),
			 "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");
		break;
	case OUT_OF_ORDER:
		snprintf(text, sizeof(text),
			 "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(plan->fault.text), plan->fault.text);
		break;
	case NONSENSE:
		snprintf(text, sizeof(text), "220 smtp.example ESMTP\r\n");
		*keep = false;
		break;
	case SILENCE:
		drain(fd);
		*keep = false;
		return true;
	default:
		return false;
	}
	*keep = send_text(fd, text) && *keep;
	return true;
}

static void note_cut(struct plan *plan)
{
	enum fault_kind kind = plan->fault.kind;
	plan->cut = -1;
	if (kind == CUT || kind == RESET || kind == STALL || kind == CLOSED_CUT)
		plan->cut = (plan->end - plan->begin) * plan->fault.number / 3;
}

/* Whether the connection stays. */
static bool answer(struct asset_server *server, int fd, const struct asset_request *request, struct fault fault)
{
	static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct plan plan = {
		.fault = fault, .version = atomic_load(&server->version), .size = atomic_load(&server->size)};
	char head[1024];
	bool keep;
	if (fault.kind == SIZE_IS)
		plan.size = fault.number;
	if (fault.kind == OTHER_BYTES)
		plan.version += atomic_load(&server->requests);
	if (answer_without(fd, &plan, &keep))
		return keep;
	bool satisfiable = choose_range(request, &plan);
	if (!satisfiable) {
		plan.fault.kind = RANGE_REFUSED;
		answer_without(fd, &plan, &keep);
		return keep;
	}
	note_cut(&plan);
	write_head(server, &plan, head, sizeof(head));
	int now = atomic_fetch_add(&server->under_way, 1) + 1;
	if (now > atomic_load(&server->most))
		atomic_store(&server->most, now);
	keep = send_text(fd, head) && send_body(server, fd, &plan);
	atomic_fetch_sub(&server->under_way, 1);
	if (fault.kind == STALL)
		drain(fd);
	if (fault.kind == RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return keep && plan.cut < 0 && fault.kind != CLOSED;
}

static bool read_request(int fd, struct asset_request *request)
{
	char text[SERVER_REQUEST_SIZE];
	char value[300];
	size_t len = 0;
	text[0] = '\0';
	while (!strstr(text, "\r\n\r\n")) {
		ssize_t got = len < sizeof(text) - 1 ? recv(fd, text + len, sizeof(text) - 1 - len, 0) : 0;
		if (got <= 0)
			return false;
		len += (size_t)got;
		text[len] = '\0';
	}
	*request = (struct asset_request){0};
	sscanf(text, "GET %511s", request->target);
	request_header(text, "Range", request->range, sizeof(request->range));
	request_header(text, "If-Range", request->if_range, sizeof(request->if_range));
	request_header(text, "Host", request->host, sizeof(request->host));
	request_header(text, "Accept-Encoding", request->encoding, sizeof(request->encoding));
	request->token = request_header(text, "access_token", value, sizeof(value)) ||
			 request_header(text, "api_key", value, sizeof(value));
	return true;
}

static struct fault note_request(struct asset_server *server, const struct asset_request *request)
{
	pthread_mutex_lock(&server->lock);
	int number = atomic_fetch_add(&server->requests, 1);
	if (number < ASSET_SERVER_LOG)
		server->log[number] = *request;
	struct fault fault =
		server->script_next < server->script_len ? server->script[server->script_next++] : server->always;
	pthread_mutex_unlock(&server->lock);
	return fault;
}

static void *serve_connection(void *opaque)
{
	struct connection *connection = opaque;
	struct asset_server *server = connection->server;
	struct asset_request request;
	while (read_request(connection->fd, &request) &&
	       answer(server, connection->fd, &request, note_request(server, &request)))
		;
	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < ASSET_SERVER_CONNECTIONS; i++)
		if (server->connections[i] == connection->fd)
			server->connections[i] = -1;
	close(connection->fd);
	server->connection_count--;
	pthread_mutex_unlock(&server->lock);
	free(connection);
	return NULL;
}

static bool take_connection(struct asset_server *server, int fd)
{
	struct connection *connection = malloc(sizeof(*connection));
	pthread_t thread;
	int place = 0;
	pthread_mutex_lock(&server->lock);
	while (place < ASSET_SERVER_CONNECTIONS && server->connections[place] >= 0)
		place++;
	bool taken = connection && place < ASSET_SERVER_CONNECTIONS;
	if (taken) {
		*connection = (struct connection){server, fd};
		server->connections[place] = fd;
		server->connection_count++;
		if (pthread_create(&thread, NULL, serve_connection, connection) == 0) {
			pthread_detach(thread);
		} else {
			server->connections[place] = -1;
			server->connection_count--;
			taken = false;
		}
	}
	pthread_mutex_unlock(&server->lock);
	if (!taken)
		free(connection);
	return taken;
}

static void *serve(void *opaque)
{
	struct asset_server *server = opaque;
	int fd;
	while ((fd = accept(server->listener, NULL, NULL)) >= 0)
		if (!take_connection(server, fd))
			close(fd);
	return NULL;
}

void asset_server_start(struct asset_server *server, int64_t size)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(here);
	memset(server, 0, sizeof(*server));
	server->type = "image/png";
	atomic_store(&server->size, size);
	pthread_mutex_init(&server->lock, NULL);
	for (int i = 0; i < ASSET_SERVER_CONNECTIONS; i++)
		server->connections[i] = -1;
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&here, sizeof(here)) < 0 ||
	    listen(server->listener, 128) < 0 || getsockname(server->listener, (struct sockaddr *)&here, &len) < 0 ||
	    pthread_create(&server->thread, NULL, serve, server) != 0) {
		printf("Bail out! cannot serve on 127.0.0.1\n");
		exit(1);
	}
	server->port = ntohs(here.sin_port);
}

void asset_server_script(struct asset_server *server, const struct fault *faults, unsigned count, struct fault always)
{
	pthread_mutex_lock(&server->lock);
	for (unsigned i = 0; i < count; i++)
		server->script[i] = faults[i];
	server->script_len = count;
	server->script_next = 0;
	server->always = always;
	pthread_mutex_unlock(&server->lock);
}

void asset_server_stop(struct asset_server *server)
{
	int64_t deadline = clock_monotonic_ms() + ASSET_SERVER_DEADLINE_MS;
	unsigned left = 1;
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
	while (left > 0 && clock_monotonic_ms() < deadline) {
		pthread_mutex_lock(&server->lock);
		for (int i = 0; i < ASSET_SERVER_CONNECTIONS; i++)
			if (server->connections[i] >= 0)
				shutdown(server->connections[i], SHUT_RDWR);
		left = server->connection_count;
		pthread_mutex_unlock(&server->lock);
		poll(NULL, 0, left > 0 ? 2 : 0);
	}
	pthread_mutex_destroy(&server->lock);
}
