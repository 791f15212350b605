/*
 * Runs a command with its output thrown away, and prints what it took as a line of JSON: wall time and CPU in seconds, peak
 * memory, what it read from and wrote to disks and what it handed to write(), in bytes, and its exit status.
 *
 * It is a small program of its own because a process begins with the peak memory of the one that started it.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(error));
	exit(127);
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static pid_t start(char **command)
{
	pid_t pid;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	int error = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		fail(command[0], error);
	return pid;
}

/* Prints some of /proc/PID/io, which is there until the process is reaped. */
static void print_io(pid_t pid)
{
	char line[64], path[32];
	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		fail(path, errno);
	while (fgets(line, sizeof(line), file)) {
		char name[32];
		long long value;
		if (sscanf(line, "%31[a-z_]: %lld", name, &value) == 2)
			printf("\"%s\": %lld, ", name, value);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "Usage: measure COMMAND [ARGUMENT...]\n");
		return 64;
	}
	double begin = now();
	pid_t pid = start(argv + 1);
	siginfo_t end;
	while (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			fail("waitid", errno);
	double wall = now() - begin;
	printf("{\"wall\": %.6f, ", wall);
	print_io(pid);
	int status;
	struct rusage usage;
	if (wait4(pid, &status, 0, &usage) < 0)
		fail("wait4", errno);
	printf("\"user\": %.6f, \"system\": %.6f, \"peak\": %lld, \"status\": %d}\n", seconds(usage.ru_utime),
	       seconds(usage.ru_stime), (long long)usage.ru_maxrss * 1024,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
