/*
 * Assets against a server that misbehaves in all the ways that it was told to. Whatever happens, a read ends with the right
 * bytes or with an error, and the next one is not the worse for it.
 */
#include "asset_server.h"
#include "assets/assets.h"
#include "assets/cache.h"
#include "assets/download.h"
#include "assets/url.h"
#include "tap.h"
#include "temp_store.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KIB ((int64_t)1024)
#define MIB (1024 * KIB)
#define PATIENCE_MS 2500
#define DEADLINE_MS 30000
#define ANY_VERSION (-1)

/* --- the scene: a server, a cache, the module --------------------------------------------------------------------- */

struct scene {
	char top[TEMP_PATH_SIZE];
	char folder[TEMP_PATH_SIZE + 16];
	char url[256];
	char base[64];
	const char *hosts[2];
	struct asset_server server;
	struct assets_config config;
	struct assets *assets;
	struct asset_source source;
	atomic_int changes;
	_Atomic int64_t changed_generation;
};

static void note_change(void *context, struct slice url, int64_t generation)
{
	struct scene *scene = context;
	(void)url;
	atomic_fetch_add(&scene->changes, 1);
	atomic_store(&scene->changed_generation, generation);
}

static void scene_open(struct scene *scene)
{
	struct err err = {0};
	temp_must(assets_create(&scene->assets, &scene->config, &err), &err, "assets_create");
}

static struct scene *scene_make(int64_t size)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	if (!scene)
		exit(1);
	asset_server_start(&scene->server, size);
	temp_folder_make(scene->top);
	snprintf(scene->folder, sizeof(scene->folder), "%s/cache", scene->top);
	snprintf(scene->url, sizeof(scene->url), "http://127.0.0.1:%u/a b.png", scene->server.port);
	snprintf(scene->base, sizeof(scene->base), "http://127.0.0.1:%u", scene->server.port);
	scene->config = (struct assets_config){
		.folder = scene->folder,
		.cache_bytes = 1024 * MIB,
		.patience_ms = PATIENCE_MS,
		.base = scene->base,
		.changed = note_change,
		.context = scene,
	};
	scene->source = (struct asset_source){
		.url = slice_of(scene->url),
		.media_type = slice_of("image/png"),
		.size = size,
		.recorded = size,
		.name = "/assets/a b.png",
	};
	scene_open(scene);
	return scene;
}

static void scene_reopen(struct scene *scene)
{
	assets_destroy(scene->assets);
	scene_open(scene);
}

static void scene_end(struct scene *scene)
{
	assets_destroy(scene->assets);
	asset_server_stop(&scene->server);
	temp_folder_remove(scene->top);
	free(scene);
}

static int requests(struct scene *scene)
{
	return atomic_load(&scene->server.requests);
}

static void script(struct scene *scene, struct fault fault, unsigned times)
{
	struct fault faults[16];
	for (unsigned i = 0; i < times && i < COUNT(faults); i++)
		faults[i] = fault;
	asset_server_script(&scene->server, faults, times, (struct fault){FINE});
}

static void always(struct scene *scene, struct fault fault)
{
	asset_server_script(&scene->server, NULL, 0, fault);
}

/* --- reads -------------------------------------------------------------------------------------------------------- */

struct reader {
	pthread_mutex_t lock;
	pthread_cond_t done;
	int replies;
	int rc;
	int64_t offset, size;
	size_t len;
	int versions[2]; /* how many bytes are of the first and of the second version only; both: -1 */
	bool wrong;
};

#define READER_INIT                                                                                                    \
	{                                                                                                              \
		.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER                                    \
	}

/* Reads them where they are and compares. */
static void check_bytes(struct reader *reader, const struct asset_bytes *bytes)
{
	char *copy = malloc(bytes->len + 1);
	bool fine[2] = {true, true};
	if (!copy)
		exit(1);
	if (bytes->fd >= 0)
		reader->wrong |= pread(bytes->fd, copy, bytes->len, bytes->at) != (ssize_t)bytes->len;
	else if (bytes->len > 0)
		memcpy(copy, bytes->memory, bytes->len);
	for (size_t i = 0; i < bytes->len; i++)
		for (int version = 0; version < 2; version++)
			fine[version] &= (unsigned char)copy[i] == asset_byte(version, reader->offset + (int64_t)i);
	reader->wrong |= !fine[0] && !fine[1];
	reader->versions[0] = fine[0];
	reader->versions[1] = fine[1];
	free(copy);
}

static void note_reply(void *context, uint64_t ticket, int rc, const struct asset_bytes *bytes)
{
	struct reader *reader = context;
	(void)ticket;
	pthread_mutex_lock(&reader->lock);
	reader->replies++;
	reader->rc = rc;
	if (rc == 0) {
		reader->len = bytes->len;
		reader->size = bytes->size;
		check_bytes(reader, bytes);
	}
	pthread_cond_broadcast(&reader->done);
	pthread_mutex_unlock(&reader->lock);
}

static void reader_wait(struct reader *reader)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DEADLINE_MS / 1000;
	pthread_mutex_lock(&reader->lock);
	while (reader->replies == 0)
		if (pthread_cond_timedwait(&reader->done, &reader->lock, &until) != 0) {
			printf("Bail out! a read was never answered\n");
			exit(1);
		}
	pthread_mutex_unlock(&reader->lock);
}

static struct reader read_as(struct scene *scene, const struct asset_source *source, int64_t offset, size_t size)
{
	struct reader reader = READER_INIT;
	reader.offset = offset;
	assets_read(scene->assets, source, offset, size, note_reply, &reader, 7);
	reader_wait(&reader);
	return reader;
}

static struct reader read_at(struct scene *scene, int64_t offset, size_t size)
{
	return read_as(scene, &scene->source, offset, size);
}

static bool is_right(const struct reader *reader, int version, size_t len)
{
	bool right = reader->rc == 0 && !reader->wrong && reader->len == len &&
		     (version == ANY_VERSION || reader->versions[version]);
	if (!right)
		diag("rc %d, %zu bytes of %lld, %zu wanted, %s", reader->rc, reader->len, (long long)reader->size, len,
		     reader->wrong ? "wrong" : "not wrong");
	return right;
}

/* Reads everything in steps, as cat does: how the first failing step ended, or 0 if all was right. */
static int read_all(struct scene *scene, int64_t size, size_t step, int version)
{
	for (int64_t at = 0; at < size; at += (int64_t)step) {
		size_t want = size - at < (int64_t)step ? (size_t)(size - at) : step;
		struct reader reader = read_at(scene, at, step);
		if (reader.rc < 0)
			return reader.rc;
		if (!is_right(&reader, version, want) || reader.size != size)
			return 1;
	}
	return 0;
}

/* --- as it should be ---------------------------------------------------------------------------------------------- */

static void test_small(void)
{
	struct scene *scene = scene_make(1000);
	struct reader reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 1000), "a small asset");
	is_int(requests(scene), 1, "is fetched with one request");
	is_str(scene->server.log[0].target, "/a%20b.png", "for its encoded URL");
	is_str(scene->server.log[0].range, "", "without a range");
	is_str(scene->server.log[0].encoding, "identity", "and without an encoding");
	ok(!scene->server.log[0].token, "and without the stack's secrets");
	reader = read_at(scene, 10, 20);
	ok(is_right(&reader, 0, 20), "a second read");
	reader = read_at(scene, 990, 20);
	ok(is_right(&reader, 0, 10), "a read across the end");
	reader = read_at(scene, 1000, 20);
	ok(is_right(&reader, 0, 0), "a read behind the end");
	ok(assets_has(scene->assets, &scene->source), "all of it is there");
	is_int(requests(scene), 1, "with no further request");
	scene_reopen(scene);
	reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 1000), "and so it is after a restart");
	is_int(requests(scene), 1, "with no further request");
	struct assets_counts counts;
	assets_count(scene->assets, &counts);
	is_int((long long)counts.hits, 1, "a hit is counted");
	is_int((long long)counts.misses, 0, "and no miss");
	is_int(counts.waiting, 0, "nobody waits");
	scene_end(scene);
}

static void test_large(void)
{
	int64_t size = 20 * MIB + 12345;
	struct scene *scene = scene_make(size);
	struct reader reader = read_at(scene, size - 100, 4096);
	ok(is_right(&reader, 0, 100), "the end of a large asset");
	is_int(requests(scene), 1, "takes one request");
	ok(atomic_load(&scene->server.sent) <= 2 * MIB, "for little");
	reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 4096), "and so does its beginning");
	is_int(requests(scene), 2, "one more request");
	is_str(scene->server.log[1].if_range, "\"0\"", "which names the tag");
	is_int(read_all(scene, size, 128 * 1024, 0), 0, "all of it, in steps");
	ok(requests(scene) < 14, "takes few requests (%d)", requests(scene));
	int before = requests(scene);
	is_int(read_all(scene, size, 1 << 20, 0), 0, "again");
	is_int(requests(scene), before, "takes none");
	ok(atomic_load(&scene->server.sent) <= size + 2 * MIB, "hardly anything was sent twice");
	scene_end(scene);
}

static void test_sizes_asked_only(void)
{
	struct scene *scene = scene_make(5 * MIB);
	scene->source.size = scene->source.recorded = -1;
	struct reader reader = read_at(scene, 0, 0);
	ok(is_right(&reader, 0, 0), "only the size");
	is_int(reader.size, 5 * MIB, "is learnt");
	scene_end(scene);
}

static void test_fetch(void)
{
	struct scene *scene = scene_make(20 * MIB + 1);
	struct reader reader = READER_INIT;
	ok(!assets_has(scene->assets, &scene->source), "nothing is there");
	assets_fetch(scene->assets, &scene->source, note_reply, &reader, 1);
	reader_wait(&reader);
	is_int(reader.rc, 0, "the whole is fetched");
	is_int(reader.size, 20 * MIB + 1, "its size is told");
	ok(assets_has(scene->assets, &scene->source), "and it is there");
	ok(requests(scene) <= 4, "in few requests (%d)", requests(scene));
	int before = requests(scene);
	is_int(read_all(scene, 20 * MIB + 1, 1 << 20, 0), 0, "as it should be");
	is_int(requests(scene), before, "with no further request");
	scene_end(scene);
}

/* What is in the cache can be read where its URL cannot be asked for any more; the rest fails. */
static void test_refused_in_the_middle(void)
{
	struct scene *scene = scene_make(3 * MIB);
	char url[ASSET_URL_MAX];
	struct cache *cache = NULL;
	struct object *object = NULL;
	struct err err = {0};
	char *bytes = malloc(PIECE_BYTES);
	int len = snprintf(url, sizeof(url), "%s/", scene->base);
	memset(url + len, 'x', sizeof(url) - (size_t)len);
	scene->source.url = slice_make(url, sizeof(url));
	const struct cache_key key = cache_key_of(scene->source.url);
	for (int i = 0; i < PIECE_BYTES; i++)
		bytes[i] = (char)asset_byte(0, i);
	temp_must(cache_open(&cache, scene->folder, scene->config.cache_bytes, &err), &err, "cache_open");
	temp_must(cache_make(cache, &key, 3 * MIB, "", &object), NULL, "cache_make");
	temp_must(object_write(object, 0, bytes, PIECE_BYTES), NULL, "object_write");
	free(bytes);
	object_unref(object);
	cache_close(cache);
	scene->hosts[0] = scene->base;
	scene->config.hosts = scene->hosts;
	scene->config.token = "a token makes it too long";
	scene->config.environment = "e";
	scene_reopen(scene);
	struct reader reader = read_at(scene, 0, 1000);
	ok(is_right(&reader, 0, 1000), "what is there of an asset that may not be asked for");
	reader = read_at(scene, 2 * MIB, 1000);
	is_int(reader.rc, -EIO, "and what is not");
	is_int(requests(scene), 0, "without a request");
	scene_end(scene);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

struct row {
	const char *name;
	struct fault fault;
	int rc;   /* of a read when every request meets the fault; 0: right bytes. 1: either */
	int once; /* of a read when only the first request does */
};

static const struct row rows[] = {
	{"cut at once", {CUT, 0}, -EIO, 0},
	{"cut after a third", {CUT, 1}, 1, 0},
	{"cut after two thirds", {CUT, 2}, 1, 0},
	{"reset at once", {RESET, 0}, -EIO, 0},
	{"reset after a third", {RESET, 1}, 1, 0},
	{"reset after two thirds", {RESET, 2}, 1, 0},
	{"stalled at once", {STALL, 0}, -EIO, 0},
	{"stalled after a third", {STALL, 1}, 1, 0},
	{"no answer", {SILENCE}, -EIO, 0},
	{"416 with the size", {RANGE_REFUSED}, -EIO, 1},
	{"416 without", {RANGE_UNKNOWN}, -EIO, 1},
	{"no ranges", {NO_RANGES}, 0, 0},
	{"no If-Range", {NO_IF_RANGE}, 0, 0},
	{"a wrong range", {WRONG_RANGE}, 0, 0},
	{"short ranges", {SHORT_RANGE, 300000}, 0, 0},
	{"useless ranges", {SHORT_RANGE, 1000}, 1, 0},
	{"ranges without a size", {STAR_RANGE}, 0, 0},
	{"ranges that say nothing", {BARE_RANGE}, 0, 0},
	{"400", {STATUS, 400}, -EIO, -EIO},
	{"401", {STATUS, 401}, -EIO, -EIO},
	{"403", {STATUS, 403}, -EIO, -EIO},
	{"404", {STATUS, 404}, -EIO, -EIO},
	{"410", {STATUS, 410}, -EIO, -EIO},
	{"304", {STATUS, 304}, -EIO, -EIO},
	{"408", {STATUS, 408}, -EIO, 0},
	{"429", {STATUS, 429}, -EIO, 0},
	{"500", {STATUS, 500}, -EIO, 0},
	{"503", {STATUS, 503}, -EIO, 0},
	{"429, come back at once", {RETRY_AFTER, 0}, -EIO, 0},
	{"429, come back in a second", {RETRY_AFTER, 1}, -EIO, 0},
	{"429, come back tomorrow", {RETRY_AFTER, 86400}, -EIO, -EIO},
	{"an error page", {HTML}, -EIO, -EIO},
	{"gzip", {GZIP}, -EIO, -EIO},
	{"chunks", {CHUNKED}, 0, 0},
	{"chunks and no ranges", {CHUNKED_WHOLE}, 0, 0},
	{"no length", {CLOSED}, 0, 0},
	{"no length, and cut", {CLOSED_CUT, 1}, -EIO, 0},
	{"no tag", {NO_TAG}, 0, 0},
	{"no tag, but a time", {DATED}, 0, 0},
	{"not HTTP", {NONSENSE}, -EIO, 0},
	{"a redirect to itself", {REDIRECT, 302, "/again"}, -EIO, 0},
	{"a redirect to nothing", {REDIRECT, 302, ""}, -EIO, 1},
	{"a redirect to something odd", {REDIRECT, 302, "ftp://127.0.0.1/"}, -EIO, -EIO},
	{"a size that is less", {SIZE_IS, 200000}, 1, 0},
	{"a size that is more", {SIZE_IS, 9000000}, 1, 0},
};

/* What is there stays to be had, whatever is not. */
static void test_beside_a_failure(void)
{
	struct scene *scene = scene_make(3 * MIB);
	struct reader reader = read_at(scene, 0, 1000);
	ok(is_right(&reader, 0, 1000), "the beginning");
	always(scene, (struct fault){STATUS, 404, NULL});
	reader = read_at(scene, 2 * MIB, 1000);
	is_int(reader.rc, -EIO, "the end is not to be had");
	reader = read_at(scene, 0, 1000);
	ok(is_right(&reader, 0, 1000), "the beginning is, at the same moment");
	scene_end(scene);
}

/* Reading on as what was before a change is told again, in case that it was lost. */
static void test_told_again(void)
{
	struct scene *scene = scene_make(3 * MIB);
	struct reader reader = read_at(scene, 0, 1000);
	ok(is_right(&reader, 0, 1000), "the first bytes");
	atomic_store(&scene->server.version, 1);
	reader = read_at(scene, 2 * MIB, 1000);
	is_int(reader.rc, -ESTALE, "others behind the same URL");
	is_int(atomic_load(&scene->changes), 1, "are told");
	reader = read_at(scene, 0, 1000);
	is_int(atomic_load(&scene->changes), 1, "once in a while");
	poll(NULL, 0, 1100);
	reader = read_at(scene, 0, 1000);
	is_int(reader.rc, -ESTALE, "who goes on reading");
	is_int(atomic_load(&scene->changes), 2, "has it told again");
	is_int(atomic_load(&scene->changed_generation), 0, "as the same change");
	scene_end(scene);
}

/* A stop answers who waits, and who comes later unless the bytes are there. */
static void test_stop(void)
{
	struct scene *scene = scene_make(3 * MIB);
	struct reader waiting = READER_INIT;
	struct reader reader = read_at(scene, 0, 1000);
	ok(is_right(&reader, 0, 1000), "some bytes");
	always(scene, (struct fault){SILENCE});
	waiting.offset = 2 * MIB;
	assets_read(scene->assets, &scene->source, waiting.offset, 1000, note_reply, &waiting, 8);
	assets_stop(scene->assets);
	is_int(waiting.rc, -ECANCELED, "who waits is told of the end");
	reader = read_at(scene, MIB + 500000, 1000);
	is_int(reader.rc, -ECANCELED, "so is who comes later");
	reader = read_at(scene, 0, 1000);
	ok(is_right(&reader, 0, 1000), "but for what is there");
	assets_stop(scene->assets);
	scene_end(scene);
}

/* A host that asks to be left alone is, whatever of it is read. */
static void test_left_alone(void)
{
	static const char *const others[] = {"http://127.0.0.1:%u/c d.png", "//127.0.0.1:%u/e.png"};
	struct scene *scene = scene_make(1000);
	script(scene, (struct fault){RETRY_AFTER, 600}, 1);
	struct reader reader = read_at(scene, 0, 100);
	is_int(reader.rc, -EIO, "a host asks to be left alone");
	for (size_t i = 0; i < COUNT(others); i++) {
		char url[64];
		snprintf(url, sizeof(url), others[i], scene->server.port);
		struct asset_source other = scene->source;
		other.url = slice_of(url);
		reader = read_as(scene, &other, 0, 100);
		is_int(reader.rc, -EIO, "another asset of it");
	}
	is_int(requests(scene), 1, "is not asked for");
	scene_end(scene);
}

static void is_result(const struct reader *reader, int want, size_t len, const char *what, const char *name)
{
	if (want == 0 || reader->rc == 0)
		ok(want <= 0 ? want == 0 && is_right(reader, 0, len) : !reader->wrong, "%s: %s", name, what);
	else if (want == 1)
		is_int(reader->rc, -EIO, "%s: %s", name, what);
	else
		is_int(reader->rc, want, "%s: %s", name, what);
}

/* The fault at the first request, later ones, and all; then none. */
static void try_fault(const struct row *row, int64_t size)
{
	struct scene *scene = scene_make(size);
	int64_t at = size / 2;
	size_t len = (size_t)(size - at < 100000 ? size - at : 100000);
	script(scene, row->fault, 1);
	struct reader reader = read_at(scene, at, len);
	is_result(&reader, row->once, len, "once", row->name);
	always(scene, (struct fault){FINE});
	if (row->fault.kind == RETRY_AFTER)
		scene_reopen(scene);
	poll(NULL, 0, 60);
	reader = read_at(scene, at, len);
	ok(is_right(&reader, 0, len), "%s: well again (%s)", row->name, size > MIB ? "large" : "small");
	is_int(read_all(scene, size, 1 << 17, 0), 0, "%s: all is well", row->name);
	scene_end(scene);
}

static void try_always(const struct row *row, int64_t size)
{
	struct scene *scene = scene_make(size);
	int64_t at = size / 2;
	size_t len = (size_t)(size - at < 100000 ? size - at : 100000);
	always(scene, row->fault);
	struct reader reader = read_at(scene, at, len);
	is_result(&reader, row->rc, len, "always", row->name);
	always(scene, (struct fault){FINE});
	if (row->fault.kind == RETRY_AFTER)
		scene_reopen(scene);
	poll(NULL, 0, 60);
	reader = read_at(scene, at, len);
	if (row->fault.kind == SIZE_IS)
		ok(!reader.wrong, "%s: no wrong bytes then", row->name);
	else
		ok(is_right(&reader, 0, len), "%s: well when it is over (%s)", row->name,
		   size > MIB ? "large" : "small");
	scene_end(scene);
}

static void test_faults(int64_t size)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		try_fault(&rows[i], size);
		if (size > MIB) /* most of them take all the patience */
			try_always(&rows[i], size);
	}
}

/* --- sizes -------------------------------------------------------------------------------------------------------- */

static void test_sizes(void)
{
	static const struct {
		const char *name;
		int64_t size, claimed;
		struct fault always;
	} table[] = {
		{"unknown, small", 1000, -1, {FINE}},
		{"unknown, large", 5 * MIB, -1, {FINE}},
		{"empty", 0, 0, {FINE}},
		{"empty, unknown", 0, -1, {FINE}},
		{"empty, claimed to be small", 0, 1000, {FINE}},
		{"empty, claimed to be large", 0, 9 * MIB, {FINE}},
		{"small, claimed to be empty", 1000, 0, {FINE}},
		{"small, claimed to be larger", 1000, 1001, {FINE}},
		{"small, claimed to be large", 1000, 9 * MIB, {FINE}},
		{"large, claimed to be small", 5 * MIB + 3, 1000, {FINE}},
		{"large, claimed to be smaller", 5 * MIB + 3, 4 * MIB + 1, {FINE}},
		{"large, claimed to be larger", 5 * MIB + 3, 9 * MIB, {FINE}},
		{"large, claimed to be small, no ranges", 5 * MIB + 3, 1000, {NO_RANGES}},
		{"large, claimed to be larger, no ranges", 5 * MIB + 3, 9 * MIB, {NO_RANGES}},
		{"large, claimed to be smaller, no If-Range", 5 * MIB + 3, 4 * MIB, {NO_IF_RANGE}},
		{"small, unknown, no length", 1000, -1, {CLOSED}},
		{"large, unknown, no length", 12 * MIB + 3, -1, {CLOSED}},
		{"large, claimed to be smaller, no length", 12 * MIB + 3, 9 * MIB, {CLOSED}},
		{"large, unknown, chunks without ranges", 12 * MIB + 3, -1, {CHUNKED_WHOLE}},
		{"large, claimed to be larger, chunks without ranges", 5 * MIB + 3, 9 * MIB, {CHUNKED_WHOLE}},
		{"unknown to the server too", 5 * MIB + 3, 9 * MIB, {STAR_RANGE}},
		{"unknown to the server too, claimed to be small", 5 * MIB + 3, 1000, {STAR_RANGE}},
		{"large, claimed to be small, ranges that say nothing", 5 * MIB + 3, 1000, {BARE_RANGE}},
		{"large, claimed to be larger, ranges that say nothing", 5 * MIB + 3, 9 * MIB, {BARE_RANGE}},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct scene *scene = scene_make(table[i].size);
		always(scene, table[i].always);
		scene->source.size = scene->source.recorded = table[i].claimed;
		is_int(read_all(scene, table[i].size, 1 << 18, 0), 0, "%s: all of it", table[i].name);
		struct reader reader = read_at(scene, table[i].size, 100);
		ok(is_right(&reader, ANY_VERSION, 0), "%s: nothing behind its end", table[i].name);
		is_int(reader.size, table[i].size, "%s: the true size", table[i].name);
		int before = requests(scene);
		scene->source.size = table[i].size; /* the caller has learnt it */
		is_int(read_all(scene, table[i].size, 1 << 18, 0), 0, "%s: again", table[i].name);
		is_int(requests(scene), before, "%s: from the cache", table[i].name);
		scene_end(scene);
	}
}

/* Servers that have one type for everything say nothing about the asset by it. */
static void test_other_type(void)
{
	static const struct {
		const char *name, *type;
		int64_t claimed;
		struct fault always;
	} table[] = {
		{"the right size", "application/octet-stream", 3 * MIB, {FINE}},
		{"no length", "application/octet-stream", 3 * MIB, {CHUNKED_WHOLE}},
		{"another size", "application/octet-stream", 1000, {FINE}},
		{"another size, no ranges", "binary/octet-stream", 9 * MIB, {NO_RANGES}},
		{"another size, a type that is near", "image/x-png", 1000, {FINE}},
		{"the right size, a page", "text/html", 3 * MIB, {FINE}},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		struct scene *scene = scene_make(3 * MIB);
		scene->server.type = table[i].type;
		scene->source.size = scene->source.recorded = table[i].claimed;
		always(scene, table[i].always);
		is_int(read_all(scene, 3 * MIB, 1 << 18, 0), 0, "another type, %s", table[i].name);
		scene_end(scene);
	}
}

/* A server that is wrong once about the size, in the first answer or a later one. */
static void test_wrong_size_once(void)
{
	static const long sizes[] = {0, 1, 262144, 1 << 20, 3 << 20, 9 << 20};
	for (size_t i = 0; i < COUNT(sizes); i++) {
		for (unsigned before = 0; before < 3; before++) {
			struct scene *scene = scene_make(5 * MIB + 3);
			struct fault faults[3] = {{FINE}, {FINE}, {FINE}};
			faults[before] = (struct fault){SIZE_IS, sizes[i]};
			asset_server_script(&scene->server, faults, before + 1, (struct fault){FINE});
			is_int(read_all(scene, 5 * MIB + 3, 1 << 18, 0), 0, "%ld bytes, says answer %u", sizes[i],
			       before);
			is_int(atomic_load(&scene->changes), 0, "nothing has changed");
			scene_end(scene);
		}
	}
}

/* It says the same wrong thing to all that is asked in a short while, as one that is out of order does. */
static void test_out_of_order(void)
{
	static const char *const texts[] = {"", "not now"};
	static const int64_t sizes[] = {1000, 5 * MIB + 3};
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t k = 0; k < COUNT(sizes); k++) {
			struct scene *scene = scene_make(sizes[k]);
			script(scene, (struct fault){OUT_OF_ORDER, .text = texts[i]}, 2);
			is_int(read_all(scene, sizes[k], 1 << 18, 0), 0, "\"%s\" twice for %lld bytes", texts[i],
			       (long long)sizes[k]);
			is_int(atomic_load(&scene->changes), 0, "nothing has changed");
			scene_end(scene);
		}
	}
}

/* --- changes ------------------------------------------------------------------------------------------------------ */

static void set_version(struct scene *scene, int version, int64_t size)
{
	atomic_store(&scene->server.version, version);
	atomic_store(&scene->server.size, size);
}

/* Reads until the first window is there, so that nothing is under way. */
static void read_window(struct scene *scene)
{
	for (int64_t at = 64 * KIB; at < MIB; at += 64 * KIB)
		read_at(scene, at, 64 * KIB);
	for (int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
	     atomic_load(&scene->server.under_way) > 0 && clock_monotonic_ms() < deadline;)
		poll(NULL, 0, 5);
}

/* The bytes change when some were handed out. */
static void test_change(int64_t size_after, struct fault fault)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_make(size);
	always(scene, fault);
	struct reader reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 4096), "a part of the old bytes");
	read_window(scene);
	set_version(scene, 1, size_after);
	reader = read_at(scene, size - MIB, 4096);
	is_int(reader.rc, -ESTALE, "the old ones are gone");
	is_int(atomic_load(&scene->changes), 1, "which is told once");
	is_int(atomic_load(&scene->changed_generation), 0, "of the generation that was handed out");
	reader = read_at(scene, 0, 4096);
	is_int(reader.rc, -ESTALE, "that generation stays dead");
	ok(!assets_has(scene->assets, &scene->source), "it is not there");
	scene->source.generation = 1;
	is_int(read_all(scene, size_after, 1 << 18, 1), 0, "the next one has the new bytes");
	is_int(atomic_load(&scene->changes), 1, "and nothing else has changed");
	scene_end(scene);
}

/* Reads on in a file that is another by now: not a byte of that one comes, but an error. */
static void read_to_change(struct scene *scene, int64_t size)
{
	struct reader reader = {.rc = 0};
	for (int64_t at = 0; reader.rc == 0 && at + 64 * KIB <= size; at += 64 * KIB) {
		reader = read_at(scene, at, 64 * KIB);
		ok(reader.rc < 0 || is_right(&reader, 0, 64 * KIB),
		   "as long as there are bytes, they are the old ones");
	}
	is_int(reader.rc, -ESTALE, "then they are gone");
}

/* They change while somebody reads on, and the server has no word for it: the bytes that are asked for once more tell it. */
static void test_change_untold(int64_t cache_bytes)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_make(size);
	always(scene, (struct fault){NO_TAG});
	scene->config.cache_bytes = cache_bytes;
	scene_reopen(scene);
	struct reader reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 4096), "the old bytes");
	read_window(scene);
	set_version(scene, 1, size);
	read_to_change(scene, size);
	for (int64_t deadline = clock_monotonic_ms() + DEADLINE_MS; /* a read may learn it first */
	     atomic_load(&scene->changes) == 0 && clock_monotonic_ms() < deadline;)
		poll(NULL, 0, 5);
	is_int(atomic_load(&scene->changes), 1, "which is told once");
	scene->source.generation = 1;
	is_int(read_all(scene, size, 1 << 18, 1), 0, "the next ones are new, all of them");
	scene_end(scene);
}

/* They change between a read of the end and one of all before it. */
static void test_change_behind(void)
{
	int64_t size = 2 * MIB;
	struct scene *scene = scene_make(size);
	always(scene, (struct fault){NO_TAG});
	struct reader reader = read_at(scene, MIB, 4096);
	ok(is_right(&reader, 0, 4096), "the old bytes of the second half");
	for (int64_t at = MIB; at < size; at += 64 * KIB)
		read_at(scene, at, 64 * KIB);
	set_version(scene, 1, size);
	int rc = -ESTALE;
	for (int64_t deadline = clock_monotonic_ms() + DEADLINE_MS; rc != 0 && clock_monotonic_ms() < deadline;) {
		scene->source.generation++; /* as for a reader who comes later */
		rc = read_all(scene, size, 64 * KIB, 1);
	}
	is_int(rc, 0, "nothing of the old ones stays");
	scene_end(scene);
}

/* They change while the reader rests so long that nothing is held for it. */
static void test_change_at_rest(void)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_make(size);
	always(scene, (struct fault){NO_TAG});
	scene->config.cache_bytes = 0;
	scene_reopen(scene);
	struct reader reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 4096), "the old bytes");
	read_window(scene);
	for (int i = 0; i < 20; i++) {
		char url[100];
		snprintf(url, sizeof(url), "%s/%d", scene->base, i);
		struct asset_source other = scene->source;
		other.url = slice_of(url);
		reader = read_as(scene, &other, 0, 4096);
		ok(is_right(&reader, 0, 4096), "another asset, %d", i);
	}
	set_version(scene, 1, size);
	reader = read_at(scene, MIB, 64 * KIB);
	for (int64_t at = MIB; reader.rc == 0 && at + 64 * KIB <= size; at += 64 * KIB)
		reader = read_at(scene, at, 64 * KIB);
	is_int(reader.rc, -ESTALE, "what was read before tells it");
	scene_end(scene);
}

/* Uses so many other assets that no more is remembered of this one than must be, and takes its bytes out of the cache. */
static void use_many_others(struct scene *scene)
{
	char url[100];
	struct asset_source other = scene->source;
	for (int i = 0; i < KNOWN_MAX + 10; i++) {
		snprintf(url, sizeof(url), "%s/%d", scene->base, i);
		other.url = slice_of(url);
		if (i <= OPEN_MAX) /* so that its file is closed */
			read_as(scene, &other, other.size - 1, 1);
		else
			assets_has(scene->assets, &other);
	}
	temp_folder_remove(scene->folder);
}

/* Somebody has read the first window of it, long ago. */
static struct scene *scene_of_old(int64_t size, struct fault fault)
{
	struct scene *scene = scene_make(size);
	always(scene, fault);
	struct reader reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 4096), "the old bytes");
	read_window(scene);
	use_many_others(scene);
	return scene;
}

/* Who reads on after long gets no byte of another file, and is not told of a change where there is none. */
static void test_change_long_after(struct fault fault)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_of_old(size, fault);
	struct reader reader = read_at(scene, MIB, 4096);
	ok(is_right(&reader, 0, 4096), "they are the same long after");
	is_int(atomic_load(&scene->changes), 0, "and nobody hears of a change");
	for (int64_t at = MIB; at < 2 * MIB; at += 64 * KIB)
		read_at(scene, at, 64 * KIB);
	use_many_others(scene);
	set_version(scene, 1, size);
	reader = read_at(scene, 2 * MIB, 4096);
	is_int(reader.rc, -ESTALE, "when they are others, the old ones are gone");
	is_int(atomic_load(&scene->changes), 1, "which is told once");
	use_many_others(scene);
	reader = read_at(scene, 2 * MIB, 4096);
	is_int(reader.rc, -ESTALE, "for ever, whoever comes in between");
	scene->source.generation = 1;
	is_int(read_all(scene, size, 1 << 18, 1), 0, "the next one has the new bytes");
	use_many_others(scene);
	scene->source.generation = 0;
	reader = read_at(scene, 0, 4096);
	is_int(reader.rc, -ESTALE, "and they stay gone");
	scene_end(scene);
}

/* Another mount has seen the change first, and its bytes are in the cache. */
static void test_change_by_another(struct fault fault)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_of_old(size, fault);
	set_version(scene, 1, size);
	struct assets *here = scene->assets;
	scene_open(scene);
	is_int(read_all(scene, size, 1 << 18, 1), 0, "the new ones in another mount");
	assets_destroy(scene->assets);
	scene->assets = here;
	struct reader reader = read_at(scene, MIB, 4096);
	is_int(reader.rc, -ESTALE, "are none of the old ones");
	is_int(atomic_load(&scene->changes), 1, "which is told once");
	scene->source.generation = 1;
	int before = requests(scene);
	is_int(read_all(scene, size, 1 << 18, 1), 0, "the next one has them");
	is_int(requests(scene), before, "out of the cache");
	scene_end(scene);
}

static void test_other_bytes_each_time(int64_t cache_bytes)
{
	struct scene *scene = scene_make(40 * MIB);
	struct reader reader = READER_INIT;
	scene->config.cache_bytes = cache_bytes;
	always(scene, (struct fault){OTHER_BYTES});
	assets_fetch(scene->assets, &scene->source, note_reply, &reader, 1);
	reader_wait(&reader);
	is_int(reader.rc, -EIO, "what is never the same twice is given up");
	ok(!assets_has(scene->assets, &scene->source), "and not kept");
	always(scene, (struct fault){FINE});
	poll(NULL, 0, 100); /* a failure holds for a moment */
	is_int(read_all(scene, 40 * MIB, 1 << 20, 0), 0, "once it is in order again, it is read");
	scene_end(scene);
}

/* Parts that bring no more than what is there already are not asked for without end. */
static void test_short_answers(void)
{
	int64_t size = 3 * MIB;
	struct scene *scene = scene_make(size);
	always(scene, (struct fault){SHORT_UNTAGGED, 256 * KIB});
	is_int(read_all(scene, size, 64 * KIB, 0), 0, "all is read, as a whole");
	ok(requests(scene) < 20, "in few requests (%d)", requests(scene));
	scene_end(scene);
}

/* The server forgets its tag together with the bytes. */
static void test_tag_is_lost(void)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_make(size);
	struct reader reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 4096), "the old bytes");
	read_window(scene);
	set_version(scene, 1, size);
	always(scene, (struct fault){NO_TAG});
	read_to_change(scene, size);
	scene_end(scene);
}

/* They change before this process has handed out any: nobody needs to know. */
static void test_change_unseen(void)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_make(size);
	struct reader reader = read_at(scene, 0, 4096);
	ok(is_right(&reader, 0, 4096), "a part of the old bytes");
	scene_reopen(scene);
	set_version(scene, 1, size);
	reader = read_at(scene, size - MIB, 4096);
	ok(is_right(&reader, 1, 4096), "after a restart, the new bytes");
	is_int(read_all(scene, size, 1 << 18, 1), 0, "all of them");
	is_int(atomic_load(&scene->changes), 0, "nobody is told");
	scene_end(scene);
}

/* One answer out of line is no change. */
static void test_change_once(void)
{
	int64_t size = 6 * MIB + 3;
	struct scene *scene = scene_make(size);
	struct reader reader = read_at(scene, 0, 4096);
	script(scene, (struct fault){OTHER_TAG}, 1);
	reader = read_at(scene, size - MIB, 4096);
	ok(is_right(&reader, 0, 4096), "another tag, once, is not believed");
	is_int(read_all(scene, size, 1 << 18, 0), 0, "the rest");
	is_int(atomic_load(&scene->changes), 0, "nothing has changed");
	scene_end(scene);
}

/* --- redirects and secrets ---------------------------------------------------------------------------------------- */

static void test_redirects(void)
{
	static const struct {
		const char *name;
		unsigned times;
		const char *to; /* with the port */
		int rc;
	} table[] = {
		{"once", 1, "http://127.0.0.1:%u/b", 0},
		{"as often as may be", 5, "http://127.0.0.1:%u/b", 0},
		{"too often", 6, "http://127.0.0.1:%u/b", -EIO},
		{"to another host", 1, "http://localhost:%u/b?x=y", 0},
		{"to plain http elsewhere", 1, "http://192.0.2.1:%u/b", -EIO},
		{"with a user", 1, "http://me:pw@127.0.0.1:%u/b", -EIO},
		{"to a relative place", 1, "b", 0},
	};
	for (size_t i = 0; i < COUNT(table); i++) {
		char to[128];
		struct scene *scene = scene_make(1000);
		const struct assets_config open_config = scene->config;
		assets_destroy(scene->assets);
		scene->hosts[0] = scene->base;
		scene->config.hosts = scene->hosts;
		scene->config.token = "s3cret";
		scene->config.environment = "pro duction";
		scene_open(scene);
		snprintf(to, sizeof(to), table[i].to, scene->server.port);
		script(scene, (struct fault){REDIRECT, 300 + (long)(i % 2 ? 7 : 1), to}, table[i].times);
		struct reader reader = read_at(scene, 0, 1000);
		is_int(reader.rc, table[i].rc, "a redirect %s", table[i].name);
		ok(reader.rc < 0 || is_right(&reader, 0, 1000), "%s: the bytes", table[i].name);
		is_str(scene->server.log[0].target, "/a%20b.png?access_token=s3cret&environment=pro%20duction",
		       "%s: the token is sent to the stack's host", table[i].name);
		for (int k = 1; k < requests(scene); k++)
			ok(!strstr(scene->server.log[k].target, "s3cret"), "%s: and not on the way (%s)", table[i].name,
			   scene->server.log[k].host);
		scene->config = open_config;
		scene_end(scene);
	}
}

/* --- many at once ------------------------------------------------------------------------------------------------- */

struct crowd {
	struct scene *scene;
	int64_t size;
	int rc;
	unsigned seed;
};

static void *read_some(void *opaque)
{
	struct crowd *crowd = opaque;
	for (int i = 0; i < 40 && crowd->rc == 0; i++) {
		int64_t at = (int64_t)(rand_r(&crowd->seed) % (unsigned)crowd->size);
		struct reader reader = read_at(crowd->scene, at, 100000);
		int64_t left = crowd->size - at;
		if (reader.rc < 0 || reader.wrong || reader.len != (size_t)(left < 100000 ? left : 100000))
			crowd->rc = reader.rc < 0 ? reader.rc : 1;
	}
	return NULL;
}

static void test_crowd(struct fault fault, int64_t cache_bytes)
{
	struct scene *scene = scene_make(5 * MIB + 9);
	struct crowd crowd[8];
	pthread_t threads[8];
	assets_destroy(scene->assets);
	scene->config.cache_bytes = cache_bytes;
	scene_open(scene);
	script(scene, fault, 4);
	for (unsigned i = 0; i < COUNT(crowd); i++) {
		crowd[i] = (struct crowd){scene, 5 * MIB + 9, 0, i};
		if (pthread_create(&threads[i], NULL, read_some, &crowd[i]) != 0)
			exit(1);
	}
	for (unsigned i = 0; i < COUNT(crowd); i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < COUNT(crowd); i++)
		is_int(crowd[i].rc, 0, "reader %u of many has right bytes", i);
	ok(cache_bytes < 5 * MIB || atomic_load(&scene->server.sent) <= 12 * MIB, "little was sent twice (%lld)",
	   (long long)atomic_load(&scene->server.sent));
	scene_end(scene);
}

/* What is slow is not dead: each byte renews the patience. */
static void test_slow(void)
{
	struct scene *scene = scene_make(1000);
	always(scene, (struct fault){TRICKLE, 1});
	int64_t began = clock_monotonic_ms();
	struct reader reader = read_at(scene, 0, 1000);
	ok(is_right(&reader, 0, 1000), "a slow answer is waited for (%lld ms)",
	   (long long)(clock_monotonic_ms() - began));
	scene_end(scene);
}

/* The cache fills up within an asset, because another one is in use. */
static void test_full(void)
{
	int64_t size = 5 * MIB + 5;
	char other[300];
	struct scene *scene = scene_make(size);
	assets_destroy(scene->assets);
	scene->config.cache_bytes = 7 * MIB;
	scene_open(scene);
	is_int(read_all(scene, size, 1 << 17, 0), 0, "an asset that fits");
	snprintf(other, sizeof(other), "%s/other", scene->url);
	struct asset_source first = scene->source;
	scene->source.url = slice_of(other);
	is_int(read_all(scene, size, 1 << 17, 0), 0, "one that does not, beside it");
	is_int(read_all(scene, size, 1 << 17, 0), 0, "again");
	struct reader reader = read_as(scene, &first, size - 10, 100);
	ok(is_right(&reader, 0, 10), "the first, again");
	scene_end(scene);
}

/* A host that asked to be left alone is, for the sake of all assets. */
static void test_host_left_alone(void)
{
	char other[300];
	struct scene *scene = scene_make(1000);
	script(scene, (struct fault){RETRY_AFTER, 3600}, 1);
	struct reader reader = read_at(scene, 0, 1000);
	is_int(reader.rc, -EIO, "who cannot wait that long is told at once");
	snprintf(other, sizeof(other), "%s/other", scene->url);
	scene->source.url = slice_of(other);
	reader = read_at(scene, 0, 1000);
	is_int(reader.rc, -EIO, "another asset of that host");
	is_int(requests(scene), 1, "is not asked for");
	scene_end(scene);
}

/* Nor does a redirect lead there. */
static void test_redirect_left_alone(void)
{
	char asked[64];
	char to[64];
	struct scene *scene = scene_make(1000);
	snprintf(asked, sizeof(asked), "http://localhost:%u/a.png", scene->server.port);
	snprintf(to, sizeof(to), "http://localhost:%u/b.png", scene->server.port);
	struct asset_source other = scene->source;
	other.url = slice_of(asked);
	const struct fault faults[] = {{RETRY_AFTER, 3600, NULL}, {REDIRECT, 302, to}};
	asset_server_script(&scene->server, faults, COUNT(faults), (struct fault){FINE});
	struct reader reader = read_as(scene, &other, 0, 1000);
	is_int(reader.rc, -EIO, "a host asks to be left alone");
	int64_t began = clock_monotonic_ms();
	reader = read_at(scene, 0, 1000);
	is_int(reader.rc, -EIO, "another one redirects there");
	ok(clock_monotonic_ms() - began < PATIENCE_MS, "which is told at once");
	is_int(requests(scene), 2, "and not followed");
	scene_end(scene);
}

/* Nobody sits before a fetch: it comes back when the server says, though that is later than a reader would wait. */
static void test_fetch_left_alone(void)
{
	struct scene *scene = scene_make(1000);
	struct reader reader = READER_INIT;
	script(scene, (struct fault){RETRY_AFTER, 2}, 1);
	assets_fetch(scene->assets, &scene->source, note_reply, &reader, 1);
	reader_wait(&reader);
	is_int(reader.rc, 0, "a fetch waits as long as the server asks");
	is_int(requests(scene), 2, "and asks once more");
	scene_end(scene);
}

static void test_one_download(void)
{
	struct scene *scene = scene_make(1000);
	struct reader readers[20];
	always(scene, (struct fault){TRICKLE, 100});
	for (size_t i = 0; i < COUNT(readers); i++) {
		readers[i] = (struct reader)READER_INIT;
		assets_read(scene->assets, &scene->source, 0, 1000, note_reply, &readers[i], i);
	}
	for (size_t i = 0; i < COUNT(readers); i++) {
		reader_wait(&readers[i]);
		ok(is_right(&readers[i], 0, 1000), "reader %zu", i);
	}
	is_int(requests(scene), 1, "one download for all of them");
	scene_end(scene);
}

/* Asks for `len` bytes of each of `count` assets at once, then of the scene's own. */
static void read_many(struct scene *scene, struct reader *readers, size_t count, size_t len)
{
	char url[300];
	for (size_t i = 0; i <= count; i++) {
		struct asset_source source = scene->source;
		readers[i] = (struct reader)READER_INIT;
		snprintf(url, sizeof(url), "%s/%zu", scene->url, i);
		if (i < count)
			source.url = slice_of(url);
		assets_read(scene->assets, &source, 0, len, note_reply, &readers[i], i);
	}
	for (size_t i = 0; i <= count; i++) {
		reader_wait(&readers[i]);
		ok(is_right(&readers[i], 0, len), "asset %zu of many", i);
	}
}

static void test_many_assets(void)
{
	static struct reader readers[60];
	struct scene *scene = scene_make(5000);
	always(scene, (struct fault){TRICKLE, 100});
	read_many(scene, readers, COUNT(readers) - 1, 5000);
	is_int(requests(scene), COUNT(readers), "one request for each");
	ok(atomic_load(&scene->server.most) <= 16, "not more than 16 at once (%d)", atomic_load(&scene->server.most));
	scene_end(scene);
}

/* What was handed out has lost its file, and comes again from a server that does not tell its length. */
static void test_lost(void)
{
	static struct reader readers[80];
	char url[300];
	struct scene *scene = scene_make(5000);
	struct asset_source lost = scene->source;
	always(scene, (struct fault){CHUNKED_WHOLE});
	snprintf(url, sizeof(url), "%s/lost", scene->url);
	lost.url = slice_of(url);
	for (int turn = 0; turn < 3; turn++) {
		atomic_store(&scene->server.version, turn == 2);
		struct reader reader = read_as(scene, &lost, 0, 5000);
		if (turn < 2)
			ok(is_right(&reader, 0, 5000), "the same bytes");
		else
			is_int(reader.rc, -ESTALE, "others of that length");
		atomic_store(&scene->server.version, 0);
		read_many(scene, readers, COUNT(readers) - 1, 5000); /* so that its file is closed */
		temp_folder_remove(scene->folder);
	}
	is_int(atomic_load(&scene->changes), 1, "one change");
	scene_end(scene);
}

/* Who has to wait for others that get on has all the patience left when the turn comes, however long that takes. */
static void test_queue(void)
{
	static struct reader readers[60];
	struct scene *scene = scene_make(5000);
	always(scene, (struct fault){TRICKLE, 10});
	read_many(scene, readers, COUNT(readers) - 1, 5000);
	scene_end(scene);
}

/* What the server has no answer for keeps nobody from what it has. */
static void test_hanging(void)
{
	enum { HANGING = 16 };
	static struct reader readers[HANGING + 1];
	const struct fault silence = {SILENCE, 0, NULL};
	struct fault faults[HANGING];
	char url[300];
	struct scene *scene = scene_make(5000);
	scene->config.patience_ms = 60000;
	scene_reopen(scene);
	for (size_t i = 0; i < HANGING; i++)
		faults[i] = silence;
	asset_server_script(&scene->server, faults, HANGING, (struct fault){FINE, 0, NULL});
	for (size_t i = 0; i <= HANGING; i++) {
		struct asset_source source = scene->source;
		readers[i] = (struct reader)READER_INIT;
		snprintf(url, sizeof(url), "%s/%zu", scene->url, i);
		source.url = slice_of(url);
		assets_read(scene->assets, &source, 0, 5000, note_reply, &readers[i], i);
	}
	reader_wait(&readers[HANGING]);
	ok(is_right(&readers[HANGING], 0, 5000), "one more than are asked for at once, while all others hang");
	is_int(requests(scene), HANGING + 1, "none of them was given up for it");
	scene_end(scene);
}

/* Large assets take turns with what comes later. */
static void test_turns(void)
{
	static struct reader readers[17];
	struct scene *scene = scene_make(3 * MIB / 2); /* two requests each */
	read_many(scene, readers, COUNT(readers) - 1, 3 * MIB / 2);
	int place = 0;
	while (place < requests(scene) && strcmp(scene->server.log[place].target, "/a%20b.png") != 0)
		place++;
	ok(place < 32, "the last was asked for before the others were through (%d of %d)", place, requests(scene));
	scene_end(scene);
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

static void wait_for_requests(struct scene *scene, int count)
{
	int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
	while (requests(scene) < count && clock_monotonic_ms() < deadline)
		poll(NULL, 0, 5);
}

static void test_cancel(void)
{
	struct scene *scene = scene_make(1000);
	struct reader gone = READER_INIT;
	struct reader stays = READER_INIT;
	struct assets_counts counts;
	script(scene, (struct fault){STALL, 1}, 1);
	assets_read(scene->assets, &scene->source, 0, 1000, note_reply, &gone, 1);
	assets_read(scene->assets, &scene->source, 0, 1000, note_reply, &stays, 2);
	wait_for_requests(scene, 1);
	assets_cancel(scene->assets, 1);
	reader_wait(&stays);
	ok(is_right(&stays, 0, 1000), "who stays gets the bytes");
	is_int(gone.replies, 0, "who has left gets no answer");
	script(scene, (struct fault){SILENCE}, 1);
	scene->source.url = slice_make(scene->url, strlen(scene->url) - 1);
	assets_read(scene->assets, &scene->source, 0, 1000, note_reply, &gone, 3);
	wait_for_requests(scene, 3);
	assets_cancel(scene->assets, 3);
	assets_cancel(scene->assets, 4);
	int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
	do {
		poll(NULL, 0, 5);
		assets_count(scene->assets, &counts);
	} while ((counts.waiting > 0 || counts.downloads > 0) && clock_monotonic_ms() < deadline);
	is_int(counts.waiting, 0, "nobody waits any more");
	is_int(counts.downloads, 0, "and nothing is asked for");
	is_int(gone.replies, 0, "still no answer");
	scene_end(scene);
}

static void test_destroy(void)
{
	static const struct fault faults[] = {{SILENCE}, {STALL, 0}, {STATUS, 500}, {TRICKLE, 1}};
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct scene *scene = scene_make(5 * MIB);
		struct reader reader = READER_INIT;
		always(scene, faults[i]);
		assets_read(scene->assets, &scene->source, 4 * MIB, 1000, note_reply, &reader, 1);
		wait_for_requests(scene, 1);
		int64_t began = clock_monotonic_ms();
		assets_destroy(scene->assets);
		ok(clock_monotonic_ms() - began < PATIENCE_MS, "an end while something hangs is prompt");
		is_int(reader.replies, 1, "who waits is answered");
		is_int(reader.rc, -ECANCELED, "so that he knows");
		scene->assets = NULL;
		scene_end(scene);
	}
}

/* The kernel asks twice; the second time must not wait again. */
static void test_failed_again(void)
{
	struct scene *scene = scene_make(1000);
	always(scene, (struct fault){STATUS, 404});
	struct reader reader = read_at(scene, 0, 1000);
	is_int(reader.rc, -EIO, "it is not there");
	int before = requests(scene);
	reader = read_at(scene, 0, 10);
	is_int(reader.rc, -EIO, "asked again at once, it still is not");
	ok(requests(scene) <= before + 1, "hardly any request more");
	scene_end(scene);
}

/* --- without a cache ---------------------------------------------------------------------------------------------- */

static void test_uncached(int64_t cache_bytes, const char *folder, struct fault fault)
{
	int64_t size = 9 * MIB + 5;
	struct scene *scene = scene_make(size);
	struct reader whole = READER_INIT;
	assets_destroy(scene->assets);
	scene->config.cache_bytes = cache_bytes;
	if (folder)
		scene->config.folder = folder;
	scene_open(scene);
	always(scene, fault);
	is_int(read_all(scene, size, 1 << 17, 0), 0, "all of it, from its beginning to its end");
	ok(atomic_load(&scene->server.sent) < 2 * size, "fetched about once (%lld bytes, %d requests)",
	   (long long)atomic_load(&scene->server.sent), requests(scene));
	struct reader reader = read_at(scene, size - 100, 4096);
	ok(is_right(&reader, 0, 100), "its end, again");
	reader = read_at(scene, 5 * MIB - 100, 3 * MIB);
	ok(is_right(&reader, 0, 3 * MIB), "a read larger than what is kept");
	ok(!assets_has(scene->assets, &scene->source), "it is not in the cache");
	scene_reopen(scene);
	assets_fetch(scene->assets, &scene->source, note_reply, &whole, 9);
	reader_wait(&whole);
	is_int(whole.rc, folder ? -EIO : -ENOSPC, "and cannot be brought there");
	scene_end(scene);
}

/* No room and no ranges: who jumps back may get an error, but never a wrong byte. */
static void test_uncached_jumps(void)
{
	int64_t size = 9 * MIB + 5;
	struct scene *scene = scene_make(size);
	assets_destroy(scene->assets);
	scene->config.cache_bytes = 2 * MIB;
	scene_open(scene);
	always(scene, (struct fault){NO_RANGES});
	for (int i = 0; i < 8; i++) {
		struct reader reader = read_at(scene, i % 2 ? 0 : size - MIB, 4096);
		ok(reader.rc == -EIO || is_right(&reader, 0, 4096), "jump %d", i);
	}
	poll(NULL, 0, 60);
	is_int(read_all(scene, size, 1 << 17, 0), 0, "from its beginning to its end it can be read");
	scene_end(scene);
}

/* Who goes back again and again to what has passed has the stream begun anew a few times, and no more. */
static void test_uncached_back(void)
{
	int64_t size = 9 * MIB + 5;
	struct scene *scene = scene_make(size);
	scene->config.cache_bytes = 0;
	scene_reopen(scene);
	always(scene, (struct fault){NO_RANGES});
	for (int i = 0; i < 4; i++) {
		/* As much as is held in memory, and so far before the end that the stream waits there for its reader. */
		struct reader reader = read_at(scene, 4 * MIB, 2 * MIB);
		ok(is_right(&reader, 0, 2 * MIB), "ahead, %d", i);
		reader = read_at(scene, 0, 4096);
		ok(i < 3 ? is_right(&reader, 0, 4096) : reader.rc == -EIO, "and back (%d)", reader.rc);
	}
	ok(requests(scene) <= 6, "in few requests (%d)", requests(scene));
	poll(NULL, 0, 60); /* a failure holds for a moment */
	is_int(read_all(scene, size, 1 << 17, 0), 0, "from its beginning to its end it can be read");
	scene_end(scene);
}

/* test_assets [faults] [-v]: those of each fault, or all others. */
int main(int argc, char **argv)
{
	log_set_level(strcmp(argv[argc - 1], "-v") == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	if (argc > 1 && strcmp(argv[1], "faults") == 0) {
		test_faults(700 * KIB + 7);
		test_faults(4 * MIB + 7);
		return tap_done();
	}
	test_small();
	test_large();
	test_sizes_asked_only();
	test_fetch();
	test_refused_in_the_middle();
	test_left_alone();
	test_beside_a_failure();
	test_told_again();
	test_stop();
	test_sizes();
	test_other_type();
	test_wrong_size_once();
	test_out_of_order();
	test_change(6 * MIB + 3, (struct fault){FINE});
	test_change(6 * MIB + 4, (struct fault){FINE});
	test_change(6 * MIB + 2, (struct fault){NO_TAG});
	test_change(6 * MIB + 3, (struct fault){NO_IF_RANGE});
	test_change(6 * MIB + 3, (struct fault){DATED});
	test_change_untold(1024 * MIB);
	test_change_untold(0);
	test_change_behind();
	test_change_at_rest();
	test_change_long_after((struct fault){FINE});
	test_change_long_after((struct fault){NO_TAG});
	test_change_long_after((struct fault){DATED});
	test_change_by_another((struct fault){FINE});
	test_change_by_another((struct fault){NO_TAG});
	test_other_bytes_each_time(1024 * MIB);
	test_short_answers();
	test_tag_is_lost();
	test_change_unseen();
	test_change_once();
	test_redirects();
	test_crowd((struct fault){FINE}, 1024 * MIB);
	test_crowd((struct fault){CUT, 2}, 1024 * MIB);
	test_crowd((struct fault){FINE}, 2 * MIB);
	test_slow();
	test_full();
	test_lost();
	test_host_left_alone();
	test_redirect_left_alone();
	test_fetch_left_alone();
	test_one_download();
	test_many_assets();
	test_queue();
	test_hanging();
	test_turns();
	test_cancel();
	test_destroy();
	test_failed_again();
	test_uncached(2 * MIB, NULL, (struct fault){FINE});
	test_uncached(1024 * MIB, "/proc/no/such/folder", (struct fault){FINE});
	test_uncached(2 * MIB, NULL, (struct fault){NO_RANGES});
	test_uncached_jumps();
	test_uncached_back();
	return tap_done();
}
