/*
 * Errors. A function that can fail returns 0 or a negative errno and, where a person must read the reason, fills an
 * optional trailing `struct err *`. Outputs are untouched on failure. Modules return errors; the edges (cli, app) log
 * them, once.
 *
 * The errno says what kind of failure it is, so that the edges can choose an exit status and a retry:
 *
 *   EHOSTUNREACH  the service cannot be reached or is not able to answer now
 *   EACCES        the service refused the credentials, or a file may not be read
 *   EPROTO        the service answered something that the API does not allow
 *   EINVAL        a setting is missing or wrong, or names a store that is not ours
 *   EBUSY         somebody else holds it
 *   EUCLEAN       the store is damaged
 *   ECANCELED     we were told to stop
 *   others        what the operating system said
 */
#ifndef CONTENTFS_UTIL_ERR_H
#define CONTENTFS_UTIL_ERR_H

#define ERR_TEXT_MAX 1024

struct err {
	char text[ERR_TEXT_MAX]; /* one sentence or two, no newline; empty when nothing failed */
};

/* Writes the message (cut to fit, control characters made visible) unless err is NULL. Returns rc, so that
 * `return err_set(err, -EPROTO, ...)` reads well. */
int err_set(struct err *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "what: " before the message that is there. Returns rc. */
int err_prefix(struct err *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* For a failed allocation. Returns -ENOMEM. */
int err_oom(struct err *err);

#endif
