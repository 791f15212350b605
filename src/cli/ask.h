/* Answers of a person at a terminal, or of a script through a pipe: a line each, from standard input. */
#ifndef CONTENTFS_CLI_ASK_H
#define CONTENTFS_CLI_ASK_H

#include "util/err.h"

#include <stdbool.h>

#define ASK_ANSWER_MAX 4096

/* Whether there is a person. Only then are questions written, to stderr. */
bool ask_is_person(void);

/*
 * Asks, and writes the answer without its newline into `answer`. A secret one is not shown while it is typed; the terminal
 * is put right whatever signal comes meanwhile. 0; -ENODATA at the end of the input, where the answer is ""; -EINVAL if it is
 * too long or has a NUL byte. Blocks.
 */
int ask(const char *question, bool secret, char answer[ASK_ANSWER_MAX], struct err *err);

#endif
