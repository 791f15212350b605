#include "fs/keeper.h"

#include "fs/internal.h"
#include "fs/overhear.h"
#include "fs/unmount.h"
#include "guard/guard.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MOUNT 'm'
#define UNMOUNT 'u'
#define FIRST_FD (STDERR_FILENO + 1)

/* To mount and unmount, and to come to a mount point in somebody's private folder. */
#define CAPABILITIES (UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_DAC_READ_SEARCH)

struct reply {
	int rc;
	struct err err;
};

/* --- in the keeper ------------------------------------------------------------------------------------------------ */

static int mount_session(const struct keeper_config *config, int *device, struct err *err)
{
	static const struct fuse_lowlevel_ops none;
	struct fuse_session *session;
	struct overheard overheard;
	int rc = fs_session_create(&session, config->source, config->mount_options, &none, NULL, err);
	if (rc < 0)
		return rc;
	overhear_begin(&overheard);
	if (fuse_session_mount(session, config->mountpoint) == 0)
		*device = fcntl(fuse_session_fd(session), F_DUPFD_CLOEXEC, FIRST_FD);
	const char *said = overhear_end(&overheard);
	fuse_session_destroy(session); /* and closes its descriptor: the mount is to die with the one that answers */
	if (*device < 0)
		return err_set(
			err, -EIO,
			"cannot mount on %s (%s): is FUSE there (ls -l /dev/fuse, the package fuse3), and may you "
			"mount there?",
			config->mountpoint, *said ? said : "no reason was given");
	if (*said)
		log_warning("%s", said);
	return 0;
}

/* Whoever waits for the end of what the command says must not wait for the keeper. */
static void leave_standard_descriptors(void)
{
	CLEANUP(cleanup_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

static bool send_reply(int fd, const struct reply *reply, int device)
{
	struct iovec part = {.iov_base = (void *)reply, .iov_len = sizeof(*reply)};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (device >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.space);
		control.head = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), &device, sizeof(device));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(*reply);
}

static bool answer(int fd, const struct keeper_config *config, char request)
{
	struct reply reply = {0};
	CLEANUP(cleanup_close) int device = -1;
	if (request == MOUNT)
		reply.rc = mount_session(config, &device, &reply.err);
	else
		reply.rc = unmount(config->mountpoint, true, &reply.err);
	if (request == MOUNT && reply.rc == 0)
		leave_standard_descriptors();
	return send_reply(fd, &reply, device);
}

/* It goes when the other process does, and not before: not with its terminal, nor with all of a service. */
static void leave_group(void)
{
	sigset_t none;
	sigemptyset(&none);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	prctl(PR_SET_NAME, "contentfs-mount");
}

static void keep(int fd, const struct keeper_config *config)
{
	char request;
	struct err err;
	if (config->secret)
		explicit_bzero(config->secret, strlen(config->secret));
	leave_group();
	int kept = fd == FIRST_FD ? fd : dup3(fd, FIRST_FD, O_CLOEXEC);
	if (kept < 0 || close_range(FIRST_FD + 1, ~0U, 0) < 0)
		return;
	/* Who is not root needs fusermount3, which is setuid, and has nothing to give up. */
	if (geteuid() == 0 && guard_drop_privileges(CAPABILITIES, &err) < 0)
		return;
	while (read(kept, &request, 1) == 1 && answer(kept, config, request))
		;
}

/* --- in the other process ----------------------------------------------------------------------------------------- */

int keeper_start(struct keeper *keeper, const struct keeper_config *config, struct err *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		int rc = -errno;
		return err_set(err, rc, "cannot make a pair of sockets: %s", strerror(-rc));
	}
	pid_t process = fork();
	int rc = process < 0 ? -errno : 0;
	if (process == 0) {
		keep(ends[1], config);
		_exit(0);
	}
	close(ends[1]);
	if (rc < 0) {
		close(ends[0]);
		return err_set(err, rc, "cannot start a process: %s", strerror(-rc));
	}
	*keeper = (struct keeper){.process = process, .fd = ends[0]};
	return 0;
}

/* `device` is -1 if none came along. */
static int receive_reply(int fd, struct reply *reply, int *device)
{
	struct iovec part = {.iov_base = reply, .iov_len = sizeof(*reply)};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.space)};
	ssize_t len;
	while ((len = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	if (len != (ssize_t)sizeof(*reply))
		return -EPIPE;
	if (message.msg_controllen > 0 && control.head.cmsg_type == SCM_RIGHTS)
		memcpy(device, CMSG_DATA(&control.head), sizeof(*device));
	return 0;
}

static int ask(const struct keeper *keeper, char request, int *device, struct err *err)
{
	struct reply reply = {0};
	if (send(keeper->fd, &request, 1, MSG_NOSIGNAL) != 1 || receive_reply(keeper->fd, &reply, device) < 0)
		return err_set(err, -EIO, "the process that mounts and unmounts (%d) is gone", (int)keeper->process);
	reply.err.text[ERR_TEXT_MAX - 1] = '\0';
	return reply.rc < 0 ? err_set(err, reply.rc, "%s", reply.err.text) : 0;
}

int keeper_mount(const struct keeper *keeper, struct err *err)
{
	int device = -1;
	int rc = ask(keeper, MOUNT, &device, err);
	if (rc == 0 && device < 0) { /* there was no room for one more */
		keeper_unmount(keeper, NULL);
		rc = err_set(err, -EIO, "no descriptor of the FUSE device has come: are too many files open?");
	}
	return rc < 0 ? rc : device;
}

int keeper_unmount(const struct keeper *keeper, struct err *err)
{
	int none = -1;
	return ask(keeper, UNMOUNT, &none, err);
}

void keeper_end(struct keeper *keeper)
{
	if (keeper->fd < 0)
		return;
	close(keeper->fd);
	while (waitpid(keeper->process, NULL, 0) < 0 && errno == EINTR)
		;
	*keeper = (struct keeper)KEEPER_NONE;
}
