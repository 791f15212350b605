#include "app/daemon.h"

#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>

static int wait_for_child(pid_t child)
{
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EX_OSERR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Ctrl-C reaches the child too, which unmounts; the parent stays until it has. */
static int wait_for_word(int fd, pid_t child)
{
	signal(SIGINT, SIG_IGN);
	char word;
	ssize_t len;
	while ((len = read(fd, &word, 1)) < 0 && errno == EINTR)
		;
	return len == 1 ? 0 : wait_for_child(child);
}

/* Whatever else the caller had open (a pipe that somebody reads to its end, say) is not a daemon's to hold. */
static int become_child(int fd, pid_t parent, struct daemon *daemon, struct err *err)
{
	const int first = STDERR_FILENO + 1;
	int kept = fd == first ? fd : dup3(fd, first, O_CLOEXEC);
	if (kept < 0 || close_range((unsigned)first + 1, ~0U, 0) < 0) {
		int rc = -errno;
		return err_set(err, rc, "cannot close inherited files: %s", strerror(-rc));
	}
	daemon->ready_fd = kept;
	daemon->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Who ends the command that waits ends what it waits for. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		return err_set(err, -ECANCELED, "ended before the work began");
	return 0;
}

int daemon_start(struct daemon *daemon, int *status, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0) {
		int rc = -errno;
		return err_set(err, rc, "cannot make a pipe: %s", strerror(-rc));
	}
	pid_t parent = getpid();
	pid_t child = fork();
	if (child < 0) {
		int rc = -errno;
		close(ends[0]);
		close(ends[1]);
		return err_set(err, rc, "cannot start a process: %s", strerror(-rc));
	}
	if (child == 0)
		return become_child(ends[1], parent, daemon, err);
	close(ends[1]);
	*status = wait_for_word(ends[0], child);
	close(ends[0]);
	return 1;
}

int daemon_ready(struct daemon *daemon, struct err *err)
{
	if (daemon->ready_fd < 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_set(err, -ECANCELED, "cannot outlive the command that started it: %s", strerror(errno));
	setsid();
	log_to_syslog();
	for (int fd = STDIN_FILENO; daemon->null_fd >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(daemon->null_fd, fd);
	cleanup_close(&daemon->null_fd);
	ssize_t written = write(daemon->ready_fd, "r", 1);
	(void)written; /* the parent may have been killed: no reason to end the mount */
	close(daemon->ready_fd);
	daemon->ready_fd = -1;
	return 0;
}
