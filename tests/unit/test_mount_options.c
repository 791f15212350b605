/* The list behind -o. */
#include "config/mount_options.h"
#include "tap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNSET 4242 /* what uid and gid are before */

static const struct {
	const char *list;
	int rc;
	const char *passed; /* to libfuse */
	uid_t uid;
	gid_t gid;
	mode_t umask;
	const char *says;
} rows[] = {
	{"allow_other", 0, "allow_other", UNSET, UNSET, 0, NULL},
	{"allow_root,nodev,nosuid,noexec", 0, "allow_root,nodev,nosuid,noexec", UNSET, UNSET, 0, NULL},
	{"uid=1000,gid=100,umask=027", 0, NULL, 1000, 100, 027, NULL},
	{"allow_other,uid=0,ro", 0, "allow_other", 0, UNSET, 0, NULL},
	{"uid=1,uid=2", 0, NULL, 2, UNSET, 0, NULL},
	{"uid=4294967294", 0, NULL, 4294967294u, UNSET, 0, NULL},
	{"umask=0", 0, NULL, UNSET, UNSET, 0, NULL},
	{"umask=777", 0, NULL, UNSET, UNSET, 0777, NULL},
	{"ro,defaults,auto,noauto,user,nofail,_netdev,x-systemd.automount,x-gvfs-show,comment=mine", 0, NULL, UNSET,
	 UNSET, 0, NULL},
	{"", 0, NULL, UNSET, UNSET, 0, NULL},
	{",,allow_other,", 0, "allow_other", UNSET, UNSET, 0, NULL},
	{"rw", -EINVAL, NULL, UNSET, UNSET, 0, "'rw' cannot be granted: contentfs is read-only"},
	{"allow_others", -EINVAL, NULL, UNSET, UNSET, 0, "'allow_others' is not known"},
	{"allow_other,big_writes", -EINVAL, NULL, UNSET, UNSET, 0, "'big_writes' is not known"},
	{"allow", -EINVAL, NULL, UNSET, UNSET, 0, "'allow' is not known"},
	{"subtype=x", -EINVAL, NULL, UNSET, UNSET, 0, "'subtype' is not known"},
	{"default_permissions ", -EINVAL, NULL, UNSET, UNSET, 0, "not known"},
	{"uid", -EINVAL, NULL, UNSET, UNSET, 0, "'uid' is not known"},
	{"uid=", -EINVAL, NULL, UNSET, UNSET, 0, "'uid=' needs a number"},
	{"uid=me", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"uid=-1", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"uid=+1", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"uid= 1", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"uid=1x", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"uid=0x10", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"uid=4294967295", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"uid=99999999999999999999", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"gid=4294967295", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"max_read=much", -EINVAL, NULL, UNSET, UNSET, 0, "'max_read=much' needs a number"},
	{"max_read=", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number"},
	{"umask=1000", -EINVAL, NULL, UNSET, UNSET, 0, "needs a number in octal, up to 777"},
	{"umask=8", -EINVAL, NULL, UNSET, UNSET, 0, "in octal"},
	{"umask=", -EINVAL, NULL, UNSET, UNSET, 0, "in octal"},
	{"fsname=mine,max_read=65536", 0, "fsname=mine,max_read=65536", UNSET, UNSET, 0, NULL},
	{"user=ada,X-mine,nodiratime,lazytime,nonempty", 0, NULL, UNSET, UNSET, 0, NULL},
	{"remount", -EINVAL, NULL, UNSET, UNSET, 0, "cannot be remounted"},
	{"interval=10,nodev", 0, "nodev", UNSET, UNSET, 0, NULL},
	{"interval", -EINVAL, NULL, UNSET, UNSET, 0, "'interval' needs a value: interval=SECONDS"},
	{"interval=soon", -EINVAL, NULL, UNSET, UNSET, 0, "'interval': the interval 'soon' is not"},
	{"profile=x", -EINVAL, NULL, UNSET, UNSET, 0, "'profile' cannot be a mount option"},
	{"env-file=x", -EINVAL, NULL, UNSET, UNSET, 0, "'env-file' cannot be a mount option"},
	{"mountpoint=/x", -EINVAL, NULL, UNSET, UNSET, 0, "'mountpoint' cannot be a mount option"},
	{"o=nodev", -EINVAL, NULL, UNSET, UNSET, 0, "'o' cannot be a mount option"},
	{"delivery-token=s3cret", -EINVAL, NULL, UNSET, UNSET, 0, "use delivery-token-file=, or a profile"},
	{"token=s3cret", -EINVAL, NULL, UNSET, UNSET, 0, "the mount option 'token' is not known"},
};

static struct config create(void)
{
	struct config config;
	config_init(&config);
	config.uid = UNSET;
	config.gid = UNSET;
	return config;
}

static void test_lists(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(config_finish) struct config config = create();
		struct err err = {0};
		is_int(mount_options_set(&config, rows[i].list, &err), rows[i].rc, "-o '%s' is %s", rows[i].list,
		       rows[i].rc ? "refused" : "taken");
		is_str(config.mount_options, rows[i].passed, "-o '%s': what libfuse gets", rows[i].list);
		is_int(config.uid, rows[i].uid, "-o '%s': uid", rows[i].list);
		is_int(config.gid, rows[i].gid, "-o '%s': gid", rows[i].list);
		is_int(config.umask, rows[i].umask, "-o '%s': umask", rows[i].list);
		if (rows[i].says &&
		    !ok(strstr(err.text, rows[i].says) != NULL, "-o '%s': the message says why", rows[i].list))
			diag("  got: %s\n want: %s", err.text, rows[i].says);
		ok(!strstr(err.text, "s3cret"), "-o '%s': no message quotes a token", rows[i].list);
	}
}

static void test_settings(void)
{
	CLEANUP(config_finish) struct config config = create();
	is_int(mount_options_set(&config,
				 "environment=staging,cache-size=1G,secure-assets,store=\"/a,b.db\",content-type=a,"
				 "content-type=b,type=\"entry_published,asset_published\",region=eu",
				 NULL),
	       0, "settings are taken");
	is_str(config.environment, "staging", "a word");
	is_int(config.cache_bytes, 1LL << 30, "a size");
	is_int(config.secure_assets, 1, "one without a value");
	is_str(config.store, "/a,b.db", "one with a comma, in quotes");
	is_int((long long)config.content_types.count, 2, "one that is said twice");
	is_str(config.types, "entry_published,asset_published", "a list, in quotes");
	is_str(config.region, "eu", "one behind them");
	ok(!config.mount_options, "nothing of it is passed on");
}

static void test_list_of_mount(void)
{
	CLEANUP(config_finish) struct config config = create();
	struct err err = {0};
	is_int(mount_options_from_mount(&config, "rw,noexec,user=ada", false, &err), 0, "mount(8) says rw by itself");
	is_str(config.mount_options, "noexec", "and what it says for 'user'");
	is_int(mount_options_from_mount(&config, "frob=1", false, &err), -EINVAL, "what is not known is refused");
	is_int(mount_options_from_mount(&config, "frob=1,nodev", true, &err), 0, "but to the sloppy");
	is_str(config.mount_options, "noexec,nodev", "who keep the rest");
	is_int(mount_options_from_mount(&config, "interval=soon", true, &err), -EINVAL, "and know no sloppy values");
}

static void test_several(void)
{
	CLEANUP(config_finish) struct config config = create();
	is_int(mount_options_set(&config, "allow_other,uid=1", NULL), 0, "a first list is taken");
	is_int(mount_options_set(&config, "nodev,uid=2", NULL), 0, "so is a second one");
	is_str(config.mount_options, "allow_other,nodev", "what is passed on adds up");
	is_int(config.uid, 2, "of two values the later counts");
	is_int(mount_options_set(&config, "noexec,nonsense", NULL), -EINVAL, "a third one is refused");
	is_str(config.mount_options, "allow_other,nodev", "and adds nothing of what it had");
}

int main(void)
{
	test_lists();
	test_several();
	test_settings();
	test_list_of_mount();
	return tap_done();
}
