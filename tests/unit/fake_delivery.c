#include "fake_delivery.h"

#include "util/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct delivery_call {
	struct delivery *fake;
	struct delivery_call *next;
	const struct fake_answer *answer; /* NULL for a question that was not due */
	struct buf question;
	bool waited_for;
};

void fake_expect(struct delivery *fake, const struct fake_answer *answers, size_t count)
{
	fake->answers = answers;
	fake->count = count;
	fake->next = 0;
	fake->given = 0;
	fake->schemas_asked = 0;
	fake->schemas_parts = 0;
	fake->schemas_beside = 0;
	fake->waits = 0;
	fake->waited_ms = 0;
	fake->most_in_flight = 0;
	buf_reset(&fake->asked_for);
	buf_reset(&fake->unexpected);
}

const char *fake_fault(const struct delivery *fake)
{
	if (fake->unexpected.len > 0)
		return fake->unexpected.text;
	return fake->next < fake->count ? fake->answers[fake->next].question : "";
}

void fake_finish(struct delivery *fake)
{
	buf_finish(&fake->asked_for);
	buf_finish(&fake->unexpected);
}

static void write_question(const struct sync_query *query, struct buf *out)
{
	if (query->mode != SYNC_INIT) {
		buf_printf(out, "%s %s", query->mode == SYNC_PAGE ? "page" : "delta",
			   query->token ? query->token : "(none)");
		return;
	}
	buf_append_text(out, "init");
	if (query->content_type)
		buf_printf(out, " content_type=%s", query->content_type);
	if (query->locale)
		buf_printf(out, " locale=%s", query->locale);
	if (query->start_from)
		buf_printf(out, " start_from=%s", query->start_from);
	if (query->types)
		buf_printf(out, " type=%s", query->types);
}

/* The answer that is due, if it is one to this question. */
static const struct fake_answer *answer_to(struct delivery *fake, const char *question)
{
	for (size_t i = 0; fake->any_order && i < fake->count; i++)
		if (strcmp(fake->answers[i].question, question) == 0)
			return &fake->answers[i];
	buf_printf(&fake->asked_for, "%s%s", fake->asked_for.len ? ", " : "", question);
	const struct fake_answer *due = fake->next < fake->count ? &fake->answers[fake->next] : NULL;
	if (!due || strcmp(due->question, question) != 0) {
		if (fake->unexpected.len == 0)
			buf_printf(&fake->unexpected, "asked '%s' where '%s' was due", question,
				   due ? due->question : "nothing");
		return NULL;
	}
	if (++fake->given >= due->times) {
		fake->next++;
		fake->given = 0;
	}
	return due;
}

enum delivery_outcome delivery_ask(struct delivery *fake, const struct sync_query *query, struct delivery_call **out,
				   struct err *err)
{
	CLEANUP(buf_finish) struct buf question = BUF_INIT;
	struct delivery_call *call = calloc(1, sizeof(*call));
	if (!call)
		return err_oom(err), DELIVERY_FAILED;
	write_question(query, &question);
	call->fake = fake;
	call->answer = answer_to(fake, buf_text(&question));
	call->question = question;
	question = (struct buf)BUF_INIT;
	struct delivery_call **end = &fake->calls;
	while (*end)
		end = &(*end)->next;
	*end = call;
	if (++fake->in_flight > fake->most_in_flight)
		fake->most_in_flight = fake->in_flight;
	*out = call;
	return DELIVERY_OK;
}

/* Answers come in the order of their questions. */
int delivery_await(struct delivery *fake, int64_t ms, struct delivery_call **answered)
{
	if (fake->stopped)
		return -ECANCELED;
	if (!fake->calls) {
		fake->waits++;
		fake->waited_ms += ms;
		return 0;
	}
	if (fake->slow && !fake->calls->waited_for) {
		fake->calls->waited_for = true;
		return 0;
	}
	*answered = fake->calls;
	if (fake->asked)
		fake->asked(fake->context, buf_text(&fake->calls->question));
	return 1;
}

bool delivery_is_stopped(const struct delivery *fake)
{
	return fake->stopped;
}

enum delivery_outcome delivery_take(struct delivery_call *call, struct page *page, struct delivery_advice *advice,
				    struct err *err)
{
	struct delivery *fake = call->fake;
	const struct fake_answer *answer = call->answer;
	struct delivery_call **at = &fake->calls;
	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	fake->in_flight--;
	buf_finish(&call->question);
	free(call);
	page_finish(page);
	*advice = (struct delivery_advice)DELIVERY_NO_ADVICE;
	if (answer && answer->retry_after_ms)
		advice->retry_after_ms = answer->retry_after_ms;
	if (answer && answer->date_ms)
		advice->date_ms = answer->date_ms;
	if (!answer || answer->outcome != DELIVERY_OK) {
		err_set(err, 0, "the fake was told to fail");
		return answer ? answer->outcome : DELIVERY_FAILED;
	}
	struct buf body = BUF_INIT;
	buf_append_text(&body, answer->body);
	return page_parse(&body, page, err) == 0 ? DELIVERY_OK : DELIVERY_NONSENSE;
}

enum delivery_outcome delivery_content_types(struct delivery *fake, unsigned skip, struct content_type_list *list,
					     struct delivery_advice *advice, struct err *err)
{
	struct buf body = BUF_INIT;
	const char *uid = skip == 0 && fake->schemas ? fake->schemas : "";
	content_type_list_finish(list);
	*advice = (struct delivery_advice)DELIVERY_NO_ADVICE;
	fake->schemas_asked += skip == 0;
	fake->schemas_parts++;
	if (fake->in_flight > fake->schemas_beside)
		fake->schemas_beside = fake->in_flight;
	if (fake->schemas_outcome != DELIVERY_OK) {
		err_set(err, 0, "the fake was told to fail with the content types");
		return fake->schemas_outcome;
	}
	buf_append_text(&body, "{\"content_types\":[");
	for (size_t len; (len = strcspn(uid, " ")) > 0; uid += len + (uid[len] == ' '))
		buf_printf(&body, "%s{\"uid\":\"%.*s\",\"title\":\"%s\"}", uid == fake->schemas ? "" : ",", (int)len,
			   uid, fake->schemas_text ? fake->schemas_text : "");
	if (fake->schemas_endless)
		buf_printf(&body, "%s{\"uid\":\"more%u\"}", skip == 0 && fake->schemas ? "," : "", skip);
	buf_append_text(&body, "]}");
	return content_type_list_parse(&body, list, err) == 0 ? DELIVERY_OK : DELIVERY_NONSENSE;
}

/* As the real one has it. */
int delivery_outcome_errno(enum delivery_outcome outcome)
{
	static const int numbers[] = {
		[DELIVERY_OK] = 0,
		[DELIVERY_TOKEN_REFUSED] = -EPROTO,
		[DELIVERY_CREDENTIALS_REFUSED] = -EACCES,
		[DELIVERY_TYPE_UNKNOWN] = -EINVAL,
		[DELIVERY_QUERY_REFUSED] = -EINVAL,
		[DELIVERY_RATE_LIMITED] = -EHOSTUNREACH,
		[DELIVERY_UNAVAILABLE] = -EHOSTUNREACH,
		[DELIVERY_NONSENSE] = -EPROTO,
		[DELIVERY_STOPPED] = -ECANCELED,
		[DELIVERY_FAILED] = -EIO,
	};
	return numbers[outcome];
}
