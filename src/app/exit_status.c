#include "app/exit_status.h"

#include <errno.h>
#include <sysexits.h>

int exit_status(int rc)
{
	switch (rc) {
	case 0:
		return EX_OK;
	case -EHOSTUNREACH:
		return EX_UNAVAILABLE;
	case -EACCES:
		return EX_NOPERM;
	case -EPROTO:
		return EX_PROTOCOL;
	case -EINVAL:
		return EX_CONFIG;
	case -EBUSY:
		return EX_TEMPFAIL;
	case -ECANCELED:
		return EX_TEMPFAIL;
	case -EPERM:
	case -ENOENT:
	case -ENOTDIR:
		return EX_CANTCREAT;
	case -ENOMEM:
	case -ENOSYS:
		return EX_OSERR;
	default:
		return EX_IOERR;
	}
}

int exit_status_of_reader(int rc, struct err *err)
{
	const struct err why = *err;
	if (rc == -EUCLEAN)
		err_set(err, rc, "%s; contentfs sync or a mount sets it aside and fetches the content anew", why.text);
	return exit_status(rc);
}
