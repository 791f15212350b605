/*
 * JSON once more, as naive as can be, to compare the real code with. Both functions describe a value in one canonical
 * text: of strings the UTF-16 code units in hex, of numbers the characters that they are written with.
 */
#ifndef CONTENTFS_TESTS_JSON_MODEL_H
#define CONTENTFS_TESTS_JSON_MODEL_H

#include "random.h"
#include "util/buf.h"
#include "util/slice.h"

#include <stdint.h>

/* Describes strict JSON text. False if it is not that; `canon` then holds a part. */
bool model_read(struct slice text, struct buf *canon);

/* Appends a random JSON text, with white space and escapes wherever they may be, and describes it. */
void model_random(struct rng *rng, struct buf *text, struct buf *canon);

/* Changes or removes a few bytes at random, mostly to ones that mean something in JSON. */
void model_mutate(struct rng *rng, struct buf *text);

/* The words of the description, for who makes one from another source. */
void canon_string_unit(struct buf *canon, uint32_t unit);
void canon_code(struct buf *canon, uint32_t code);

/*
 *   null true false       as they are, and a semicolon
 *   number                its text and a semicolon
 *   string                " and 4 hex digits for each code unit and "
 *   array                 [ elements ]
 *   object                { key value key value }
 */

#endif
