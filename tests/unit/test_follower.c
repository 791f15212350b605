/* Which threads are trusted to read what they list. */
#include "fs/follower.h"
#include "tap.h"

#include <stddef.h>

#define A 100
#define B 200
#define C 300

static struct followers followers;
static struct trails trails;

static const struct follower *list(pid_t thread, int64_t directory, int64_t cookie, int64_t next)
{
	return followers_list(&followers, &trails, thread, directory, cookie, next);
}

static void begin(void)
{
	followers = (struct followers){0};
	trails = (struct trails){0};
}

static void test_trusted(void)
{
	begin();
	ok(!list(7, A, 0, 1001), "who has read nothing is not trusted");
	followers_note(&followers, 7, 1, false);
	followers_note(&followers, 7, FOLLOWER_PROOF, false);
	ok(!list(7, A, 0, 1001), "nor who reads here and there");
	followers_note(&followers, 7, 2, true);
	ok(!list(8, A, 0, 1001), "nor another thread");
	const struct follower *follower = list(7, A, 0, 1001);
	if (ok(follower != NULL, "who has read along a trail is")) {
		is_int(follower->thread, 7, "as that thread");
		is_int(follower->directory, A, "in that directory");
		is_int(follower->from, 0, "from its beginning");
		is_int(trails.trail[follower->place].directory, A, "on a trail there");
	}
	followers_note(&followers, 0, 2, true);
	ok(!list(0, A, 0, 1001), "those that the kernel has no number for are not, whatever they read");
}

static void test_listings(void)
{
	begin();
	followers_note(&followers, 7, 2, true);
	const struct follower *follower = list(7, A, 0, 1001);
	if (!ok(follower != NULL, "a listing begins"))
		return;
	uint64_t first = follower->listing;
	uint64_t trail = follower->trail;
	ok(list(7, A, 40, 1041) == follower && follower->listing == first, "it goes on");
	ok(list(7, A, 80, 0) == follower && follower->listing == first, "and ends");
	ok(list(7, A, 0, 1001) == follower && follower->listing > first, "begun again it is another one");
	is_int((long long)follower->trail, (long long)trail, "on the same trail");
	uint64_t second = follower->listing;
	ok(!list(7, B, 40, 0), "the end of a listing that was not seen to begin says nothing");
	ok(list(7, B, 40, 2001) == follower && follower->listing > second, "one may come in the middle");
	is_int(follower->from, 40, "and counts from there");
	for (int i = 0; i < TRAILS; i++)
		trails_step(&trails, 7, C, i * 100000);
	uint64_t third = follower->listing;
	ok(list(7, B, 80, 2041) == follower && follower->listing > third,
	   "it is another one when its trail was forgotten");
	is_int(follower->from, 80, "from there on");
}

static void test_trust(void)
{
	begin();
	followers_note(&followers, 7, 2, true);
	ok(list(7, A, 0, 1001) != NULL, "a listing begins");
	ok(followers_spend(&followers, 7, FOLLOWER_TRUST - 2), "trust lasts");
	ok(list(7, B, 0, 2001) != NULL, "also in the next directory");
	ok(followers_spend(&followers, 7, 1), "where it is what is left");
	ok(!followers_spend(&followers, 7, 1), "until it is used up");
	ok(!list(7, B, 40, 2041) && !list(7, A, 0, 1001), "then what is listed says nothing");
	followers_note(&followers, 7, FOLLOWER_PROOF + 1, false);
	ok(!list(7, B, 0, 2001), "nor does a file that was not left out renew it");
	followers_note(&followers, 7, 2 * FOLLOWER_PROOF, false);
	ok(list(7, B, 0, 2001) != NULL, "one that was does");
	ok(!followers_spend(&followers, 7, FOLLOWER_TRUST), "and is used up as the first");
	followers_note(&followers, 8, 2, true);
	ok(list(8, B, 0, 2001) != NULL, "another thread has its own");
	ok(followers_spend(&followers, 8, 1) && !list(7, B, 0, 2001), "and spends its own");
	followers_note(&followers, 7, FOLLOWER_PROOF + 2, true);
	ok(list(7, B, 0, 2001) != NULL, "who comes along a trail again is trusted again");
	ok(!followers_spend(&followers, 9, 1), "who is not trusted has nothing to spend");
}

static void test_room(void)
{
	begin();
	for (pid_t thread = 1; thread <= FOLLOWERS; thread++)
		followers_note(&followers, thread, 2, true);
	followers_note(&followers, 1, 3, true);
	followers_note(&followers, 99, 2, true);
	ok(list(1, A, 0, 1001) != NULL, "who was heard of lately is remembered");
	ok(list(99, A, 0, 1001) != NULL, "with who is new");
	ok(!list(2, A, 0, 1001), "who was not heard of for longest is forgotten");
}

int main(void)
{
	test_trusted();
	test_listings();
	test_trust();
	test_room();
	return tap_done();
}
