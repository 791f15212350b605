/*
 * What is in a file of the cache: which pieces are there, whether they are right, and how one comes in.
 *
 * What was found right is remembered while nobody but us touches the file, which its times and its size tell. Disk is read
 * and written without the lock, so two threads may check the same piece at once; what they find is believed only if the
 * file is still what it was when they began.
 *
 * A piece that is there is never written over with the same bytes, and never made a hole: somebody may be reading it.
 */
#include "assets/internal.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#define CHECK_BYTES (32 << 10) /* on the stack */
#define TABLE_ENTRIES 512      /* read at once */

static size_t piece_len(const struct object *object, int64_t piece)
{
	int64_t left = object->size - piece * PIECE_BYTES;
	return left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
}

static off_t entry_at(const struct object *object, int64_t piece)
{
	return (object->size + 7) / 8 * 8 + piece * 8;
}

/* --- what is remembered ------------------------------------------------------------------------------------------- */

static void forget_all(struct object *object)
{
	memset(object->sound, 0, (size_t)object->pieces / 8 + 1);
}

static bool is_sound(struct object *object, int64_t piece)
{
	pthread_mutex_lock(&object->lock);
	bool sound = object->sound[piece / 8] & 1 << piece % 8;
	pthread_mutex_unlock(&object->lock);
	return sound;
}

static void remember(struct object *object, int64_t piece, const struct stamp *since)
{
	pthread_mutex_lock(&object->lock);
	if (stamp_is(&object->seen, since))
		object->sound[piece / 8] |= (unsigned char)(1 << piece % 8);
	pthread_mutex_unlock(&object->lock);
}

/* After we wrote to a piece, and had looked at the file right before. */
static void note_change(struct object *object, int64_t piece, const struct stamp *before)
{
	struct stamp now;
	if (stamp_of(object->fd, &now) < 0)
		return;
	pthread_mutex_lock(&object->lock);
	if (!stamp_is(&object->seen, before))
		forget_all(object);
	object->sound[piece / 8] &=
		(unsigned char)~(1 << piece % 8); /* a thread may just have checked what was there */
	object->seen = now;
	pthread_mutex_unlock(&object->lock);
}

/* Looks at the file. If somebody touched it, it is made whole and has to be checked anew. */
static int look(struct object *object, struct stamp *now)
{
	int rc = stamp_of(object->fd, now);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&object->lock);
	bool untouched = stamp_is(&object->seen, now) && now->size == object_file_bytes(object->size);
	pthread_mutex_unlock(&object->lock);
	if (untouched)
		return 0;
	object_mend(object); /* if that fails, some pieces will be found missing */
	rc = stamp_of(object->fd, now);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&object->lock);
	forget_all(object);
	object->seen = *now;
	pthread_mutex_unlock(&object->lock);
	return 0;
}

/* --- checksums ---------------------------------------------------------------------------------------------------- */

/* XXH3 with the piece's number for a seed: pieces that changed places are not right. Never 0. */
static uint64_t checksum_of(XXH64_hash_t hash)
{
	return hash ? hash : 1;
}

static void free_state(XXH3_state_t **state)
{
	XXH3_freeState(*state);
}

static int checksum_on_disk(const struct object *object, int64_t piece, uint64_t *checksum)
{
	char bytes[CHECK_BYTES];
	CLEANUP(free_state) XXH3_state_t *state = XXH3_createState();
	if (!state)
		return -ENOMEM;
	XXH3_64bits_reset_withSeed(state, (XXH64_hash_t)piece);
	size_t len = piece_len(object, piece);
	for (size_t done = 0; done < len;) {
		size_t part = len - done < sizeof(bytes) ? len - done : sizeof(bytes);
		int rc = read_all(object->fd, bytes, part, piece * PIECE_BYTES + (off_t)done);
		if (rc < 0)
			return rc;
		XXH3_64bits_update(state, bytes, part);
		done += part;
	}
	*checksum = checksum_of(XXH3_64bits_digest(state));
	return 0;
}

/* 0 where it cannot be read. */
static uint64_t read_entry(const struct object *object, int64_t piece)
{
	uint64_t entry = 0;
	return read_all(object->fd, &entry, sizeof(entry), entry_at(object, piece)) < 0 ? 0 : entry;
}

static int write_entry(const struct object *object, int64_t piece, uint64_t entry)
{
	return write_all(object->fd, &entry, sizeof(entry), entry_at(object, piece));
}

/* --- having ------------------------------------------------------------------------------------------------------- */

/* A piece that is not what it must be is missing from then on. */
static bool piece_is_right(struct object *object, int64_t piece)
{
	uint64_t entry = read_entry(object, piece);
	uint64_t there = 0;
	if (entry == 0)
		return false;
	int rc = checksum_on_disk(object, piece, &there);
	if (rc == 0 && there == entry)
		return true;
	if (rc == -ENOMEM || read_entry(object, piece) != entry)
		return false; /* not its fault, or somebody is writing it */
	struct stamp before;
	if (look(object, &before) < 0 || write_entry(object, piece, 0) < 0)
		return false;
	note_change(object, piece, &before);
	object_report(object);
	return false;
}

static bool has_piece(struct object *object, int64_t piece, const struct stamp *since)
{
	if (is_sound(object, piece))
		return true;
	if (!piece_is_right(object, piece))
		return false;
	remember(object, piece, since);
	return true;
}

bool object_has(struct object *object, int64_t offset, size_t len, int64_t *missing)
{
	if (len == 0 || offset < 0 || offset >= object->size)
		return true;
	int64_t left = object->size - offset;
	int64_t last = (offset + (len < (uint64_t)left ? (int64_t)len : left) - 1) / PIECE_BYTES;
	int64_t piece = offset / PIECE_BYTES;
	struct stamp now;
	bool has = look(object, &now) == 0;
	while (has && (has = has_piece(object, piece, &now)) && piece < last)
		piece++;
	if (!has && missing)
		*missing = piece;
	return has;
}

uint64_t piece_checksum(int64_t piece, const char *bytes, size_t len)
{
	return checksum_of(XXH3_64bits_withSeed(bytes, len, (XXH64_hash_t)piece));
}

uint64_t object_checksum(const struct object *object, int64_t piece)
{
	return piece >= 0 && piece < object->pieces ? read_entry(object, piece) : 0;
}

bool object_differs(struct object *object, int64_t piece, const char *bytes, size_t len)
{
	uint64_t entry = read_entry(object, piece);
	return entry != 0 && entry != piece_checksum(piece, bytes, len) &&
	       object_has(object, piece * PIECE_BYTES, len, NULL);
}

bool object_is_whole(struct object *object)
{
	uint64_t entries[TABLE_ENTRIES];
	for (int64_t piece = 0; piece < object->pieces; piece += TABLE_ENTRIES) {
		int64_t count = object->pieces - piece < TABLE_ENTRIES ? object->pieces - piece : TABLE_ENTRIES;
		if (read_all(object->fd, entries, (size_t)count * sizeof(*entries), entry_at(object, piece)) < 0)
			return false;
		for (int64_t i = 0; i < count; i++)
			if (entries[i] == 0)
				return false;
	}
	return true;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* With a block for what the file system may need beside. */
static int64_t piece_cost(size_t len)
{
	return whole_blocks((int64_t)len) + DISK_BLOCK;
}

/* While it is written it is missing, whatever was there. */
static int put(const struct object *object, int64_t piece, const char *bytes, size_t len, uint64_t checksum)
{
	int rc = read_entry(object, piece) == 0 ? 0 : write_entry(object, piece, 0);
	if (rc == 0)
		rc = write_all(object->fd, bytes, len, piece * PIECE_BYTES);
	return rc == 0 ? write_entry(object, piece, checksum) : rc;
}

int object_write(struct object *object, int64_t piece, const char *bytes, size_t len)
{
	if (piece < 0 || piece >= object->pieces || len != piece_len(object, piece))
		return -EINVAL;
	uint64_t checksum = piece_checksum(piece, bytes, len);
	if (read_entry(object, piece) == checksum && object_has(object, piece * PIECE_BYTES, len, NULL))
		return 0;
	CLEANUP(room_leave) struct room room = ROOM_NONE;
	struct stamp before;
	int rc = room_enter(object->cache, piece_cost(len), &room);
	if (rc == 0)
		rc = look(object, &before);
	if (rc < 0)
		return rc;
	rc = put(object, piece, bytes, len, checksum);
	if (rc == -ENOSPC && room_squeeze(&room, piece_cost(len)) == 0)
		rc = put(object, piece, bytes, len, checksum);
	note_change(object, piece, &before);
	return rc;
}
