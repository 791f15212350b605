#include "app/doctor.h"

#include "app/examine.h"
#include "util/cleanup.h"

#include <errno.h>

static void findings_finish(struct findings *findings)
{
	buf_finish(&findings->text);
}

int doctor_run(const struct config *config, const char *mountpoint, const char *trouble, bool json, struct err *err)
{
	CLEANUP(findings_finish) struct findings findings = {.json = json};
	if (*trouble)
		finding_failed(&findings, "settings", -EINVAL, "%s", trouble);
	else
		finding_ok(&findings, "settings", "they make sense");
	examine_fuse(&findings, config);
	if (mountpoint)
		examine_mount(&findings, mountpoint);
	else
		examine_mounts(&findings);
	examine_token(&findings, config, mountpoint != NULL);
	examine_places(&findings, config);
	examine_store(&findings, config);
	examine_service(&findings, config);
	int rc = findings_end(&findings, err);
	return rc < 0 ? rc : findings.first_rc;
}
