/* What the head of an answer means for a download. Pure. Private to assets/. */
#ifndef CONTENTFS_ASSETS_VERDICT_H
#define CONTENTFS_ASSETS_VERDICT_H

#include "assets/range.h"
#include "http/http.h"
#include "util/err.h"
#include "util/slice.h"

enum verdict {
	VERDICT_BYTES,    /* the body is the asset's, from `begin` on */
	VERDICT_BEYOND,   /* 416: there are no bytes where they were asked for; `total` may be known */
	VERDICT_REDIRECT, /* to head->location */
	VERDICT_RETRY,    /* not now, or nonsense: the reason is in err */
	VERDICT_FAIL,     /* and asking again would not help */
};

struct judgement {
	enum verdict verdict;
	int64_t begin;
	int64_t end;   /* -1: where the body ends */
	int64_t total; /* of the asset; -1 if the answer does not say it */
	bool whole;    /* a range was asked for, and the server sends everything */
	bool nonsense; /* the server does not understand ranges, as it seems */
};

/* What the stack's token has to do with a request. */
enum token_use {
	TOKEN_NONE,     /* the stack secures nothing, as far as we were told */
	TOKEN_SENT,     /* it went along */
	TOKEN_WITHHELD, /* it would have, to a host of the stack */
};

/* `asked` is NULL if everything was asked for. */
struct judgement judge_head(const struct http_answer *head, const struct range *asked, enum token_use token,
			    struct err *err);

/* Whether an answer of this type is what servers say in place of an asset whose record gives the other type. Most types say
 * nothing: many servers have one for everything that they do not know. */
bool media_is_page(const char *content_type, struct slice media_type);

/*
 * What is known of an asset, and what was heard but not believed yet: a length that is not the record's, or one or a tag
 * that is not what it was before, has to be said twice.
 */
struct identity {
	int64_t size;            /* -1: not known */
	char etag[ETAG_MAX + 1]; /* or, for want of one, the time of its last change; "" if neither was told */
	uint32_t mark;           /* of a tag or time that is remembered by its mark only; else 0 */
};

/* False if they tell two things apart: a tag and a time do not. */
bool tags_agree(const char *a, const char *b);

/* Some bits of a tag or time, which tell it from others; 0 for "". */
uint32_t tag_mark(const char *etag);

/* Whether nothing tells them apart. */
bool identity_agrees(const struct identity *identity, int64_t size, const char *etag);

/* Whether bytes under the same tag are the same: not so with a weak tag, or with a time, for want of one. */
bool tag_is_strong(const char *etag);

struct belief {
	int64_t claimed;  /* by the record, or learnt since; -1 if nobody says */
	int64_t recorded; /* by the record; -1 if it does not say */
	struct identity known;
	struct identity doubted;
};

enum hearing {
	HEARD_THE_SAME,
	HEARD_FIRST,   /* `known` is known from now on */
	HEARD_DOUBT,   /* ask in another way */
	HEARD_CHANGED, /* `known` is another from now on */
};

/* `total` is not negative. `sure`: nothing but a lie could make it wrong, so that it needs no second word if the record
 * does not contradict it. */
enum hearing belief_hear(struct belief *belief, int64_t total, const char *etag, bool sure);

/* What to ask for to find out whether a doubted size is true: the first byte behind it, if the record says that there is
 * one, else what would be its end. `end` is 0 for "to the end". */
struct range belief_question(const struct belief *belief);

#endif
