/*
 * The table of outcomes: what the engine does about an answer that is no page. Pure.
 *
 * What an answer is, delivery/ tells (delivery.h, refusal.c); what comes of it is here and, for whole runs, in schedule.h:
 *
 *   answer                                        within the run                        then
 *   ------                                        --------------                        ----
 *   a page                                        stored, with the token it gives       the next question
 *   a page with an item that cannot be applied    the item to the quarantine            as above
 *   an empty page with a pagination token         the token is stored                   as above
 *   the page token that was sent, a cycle of
 *     tokens or pages, no end of empty pages      2 times more, then once more from the
 *                                                 beginning of the listing or delta     the stream fails, EPROTO
 *   141 sync_token, pagination_token, or nothing  the same token 3 times more           a new listing beside the content
 *   141 again, of the token that it ended with    3 times more                          the listing is shown; the stream
 *                                                                                       fails, EPROTO
 *   429                                           waits as told, 5 times in a row       the run fails, EHOSTUNREACH
 *   408, 5xx, no whole answer (DNS, TLS, connect,
 *     reset, cut short, stalled)                  4 times more, with backoff            the run fails, EHOSTUNREACH
 *   not JSON, wrong shape, damaged encoding, too
 *     large, redirect, an error that is not the
 *     API's                                       2 times more, with backoff            the stream fails, EPROTO
 *   401, 403, 105, 109, 141 access_token,
 *     api_key, environment                        never again                           the run fails, EACCES
 *   118, of a content type that was there         its content goes                      the next run asks for it
 *   118, of one that never was, and any other 4xx
 *     that names a parameter                      never again                           the stream fails, EINVAL
 *   no memory, a failing disk                     never again                           the run fails
 *
 * Of failures in a row, each kind is counted by itself; a page that is stored sets all counts back.
 *
 * A failed run loses nothing: it goes on from the last token that was stored. A stream that fails does not hold up the
 * others. A service that asks for a wait longer than REACTION_WAIT_MAX_MS ends the run, and the next one waits.
 */
#ifndef CONTENTFS_SYNC_REACTION_H
#define CONTENTFS_SYNC_REACTION_H

#include "delivery/delivery.h"
#include "util/backoff.h"

#define REACTION_WAIT_MAX_MS 30000

enum reaction_end {
	REACTION_FAIL_RUN,    /* the service or this machine is the trouble: nobody has better luck now */
	REACTION_FAIL_STREAM, /* this question is the trouble */
	REACTION_RELIST,      /* the token is lost: a new listing */
};

struct reaction {
	unsigned tries;         /* more, in a row but for failures of another kind, and within the run */
	struct backoff backoff; /* before each; never less than the service asked for */
	enum reaction_end end;  /* when these are used up */
};

/* For every outcome but DELIVERY_OK. */
const struct reaction *reaction_to(enum delivery_outcome outcome);

#endif
