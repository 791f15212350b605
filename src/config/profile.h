/*
 * Profiles: named sets of settings, a section each in an INI file of the user's or of the machine. Keys are the options of
 * the settings' table. The only folder that knows inih.
 *
 *   [work]
 *   api-key = blt0123456789abcdef
 *   delivery-token-file = ~/.secrets/work
 *   environment = production
 */
#ifndef CONTENTFS_CONFIG_PROFILE_H
#define CONTENTFS_CONFIG_PROFILE_H

#include "config/config.h"
#include "util/buf.h"
#include "util/err.h"

#define PROFILE_FILE_MAX (256u << 10)
#define PROFILE_NAME_MAX 48
#define PROFILE_LINE_MAX 198 /* bytes; inih reads no more */
#define PROFILES_MAX 256     /* in one file */

/* Letters, digits, dots, dashes and underscores, not a dash or a dot first; "none" stands for no profile. */
int profile_check_name(const char *name, struct err *err);

/* A setting as it stands in a file, with its value checked for nothing. All borrowed for the call. */
struct profile_line {
	const char *profile;
	const struct setting *setting;
	const char *value; /* not empty */
	const char *file;
	int number;
};

/* 0, or a negative errno, which ends the reading. */
typedef int profile_take(void *context, const struct profile_line *line, struct err *err);

/*
 * Reads the text of a file, which is NUL-terminated, and hands over its lines in order. `*secret` says whether a token is
 * among them. -EINVAL names file and line of what is no line of such a file, an unknown key, a key or section that is
 * there twice, a name that no profile can have. No message quotes a value.
 */
int profile_parse(const char *text, const char *file, profile_take *take, void *context, bool *secret, struct err *err);

/* Reads one file of profiles. -ENOENT if there is none; -EINVAL also if others may read a token in it, or change it. */
int profile_read(const char *path, profile_take *take, void *context, struct err *err);

/* Sets what a line says; a path that begins with ~/ is below $HOME. -EINVAL if the value cannot be used. */
int profile_set(struct config *config, const struct profile_line *line, struct err *err);

/* Takes the settings of config->profile: from the user's file, or, if that has none of the name, from the machine's. -EINVAL
 * if there is none, or a value cannot be used. */
int profile_load(struct config *config, struct err *err);

#endif
