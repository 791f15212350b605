/*
 * The text of a file, made from the text that the service sent. Lossless by value: keys keep their order, numbers their
 * digits (1.10, -0, 1e21, 12345678901234567890), strings every character, as plain UTF-8 with no escape that JSON does
 * not demand. Two spaces a level, one member or element a line, `{}` and `[]` for empty ones, one newline at the end.
 */
#ifndef CONTENTFS_TREE_RENDER_H
#define CONTENTFS_TREE_RENDER_H

#include "util/buf.h"
#include "util/slice.h"

/* The largest rendering: indentation lets small texts that are nested deeply grow several hundred times. */
#define RENDER_BYTES_MAX (256u << 20)

/*
 * Appends the rendering of `json`, which must not point into `out`. `json` is the text of one value (json_value.text)
 * that json_check and json_check_utf8 accepted.
 * Escapes: \" \\ \b \f \n \r \t, \u00XX for other characters under U+0020, and \uD800 to \uDFFF (lower-case digits)
 * for a surrogate without its partner; everything else is written as itself. 0, -ENOMEM, or
 * -E2BIG if it would be larger than RENDER_BYTES_MAX (give or take a line); then `out` is as it was.
 */
int render_json(struct slice json, struct buf *out);

#endif
