/*
 * A fuzz target is a file fuzz_NAME.c with one function, which takes any bytes and aborts when something does not hold.
 * By clang with -Dfuzz=true it is linked with libFuzzer (scripts/fuzz); in all other builds with replay.c, which goes
 * over the files in corpus/NAME and over random changes of them, as an ordinary test.
 */
#ifndef CONTENTFS_TESTS_FUZZ_H
#define CONTENTFS_TESTS_FUZZ_H

#include "util/buf.h"
#include "util/slice.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MUST(holds)                                                                                                    \
	do {                                                                                                           \
		if (!(holds)) {                                                                                        \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);                     \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* A copy that ends where its memory ends, so that a sanitizer sees who reads on. */
static inline struct buf exact_copy(struct slice text)
{
	struct buf copy = {.text = malloc(text.len ? text.len : 1), .len = text.len, .cap = text.len};
	MUST(copy.text);
	if (text.len > 0)
		memcpy(copy.text, text.at, text.len);
	return copy;
}

#endif
