/* The main function of a fuzz target where there is no libFuzzer: fuzz_NAME FOLDER. A finding ends it by a signal. */
#include "fuzz.h"
#include "json_model.h"
#include "random.h"
#include "tap.h"
#include "util/cleanup.h"

#include <dirent.h>
#include <string.h>

#define CHANGES 1000 /* of each file */

static bool read_file(const char *folder, const char *name, struct buf *text)
{
	char path[4096];
	char part[4096];
	size_t len;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		buf_append(text, part, len);
	fclose(file);
	return true;
}

static void try(struct slice text)
{
	CLEANUP(buf_finish) struct buf exact = exact_copy(text);
	LLVMFuzzerTestOneInput((const uint8_t *)exact.text, exact.len);
}

static void try_changes(struct rng *rng, struct slice text)
{
	for (long i = rng_rounds(CHANGES); i > 0; i--) {
		CLEANUP(buf_finish) struct buf changed = BUF_INIT;
		buf_append(&changed, text.at, text.len);
		do
			model_mutate(rng, &changed);
		while (rng_once_in(rng, 3));
		try(buf_slice(&changed));
	}
}

static void replay(struct rng *rng, const char *folder, const char *name)
{
	CLEANUP(buf_finish) struct buf text = BUF_INIT;
	if (!ok(read_file(folder, name, &text), "%s can be read", name))
		return;
	try(buf_slice(&text));
	try_changes(rng, buf_slice(&text));
	ok(true, "%s and %ld changes of it are well", name, rng_rounds(CHANGES));
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct rng rng = rng_create();
	struct dirent **names = NULL;
	int count = argc == 2 ? scandir(argv[1], &names, is_visible, alphasort) : -1;
	ok(count > 0, "there is a corpus");
	try(slice_make("", 0));
	for (int i = 0; i < count; i++) {
		replay(&rng, argv[1], names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return tap_done();
}
