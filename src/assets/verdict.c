#include "assets/verdict.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

/* --- heads -------------------------------------------------------------------------------------------------------- */

static struct judgement judge_whole(const struct http_answer *head, bool ranged)
{
	return (struct judgement){
		.verdict = VERDICT_BYTES,
		.end = head->length,
		.total = head->length,
		.whole = ranged,
	};
}

static struct judgement judge_part(const struct http_answer *head, const struct range *asked, struct err *err)
{
	struct content_range range;
	bool fits = asked && content_range_read(head->content_range, &range) && range.begin == asked->begin;
	if (!fits || (head->length >= 0 && head->length != range.end - range.begin)) {
		err_set(err, 0, "the server sends other bytes than were asked for (%s)",
			head->content_range[0] ? head->content_range : "no Content-Range");
		return (struct judgement){.verdict = VERDICT_RETRY, .total = -1, .nonsense = true};
	}
	return (struct judgement){
		.verdict = VERDICT_BYTES,
		.begin = range.begin,
		.end = range.end,
		.total = range.total,
	};
}

static struct judgement judge_beyond(const struct http_answer *head, const struct range *asked, struct err *err)
{
	struct content_range range;
	struct judgement judgement = {.verdict = VERDICT_BEYOND, .total = -1};
	if (!asked) {
		judgement.verdict = VERDICT_FAIL;
		err_set(err, 0, "the server answers 416 where everything was asked for");
	} else if (content_range_read(head->content_range, &range) && range.begin < 0) {
		judgement.total = range.total;
	}
	return judgement;
}

static struct judgement refuse(enum verdict verdict, struct err *err, const char *why, long status)
{
	err_set(err, 0, "%s (HTTP %ld)", why, status);
	return (struct judgement){.verdict = verdict, .total = -1};
}

static const char *words_for_refusal(enum token_use token)
{
	switch (token) {
	case TOKEN_SENT:
		return "the server refuses the token";
	case TOKEN_WITHHELD:
		return "the server refuses it, and is none of the stack's asset hosts, which alone are sent the token";
	case TOKEN_NONE:
		break;
	}
	return "the server refuses it: if the stack secures its assets, try --secure-assets";
}

static struct judgement judge_refusal(long status, enum token_use token, struct err *err)
{
	switch (status) {
	case 401:
	case 403:
		return refuse(VERDICT_FAIL, err, words_for_refusal(token), status);
	case 404:
	case 410:
		return refuse(VERDICT_FAIL, err, "it is not there", status);
	case 408:
	case 425:
		return refuse(VERDICT_RETRY, err, "the server asks to come back", status);
	case 429:
		return refuse(VERDICT_RETRY, err, "too many requests", status);
	default:
		return refuse(status >= 500 ? VERDICT_RETRY : VERDICT_FAIL, err, "the server does not send it", status);
	}
}

static bool is_redirect(long status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

struct judgement judge_head(const struct http_answer *head, const struct range *asked, enum token_use token,
			    struct err *err)
{
	bool encoded = head->content_encoding[0] && strcasecmp(head->content_encoding, "identity") != 0;
	if (is_redirect(head->status))
		return (struct judgement){.verdict = VERDICT_REDIRECT, .total = -1};
	if (head->status == 416)
		return judge_beyond(head, asked, err);
	if (head->status != 200 && head->status != 206)
		return judge_refusal(head->status, token, err);
	if (encoded) {
		err_set(err, 0, "the server sends it encoded (%s), which was not asked for", head->content_encoding);
		return (struct judgement){.verdict = VERDICT_FAIL, .total = -1};
	}
	return head->status == 200 ? judge_whole(head, asked != NULL) : judge_part(head, asked, err);
}

/* "Text/HTML; charset=utf-8" is "text/html". */
static struct slice essence(struct slice type)
{
	size_t len = 0;
	while (len < type.len && !strchr("; \t", type.at[len]))
		len++;
	return slice_make(type.at, len);
}

static bool begins_with(struct slice text, const char *beginning)
{
	size_t len = strlen(beginning);
	return text.len >= len && strncasecmp(text.at, beginning, len) == 0;
}

static bool ends_with(struct slice text, const char *ending)
{
	size_t len = strlen(ending);
	return text.len >= len && strncasecmp(text.at + text.len - len, ending, len) == 0;
}

static bool is_type(struct slice type, const char *name)
{
	return type.len == strlen(name) && ends_with(type, name);
}

bool media_is_page(const char *content_type, struct slice media_type)
{
	struct slice got = essence(slice_of(content_type));
	struct slice want = essence(media_type);
	if (want.len == 0 || (got.len == want.len && strncasecmp(got.at, want.at, got.len) == 0))
		return false;
	if (is_type(got, "application/json"))
		return !ends_with(want, "json") && !begins_with(want, "text/");
	if (is_type(got, "text/plain")) /* some servers call all so that they do not know */
		return begins_with(want, "image/") || begins_with(want, "video/") || begins_with(want, "audio/");
	return is_type(got, "text/html") || is_type(got, "application/xhtml+xml");
}

/* --- identities --------------------------------------------------------------------------------------------------- */

static bool is_tag(const char *text)
{
	return text[0] == '"' || strncmp(text, "W/", 2) == 0;
}

bool tag_is_strong(const char *etag)
{
	return etag[0] == '"';
}

bool tags_agree(const char *a, const char *b)
{
	return !a[0] || !b[0] || is_tag(a) != is_tag(b) || strcmp(a, b) == 0;
}

/* The lowest bit says which of the two it is, and the next one that it is one. */
uint32_t tag_mark(const char *etag)
{
	if (!etag[0])
		return 0;
	return ((uint32_t)XXH3_64bits(etag, strlen(etag)) & ~(uint32_t)3) | 2 | (is_tag(etag) ? 1 : 0);
}

static bool marks_agree(uint32_t a, uint32_t b)
{
	return b == 0 || (a & 1) != (b & 1) || a == b;
}

bool identity_agrees(const struct identity *identity, int64_t size, const char *etag)
{
	return identity->size == size && tags_agree(identity->etag, etag) &&
	       (identity->mark == 0 || marks_agree(identity->mark, tag_mark(etag)));
}

static void note(struct identity *identity, int64_t size, const char *etag)
{
	size_t len = strnlen(etag, ETAG_MAX);
	identity->size = size;
	memcpy(identity->etag, etag, len);
	identity->etag[len] = '\0';
	identity->mark = 0;
}

/* The tag says that nothing has changed, and the record says another size: then nothing has. What was learnt does not count
 * for the record: a lie that was believed once would be for ever. */
static bool is_absurd(const struct belief *belief, int64_t total, const char *etag)
{
	const struct identity *known = &belief->known;
	bool same = strcmp(etag, known->etag) == 0 || tag_mark(etag) == known->mark;
	return known->size >= 0 && belief->recorded >= 0 && tag_is_strong(etag) && same && total != known->size &&
	       total != belief->recorded;
}

enum hearing belief_hear(struct belief *belief, int64_t total, const char *etag, bool sure)
{
	bool is_new = belief->known.size < 0;
	bool again = identity_agrees(&belief->doubted, total, etag);
	if (!is_new && identity_agrees(&belief->known, total, etag)) {
		if (belief->known.mark != 0 && belief->known.mark == tag_mark(etag))
			note(&belief->known, total, etag);
		belief->doubted.size = -1;
		return HEARD_THE_SAME;
	}
	if (is_absurd(belief, total, etag) ||
	    (!again && !(is_new && (total == belief->claimed || (sure && belief->claimed < 0))))) {
		note(&belief->doubted, total, etag);
		return HEARD_DOUBT;
	}
	note(&belief->known, total, etag);
	belief->doubted.size = -1;
	return is_new ? HEARD_FIRST : HEARD_CHANGED;
}

struct range belief_question(const struct belief *belief)
{
	int64_t size = belief->doubted.size;
	bool less = size < belief->claimed || belief->claimed < 0;
	return (struct range){less || size == 0 ? size : piece_begin(size - 1), 0};
}
