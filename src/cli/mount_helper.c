#include "cli/mount_helper.h"

#include "app/mount.h"
#include "config/config.h"
#include "config/mount_options.h"
#include "util/cleanup.h"
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Exit statuses of mount(8). */
enum { MOUNT_OK = 0, MOUNT_USAGE = 1, MOUNT_SYSTEM = 2, MOUNT_INTERRUPTED = 8, MOUNT_FAILED = 32 };

struct helper {
	const char *spec;
	const char *mountpoint;
	const char *namespace; /* of mounts, where the mount is to be; NULL for this one */
	char **lists;          /* of -o */
	size_t list_count;
	bool sloppy;
	bool verbose;
	bool fake;
};

bool is_mount_helper(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash ? slash + 1 : argv0;
	return strcmp(name, "mount.contentfs") == 0 || strcmp(name, "mount.fuse.contentfs") == 0;
}

static int parse(int argc, char **argv, struct helper *helper)
{
	int letter;
	opterr = 0;
	while ((letter = getopt(argc, argv, ":sfnvN:o:t:")) >= 0) {
		switch (letter) {
		case 's':
			helper->sloppy = true;
			break;
		case 'f':
			helper->fake = true;
			break;
		case 'v':
			helper->verbose = true;
			break;
		case 'N':
			helper->namespace = optarg;
			break;
		case 'o':
			helper->lists[helper->list_count++] = optarg;
			break;
		case 'n': /* there is no mtab */
		case 't': /* there is one type */
			break;
		default:
			log_error(letter == ':' ? "the option -%c needs a value" : "the option -%c is not known",
				  optopt);
			return -EINVAL;
		}
	}
	if (argc - optind != 2) {
		log_error(argc - optind < 2 ? "a profile and a mount point are missing"
					    : "there is more than a profile and a mount point");
		return -EINVAL;
	}
	helper->spec = argv[optind];
	helper->mountpoint = argv[optind + 1];
	return 0;
}

/* A mount at boot has no HOME, and is to have the store that root has by hand. */
static void find_home(void)
{
	const struct passwd *user = getenv("HOME") ? NULL : getpwuid(geteuid());
	if (user)
		setenv("HOME", user->pw_dir, 0);
}

static int take_settings(const struct helper *helper, struct config *config, struct err *err)
{
	int rc = 0;
	find_home();
	if (strcmp(helper->spec, "none") != 0)
		rc = config_find_setting(slice_of("profile"))->set(config, helper->spec, err);
	if (rc == 0)
		rc = config_load(config, err);
	for (size_t i = 0; rc == 0 && i < helper->list_count; i++)
		rc = mount_options_from_mount(config, helper->lists[i], helper->sloppy, err);
	if (helper->verbose)
		log_filter_set(&config->log, LOG_LEVEL_DEBUG);
	log_set_filter(&config->log);
	if (rc == 0)
		rc = config_complete(config, true, err);
	return rc < 0 ? rc : config_complete_assets(config, err);
}

/* The settings were read outside; store, cache and mount are inside. */
static int enter(const char *namespace, struct err *err)
{
	CLEANUP(cleanup_close) int fd = open(namespace, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 || setns(fd, CLONE_NEWNS) < 0 ? -errno : 0;
	return rc < 0 ? err_set(err, rc, "cannot enter the mount namespace %s: %s", namespace, strerror(-rc)) : 0;
}

/* Of the process in the background, which has ended as this one would, or by a signal. */
static int status_of_child(int status)
{
	if (status > 128)
		return MOUNT_INTERRUPTED;
	return status == EX_OSERR ? MOUNT_SYSTEM : status;
}

static int run(const struct helper *helper, struct config *config, struct err *err)
{
	int status = EX_OK;
	int rc = take_settings(helper, config, err);
	if (rc == 0 && helper->namespace)
		rc = enter(helper->namespace, err);
	if (rc == 0 && !helper->fake)
		rc = mount_run(config, helper->mountpoint, false, &status, err);
	if (rc < 0)
		return rc == -ENOMEM ? MOUNT_SYSTEM : rc == -ECANCELED ? MOUNT_INTERRUPTED : MOUNT_FAILED;
	return status_of_child(status);
}

int mount_helper_main(int argc, char **argv)
{
	CLEANUP(cleanup_free) char **lists = calloc((size_t)argc, sizeof(*lists));
	struct helper helper = {.lists = lists};
	struct err err = {0};
	if (!lists || parse(argc, argv, &helper) < 0) {
		fputs("Usage: mount.contentfs PROFILE DIR [-sfnv] [-N NAMESPACE] [-o OPTION[,OPTION...]] [-t TYPE]\n"
		      "It is what mount -t contentfs PROFILE DIR runs; PROFILE may be \"none\", with the settings in -o.\n",
		      stderr);
		return MOUNT_USAGE;
	}
	CLEANUP(config_finish) struct config config;
	config_init(&config);
	int status = run(&helper, &config, &err);
	if (err.text[0])
		log_error("%s", err.text);
	return status;
}
