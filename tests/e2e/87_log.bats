# What is said of what happens: `contentfs log`, and the messages by level and topic.

load lib

UID_OF_STORY=bltaaaaaaaaaaaaaaa1

# changes [OPTION...]: the last changes of the mount, without their times.
changes() {
	contentfs log "$@" "$MOUNT" | sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}  //'
}

# lines NUMBER FILE: it has so many, or more.
lines() {
	[ "$(wc -l <"$2")" -ge "$1" ]
}

@test "the last changes are told, the newest at the end" {
	start_stack
	mount_stack
	publish story $UID_OF_STORY en-us 'First'
	refresh
	publish story $UID_OF_STORY en-us 'Second'
	refresh
	same "added    entries/story/en-us/$UID_OF_STORY.json  Second
changed  entries/story/en-us/$UID_OF_STORY.json  Second" "$(changes -n 2)"
	ctl delete story $UID_OF_STORY
	refresh
	same "removed  entries/story/en-us/$UID_OF_STORY.json  Second" "$(changes -n 1)" 'by the title that it had'
	ctl publish-asset bltbbbbbbbbbbbbbbb1 de-de '{"title": "A picture"}' --file-bytes 100
	ctl add-content-type novel Novel
	publish novel bltaaaaaaaaaaaaaaa2 en-us 'New'
	refresh
	changes -n 3 | sort >"$WORK/three"
	same 'added    assets/de-de/bltbbbbbbbbbbbbbbb1.json  A picture
added    content_types/novel.json  Novel
added    entries/novel/en-us/bltaaaaaaaaaaaaaaa2.json  New' "$(<"$WORK/three")"
	same 20 "$(contentfs log "$MOUNT" | wc -l)" 'unless more are wanted'
	same 0 "$(contentfs log -n 0 "$MOUNT" | wc -l)"
	same 151 "$(contentfs log --lines=500 "$MOUNT" | grep -c '  added  ')" 'all that ever came'
}

@test "programs get an object a line" {
	start_stack
	mount_stack
	publish story $UID_OF_STORY en-us 'With a \"quote\"'
	refresh
	contentfs log --json -n 500 "$MOUNT" >"$WORK/log"
	jq -se 'length > 100 and ([.[].id] | . == sort) and all(.[]; has("at") and has("event_at") and has("path"))' "$WORK/log"
	tail -n 1 "$WORK/log" | jq -e --arg uid "$UID_OF_STORY" '.change == "added" and .kind == "entry" and .locale == "en-us"
		and .content_type == "story" and .uid == $uid and .title == "With a \"quote\""'
	local path
	jq -r .path "$WORK/log" | sort -u >"$WORK/paths"
	while read -r path; do
		bounded test -f "$MOUNT/$path" || echo "not in the tree: $path"
	done <"$WORK/paths"
}

@test "the store tells without a mount" {
	start_stack
	contentfs sync --store "$STORE"
	publish story $UID_OF_STORY en-us 'Without a mount'
	contentfs sync --store "$STORE"
	contentfs log -n 1 --store "$STORE" | grep -F 'added    entries/story/en-us/' | grep -F 'Without a mount'
}

@test "who follows sees what comes, until interrupted" {
	start_stack
	mount_stack
	"$CONTENTFS" log -f -n 1 "$MOUNT" >"$WORK/followed" 3>&- &
	local follower=$!
	wait_until 20 lines 1 "$WORK/followed"
	publish story $UID_OF_STORY en-us 'While looking'
	refresh
	wait_until 20 lines 2 "$WORK/followed"
	ctl delete story $UID_OF_STORY
	refresh
	wait_until 20 lines 3 "$WORK/followed"
	has "$(sed -n 2p "$WORK/followed")" 'added    ' 'While looking'
	has "$(sed -n 3p "$WORK/followed")" 'removed  '
	kill -INT $follower || true
	kill -TERM $follower
	end_of $follower
	same 3 "$(wc -l <"$WORK/followed")"
}

@test "a follower goes on when another store takes the place of one that is damaged or deleted" {
	start_stack
	contentfs sync --store "$STORE"
	"$CONTENTFS" log --follow -n 1 --store "$STORE" >"$WORK/followed" 2>"$WORK/said" 3>&- &
	local follower=$!
	wait_until 20 lines 1 "$WORK/followed"
	truncate -s 5000 "$STORE"
	wait_until 20 grep -q 'the store is damaged.*(trying again)' "$WORK/said"
	contentfs sync --store "$STORE"
	wait_until 30 lines 148 "$WORK/followed"
	rm "$STORE"*
	contentfs sync --store "$STORE"
	wait_until 30 lines 295 "$WORK/followed"
	kill -TERM $follower
	end_of $follower
	same 295 "$(wc -l <"$WORK/followed")"
}

@test "a title cannot drive the terminal" {
	start_stack
	mount_stack
	publish story $UID_OF_STORY en-us 'red \u001b[31m and\n two lines'
	refresh
	contentfs log -n 1 "$MOUNT" >"$WORK/log"
	same 1 "$(wc -l <"$WORK/log")"
	fails grep -q $'\033' "$WORK/log"
	contentfs log --json -n 1 "$MOUNT" | jq -e '.title == "red \u001b[31m and\n two lines"'
}

@test "what cannot be logged is refused" {
	run -78 contentfs log --store "$STORE"
	has "$output" "there is no store at $STORE yet"
	run -78 contentfs log "$MOUNT"
	has "$output" "no contentfs is mounted on $MOUNT"
	local number
	for number in x -1 5x '' 99999999999; do
		run -64 contentfs log -n "$number" --store "$STORE"
		has "$output" "--lines: '$number' is not a number of lines"
	done
}

@test "messages are wanted by level and topic, and never have the token" {
	start_stack
	contentfs sync --store "$STORE" 2>"$WORK/said"
	same '' "$(<"$WORK/said")"
	contentfs sync --store "$STORE.1" --log-level sync=debug 2>"$WORK/said"
	grep -q '^contentfs: debug: sync: a page of ' "$WORK/said"
	grep -q '^contentfs: sync: .* pages brought .* changes$' "$WORK/said"
	fails grep -q 'http: ' "$WORK/said"
	CONTENTFS_LOG=info,http=debug contentfs sync --store "$STORE.2" 2>"$WORK/said"
	grep -q '^contentfs: debug: http: GET .*/v3/stacks/sync: answered, status 200, ' "$WORK/said"
	fails grep -q 'debug: sync' "$WORK/said"
	CONTENTFS_LOG=http=debug contentfs sync --store "$STORE.3" --log-level http=error 2>"$WORK/said"
	same '' "$(<"$WORK/said")" 'an option counts more'
	contentfs sync --store "$STORE.4" -v 2>"$WORK/said"
	grep -q 'debug: http' "$WORK/said"
	grep -q 'debug: sync' "$WORK/said"
	fails grep -F "$CONTENTSTACK_DELIVERY_TOKEN" "$WORK/said"
	fails grep -q '_token=' "$WORK/said"
	ctl fault 401 --times forever
	run -77 contentfs sync --store "$STORE.5" --log-level error
	same 1 "${#lines[@]}"
}

@test "a level or a topic that does not exist is refused" {
	run -64 contentfs sync --log-level loud
	has "$output" "--log-level: there is no level 'loud': there are error, warning, notice, info and debug"
	run -64 contentfs sync --log-level network=debug
	has "$output" "there is no topic 'network': there are app, assets, cli, fs, http, store and sync"
	CONTENTFS_LOG=loud run -78 contentfs sync
	has "$output" "CONTENTFS_LOG: there is no level 'loud'"
}

@test "the journal gets priorities, and only the journal" {
	start_stack
	touch "$WORK/journal"
	local stream
	stream=$(stat -c %d:%i "$WORK/journal")
	JOURNAL_STREAM=$stream contentfs sync --store "$STORE" -v 2>>"$WORK/journal"
	grep -q '^<7>http: GET ' "$WORK/journal"
	grep -q '^<6>sync: .* changes$' "$WORK/journal"
	fails grep -v '^<[3-7]>' "$WORK/journal"
	ctl fault 401 --times forever
	JOURNAL_STREAM=$stream run -77 contentfs sync --store "$STORE"
	fails grep -q '^<' <<<"$output"
	contentfs sync --store "$STORE" 2>"$WORK/other" && return 1
	grep -q '^contentfs: ' "$WORK/other"
}

@test "a log that is followed ends when what it says cannot be written any more" {
	start_stack
	contentfs sync --store "$STORE"
	timeout --kill-after=5 "$COMMAND_SECONDS" "$CONTENTFS" log -f -n 0 --store "$STORE" >/dev/full 2>"$WORK/said" 3>&- &
	local log=$! status=0
	wait_until 40 more_and_ended $log
	wait $log || status=$?
	same 74 "$status" 'exit status'
	same 'contentfs: cannot write the output: No space left on device' "$(<"$WORK/said")"
}

# more_and_ended PID: there is something to say, until it has ended.
more_and_ended() {
	publish story bltaaaaaaaaaaaaaaa1 en-us "Title $SECONDS $RANDOM"
	contentfs sync --store "$STORE"
	end_of "$1" 1
}
