#include "cli/ask.h"

#include "util/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>

bool ask_is_person(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Byte by byte: what follows the line is the next answer, or somebody else's. */
static int read_line(char answer[ASK_ANSWER_MAX], struct err *err)
{
	size_t len = 0;
	for (;;) {
		char c;
		ssize_t got = read(STDIN_FILENO, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, -errno, "cannot read the answer: %s", strerror(errno));
		if (got == 0 || c == '\n') {
			answer[len > 0 && answer[len - 1] == '\r' ? len - 1 : len] = '\0';
			return got == 0 && len == 0 ? -ENODATA : 0;
		}
		if (c == '\0' || len == ASK_ANSWER_MAX - 1)
			return err_set(err, -EINVAL, "the answer is %s", c ? "too long" : "no text");
		answer[len++] = c;
	}
}

/* --- without showing it ------------------------------------------------------------------------------------------- */

struct hiding {
	struct termios shown;
	sigset_t signals; /* that were let through before */
	int signal_fd;    /* reads those that would end or stop us */
};

static void hide(const struct hiding *hiding)
{
	struct termios hidden = hiding->shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
	hidden.c_lflag |= ECHONL;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
}

static void show(const struct hiding *hiding)
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hiding->shown);
}

static int begin_hiding(struct hiding *hiding, struct err *err)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	hiding->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (hiding->signal_fd < 0 || tcgetattr(STDIN_FILENO, &hiding->shown) < 0)
		return err_set(err, -errno, "cannot turn off the terminal's echo: %s", strerror(errno));
	sigprocmask(SIG_BLOCK, &set, &hiding->signals);
	hide(hiding);
	return 0;
}

/* What the signal does, it does with the terminal as it was: ends us, or stops us until somebody lets us go on. */
static void follow_signal(const struct hiding *hiding, const char *question)
{
	struct signalfd_siginfo signal;
	sigset_t blocked;
	if (read(hiding->signal_fd, &signal, sizeof(signal)) != sizeof(signal))
		return;
	show(hiding);
	sigprocmask(SIG_SETMASK, &hiding->signals, &blocked);
	raise((int)signal.ssi_signo);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	hide(hiding);
	fputs(question, stderr);
}

static int ask_hidden(const char *question, char answer[ASK_ANSWER_MAX], struct err *err)
{
	struct hiding hiding = {.signal_fd = -1};
	int rc = begin_hiding(&hiding, err);
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = hiding.signal_fd, .events = POLLIN}};
	while (rc == 0) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			follow_signal(&hiding, question);
		else if (fds[0].revents)
			break;
	}
	if (rc == 0) {
		rc = read_line(answer, err); /* the terminal has a whole one */
		show(&hiding);
		sigprocmask(SIG_SETMASK, &hiding.signals, NULL);
	}
	cleanup_close(&hiding.signal_fd);
	return rc;
}

int ask(const char *question, bool secret, char answer[ASK_ANSWER_MAX], struct err *err)
{
	bool person = ask_is_person();
	answer[0] = '\0';
	if (person)
		fputs(question, stderr);
	return person && secret ? ask_hidden(question, answer, err) : read_line(answer, err);
}
