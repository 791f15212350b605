#include "tap.h"
#include "util/err.h"

#include <errno.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	const char *text;
	const char *want;
} messages[] = {
	{"a message is kept as it is", "the service said no", "the service said no"},
	{"an empty message is empty", "", ""},
	{"a newline does not begin a line", "one\ntwo\r\n", "one?two??"},
	{"a terminal is not driven", "\x1b[31mred\x07\x7f", "?[31mred??"},
	{"a tab is a control character, too", "a\tb", "a?b"},
	{"letters of other scripts stay", "caf\xc3\xa9 \xe6\x97\xa5", "caf\xc3\xa9 \xe6\x97\xa5"},
	{"a percent sign in an argument means nothing", "100%s %n", "100%s %n"},
};

static void test_messages(void)
{
	for (size_t i = 0; i < COUNT(messages); i++) {
		struct err err = {"something else"};
		is_int(err_set(&err, -EPROTO, "%s", messages[i].text), -EPROTO, "err_set returns the code: %s",
		       messages[i].name);
		is_str(err.text, messages[i].want, "%s", messages[i].name);
	}
}

static void test_nobody_asked(void)
{
	is_int(err_set(NULL, -EBUSY, "%d", 1), -EBUSY, "err_set returns the code if nobody wants the message");
	is_int(err_prefix(NULL, -EBUSY, "%d", 1), -EBUSY, "err_prefix does, too");
	is_int(err_oom(NULL), -ENOMEM, "and err_oom");
}

static void test_prefix(void)
{
	struct err err = {""};
	err_set(&err, -EIO, "not JSON at byte %d", 12);
	is_int(err_prefix(&err, -EPROTO, "page %d", 3), -EPROTO, "err_prefix returns the code");
	is_str(err.text, "page 3: not JSON at byte 12", "err_prefix puts its text before the message");
	err_prefix(&err, -EPROTO, "%s", "sync\n");
	is_str(err.text, "sync?: page 3: not JSON at byte 12", "prefixes can be put before prefixes");
}

static void test_cutting(void)
{
	char longer[3 * ERR_TEXT_MAX];
	struct err err = {""};
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, -EIO, "%s", longer);
	is_int((long long)strlen(err.text), ERR_TEXT_MAX - 1, "a message that is too long is cut to fit");
	err_prefix(&err, -EIO, "page 3");
	ok(strncmp(err.text, "page 3: aaaa", 12) == 0, "a prefix fits before a long message");
	ok(strlen(err.text) < ERR_TEXT_MAX, "and the message is cut again");
	err_set(&err, -EIO, "the reason");
	err_prefix(&err, -EIO, "%s", longer);
	const char *end = strstr(err.text, ": the reason");
	ok(end && strlen(end) == strlen(": the reason"), "a prefix that is too long leaves the message its place");
}

static void test_oom(void)
{
	struct err err = {""};
	is_int(err_oom(&err), -ENOMEM, "err_oom returns -ENOMEM");
	is_str(err.text, "out of memory", "err_oom says so");
}

int main(void)
{
	test_messages();
	test_nobody_asked();
	test_prefix();
	test_cutting();
	test_oom();
	return tap_done();
}
