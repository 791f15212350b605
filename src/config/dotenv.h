/* .env files, as the starter projects of Contentstack have them: NAME=value lines, with export, quotes and comments. */
#ifndef CONTENTFS_CONFIG_DOTENV_H
#define CONTENTFS_CONFIG_DOTENV_H

#include "config/config.h"
#include "util/err.h"
#include "util/slice.h"

#include <stdbool.h>

#define DOTENV_FILE_MAX (256u << 10)

/* One variable; the slices point into the text. */
struct dotenv_line {
	struct slice name;
	struct slice value; /* without its quotes, but with the escapes in it */
	char quote;         /* '"', '\'', '`', or 0 */
	int number;
};

/*
 * Reads the next variable of a text, from *at on, and moves both along; false at its end. *number counts lines, from 0.
 * What is no variable is skipped, for such files are written for other programs.
 */
bool dotenv_next(struct slice *text, int *number, struct dotenv_line *line);

/* The variable's own name, without what a framework puts before it (NEXT_PUBLIC_, VITE_, ...). */
struct slice dotenv_plain_name(struct slice name);

/*
 * Takes the settings of config->env_file: the variables of config_settings and the delivery token, also with a framework's
 * prefix (the name without it counts more); of several of the same name the last. Others are nobody's business here. -EINVAL
 * if the file cannot be read, others may read a token in it, a value cannot be used, or nothing of it is a setting.
 */
int dotenv_load(struct config *config, struct err *err);

#endif
