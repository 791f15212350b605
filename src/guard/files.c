/*
 * Landlock, by its system calls: landlock(7). Older headers lack the newer rights, so they are all here; a right that the
 * kernel does not know yet is not asked for.
 *
 * A rule holds for what is below a folder, whatever comes there later, and not for another folder that gets its name. That
 * is why it is folders that are named: /etc/resolv.conf and /etc/hosts are replaced as a whole by whoever writes them.
 */
#include "guard/guard.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ABI_MIN 2 /* the first that lets a file move between folders */

/* What came after the first headers. */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)       /* ABI 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)      /* ABI 5 */
#define RIGHT_NET_BIND_TCP (UINT64_C(1) << 0)    /* ABI 4 */
#define SCOPE_ABSTRACT_SOCKET (UINT64_C(1) << 0) /* ABI 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)          /* ABI 6 */

#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READ (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)
#define WRITE                                                                                                          \
	(READ | WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |                               \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER)

/* The kernel takes a longer one than it knows if what it does not know is 0. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static const struct {
	const char *path;
	uint64_t rights;
} readable[] = {
	{"/etc", READ}, /* name resolution, certificates, the local time */
	{"/usr", READ}, /* modules of the C library and of OpenSSL, certificates, time zones */
	{"/lib", READ},
	{"/lib32", READ},
	{"/lib64", READ},
	{"/nix/store", READ},
	{"/gnu/store", READ},
	{"/proc/sys/kernel/random", READ}, /* which run of the machine this is */
	{"/dev/null", READ_FILE | WRITE_FILE},
};

/* Where certificates or modules are by the user's word, for OpenSSL. */
static const char *const variables[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES"};

/* A sanitizer reads /proc and writes its report where it likes. */
static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return true;
#else
	return false;
#endif
#else
	return false;
#endif
}

static bool is_exhausted(int reason)
{
	return reason == EMFILE || reason == ENFILE || reason == ENOMEM;
}

/* Only what can be said of a file is said of one. What is not there needs no rule. */
static int allow(int ruleset, const char *path, uint64_t rights, uint64_t handled)
{
	struct stat st;
	CLEANUP(cleanup_close) int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return is_exhausted(errno) ? -errno : 0;
	if (!S_ISDIR(st.st_mode))
		rights &= READ_FILE | WRITE_FILE;
	const struct landlock_path_beneath_attr rule = {.allowed_access = rights & handled, .parent_fd = fd};
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

/* The nearest folder above that is there; "/" is none. */
static bool cut_to_folder(char *path)
{
	struct stat st;
	for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
		*slash = '\0';
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return true;
	}
	return false;
}

/* It may be a link to a file of a service that has not started yet. */
static int allow_resolver(int ruleset, uint64_t handled)
{
	char target[PATH_MAX];
	char path[PATH_MAX + 8];
	ssize_t len = readlink("/etc/resolv.conf", target, sizeof(target) - 1);
	if (len < 0)
		return 0;
	target[len] = '\0';
	snprintf(path, sizeof(path), "%s%s", target[0] == '/' ? "" : "/etc/", target);
	return cut_to_folder(path) ? allow(ruleset, path, READ, handled) : 0;
}

static int add_rules(int ruleset, const char *const *writable, uint64_t handled)
{
	int rc = allow_resolver(ruleset, handled);
	for (size_t i = 0; rc == 0 && i < sizeof(readable) / sizeof(readable[0]); i++)
		rc = allow(ruleset, readable[i].path, readable[i].rights, handled);
	for (size_t i = 0; rc == 0 && i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *path = getenv(variables[i]);
		rc = path && path[0] == '/' ? allow(ruleset, path, READ, handled) : 0;
	}
	for (; rc == 0 && *writable; writable++)
		rc = allow(ruleset, *writable, WRITE, handled);
	return rc;
}

static struct ruleset ruleset_for(int abi)
{
	return (struct ruleset){
		.fs = ((UINT64_C(1) << 14) - 1) | (abi >= 3 ? RIGHT_TRUNCATE : 0) | (abi >= 5 ? RIGHT_IOCTL_DEV : 0),
		.net = abi >= 4 ? RIGHT_NET_BIND_TCP : 0,
		.scoped = abi >= 6 ? SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL : 0,
	};
}

static int confine(int abi, const char *const *writable)
{
	const struct ruleset rules = ruleset_for(abi);
	CLEANUP(cleanup_close) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return -errno;
	int rc = add_rules(ruleset, writable, rules.fs);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = -errno;
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		rc = -errno;
	return rc;
}

int guard_confine_files(const char *const *writable, struct err *err)
{
	if (is_sanitized())
		return 0;
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < ABI_MIN) {
		log_debug("files are not confined: this kernel has no Landlock of version %d (%s)", ABI_MIN,
			  abi < 0 ? strerror(errno) : "an older one");
		return 0;
	}
	int rc = confine(abi, writable);
	return rc < 0 ? err_set(err, rc, "cannot confine the process to its files: %s", strerror(-rc)) : 0;
}
