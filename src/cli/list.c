/* contentfs list: the profiles that can be used, what is mounted, and the stores there are. */
#include "app/exit_status.h"
#include "cli/command.h"
#include "cli/mounted.h"
#include "config/places.h"
#include "config/profile.h"
#include "fs/mounts.h"
#include "store/reader.h"
#include "util/cleanup.h"
#include "util/json.h"
#include "util/log.h"
#include "util/printable.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ANSWER_MS 2000 /* of one mount */

/* What is listed, as three arrays of JSON objects; people see them as lines. */
struct listing {
	struct buf profiles;
	struct buf mounts;
	struct buf stores;
	struct buf names; /* of the profiles, each ended by a newline, with one before the first */
	struct buf paths; /* of the stores, likewise */
	int status;
};

static void listing_finish(struct listing *listing)
{
	buf_finish(&listing->profiles);
	buf_finish(&listing->mounts);
	buf_finish(&listing->stores);
	buf_finish(&listing->names);
	buf_finish(&listing->paths);
}

/* Whether a line is new; it is in `lines` from then on. */
static bool add_line(struct buf *lines, const char *text)
{
	CLEANUP(buf_finish) struct buf line = BUF_INIT;
	buf_printf(&line, "\n%s\n", text);
	if (line.failed || strstr(buf_text(lines), line.text))
		return false;
	buf_printf(lines, "%s%s\n", lines->len ? "" : "\n", text);
	return true;
}

static void begin_object(struct buf *array)
{
	buf_append_text(array, array->len ? ",\n    {" : "\n    {");
}

/* A member, unless it has no value. */
static void add(struct buf *array, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(array, "%s\"%s\": ", array->text[array->len - 1] == '{' ? "" : ", ", key);
	json_append_string(array, slice_of(value));
}

/* --- stores ------------------------------------------------------------------------------------------------------- */

static void add_note(struct buf *array, struct store_reader *reader, const char *key)
{
	CLEANUP(buf_finish) struct buf value = BUF_INIT;
	if (reader_note(reader, key, &value) == 0 && value.len > 0)
		add(array, key, value.text);
}

static void list_store(struct listing *listing, const char *path)
{
	static const char *const notes[] = {"api_key", "environment", "branch", "host", NOTE_LAST_SUCCESS};
	struct buf *array = &listing->stores;
	struct store_reader *reader = NULL;
	struct err err = {0};
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !add_line(&listing->paths, path))
		return;
	begin_object(array);
	add(array, "path", path);
	buf_printf(array, ", \"bytes\": %lld", (long long)st.st_size);
	if (reader_open(&reader, path, &err) < 0)
		add(array, "error", err.text);
	for (size_t i = 0; reader && i < sizeof(notes) / sizeof(notes[0]); i++)
		add_note(array, reader, notes[i]);
	reader_close(reader);
	buf_append_char(array, '}');
}

/* STATE/contentfs/API_KEY/ENVIRONMENT/BRANCH.db */
static void list_stores(struct listing *listing)
{
	CLEANUP(buf_finish) struct buf pattern = BUF_INIT;
	glob_t found;
	if (places_state(&pattern) < 0 || buf_append_text(&pattern, "/*/*/*.db") < 0)
		return;
	if (glob(pattern.text, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			list_store(listing, found.gl_pathv[i]);
	globfree(&found);
}

/* --- profiles ----------------------------------------------------------------------------------------------------- */

static void add_profile(struct listing *listing, const char *name, const char *file)
{
	struct buf *array = &listing->profiles;
	CLEANUP(config_finish) struct config config;
	struct err err = {0};
	config_init(&config);
	config.profile = strdup(name);
	int rc = config.profile ? profile_load(&config, &err) : err_oom(&err);
	begin_object(array);
	add(array, "name", name);
	add(array, "file", file);
	add(array, "api_key", config.api_key);
	add(array, "environment", config.environment);
	add(array, "branch", config.branch);
	add(array, "region", config.region);
	add(array, "host", config.host);
	add(array, "mountpoint", config.mountpoint);
	if (rc == 0 && config_complete(&config, false, NULL) == 0)
		add(array, "store", config.store);
	add(array, "error", rc < 0 ? err.text : NULL);
	buf_append_char(array, '}');
	if (rc == 0 && config.store)
		list_store(listing, config.store);
}

static int take_name(void *context, const struct profile_line *line, struct err *err)
{
	struct listing *listing = context;
	(void)err;
	if (add_line(&listing->names, line->profile))
		add_profile(listing, line->profile, line->file);
	return 0;
}

static int take_name_only(void *context, const struct profile_line *line, struct err *err)
{
	struct listing *listing = context;
	(void)err;
	add_line(&listing->names, line->profile);
	return 0;
}

/* A file that cannot be used hides no other one. One of the machine that is not for us is none. */
static void list_file(struct listing *listing, const char *path, profile_take *take)
{
	struct err err = {0};
	int rc = profile_read(path, take, listing, &err);
	if (rc == 0 || rc == -ENOENT || (rc == -EACCES && strcmp(path, PLACES_SYSTEM_PROFILES) == 0))
		return;
	log_error("%s", err.text);
	listing->status = exit_status(-EINVAL);
}

static void list_profiles(struct listing *listing, profile_take *take)
{
	CLEANUP(buf_finish) struct buf path = BUF_INIT;
	if (places_profiles(&path) == 0)
		list_file(listing, path.text, take);
	list_file(listing, PLACES_SYSTEM_PROFILES, take);
}

/* --- mounts ------------------------------------------------------------------------------------------------------- */

static void add_live(struct buf *array, struct slice json)
{
	static const char *const keys[] = {"state", "store", "environment", "branch"};
	struct json_value status;
	struct json_value value;
	if (json_check(json, 8, &status, NULL) < 0)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		CLEANUP(buf_finish) struct buf text = BUF_INIT;
		if (json_get(status, keys[i], &value) && value.type == JSON_STRING &&
		    json_string_decode(value, &text) == 0)
			add(array, keys[i], buf_text(&text));
	}
	if (json_get(status, "pid", &value) && value.type == JSON_NUMBER)
		buf_printf(array, ", \"pid\": %.*s", SLICE_FMT(value.text));
}

static void list_mount(void *context, const struct mounts_entry *entry)
{
	struct listing *listing = context;
	struct buf *array = &listing->mounts;
	CLEANUP(buf_finish) struct buf json = BUF_INIT;
	struct err err;
	begin_object(array);
	add(array, "mountpoint", entry->mountpoint);
	if (strcmp(entry->source, "contentfs") != 0)
		add(array, "profile", entry->source);
	int rc = mounts_ask(entry->mountpoint, ANSWER_MS);
	if (rc == -ENOTCONN)
		add(array, "state", "dead: its program is gone");
	else if (rc == -ETIMEDOUT)
		add(array, "state", "does not answer");
	else if (rc == 0 && mounted_status(entry->mountpoint, &json, &err) == 0)
		add_live(array, buf_slice(&json));
	else
		add(array, "state", "somebody else's");
	buf_append_char(array, '}');
}

static void print_mountpoint(void *context, const struct mounts_entry *entry)
{
	(void)context;
	puts(entry->mountpoint);
}

/* --- printing ----------------------------------------------------------------------------------------------------- */

static void print_member(struct json_value object, const char *key, int width)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	struct json_value value;
	if (json_get(object, key, &value) && json_string_decode(value, &text) == 0 && text.len > 0)
		make_printable(text.text, text.len);
	printf("  %-*s", width, text.len ? text.text : "-");
}

static void print_table(const char *title, const struct buf *array, const char *const keys[4], const int widths[4])
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	struct json_value all;
	struct json_value object;
	printf("%s:\n", title);
	buf_printf(&text, "[%s]", buf_text(array));
	if (text.failed || array->len == 0 || json_check(buf_slice(&text), 8, &all, NULL) < 0) {
		puts("  none");
		return;
	}
	for (struct json_iter it = json_iter(all); json_next_element(&it, &object);) {
		for (int i = 0; i < 4; i++)
			print_member(object, keys[i], widths[i]);
		struct json_value error;
		if (json_get(object, "error", &error))
			print_member(object, "error", 0);
		putchar('\n');
	}
}

static void print_for_people(const struct listing *listing)
{
	print_table("Profiles", &listing->profiles, (const char *const[]){"name", "environment", "mountpoint", "file"},
		    (const int[]){20, 16, 32, 0});
	print_table("Mounts", &listing->mounts, (const char *const[]){"mountpoint", "profile", "state", "store"},
		    (const int[]){32, 20, 16, 0});
	print_table("Stores", &listing->stores, (const char *const[]){"environment", "branch", "last_success", "path"},
		    (const int[]){20, 16, 32, 0});
}

static int print_names(struct listing *listing, const char *kind, struct err *err)
{
	if (strcmp(kind, "mounts") == 0)
		return exit_status(mounts_each(print_mountpoint, NULL, err));
	list_profiles(listing, take_name_only);
	fputs(buf_text(&listing->names) + (listing->names.len > 0), stdout);
	return listing->status;
}

int command_list(struct invocation *invocation, struct err *err)
{
	CLEANUP(listing_finish) struct listing listing = {0};
	if (invocation->names)
		return print_names(&listing, invocation->names, err);
	list_profiles(&listing, take_name);
	list_stores(&listing);
	int rc = mounts_each(list_mount, &listing, err);
	if (rc < 0)
		return exit_status(rc);
	if (listing.profiles.failed || listing.mounts.failed || listing.stores.failed)
		return exit_status(err_oom(err));
	if (invocation->json)
		printf("{\n  \"profiles\": [%s],\n  \"mounts\": [%s],\n  \"stores\": [%s]\n}\n",
		       buf_text(&listing.profiles), buf_text(&listing.mounts), buf_text(&listing.stores));
	else
		print_for_people(&listing);
	return listing.status;
}
