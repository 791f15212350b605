/* What the head of an answer says. Private to this folder. */
#ifndef CONTENTFS_HTTP_HEAD_H
#define CONTENTFS_HTTP_HEAD_H

#include "http/http.h"
#include "http/libcurl.h"

/* Reads everything but the body, of a handle whose last head is there; `answer` is HTTP_ANSWER_INIT but for its body. 0 or
 * -ENOMEM. */
int head_read(CURL *easy, struct http_answer *answer);

#endif
