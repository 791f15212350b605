/* Each secret has a mapping of its own, that begins with the mapping's size. */
#include "util/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_BYTES (64 << 10) /* deeper than libcurl and what it calls go */

char *secret_make(const char *prefix, const char *text)
{
	size_t prefix_len = strlen(prefix);
	size_t len = strlen(text) + 1;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (sizeof(size) + prefix_len + len + page - 1) / page * page;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_DONTDUMP);
	mlock(memory, size);
	memcpy(memory, &size, sizeof(size));
	char *secret = memory + sizeof(size);
	memcpy(secret, prefix, prefix_len);
	memcpy(secret + prefix_len, text, len);
	return secret;
}

void secret_free(char *secret)
{
	size_t size;
	if (!secret)
		return;
	char *memory = secret - sizeof(size);
	memcpy(&size, memory, sizeof(size));
	explicit_bzero(memory, size);
	munmap(memory, size);
}

void secret_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

__attribute__((noinline)) void secret_burn_stack(void)
{
	char stack[STACK_BYTES];
	explicit_bzero(stack, sizeof(stack));
}
