#include "tap.h"
#include "util/buf.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdint.h>

static void test_empty(void)
{
	struct buf b = BUF_INIT;
	is_int((long long)b.len, 0, "a new buffer has no bytes");
	is_str(buf_text(&b), "", "a new buffer reads as an empty string");
	is_int((long long)buf_slice(&b).len, 0, "a new buffer is an empty slice");
	buf_reset(&b);
	is_str(buf_text(&b), "", "a new buffer can be reset");
	buf_finish(&b);
	buf_finish(&b);
	ok(!b.text && b.cap == 0, "a finished buffer can be finished again");
	is_int(buf_append_text(&b, "again"), 0, "a finished buffer can be used again");
	is_str(buf_text(&b), "again", "a finished buffer starts anew");
	buf_finish(&b);
}

static void test_appending(void)
{
	CLEANUP(buf_finish) struct buf b = BUF_INIT;
	is_int(buf_append(&b, NULL, 0), 0, "no bytes can be appended");
	is_str(b.text, "", "no bytes appended are an empty string");
	is_int(buf_append(&b, "abc", 2), 0, "some bytes can be appended");
	is_int(buf_append_char(&b, '-'), 0, "a character can be appended");
	is_int(buf_append_text(&b, "xyz"), 0, "a string can be appended");
	is_int(buf_printf(&b, "<%d %s>", 42, "six"), 0, "formatted text can be appended");
	is_int(buf_printf(&b, "%s", ""), 0, "formatted text can be empty");
	is_str(buf_text(&b), "ab-xyz<42 six>", "all of it is there in its order");
	is_int((long long)b.len, 14, "the length is that of the bytes");
	ok(slice_is(buf_slice(&b), "ab-xyz<42 six>"), "the slice is that of the bytes");
}

static void test_nul(void)
{
	CLEANUP(buf_finish) struct buf b = BUF_INIT;
	buf_append(&b, "a\0b", 3);
	buf_append_char(&b, '\0');
	is_slice(buf_slice(&b), slice_make("a\0b\0", 4), "NUL bytes are bytes like others");
	is_int(b.text[b.len], 0, "one more NUL ends them");
}

static void test_reset(void)
{
	CLEANUP(buf_finish) struct buf b = BUF_INIT;
	buf_append_text(&b, "something");
	size_t cap = b.cap;
	buf_reset(&b);
	is_str(buf_text(&b), "", "a buffer that was reset is empty");
	is_int((long long)b.cap, (long long)cap, "a buffer that was reset keeps its memory");
	buf_append_text(&b, "new");
	is_str(buf_text(&b), "new", "a buffer that was reset starts anew");
}

/* Over all sizes at which the memory grows. */
static void test_growing(void)
{
	CLEANUP(buf_finish) struct buf b = BUF_INIT;
	enum { MANY = 100000 };
	bool good = true;
	for (int i = 0; i < MANY && good; i++) {
		good = buf_append_char(&b, (char)i) == 0;
		good = good && b.len == (size_t)i + 1 && b.len < b.cap && b.text[b.len] == 0;
	}
	ok(good, "a buffer grows by single bytes and always ends with a NUL");
	for (int i = 0; i < MANY && good; i++)
		good = b.text[i] == (char)i;
	ok(good, "a buffer that grew has kept its bytes");
	for (size_t len = 0; len < 300 && good; len++) {
		CLEANUP(buf_finish) struct buf one = BUF_INIT;
		CLEANUP(buf_finish) struct buf printed = BUF_INIT;
		buf_append(&one, b.text, len);
		buf_printf(&printed, "%*s", (int)len, "");
		good = one.len == len && one.text[len] == 0 && printed.len == len && printed.text[len] == 0;
	}
	ok(good, "a first piece of any length has room for its NUL");
}

static void test_reserving(void)
{
	CLEANUP(buf_finish) struct buf b = BUF_INIT;
	is_int(buf_reserve(&b, 1000), 0, "room can be made before there is anything");
	is_str(buf_text(&b), "", "a buffer with room and no bytes reads as an empty string");
	ok(b.cap > 1000, "there is room for the NUL as well");
	const char *text = b.text;
	for (int i = 0; i < 1000; i++)
		buf_append_char(&b, 'x');
	ok(b.text == text, "what fits into the room does not move");
	is_int((long long)b.len, 1000, "the room was for that many bytes");
}

static void test_failing(void)
{
	CLEANUP(buf_finish) struct buf b = BUF_INIT;
	buf_append_text(&b, "kept");
	is_int(buf_reserve(&b, SIZE_MAX), -ENOMEM, "more room than there can be is refused");
	ok(b.failed, "the failure is remembered");
	is_int(buf_append_text(&b, "x"), -ENOMEM, "a failed buffer takes no string");
	is_int(buf_append(&b, "x", 1), -ENOMEM, "a failed buffer takes no bytes");
	is_int(buf_append_char(&b, 'x'), -ENOMEM, "a failed buffer takes no character");
	is_int(buf_printf(&b, "%d", 1), -ENOMEM, "a failed buffer takes no formatted text");
	is_str(buf_text(&b), "kept", "a failed buffer keeps what it had");
	buf_finish(&b);
	is_int(buf_append_text(&b, "x"), 0, "a failed buffer that was finished can be used again");
}

int main(void)
{
	test_empty();
	test_appending();
	test_nul();
	test_reset();
	test_growing();
	test_reserving();
	test_failing();
	return tap_done();
}
