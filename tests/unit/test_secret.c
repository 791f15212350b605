/* Where secrets are kept: locked, in no dump, gone when given back. */
#include "tap.h"
#include "util/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The flags that the kernel has of the memory at an address: proc_pid_smaps(5). */
static void flags_of(const void *address, char *flags, size_t size)
{
	char line[512];
	bool here = false;
	FILE *file = fopen("/proc/self/smaps", "re");
	flags[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long from;
		unsigned long long to;
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			here = (uintptr_t)address >= from && (uintptr_t)address < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, size, "%s", line + 8);
	}
	if (file)
		fclose(file);
}

static bool is_mapped(const char *address)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return msync((void *)((uintptr_t)address / page * page), page, MS_ASYNC) == 0;
}

static void test_memory(void)
{
	char flags[256];
	char *secret = secret_make("access_token: ", "cs0123");
	is_str(secret, "access_token: cs0123", "a secret is its prefix and its text");
	flags_of(secret, flags, sizeof(flags));
	ok(strstr(flags, " dd"), "no dump has it (%s)", flags);
	ok(strstr(flags, " lo"), "it is not swapped (%s)", flags);
	secret_free(secret);
	ok(!is_mapped(secret), "its memory is gone with it");
	secret_free(NULL);
}

static void test_large(void)
{
	char text[20000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	char *secret = secret_make("", text);
	is_str(secret, text, "a secret may be larger than a page");
	secret_free(secret);
	ok(!is_mapped(secret) && !is_mapped(secret + sizeof(text) - 1), "all of it is gone with it");
}

int main(void)
{
	test_memory();
	test_large();
	return tap_done();
}
