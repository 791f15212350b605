/*
 * Does what somebody would try who has come to rule the process: a line for each thing, with what it came to.
 *
 *   SHIM_ESCAPE=FILE      where the lines go; tried once, as soon as the file is there and empty
 *   SHIM_OUTSIDE=FOLDER   that the process has no business with; there is a file `secret` in it
 *
 * It is the thread that speaks to the service that tries, as it would be.
 */
#include "next.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(FILE *out, const char *what, long rc)
{
	fprintf(out, "%s: %s\n", what, rc < 0 ? strerrorname_np(errno) : "done");
}

static int start_program(void)
{
	char name[] = "/bin/true";
	char *arguments[] = {name, NULL};
	pid_t child;
	int status = 0;
	errno = posix_spawn(&child, name, NULL, NULL, arguments, NULL);
	if (errno)
		return -1;
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static void try_all(FILE *out, const char *outside)
{
	char secret[512];
	char other[512];
	snprintf(secret, sizeof(secret), "%s/secret", outside);
	snprintf(other, sizeof(other), "%s/other", outside);
	report(out, "read", open(secret, O_RDONLY | O_CLOEXEC));
	report(out, "write", open(secret, O_WRONLY | O_CLOEXEC));
	report(out, "make", open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	report(out, "list", open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	report(out, "remove", unlink(secret));
	report(out, "processes", open("/proc/self/environ", O_RDONLY | O_CLOEXEC));
	report(out, "program", start_program());
	report(out, "signal", kill(getppid(), 0));
	report(out, "user", setresuid(65534, 65534, 65534));
	report(out, "mount", mount("none", outside, "tmpfs", 0, ""));
	report(out, "unmount", umount2("/proc", MNT_DETACH | MNT_EXPIRE)); /* the two together do nothing */
	report(out, "names", open("/etc/hosts", O_RDONLY | O_CLOEXEC));
}

static void try_once(void)
{
	static atomic_bool tried;
	const char *file = getenv("SHIM_ESCAPE");
	const char *outside = getenv("SHIM_OUTSIDE");
	struct stat st;
	if (!file || !outside || stat(file, &st) < 0 || st.st_size > 0 || atomic_exchange(&tried, true))
		return;
	FILE *out = fopen(file, "we");
	if (!out)
		abort();
	try_all(out, outside);
	fprintf(out, "end\n");
	fclose(out);
}

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
	static CURLMcode (*next)(CURLM *, int *);
	SHIM_NEXT(next, "curl_multi_perform");
	try_once();
	return next(multi, running);
}
