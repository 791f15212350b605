/* What is remembered of assets that were handed out long ago. */
#include "assets/handed.h"
#include "tap.h"

#include <stdio.h>

static struct cache_key key_of_number(int number)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", number);
	return cache_key_of(slice_of(text));
}

static void test_put_and_take(void)
{
	struct handed_table table = {0};
	struct handed handed = {0};
	struct cache_key key = key_of_number(-1);
	ok(!handed_take(&table, &key, &handed), "nothing is noted");
	handed_put(&table, &key, &(struct handed){.generation = 1, .size = (int64_t)1 << 40});
	handed_put(&table, &key, &(struct handed){.generation = -1, .size = 1});
	ok(!handed_take(&table, &key, &handed), "nor is what makes no sense");
	const struct handed large = {7, ((int64_t)1 << 40) - 2, 0xffffffff, {((int64_t)1 << 22) - 1, UINT64_MAX}};
	handed_put(&table, &key, &(struct handed){.size = 3});
	handed_put(&table, &key, &large);
	int right = 0;
	for (int i = 0; i < 5000; i++) {
		key = key_of_number(i);
		handed_put(&table, &key, &(struct handed){.generation = i, .size = 2 * i, .proof = {i, 3}});
	}
	for (int i = 0; i < 5000; i++) {
		key = key_of_number(i);
		right += handed_take(&table, &key, &handed) && handed.generation == i && handed.size == 2 * i &&
			 handed.proof.piece == i && handed.proof.checksum == 3 && handed.mark == 0;
	}
	is_int(right, 5000, "each is found as it was put");
	ok(!handed_take(&table, &key, &handed), "once");
	key = key_of_number(-1);
	ok(handed_take(&table, &key, &handed), "and so is the one before them");
	ok(handed.generation == large.generation && handed.size == large.size && handed.mark == large.mark &&
		   handed.proof.piece == large.proof.piece && handed.proof.checksum == large.proof.checksum,
	   "as it was put last, with the largest numbers");
	handed_put(&table, &key, &(struct handed){.generation = 2, .size = -1});
	ok(handed_take(&table, &key, &handed) && handed.generation == 2 && handed.size == -1, "a size may be unknown");
	handed_free(&table);
}

/* More than there is room for: all but a few are found, and it takes no more memory. */
static void test_full(void)
{
	struct handed_table table = {0};
	struct handed handed;
	const int count = (int)HANDED_MAX + 1000;
	int found = 0;
	for (int i = 0; i < count; i++) {
		const struct cache_key key = key_of_number(i);
		handed_put(&table, &key, &(struct handed){.generation = i, .size = i});
	}
	ok(table.size <= HANDED_MAX / 3 * 4, "the table has its limit");
	for (int i = 0; i < count; i++) {
		const struct cache_key key = key_of_number(i);
		found += handed_take(&table, &key, &handed) && handed.generation == i;
	}
	ok(found > count - 3000, "most are found (%d of %d)", found, count);
	handed_free(&table);
}

int main(void)
{
	test_put_and_take();
	test_full();
	return tap_done();
}
