/*
 * An HTTP server that has one asset, understands ranges, and misbehaves on command: a thread for each connection. What the
 * asset holds follows from its version, so that every byte can be compared with what it must be.
 */
#ifndef CONTENTFS_TESTS_ASSET_SERVER_H
#define CONTENTFS_TESTS_ASSET_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ASSET_SERVER_DEADLINE_MS 30000
#define ASSET_SERVER_LOG 4096
#define ASSET_SERVER_CONNECTIONS 256

enum fault_kind {
	FINE,
	CUT,           /* the connection closes after `number` thirds of the body */
	RESET,         /* the same, with a TCP reset */
	STALL,         /* the same, and then nothing */
	SILENCE,       /* no answer at all */
	SIZE_IS,       /* acts as if the asset had `number` bytes */
	RANGE_REFUSED, /* 416 with the size */
	RANGE_UNKNOWN, /* 416 without */
	NO_RANGES,
	NO_IF_RANGE,    /* answers it with everything, whatever the tag */
	WRONG_RANGE,    /* one piece further on */
	SHORT_RANGE,    /* `number` bytes at most */
	SHORT_UNTAGGED, /* the same, without a tag */
	STAR_RANGE,     /* 206 that does not know the size */
	BARE_RANGE,     /* 206 that does not say which bytes */
	STATUS,
	RETRY_AFTER,  /* 429 with so many seconds */
	REDIRECT,     /* to `text` */
	HTML,         /* an error page with 200 */
	OUT_OF_ORDER, /* 200 with `text`, whatever was asked for */
	GZIP,
	CHUNKED,
	CHUNKED_WHOLE, /* and without ranges */
	CLOSED,        /* no length, no ranges: the end of the connection is the end */
	CLOSED_CUT,    /* and after `number` thirds */
	TRICKLE,       /* in many small parts */
	OTHER_TAG,
	NO_TAG,
	OTHER_BYTES, /* in each answer, and no tag */
	DATED,       /* no tag, but a Last-Modified that goes with the version */
	NONSENSE,
};

struct fault {
	enum fault_kind kind;
	long number;
	const char *text;
};

struct asset_request {
	char target[512];
	char range[64];
	char if_range[300];
	char host[128];
	char encoding[64];
	bool token; /* a header that only the service should see */
};

struct asset_server {
	int listener;
	unsigned port;
	pthread_t thread;
	atomic_int version;   /* of the bytes and the tag */
	_Atomic int64_t size; /* of the asset */
	const char *type;     /* its media type */
	atomic_int requests;
	atomic_int under_way; /* bodies that are being sent */
	atomic_int most;      /* of them, so far */
	_Atomic int64_t sent; /* bytes of bodies */
	pthread_mutex_t lock; /* of what follows */
	struct fault script[64];
	unsigned script_len;
	unsigned script_next;
	struct fault always; /* when the script is at its end */
	struct asset_request log[ASSET_SERVER_LOG];
	int connections[ASSET_SERVER_CONNECTIONS]; /* -1: none */
	unsigned connection_count;
};

void asset_server_start(struct asset_server *server, int64_t size);
void asset_server_stop(struct asset_server *server);

/* The next requests meet these; then `always`. */
void asset_server_script(struct asset_server *server, const struct fault *faults, unsigned count, struct fault always);

/* A byte of the asset. */
static inline unsigned char asset_byte(int version, int64_t at)
{
	uint64_t x = (uint64_t)at * 0x9e3779b97f4a7c15u + (uint64_t)version * 0xbf58476d1ce4e5b9u;
	return (unsigned char)(x >> 56 ^ x >> 31);
}

#endif
