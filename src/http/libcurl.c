#define LIBCURL_AS_DECLARED
#include "http/libcurl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

struct libcurl libcurl;

static char failure[256]; /* "" if it is loaded */

/* Its name since 2006. GLOBAL, so that what was loaded before the program to stand in its place does so. */
static void load(void)
{
	static const struct {
		const char *name;
		void **function;
	} functions[] = {
#define LIBCURL_ROW(name) {#name, (void **)&libcurl.name},
		LIBCURL_FUNCTIONS(LIBCURL_ROW)
#undef LIBCURL_ROW
	};
	bool loaded = dlopen("libcurl.so.4", RTLD_NOW | RTLD_GLOBAL) != NULL;
	for (size_t i = 0; loaded && i < sizeof(functions) / sizeof(functions[0]); i++) {
		*functions[i].function = dlsym(RTLD_DEFAULT, functions[i].name);
		loaded = *functions[i].function != NULL;
	}
	if (!loaded) {
		const char *why = dlerror();
		snprintf(failure, sizeof(failure), "%s", why ? why : "no reason is given");
	}
}

int libcurl_load(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	if (!failure[0])
		return 0;
	return err_set(err, -ENOSYS,
		       "libcurl, which speaks to the service, cannot be loaded: %s (is it installed, 7.85 or later? On "
		       "Debian: apt install libcurl4)",
		       failure);
}
