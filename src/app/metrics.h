/* A status as Prometheus reads it: the text format, version 0.0.4. Pure. */
#ifndef CONTENTFS_APP_METRICS_H
#define CONTENTFS_APP_METRICS_H

#include "util/buf.h"
#include "util/json.h"

/* Appends what the status says in numbers; what it does not know is left out. Each sample says of which store it is, so that
 * those of several mounts may stand side by side. 0 or -ENOMEM. */
int metrics_append(struct buf *out, struct json_value status);

/* Appends the value of a label, with what has to be escaped in it. */
void metrics_append_value(struct buf *out, struct slice value);

#endif
