/* What every interposing function needs: the one that it stands in front of, and whether it is to fail. */
#ifndef CONTENTFS_SHIM_NEXT_H
#define CONTENTFS_SHIM_NEXT_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

/* Fills `function`, a pointer to a function, with the next one of that name behind the shim. */
#define SHIM_NEXT(function, name)                                                                                      \
	do {                                                                                                           \
		if (!(function) && !(*(void **)&(function) = dlsym(RTLD_NEXT, (name))))                                \
			abort();                                                                                       \
	} while (0)

/* fail.c: whether this call is to fail, with errno set if it is. `what` is an argument that tells such calls from others. */
bool shim_fails(const char *function, const char *what);
bool shim_fails_for(const char *function, long what);

#endif
