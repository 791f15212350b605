/* An open hash table with linear probing. A slot that was taken out keeps its place until the table grows, or is full. */
#include "assets/handed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 1024 /* a power of two, as all sizes are */
#define SIZE_MAX_SLOTS (HANDED_MAX / 3 * 4)
#define NOTHING UINT32_MAX /* as a generation: it was taken out */
#define NO_SIZE (((int64_t)1 << 40) - 1)

struct handed_slot {
	uint64_t key; /* 0: free */
	uint64_t size : 40;
	uint64_t piece : 24;
	uint64_t checksum;
	uint32_t mark;
	uint32_t generation;
};

static_assert(sizeof(struct handed_slot) == 32, "HANDED_MAX of them take 32 MiB");
static_assert(((uint64_t)1 << 40) / PIECE_BYTES <= (uint64_t)1 << 24, "a piece has 24 bits");

/* 64 bits of it are enough to tell a million apart. */
static uint64_t short_of(const struct cache_key *key)
{
	char hex[16 + 1] = {0};
	memcpy(hex, key->hex, sizeof(hex) - 1);
	uint64_t bits = strtoull(hex, NULL, 16);
	return bits ? bits : 1;
}

/* Where the key is, or where it would be. */
static struct handed_slot *find(const struct handed_table *table, uint64_t key)
{
	size_t at = key & (table->size - 1);
	while (table->slots[at].key != 0 && table->slots[at].key != key)
		at = (at + 1) & (table->size - 1);
	return &table->slots[at];
}

static bool grow(struct handed_table *table)
{
	struct handed_table larger = {.size = table->size ? table->size * 2 : SIZE_MIN};
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < table->size; i++) {
		const struct handed_slot *slot = &table->slots[i];
		if (slot->key == 0 || slot->generation == NOTHING)
			continue;
		*find(&larger, slot->key) = *slot;
		larger.used++;
	}
	free(table->slots);
	*table = larger;
	return true;
}

/* One on the way to where it would be that was taken out, else that of the asset which is in its place, if there is one: so
 * the free slots stay, and what is behind it is found as before. */
static struct handed_slot *in_exchange(const struct handed_table *table, uint64_t key)
{
	size_t home = key & (table->size - 1);
	for (size_t at = home; table->slots[at].key != 0; at = (at + 1) & (table->size - 1))
		if (table->slots[at].generation == NOTHING)
			return &table->slots[at];
	return table->slots[home].key != 0 ? &table->slots[home] : NULL;
}

/* A slot to write to: its own, a free one, or for want of one that of another asset. NULL if there is none. */
static struct handed_slot *make(struct handed_table *table, uint64_t key)
{
	bool full = table->used >= table->size / 4 * 3;
	if (full && table->size < SIZE_MAX_SLOTS)
		full = !grow(table);
	if (!table->slots)
		return NULL;
	struct handed_slot *slot = find(table, key);
	if (slot->key == key)
		return slot;
	table->used += !full;
	return full ? in_exchange(table, key) : slot;
}

void handed_put(struct handed_table *table, const struct cache_key *key, const struct handed *handed)
{
	if (handed->generation < 0 || handed->generation >= NOTHING || handed->size >= NO_SIZE)
		return; /* nobody has so many generations, or so large a file */
	const uint64_t bits = short_of(key);
	struct handed_slot *slot = make(table, bits);
	if (!slot)
		return;
	*slot = (struct handed_slot){
		.key = bits,
		.size = (uint64_t)(handed->size < 0 ? NO_SIZE : handed->size) & NO_SIZE,
		.piece = (uint64_t)handed->proof.piece & (((uint64_t)1 << 24) - 1),
		.checksum = handed->proof.checksum,
		.mark = handed->mark,
		.generation = (uint32_t)handed->generation,
	};
}

bool handed_take(struct handed_table *table, const struct cache_key *key, struct handed *handed)
{
	struct handed_slot *slot = table->slots ? find(table, short_of(key)) : NULL;
	if (!slot || slot->key == 0 || slot->generation == NOTHING)
		return false;
	*handed = (struct handed){
		.generation = slot->generation,
		.size = (int64_t)slot->size == NO_SIZE ? -1 : (int64_t)slot->size,
		.mark = slot->mark,
		.proof = {(int64_t)slot->piece, slot->checksum},
	};
	slot->generation = NOTHING;
	return true;
}

void handed_free(struct handed_table *table)
{
	free(table->slots);
	*table = (struct handed_table){0};
}
