/* The lines are told apart as inih does it, which reads but cannot write. */
#include "config/profile_edit.h"

#include "config/profile.h"

#include <ctype.h>
#include <errno.h>

int profile_check_value(const char *key, const char *value, struct err *err)
{
	size_t len = strlen(value);
	bool bad = value[0] == ';' || isspace((unsigned char)value[0]) ||
		   (len > 0 && isspace((unsigned char)value[len - 1]));
	for (const char *c = value; *c; c++)
		bad |= iscntrl((unsigned char)*c) || (isspace((unsigned char)c[0]) && c[1] == ';');
	if (bad)
		return err_set(
			err, -EINVAL,
			"the value of %s cannot stand in a file of profiles: no control characters, no ';' behind "
			"a blank, no blanks around it",
			key);
	if (strlen(key) + strlen(" = ") + len > PROFILE_LINE_MAX)
		return err_set(err, -EINVAL,
			       "the value of %s is too long for a file of profiles, whose lines have up to %d bytes",
			       key, PROFILE_LINE_MAX);
	return 0;
}

enum kind { LINE_OTHER, LINE_SECTION, LINE_KEY, LINE_CONTINUED };

struct line {
	struct slice text; /* with its newline */
	enum kind kind;
	struct slice name; /* of the section or the key */
};

static struct slice trim(struct slice text)
{
	while (text.len > 0 && isspace((unsigned char)*text.at))
		text = slice_make(text.at + 1, text.len - 1);
	while (text.len > 0 && isspace((unsigned char)text.at[text.len - 1]))
		text.len--;
	return text;
}

static size_t find(struct slice text, const char *letters)
{
	size_t at = 0;
	while (at < text.len && !strchr(letters, text.at[at]))
		at++;
	return at;
}

/* `in_key`: a key came before, which an indented line goes on with. */
static struct line classify(struct slice text, bool in_key)
{
	struct line line = {.text = text};
	struct slice content = trim(text);
	if (content.len == 0 || strchr(";#", *content.at))
		return line;
	if (in_key && content.at > text.at) {
		line.kind = LINE_CONTINUED;
	} else if (*content.at == '[') {
		struct slice rest = slice_make(content.at + 1, content.len - 1);
		line.kind = LINE_SECTION;
		line.name = slice_make(rest.at, find(rest, "]"));
	} else {
		line.kind = LINE_KEY;
		line.name = trim(slice_make(content.at, find(content, "=:")));
	}
	return line;
}

struct walk {
	struct slice rest;
	bool in_key;
	bool in_profile; /* the line that was read last, too */
};

static bool next(struct walk *walk, const char *profile, struct line *line)
{
	if (walk->rest.len == 0)
		return false;
	const char *newline = memchr(walk->rest.at, '\n', walk->rest.len);
	size_t len = newline ? (size_t)(newline - walk->rest.at) + 1 : walk->rest.len;
	*line = classify(slice_make(walk->rest.at, len), walk->in_key);
	walk->rest = slice_make(walk->rest.at + len, walk->rest.len - len);
	if (line->kind == LINE_SECTION)
		walk->in_profile = slice_is(line->name, profile);
	walk->in_key = line->kind == LINE_KEY || (line->kind != LINE_SECTION && walk->in_key);
	return true;
}

/* The last line of the profile that says something; NULL if there is no such profile. */
static const char *last_line(struct slice text, const char *profile)
{
	struct walk walk = {.rest = text};
	struct line line;
	const char *last = NULL;
	while (next(&walk, profile, &line))
		if (walk.in_profile && line.kind != LINE_OTHER)
			last = line.text.at;
	return last;
}

static void append_value(struct buf *out, const struct profile_value *value)
{
	if (out->len > 0 && out->text[out->len - 1] != '\n')
		buf_append_char(out, '\n');
	if (value->value)
		buf_printf(out, "%s = %s\n", value->key, value->value);
}

static const struct profile_value *find_value(struct slice key, const struct profile_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(key, values[i].key))
			return &values[i];
	return NULL;
}

static bool has_key(struct slice text, const char *profile, const char *key)
{
	struct walk walk = {.rest = text};
	struct line line;
	while (next(&walk, profile, &line))
		if (walk.in_profile && line.kind == LINE_KEY && slice_is(line.name, key))
			return true;
	return false;
}

static void append_new(struct slice text, const char *profile, const struct profile_value *values, size_t count,
		       struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		if (!has_key(text, profile, values[i].key))
			append_value(out, &values[i]);
}

int profile_edit(struct slice text, const char *profile, const struct profile_value *values, size_t count,
		 struct buf *out)
{
	const char *last = last_line(text, profile);
	struct walk walk = {.rest = text};
	struct line line;
	bool replaced = false; /* the key that the line belongs to is */
	while (next(&walk, profile, &line)) {
		const struct profile_value *value =
			walk.in_profile && line.kind == LINE_KEY ? find_value(line.name, values, count) : NULL;
		if (line.kind == LINE_KEY || line.kind == LINE_SECTION)
			replaced = value != NULL;
		if (value)
			append_value(out, value);
		else if (line.kind != LINE_CONTINUED || !replaced)
			buf_append(out, line.text.at, line.text.len);
		if (line.text.at == last)
			append_new(text, profile, values, count, out);
	}
	if (!last) {
		if (out->len > 0)
			buf_append_text(out, out->text[out->len - 1] == '\n' ? "\n" : "\n\n");
		buf_printf(out, "[%s]\n", profile);
		append_new(text, profile, values, count, out);
	}
	return out->failed ? -ENOMEM : 0;
}
