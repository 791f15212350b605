/* What checks came to: printed as it is found for people, or gathered for programs. Of one thread. */
#ifndef CONTENTFS_APP_FINDINGS_H
#define CONTENTFS_APP_FINDINGS_H

#include "util/buf.h"
#include "util/err.h"

#include <stdbool.h>

struct findings {
	bool json;
	unsigned count;
	unsigned warnings;
	unsigned failed;
	int first_rc; /* of the first check that failed */
	struct buf text;
};

/* Each says in a sentence what holds, or what is wrong and what to do about it. `check` names the check, in a word or two. */
void finding_ok(struct findings *findings, const char *check, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void finding_warning(struct findings *findings, const char *check, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* `rc` is the negative errno that stands for it. */
void finding_failed(struct findings *findings, const char *check, int rc, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Prints what was gathered, or a line that counts. -ENOMEM. */
int findings_end(struct findings *findings, struct err *err);

#endif
