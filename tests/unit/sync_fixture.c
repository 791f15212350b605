#include "sync_fixture.h"

#include "tap.h"
#include "util/log.h"

static void on_committed(void *context)
{
	((struct sync_fixture *)context)->commits++;
}

static void on_progress(void *context, uint64_t pages, uint64_t items, uint64_t total)
{
	struct sync_fixture *fixture = context;
	buf_printf(&fixture->progress, "%s%llu/%llu", fixture->progress.len ? " " : "", (unsigned long long)pages,
		   (unsigned long long)items);
	fixture->total = total;
}

static void on_rest(void *context, int64_t ms)
{
	(void)ms;
	((struct sync_fixture *)context)->rests++;
}

static void on_turn(void *context)
{
	struct sync_fixture *fixture = context;
	if (++fixture->turns == fixture->stop_at_turn)
		fixture->fake.stopped = true;
}

static void create_engine(struct sync_fixture *fixture)
{
	const struct sync_hooks hooks = {fixture, on_committed, on_progress, .rest = on_rest, .turn = on_turn};
	temp_must(sync_create(&fixture->sync, fixture->temp.store, &fixture->fake, &fixture->filter, fixture->jobs,
			      &hooks, &fixture->err),
		  &fixture->err, "sync_create");
}

static void init(struct sync_fixture *fixture, unsigned jobs)
{
	log_set_level(LOG_LEVEL_ERROR); /* what these tests provoke is no news to whoever runs them */
	*fixture = (struct sync_fixture){.fake = {.schemas = "blog page"}, .jobs = jobs};
	temp_store_init(&fixture->temp);
}

void sync_fixture_open(struct sync_fixture *fixture, const struct sync_filter *filter)
{
	sync_fixture_open_with(fixture, filter, 1);
}

void sync_fixture_open_with(struct sync_fixture *fixture, const struct sync_filter *filter, unsigned jobs)
{
	init(fixture, jobs);
	if (filter)
		fixture->filter = *filter;
	temp_store_start(&fixture->temp);
	create_engine(fixture);
}

void sync_fixture_open_copy(struct sync_fixture *fixture, struct slice file, unsigned jobs)
{
	init(fixture, jobs);
	temp_file_write(fixture->temp.path, file.at, file.len);
	temp_store_start(&fixture->temp);
	create_engine(fixture);
}

void sync_fixture_finish(struct sync_fixture *fixture)
{
	sync_destroy(fixture->sync);
	temp_store_finish(&fixture->temp);
	fake_finish(&fixture->fake);
	buf_finish(&fixture->progress);
	buf_finish(&fixture->seen);
}

void sync_fixture_restart(struct sync_fixture *fixture)
{
	sync_destroy(fixture->sync);
	temp_store_stop(&fixture->temp);
	temp_store_start(&fixture->temp);
	create_engine(fixture);
}

int sync_fixture_run(struct sync_fixture *fixture, struct sync_result *result)
{
	fixture->err = (struct err){0};
	return sync_run(fixture->sync, result, &fixture->err);
}

void sync_fixture_expect(struct sync_fixture *fixture, const char *what, int rc, const char *shown,
			 const struct fake_answer *answers, size_t count)
{
	struct sync_result result;
	fake_expect(&fixture->fake, answers, count);
	is_int(sync_fixture_run(fixture, &result), rc, "%s", what);
	is_str(fake_fault(&fixture->fake), "", "%s: the questions", what);
	is_str(sync_fixture_shown(fixture), shown, "%s: the entries", what);
	ok((rc < 0) == (fixture->err.text[0] != '\0'), "%s: a message if it failed, and only then: '%s'", what,
	   fixture->err.text);
	is_str(temp_store_fault(&fixture->temp), "", "%s: the store is sound", what);
}

const char *sync_fixture_shown(struct sync_fixture *fixture)
{
	return temp_store_ask(&fixture->temp,
			      "SELECT uid || '@' || version FROM entries ORDER BY locale, content_type, uid");
}
