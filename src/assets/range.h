/* Ranges of an asset's bytes, in pieces and in headers. Pure. Private to assets/. */
#ifndef CONTENTFS_ASSETS_RANGE_H
#define CONTENTFS_ASSETS_RANGE_H

#include "assets/cache.h"

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_MIN (1 << 20) /* what is asked for at once, to begin with */
#define WINDOW_MAX (8 << 20) /* and at most */

struct range {
	int64_t begin;
	int64_t end; /* the first byte behind it */
};

struct content_range {
	int64_t begin; /* -1: of no bytes, as a 416 has it */
	int64_t end;
	int64_t total; /* -1: not known to the server */
};

/* Content-Range (RFC 9110, 14.4). False if it makes no sense. */
bool content_range_read(const char *header, struct content_range *range);

static inline bool range_overlaps(struct range a, struct range b)
{
	return a.begin < b.end && b.begin < a.end;
}

/* Where the piece begins that the byte is in. */
static inline int64_t piece_begin(int64_t at)
{
	return at - at % PIECE_BYTES;
}

/* The bytes of a piece, in an asset of `size` bytes. */
static inline int64_t piece_len(int64_t piece, int64_t size)
{
	int64_t left = size - piece * PIECE_BYTES;
	return left < PIECE_BYTES ? left : PIECE_BYTES;
}

/*
 * What to ask for by a reader that needs the piece at `begin`, and reads until `wanted`, of an asset of `size` bytes: a
 * window, twice as long as the one before if that is what the reader goes on from, else of WINDOW_MIN; but long enough for
 * what is wanted as far as `max` goes.
 */
struct range range_window(struct range before, int64_t begin, int64_t wanted, int64_t size, int64_t max);

#endif
