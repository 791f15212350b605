/*
 * What a process can do no more. Each thing is tried twice, in processes of their own: without the guard, where it works, and
 * with it. Without sanitizers, under which files are not confined.
 */
#include "guard/guard.h"
#include "tap.h"
#include "temp_store.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY 65534

static char top[TEMP_PATH_SIZE];
static char in[TEMP_PATH_SIZE + 16];  /* the folder that may be written */
static char out[TEMP_PATH_SIZE + 16]; /* the one beside it */
static int listener = -1;             /* an abstract socket of this program */

static const char *at(const char *folder, const char *name)
{
	static char paths[4][TEMP_PATH_SIZE + 64];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void furnish(void)
{
	static const char *const files[] = {"file", "theirs"};
	temp_folder_remove(in);
	temp_folder_remove(out);
	const char *const folders[] = {in, out};
	for (size_t i = 0; i < 2; i++) {
		temp_must(mkdir(folders[i], 0700) < 0 ? -errno : 0, NULL, folders[i]);
		temp_must(mkdir(at(folders[i], "sub"), 0700) < 0 ? -errno : 0, NULL, "sub");
		for (size_t k = 0; k < COUNT(files); k++)
			temp_file_write(at(folders[i], files[k]), "text", 4);
	}
	if (geteuid() == 0)
		temp_must(chown(at(in, "theirs"), NOBODY, NOBODY) < 0 ? -errno : 0, NULL, "theirs");
	temp_must(chmod(at(in, "theirs"), 0600) < 0 ? -errno : 0, NULL, "theirs");
}

/* --- what is tried: 0 or an errno --------------------------------------------------------------------------------- */

static int outcome(long rc)
{
	return rc < 0 ? errno : 0;
}

static int read_of(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY);
	return fd < 0 ? errno : outcome(read(fd, &byte, 1));
}

static int read_outside(void)
{
	return read_of(at(out, "file"));
}

static int read_inside(void)
{
	return read_of(at(in, "file"));
}

static int read_hosts(void)
{
	return read_of("/etc/hosts");
}

static int read_process(void)
{
	return read_of("/proc/self/status");
}

static int list_outside(void)
{
	return outcome(open(out, O_RDONLY | O_DIRECTORY));
}

static int list_libraries(void)
{
	return outcome(open("/usr/lib", O_RDONLY | O_DIRECTORY));
}

static int list_inside(void)
{
	return outcome(open(in, O_RDONLY | O_DIRECTORY));
}

static int make_outside(void)
{
	return outcome(open(at(out, "new"), O_WRONLY | O_CREAT, 0600));
}

static int make_inside(void)
{
	return outcome(open(at(in, "new"), O_WRONLY | O_CREAT, 0600));
}

static int make_setting(void)
{
	int rc = outcome(open("/etc/contentfs-test", O_WRONLY | O_CREAT, 0600));
	unlink("/etc/contentfs-test");
	return rc;
}

static int write_nothing(void)
{
	int fd = open("/dev/null", O_RDWR);
	return fd < 0 ? errno : outcome(write(fd, "x", 1));
}

static int overwrite_outside(void)
{
	return outcome(open(at(out, "file"), O_WRONLY));
}

static int truncate_outside(void)
{
	return outcome(truncate(at(out, "file"), 0));
}

static int truncate_inside(void)
{
	return outcome(truncate(at(in, "file"), 0));
}

static int remove_outside(void)
{
	return outcome(unlink(at(out, "file")));
}

static int remove_inside(void)
{
	return outcome(unlink(at(in, "file")));
}

static int carry_out(void)
{
	return outcome(rename(at(in, "file"), at(out, "carried")));
}

static int carry_in(void)
{
	return outcome(rename(at(out, "file"), at(in, "carried")));
}

static int link_in(void)
{
	return outcome(link(at(out, "file"), at(in, "linked")));
}

static int move_inside(void)
{
	return outcome(rename(at(in, "file"), at(in, "sub/file")));
}

static int make_folder_inside(void)
{
	return outcome(mkdir(at(in, "folder"), 0700));
}

static int make_symlink_inside(void)
{
	return outcome(symlink("/etc/shadow", at(in, "trick")));
}

static int make_pipe_inside(void)
{
	return outcome(mkfifo(at(in, "pipe"), 0600));
}

static int start_program(void)
{
	char name[] = "true";
	char *arguments[] = {name, NULL};
	execv("/bin/true", arguments);
	return errno;
}

static int signal_other(void)
{
	return outcome(kill(getppid(), 0));
}

static int signal_self(void)
{
	return outcome(kill(getpid(), 0));
}

static int listen_on_port(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return outcome(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static socklen_t abstract_address(struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int len = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "contentfs-test-%d", (int)getpgrp());
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

static int connect_abstract(void)
{
	struct sockaddr_un address;
	socklen_t len = abstract_address(&address);
	return outcome(connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&address, len));
}

static int read_theirs(void)
{
	return read_of(at(in, "theirs"));
}

static int give_away(void)
{
	return outcome(chown(at(in, "file"), NOBODY, NOBODY));
}

static int become_another(void)
{
	return outcome(setresuid(NOBODY, NOBODY, NOBODY));
}

static int mount_something(void)
{
	int rc = outcome(mount("none", at(out, "sub"), "tmpfs", 0, ""));
	umount2(at(out, "sub"), MNT_DETACH);
	return rc;
}

static int gain_by_setuid(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

static int gain_from_bounds(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (prctl(PR_CAPBSET_READ, capability) == 1)
			return 0;
	return EPERM;
}

/* --- guard_confine ------------------------------------------------------------------------------------------------ */

#define ROOT 100 /* only root can do it at all */

static const struct {
	const char *what;
	int (*try)(void);
	int want;  /* with the guard; without it, it works */
	int needs; /* a version of Landlock, or ROOT; 0: nothing */
} rows[] = {
	{"reading a file elsewhere", read_outside, EACCES, 2},
	{"listing a folder elsewhere", list_outside, EACCES, 2},
	{"making a file elsewhere", make_outside, EACCES, 2},
	{"opening a file elsewhere to write", overwrite_outside, EACCES, 2},
	{"cutting a file elsewhere", truncate_outside, EACCES, 3},
	{"removing a file elsewhere", remove_outside, EACCES, 2},
	{"carrying a file out", carry_out, EACCES, 2},
	{"carrying a file in", carry_in, EACCES, 2},
	{"linking a file from elsewhere", link_in, EXDEV, 2},
	{"looking at processes", read_process, EACCES, 2},
	{"making a symbolic link", make_symlink_inside, EACCES, 2},
	{"making a pipe", make_pipe_inside, EACCES, 2},
	{"starting a program", start_program, EACCES, 2},
	{"signalling another process", signal_other, EPERM, 6},
	{"listening on a port", listen_on_port, EACCES, 4},
	{"connecting to an abstract socket", connect_abstract, EPERM, 6},
	{"gaining rights from setuid programs", gain_by_setuid, EPERM, 0},
	{"writing a file of settings", make_setting, EACCES, ROOT},
	{"reading a file of another user", read_theirs, EACCES, ROOT},
	{"giving a file away", give_away, EPERM, ROOT},
	{"becoming another user", become_another, EPERM, ROOT},
	{"mounting", mount_something, EPERM, ROOT},
	{"gaining capabilities", gain_from_bounds, EPERM, ROOT},
	{"reading a file in the folder", read_inside, 0, 0},
	{"listing the folder", list_inside, 0, 0},
	{"making a file in the folder", make_inside, 0, 0},
	{"cutting a file in the folder", truncate_inside, 0, 0},
	{"removing a file from the folder", remove_inside, 0, 0},
	{"moving a file in the folder", move_inside, 0, 0},
	{"making a folder in the folder", make_folder_inside, 0, 0},
	{"reading what names resolve by", read_hosts, 0, 0},
	{"listing libraries", list_libraries, 0, 0},
	{"writing to /dev/null", write_nothing, 0, 0},
	{"signalling oneself", signal_self, 0, 0},
};

/* What a try comes to in a process of its own, after `guard`; 255 if that failed. */
static int outcome_apart(int (*guard)(void), int (*try)(void))
{
	int status = 0;
	furnish();
	fflush(stdout);
	pid_t child = fork();
	temp_must(child < 0 ? -errno : 0, NULL, "fork");
	if (child == 0)
		_exit(guard() < 0 ? 255 : try());
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int confine(void)
{
	const char *const writable[] = {in, at(top, "not-there"), NULL};
	return guard_confine(writable, NULL);
}

static int let_be(void)
{
	return 0;
}

static int landlock_version(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return abi < 0 ? 0 : (int)abi;
}

static void test_confine(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].needs == ROOT ? geteuid() != 0 : rows[i].needs > landlock_version()) {
			skip(rows[i].needs == ROOT ? "root is needed" : "a newer Landlock is needed", "%s",
			     rows[i].what);
			continue;
		}
		is_int(outcome_apart(let_be, rows[i].try), 0, "%s works as a rule", rows[i].what);
		is_int(outcome_apart(confine, rows[i].try), rows[i].want, "%s %s", rows[i].what,
		       rows[i].want ? "is over" : "goes on");
	}
}

/* --- guard_drop_privileges ---------------------------------------------------------------------------------------- */

static int keep_mounting(void)
{
	return guard_drop_privileges(UINT64_C(1) << CAP_SYS_ADMIN, NULL);
}

static void test_kept(void)
{
	if (geteuid() != 0) {
		skip("root is needed", "one capability is kept");
		return;
	}
	is_int(outcome_apart(keep_mounting, mount_something), 0, "what is kept works on");
	is_int(outcome_apart(keep_mounting, give_away), EPERM, "and the others are gone");
	is_int(outcome_apart(keep_mounting, gain_by_setuid), EPERM, "and none is to be gained");
}

/* --- guard_begin -------------------------------------------------------------------------------------------------- */

static int begin(void)
{
	guard_begin();
	return 0;
}

static int make_for_all(void)
{
	struct stat st;
	int fd = open(at(in, "for-all"), O_WRONLY | O_CREAT, 0666);
	return fd < 0 || fstat(fd, &st) < 0 ? errno : (st.st_mode & 077) ? 0 : EPERM;
}

static int dump_core(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_CORE, &limit);
	return limit.rlim_max > 0 ? 0 : EPERM;
}

static int dump_to_program(void)
{
	return prctl(PR_GET_DUMPABLE) == 1 ? 0 : EPERM;
}

/* Whether another process of the same user, who is not root, gets at the environment of one. */
static int be_looked_into(bool guarded)
{
	char path[64];
	int ready[2];
	char byte = 0;
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0 || pipe(ready) < 0)
		return 255;
	prctl(PR_SET_DUMPABLE, 1); /* which the change of user took */
	pid_t victim = fork();
	if (victim == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (guarded)
			guard_begin();
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		return 255;
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)victim);
	int rc = outcome(open(path, O_RDONLY));
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	return rc;
}

static int look_into_guarded(void)
{
	return be_looked_into(true);
}

static int look_into_other(void)
{
	return be_looked_into(false);
}

static void test_begin(void)
{
	const struct {
		const char *what;
		int (*try)(void);
	} things[] = {
		{"a file for everybody", make_for_all},
		{"a core dump", dump_core},
		{"a dump to a program", dump_to_program},
	};
	umask(022);
	for (size_t i = 0; i < COUNT(things); i++) {
		is_int(outcome_apart(let_be, things[i].try), 0, "%s can be had as a rule", things[i].what);
		is_int(outcome_apart(begin, things[i].try), EPERM, "%s is not to be had", things[i].what);
	}
	if (geteuid() != 0) {
		skip("root is needed", "nobody else of the user looks into it");
		return;
	}
	is_int(outcome_apart(let_be, look_into_other), 0, "processes of a user see each other's environment");
	is_int(outcome_apart(let_be, look_into_guarded), EACCES, "but not this one's");
}

int main(void)
{
	struct sockaddr_un address;
	const struct rlimit cores = {.rlim_cur = 0, .rlim_max = 1 << 20};
	setrlimit(RLIMIT_CORE, &cores);
	log_set_level(LOG_LEVEL_ERROR);
	temp_folder_make(top);
	snprintf(in, sizeof(in), "%s/in", top);
	snprintf(out, sizeof(out), "%s/out", top);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = abstract_address(&address);
	temp_must(bind(listener, (const struct sockaddr *)&address, len) < 0 || listen(listener, 100) < 0 ? -errno : 0,
		  NULL, "listen");
	test_confine();
	test_kept();
	test_begin();
	close(listener);
	temp_folder_remove(top);
	return tap_done();
}
