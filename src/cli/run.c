/* mount and sync: check the settings, then leave the work to app. */
#include "app/exit_status.h"
#include "app/mount.h"
#include "app/once.h"
#include "cli/command.h"

#include <sysexits.h>

int command_mount(struct invocation *invocation, struct err *err)
{
	const char *mountpoint = invocation->operand ? invocation->operand : invocation->config.mountpoint;
	int status = 0;
	if (!mountpoint) {
		err_set(err, 0, "the mount point is missing: contentfs mount [PROFILE] MOUNTPOINT");
		return EX_USAGE;
	}
	int rc = config_complete(&invocation->config, true, err);
	if (rc == 0)
		rc = config_complete_assets(&invocation->config, err);
	if (rc == 0)
		rc = mount_run(&invocation->config, mountpoint, invocation->foreground, &status, err);
	return rc < 0 ? exit_status(rc) : status;
}

int command_sync(struct invocation *invocation, struct err *err)
{
	int rc = config_complete(&invocation->config, true, err);
	if (rc == 0)
		rc = once_run(&invocation->config, err);
	return exit_status(rc);
}
