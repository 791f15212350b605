/* What every interposing function needs: the one that it stands in front of. */
#ifndef CONTENTFS_SHIM_NEXT_H
#define CONTENTFS_SHIM_NEXT_H

#include <dlfcn.h>
#include <stdlib.h>

/* Fills `function`, a pointer to a function, with the next one of that name behind the shim. */
#define SHIM_NEXT(function, name)                                                                                      \
	do {                                                                                                           \
		if (!(function) && !(*(void **)&(function) = dlsym(RTLD_NEXT, (name))))                                \
			abort();                                                                                       \
	} while (0)

#endif
