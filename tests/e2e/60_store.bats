# The store is a public interface: its views answer questions, mounted or not.

load lib

ask() {
	bounded sqlite3 -readonly "$STORE" "$@"
}

setup_mount() {
	require sqlite3
	start_stack
	mount_stack
}

@test "the view entries has a row for every entry, with its path, inode and text" {
	setup_mount
	same "$(bounded find "$MOUNT/entries" -type f | wc -l)" "$(ask 'SELECT count(*) FROM entries')"
	diff <(cd "$MOUNT" && bounded find entries -type f -printf '%i %p\n' | sort) \
		<(ask -separator ' ' 'SELECT ino, path FROM entries' | sort)
	local path
	for path in $(ask 'SELECT path FROM entries ORDER BY random() LIMIT 10'); do
		ask "SELECT json FROM entries WHERE path = '$path'" >"$WORK/row"
		bounded cmp <(cat "$MOUNT/$path"; echo) "$WORK/row"
	done
	diff <(ask -separator / "SELECT 'entries', content_type, locale, uid || '.json' FROM entries ORDER BY 2, 3, 4") \
		<(ask 'SELECT path FROM entries ORDER BY content_type, locale, uid || ".json"')
}

@test "the columns of entries are what the text says" {
	setup_mount
	same 0 "$(ask "SELECT count(*) FROM entries WHERE uid <> json_extract(json, '\$.uid')
		OR title <> coalesce(json_extract(json, '\$.title'), '') OR version <> json_extract(json, '\$._version')
		OR updated_at <> json_extract(json, '\$.updated_at')
		OR locale <> json_extract(json, '\$.publish_details.locale')
		OR published_at <> json_extract(json, '\$.publish_details.time')")"
}

@test "the view assets has a row for every asset" {
	setup_mount
	diff <(cd "$MOUNT" && bounded find assets -mindepth 2 -maxdepth 2 -type f -printf '%i %p\n' | sort) \
		<(ask -separator ' ' 'SELECT ino, path FROM assets' | sort)
	diff <(cd "$MOUNT" && bounded find assets -mindepth 3 -type f -printf '%i %s %p\n' | sort) \
		<(ask -separator ' ' 'SELECT file_ino, coalesce(file_size, 0), file FROM assets WHERE file IS NOT NULL' | sort)
	same 0 "$(ask "SELECT count(*) FROM assets WHERE uid <> json_extract(json, '\$.uid')
		OR locale <> json_extract(json, '\$.publish_details.locale')
		OR published_at <> json_extract(json, '\$.publish_details.time')")"
}

@test "the view changes tells what happened, in its order" {
	setup_mount
	local before
	before=$(ask 'SELECT max(id) FROM changes')
	publish story bltaaaaaaaaaaaaaaa1 en-us 'One'
	refresh
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Two'
	refresh
	ctl unpublish story bltaaaaaaaaaaaaaaa1 en-us
	refresh
	ctl publish-asset bltbbbbbbbbbbbbbbb2 de-de
	refresh
	same 'added|entry|story|en-us|bltaaaaaaaaaaaaaaa1
changed|entry|story|en-us|bltaaaaaaaaaaaaaaa1
removed|entry|story|en-us|bltaaaaaaaaaaaaaaa1
added|asset||de-de|bltbbbbbbbbbbbbbbb2' \
		"$(ask "SELECT change, kind, CASE kind WHEN 'entry' THEN content_type ELSE '' END, locale, uid FROM changes
			WHERE id > $before AND kind <> 'content_type' ORDER BY id")"
	same 0 "$(ask "SELECT count(*) FROM changes WHERE at NOT LIKE '____-__-__T__:__:__.___Z'")"
}

@test "the views have the columns that are promised" {
	setup_mount
	same 'path content_type locale uid version title published_at updated_at ino json' \
		"$(ask "SELECT group_concat(name, ' ') FROM pragma_table_info('entries')")"
	same 'path locale uid version title published_at updated_at ino json file file_ino file_size media_type url' \
		"$(ask "SELECT group_concat(name, ' ') FROM pragma_table_info('assets')")"
	same 'id at change kind content_type locale uid event_at' \
		"$(ask "SELECT group_concat(name, ' ') FROM pragma_table_info('changes')")"
}

@test "the store can be asked when nothing is mounted, and is sound" {
	setup_mount
	ctl random 100 --seed 61
	refresh
	unmount
	same ok "$(ask 'PRAGMA integrity_check')"
	same "$(tell status | jq .entries)" "$(ask 'SELECT count(*) FROM entries')"
}

@test "who holds the store open for reading does not keep it from being updated" {
	setup_mount
	mkfifo "$WORK/questions"
	bounded sqlite3 -readonly "$STORE" <"$WORK/questions" >"$WORK/answers" &
	local reader=$!
	exec 8>"$WORK/questions"
	echo 'BEGIN; SELECT count(*) FROM entries;' >&8
	wait_until 20 test -s "$WORK/answers"
	ctl random 50 --seed 62
	refreshed_equal
	echo 'SELECT count(*) FROM entries; COMMIT;' >&8
	exec 8>&-
	wait $reader
	same 1 "$(sort -u "$WORK/answers" | wc -l)" 'different answers'
}
