# When `contentfs refresh` returns, every way to look at the tree shows what the service said.

load lib

setup_mount() {
	start_stack
	mount_stack
	FILE=$(entry story bltaaaaaaaaaaaaaaa1 en-us)
}

# shows FILE: cat, ls and stat agree that it is there. hides FILE: that it is not.
shows() {
	bounded cat "$1" >/dev/null && bounded stat "$1" >/dev/null && lists "$1"
}

hides() {
	fails bounded cat "$1" && fails bounded stat "$1" && fails lists "$1"
}

lists() {
	bounded ls "$(dirname "$1")" 2>/dev/null | grep -qxF "$(basename "$1")"
}

inode() {
	bounded stat -c %i "$1"
}

@test "a name that was asked for before it existed is there" {
	setup_mount
	hides "$FILE"
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	refresh
	shows "$FILE"
	same New "$(title "$FILE")"
}

@test "a new name that nobody asked for is there" {
	setup_mount
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	refresh
	shows "$FILE"
}

@test "a new name is in a listing that was cached" {
	setup_mount
	bounded ls "$(dirname "$FILE")" >/dev/null
	fails lists "$FILE"
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	refresh
	lists "$FILE"
}

@test "a changed entry has its new text, size, time and inode" {
	setup_mount
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Old'
	refresh
	same Old "$(title "$FILE")"
	local before
	before=$(bounded stat -c '%s %y %i' "$FILE")
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Renewed at length'
	refresh
	same 'Renewed at length' "$(title "$FILE")"
	local part was now
	for part in 1 3 5; do # size, time of day, inode
		was=$(cut -d' ' -f$part <<<"$before")
		now=$(bounded stat -c '%s %y %i' "$FILE" | cut -d' ' -f$part)
		fails test "$was" = "$now"
	done
	same "$(inode "$FILE")" "$(bounded ls -i "$(dirname "$FILE")" | awk '/bltaaaaaaaaaaaaaaa1/ { print $1 }')"
}

@test "an entry that was unpublished or deleted is gone, and comes back" {
	setup_mount
	local way
	for way in unpublish delete; do
		publish story bltaaaaaaaaaaaaaaa1 en-us 'There'
		refresh
		shows "$FILE"
		ctl $way story bltaaaaaaaaaaaaaaa1 en-us
		refresh
		hides "$FILE"
	done
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Back'
	refresh
	shows "$FILE"
}

@test "a new content type is a new directory" {
	setup_mount
	hides "$MOUNT/entries/novel"
	ctl add-content-type novel Novel
	publish novel bltaaaaaaaaaaaaaaa1 en-us 'First'
	refresh
	bounded ls "$MOUNT/entries" | grep -qx novel
	shows "$(entry novel bltaaaaaaaaaaaaaaa1 en-us)"
	shows "$MOUNT/content_types/novel.json"
	equal
}

@test "a changed schema is there, although no entry changed with it" {
	setup_mount
	ctl change-schema story
	refreshed_equal
}

@test "a new locale is a new directory" {
	setup_mount
	hides "$MOUNT/entries/press-note/ja-jp"
	publish press-note bltaaaaaaaaaaaaaaa1 ja-jp 'First'
	refresh
	bounded ls "$MOUNT/entries/press-note" | grep -qx ja-jp
	shows "$(entry press-note bltaaaaaaaaaaaaaaa1 ja-jp)"
	equal
}

@test "a directory goes with its last entry, and comes back with the next" {
	setup_mount
	ctl add-content-type novel Novel
	local turn
	for turn in 1 2 3; do
		publish novel bltaaaaaaaaaaaaaaa1 en-us "Turn $turn"
		refresh
		shows "$(entry novel bltaaaaaaaaaaaaaaa1 en-us)"
		ctl unpublish novel bltaaaaaaaaaaaaaaa1
		refresh
		fails bounded stat "$MOUNT/entries/novel"
		fails bounded stat "$MOUNT/entries/novel/en-us"
		bounded ls "$MOUNT/entries" >"$WORK/listed"
		fails grep -qx novel "$WORK/listed"
	done
	equal
}

@test "who stands in a directory that vanishes gets an error, not a stale file" {
	setup_mount
	ctl add-content-type novel Novel
	publish novel bltaaaaaaaaaaaaaaa1 en-us 'Last'
	refresh
	bounded sh -c 'cd "$MOUNT/entries/novel/en-us" && cat bltaaaaaaaaaaaaaaa1.json >/dev/null && echo in >"$WORK/in" &&
		until [ -e "$WORK/go" ]; do sleep 0.05; done; cat bltaaaaaaaaaaaaaaa1.json; echo $? >"$WORK/out"' \
		>"$WORK/read" 2>&1 &
	wait_until 20 test -s "$WORK/in"
	ctl unpublish novel bltaaaaaaaaaaaaaaa1
	refresh
	touch "$WORK/go"
	wait_until 20 test -s "$WORK/out"
	same 1 "$(cat "$WORK/out")"
	equal
}

@test "an entry is shown in the locale that it was published in, whichever it was written in" {
	setup_mount
	publish story bltaaaaaaaaaaaaaaa1 en-us 'In English only'
	ctl publish story bltaaaaaaaaaaaaaaa1 de-de
	refresh
	same 'In English only' "$(title "$(entry story bltaaaaaaaaaaaaaaa1 de-de)")"
	same en-us "$(bounded jq -r .locale "$(entry story bltaaaaaaaaaaaaaaa1 de-de)")"
	publish story bltaaaaaaaaaaaaaaa1 de-de 'Auf Deutsch'
	refresh
	same 'Auf Deutsch' "$(title "$(entry story bltaaaaaaaaaaaaaaa1 de-de)")"
	same 'In English only' "$(title "$FILE")"
}

@test "a directory's time moves with what is in it" {
	setup_mount
	local before
	before=$(bounded stat -c %Y.%y "$(dirname "$FILE")")
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	refresh
	fails test "$before" = "$(bounded stat -c %Y.%y "$(dirname "$FILE")")"
}

@test "an open file keeps the text that it was opened on, to its end" {
	require_root # to drop caches
	setup_mount
	local text
	text=$(printf 'old words %.0s' {1..4000})
	publish story bltaaaaaaaaaaaaaaa1 en-us "$text"
	refresh
	bounded cat "$FILE" >"$WORK/old"
	bounded python3 "$E2E/readers.py" hold "$FILE" "$WORK/opened" "$WORK/go" "$WORK/out" &
	local reader=$!
	wait_until 20 test -e "$WORK/opened"
	publish story bltaaaaaaaaaaaaaaa1 en-us 'short'
	refresh
	echo 3 >/proc/sys/vm/drop_caches
	touch "$WORK/go"
	wait $reader
	bounded cmp "$WORK/old" "$WORK/out"
	same short "$(title "$FILE")"
}

@test "an open file outlives its entry" {
	require_root
	setup_mount
	publish story bltaaaaaaaaaaaaaaa1 en-us "$(printf 'last words %.0s' {1..4000})"
	refresh
	bounded cat "$FILE" >"$WORK/old"
	bounded python3 "$E2E/readers.py" hold "$FILE" "$WORK/opened" "$WORK/go" "$WORK/out" &
	local reader=$!
	wait_until 20 test -e "$WORK/opened"
	ctl delete story bltaaaaaaaaaaaaaaa1
	refresh
	hides "$FILE"
	publish story bltaaaaaaaaaaaaaaa2 en-us 'another change'
	refresh
	echo 3 >/proc/sys/vm/drop_caches
	touch "$WORK/go"
	wait $reader
	bounded cmp "$WORK/old" "$WORK/out"
}

@test "refreshes at the same time are all answered" {
	setup_mount
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	local pids=() pid
	for _ in 1 2 3 4 5 6 7 8; do
		refresh &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	shows "$FILE"
}

@test "status.json is what status --json prints" {
	setup_mount
	refresh
	local lasting='del(.age_seconds, .next_poll_seconds, .requests, .requests_by_operation)'
	bounded jq "$lasting" "$MOUNT/.contentfs/status.json" >"$WORK/file"
	contentfs status --json "$MOUNT" | jq "$lasting" >"$WORK/command"
	bounded diff "$WORK/file" "$WORK/command"
}
