/*
 * An HTTP server for one test: a thread that listens on a free port of 127.0.0.1 and gives, one after the other, the
 * answers it was told to give, byte by byte as they stand. Nothing waits for longer than SERVER_DEADLINE_MS.
 */
#ifndef CONTENTFS_TESTS_SCRIPTED_SERVER_H
#define CONTENTFS_TESTS_SCRIPTED_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define SERVER_DEADLINE_MS 10000
#define SERVER_REQUESTS_MAX 24
#define SERVER_REQUEST_SIZE 8192

/* What happens to the connection once the answer was sent. */
enum server_then {
	THEN_KEEP,  /* the next request is expected on it */
	THEN_CLOSE, /* closed; the next request comes on a new one */
	THEN_RESET, /* the same, with a TCP reset */
	THEN_HOLD,  /* nothing, until the other side closes it */
};

struct server_answer {
	const char *bytes;
	size_t len; /* 0: strlen(bytes) */
	enum server_then then;
};

struct server {
	int listener;
	pthread_t thread;
	const struct server_answer *answers;
	size_t count;
	atomic_size_t answered; /* answers sent so far */
	int connections;        /* the members from here on are the thread's until server_stop returns */
	char requests[SERVER_REQUESTS_MAX][SERVER_REQUEST_SIZE]; /* heads as they came */
};

/* `answers` must live until server_stop. Ends the test program if the machine does not even allow this. */
void server_start(struct server *server, const struct server_answer *answers, size_t count);

/* "http://127.0.0.1:PORT" followed by `path`. Returns url. */
char *server_url(const struct server *server, const char *path, char *url, size_t size);

/* Waits until `count` answers were sent. 0, or -1 if the deadline passed. Any thread. */
int server_wait(const struct server *server, size_t count);

/* Waits for the end of the script and frees everything but `requests` and `connections`. */
void server_stop(struct server *server);

/* The same, but waits for no further connection. */
void server_cancel(struct server *server);

/* The value of a header in a request, or NULL; cut out into a buffer of the caller. */
char *request_header(const char *request, const char *name, char *value, size_t size);

#endif
