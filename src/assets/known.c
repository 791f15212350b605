/* What is remembered of assets: a hash table, and a list from the latest used to the oldest. Of those that had to make room
 * it is what was handed out. */
#include "assets/download.h"

#include <stdlib.h>
#include <string.h>

static struct known **bucket_of(struct known_table *table, struct slice url)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	for (size_t i = 0; i < url.len; i++)
		hash = (hash ^ (unsigned char)url.at[i]) * 1099511628211u;
	return &table->buckets[(hash ^ (hash >> 32)) % KNOWN_MAX];
}

static void unlink_age(struct known_table *table, struct known *known)
{
	*(known->newer ? &known->newer->older : &table->newest) = known->older;
	*(known->older ? &known->older->newer : &table->oldest) = known->newer;
}

static void link_newest(struct known_table *table, struct known *known)
{
	known->newer = NULL;
	known->older = table->newest;
	*(table->newest ? &table->newest->newer : &table->oldest) = known;
	table->newest = known;
}

static void known_free(struct known *known)
{
	free(known->url);
	free(known);
}

static void keep_handed(struct known_table *table, const struct known *known)
{
	const struct identity *identity = &known->identity;
	struct handed handed = {.generation = known->dead + 1, .size = -1};
	if (known->handed >= 0)
		handed = (struct handed){
			.generation = known->handed,
			.size = identity->size,
			.mark = identity->etag[0] ? tag_mark(identity->etag) : identity->mark,
			.proof = known->last,
		};
	if (known->handed >= 0 || known->dead >= 0)
		handed_put(&table->handed, &known->key, &handed);
}

static void recall_handed(struct known_table *table, struct known *known)
{
	struct handed handed;
	if (!handed_take(&table->handed, &known->key, &handed))
		return;
	known->dead = handed.generation - 1;
	if (handed.size < 0)
		return;
	known->handed = handed.generation;
	known->identity.size = handed.size;
	known->identity.mark = handed.mark;
	known->last = handed.proof;
}

static void forget(struct known_table *table, struct known *known)
{
	keep_handed(table, known);
	struct known **at = bucket_of(table, slice_make(known->url, known->url_len));
	while (*at != known)
		at = &(*at)->in_bucket;
	*at = known->in_bucket;
	unlink_age(table, known);
	table->count--;
	known_free(known);
}

static void make_room(struct known_table *table)
{
	struct known *newer;
	for (struct known *known = table->oldest; known && table->count >= KNOWN_MAX; known = newer) {
		newer = known->newer;
		if (known->pins == 0 && !known->object)
			forget(table, known);
	}
}

static struct known *make(struct known_table *table, struct known **bucket, struct slice url)
{
	struct known *known = calloc(1, sizeof(*known));
	if (known)
		known->url = malloc(url.len + 1);
	if (!known || !known->url) {
		free(known);
		return NULL;
	}
	if (url.len > 0)
		memcpy(known->url, url.at, url.len);
	known->url[url.len] = '\0';
	known->url_len = url.len;
	known->key = cache_key_of(url);
	known->dead = -1;
	known->handed = -1;
	known->identity.size = -1;
	recall_handed(table, known);
	known->in_bucket = *bucket;
	*bucket = known;
	table->count++;
	return known;
}

struct known *known_get(struct known_table *table, struct slice url)
{
	struct known **bucket = bucket_of(table, url);
	struct known *known = *bucket;
	while (known && !slice_eq(slice_make(known->url, known->url_len), url))
		known = known->in_bucket;
	if (known) {
		unlink_age(table, known);
	} else {
		make_room(table);
		known = make(table, bucket, url);
		if (!known)
			return NULL;
	}
	link_newest(table, known);
	known->pins++;
	return known;
}

void known_unpin(struct known *known)
{
	known->pins--;
}

void known_free_all(struct known_table *table)
{
	struct known *older;
	for (struct known *known = table->newest; known; known = older) {
		older = known->older;
		known_free(known);
	}
	handed_free(&table->handed);
	*table = (struct known_table){0};
}

struct identity known_identity(const struct object *object)
{
	struct identity identity = {.size = object_size(object)};
	strncpy(identity.etag, object_etag(object), ETAG_MAX);
	return identity;
}

static bool are_the_same(const struct object *a, const struct object *b)
{
	return object_size(a) == object_size(b) && tags_agree(object_etag(a), object_etag(b));
}

bool known_attach(struct known_table *table, struct known *known, struct object *object, int64_t now)
{
	if (known->handed >= 0 && !identity_agrees(&known->identity, object_size(object), object_etag(object)))
		return false;
	if (known->object)
		return are_the_same(known->object, object);
	object_ref(object);
	known->object = object;
	known->used_at = now;
	table->open++;
	return true;
}

struct object *known_detach(struct known_table *table, struct known *known)
{
	struct object *object = known->object;
	table->open -= object != NULL;
	known->object = NULL;
	return object;
}

struct object *known_idle(struct known_table *table, int64_t now, int64_t *due)
{
	struct known *idle = NULL;
	*due = INT64_MAX;
	if (table->open == 0)
		return NULL;
	for (struct known *known = table->oldest; known; known = known->newer)
		if (known->object && (!idle || known->used_at < idle->used_at))
			idle = known;
	if (!idle)
		return NULL;
	if (table->open > OPEN_MAX || idle->used_at + OPEN_MS <= now)
		return known_detach(table, idle);
	*due = idle->used_at + OPEN_MS;
	return NULL;
}

void known_hand_out(struct known *known, const struct identity *identity, int64_t generation, const struct proof *last)
{
	if (known->handed < 0 || (identity->etag[0] && !known->identity.etag[0]))
		known->identity = *identity;
	if (generation > known->handed)
		known->handed = generation;
	known->last = *last;
}

uint64_t known_checksum(const struct known *known, int64_t piece)
{
	if (known->last.checksum && known->last.piece == piece)
		return known->last.checksum;
	for (int i = 0; i < PROOFS_MAX; i++)
		if (known->proofs[i].checksum && known->proofs[i].piece == piece)
			return known->proofs[i].checksum;
	return 0;
}

void known_note(struct known *known, int64_t piece, uint64_t checksum)
{
	if (known_checksum(known, piece))
		return;
	known->proofs[known->proof_next] = (struct proof){piece, checksum};
	known->proof_next = (known->proof_next + 1) % PROOFS_MAX;
}
