#include "fs/follower.h"

#include <stddef.h>

bool follower_is_proof(int64_t ino)
{
	return ino % FOLLOWER_PROOF == 0;
}

static struct follower *find(struct followers *followers, pid_t thread)
{
	for (int i = 0; i < FOLLOWERS; i++) {
		struct follower *follower = &followers->follower[i];
		if (follower->used && follower->thread == thread)
			return follower;
	}
	return NULL;
}

static void add(struct followers *followers, pid_t thread)
{
	struct follower *oldest = &followers->follower[0];
	for (int i = 1; i < FOLLOWERS; i++)
		if (followers->follower[i].used < oldest->used)
			oldest = &followers->follower[i];
	*oldest = (struct follower){.thread = thread, .trust = FOLLOWER_TRUST, .used = ++followers->clock};
}

void followers_note(struct followers *followers, pid_t thread, int64_t ino, bool through)
{
	struct follower *follower = find(followers, thread);
	if (follower && (through || follower_is_proof(ino)))
		follower->trust = FOLLOWER_TRUST;
	if (follower)
		follower->used = ++followers->clock;
	else if (through && thread != 0)
		add(followers, thread);
}

static bool goes_on(const struct follower *follower, const struct trails *trails, int64_t directory, int64_t cookie)
{
	return cookie > 0 && follower->directory == directory && trails->trail[follower->place].id == follower->trail;
}

const struct follower *followers_list(struct followers *followers, struct trails *trails, pid_t thread,
				      int64_t directory, int64_t cookie, int64_t next)
{
	struct follower *follower = find(followers, thread);
	if (!follower || follower->trust <= 0)
		return NULL;
	follower->used = ++followers->clock;
	if (goes_on(follower, trails, directory, cookie))
		return follower;
	if (next == 0)
		return NULL;
	follower->directory = directory;
	follower->place = trails_list(trails, directory, next);
	follower->trail = trails->trail[follower->place].id;
	follower->listing = ++followers->clock;
	follower->from = cookie;
	return follower;
}

bool followers_spend(struct followers *followers, pid_t thread, int64_t bytes)
{
	struct follower *follower = find(followers, thread);
	if (!follower)
		return false;
	follower->trust -= bytes;
	return follower->trust > 0;
}
