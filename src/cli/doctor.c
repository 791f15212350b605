/* contentfs doctor: what the settings, or a mount, have to be looked at; then app does the work. */
#include "app/doctor.h"

#include "app/exit_status.h"
#include "cli/command.h"
#include "cli/mounted.h"
#include "fs/mounts.h"

#include <errno.h>

#define ANSWER_MS 5000

int command_doctor(struct invocation *invocation, struct err *err)
{
	struct config *config = &invocation->config;
	struct err trouble = {0};
	bool mounted = invocation->operand != NULL;
	int rc = mounted ? mounts_ask(invocation->operand, ANSWER_MS) : 0;
	/* Such a mount and a token file of no use are findings of their own. */
	bool silent = rc == -ENOTCONN || rc == -ETIMEDOUT;
	struct err *told = silent ? NULL : &trouble;
	rc = mounted && !silent ? mounted_adopt(config, invocation->operand, told) : 0;
	if (rc == 0)
		rc = config_complete(config, !mounted && !config->token_fault.text[0], told);
	if (rc < 0)
		config_complete(config, false, NULL);
	config_complete_assets(config, rc == 0 ? told : NULL);
	return exit_status(doctor_run(config, invocation->operand, trouble.text, invocation->json, err));
}
