#include "guard/guard.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

void guard_begin(void)
{
	const struct rlimit none = {0};
	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0); /* also where a core dump would go to a program, which the limit does not stop */
}

int guard_confine(const char *const *writable, struct err *err)
{
	int rc = guard_drop_privileges(GUARD_NO_CAPABILITIES, err);
	return rc < 0 ? rc : guard_confine_files(writable, err);
}
