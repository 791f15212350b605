/* contentfs log: which store is meant, then app does the work. */
#include "app/exit_status.h"
#include "app/history.h"
#include "cli/command.h"
#include "cli/mounted.h"

int command_log(struct invocation *invocation, struct err *err)
{
	struct config *config = &invocation->config;
	const struct history_wish wish = {invocation->lines, invocation->json, invocation->follow};
	int rc = invocation->operand ? mounted_adopt(config, invocation->operand, err) : 0;
	if (rc == 0)
		rc = config_complete(config, false, err);
	if (rc == 0)
		rc = history_run(config->store, &wish, err);
	return exit_status_of_reader(rc, err);
}
