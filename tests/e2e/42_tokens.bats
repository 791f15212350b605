# Tokens may be refused, although they never should.

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 2))

setup_mount() {
	start_stack --generate 400 --content-types 3 --locales 2 --assets 10 --page-size 20
	mount_stack
	(cd "$MOUNT" && find entries -name '*.json' | sort) >"$WORK/all"
	head -n 5 "$WORK/all" >"$WORK/doomed"
	tail -n +6 "$WORK/all" >"$WORK/lasting"
}

# doom_some: unpublishes a few entries.
doom_some() {
	local path type locale uid
	while IFS=/ read -r path type locale uid; do
		ctl unpublish "$type" "${uid%.json}" "$locale"
	done <"$WORK/doomed"
}

# publish_some: new entries, and new versions of lasting ones.
publish_some() {
	local path type locale uid
	publish "$(cut -d/ -f2 "$WORK/all" | head -n 1)" bltaaaaaaaaaaaaaaa1 en-us 'New'
	head -n 5 "$WORK/lasting" | while IFS=/ read -r path type locale uid; do
		publish "$type" "${uid%.json}" "$locale" 'Changed'
	done
}

# watch_lasting: a reader that notes whatever it misses, until told to stop.
watch_lasting() {
	bash -c 'cd "$MOUNT" && until [ -e "$WORK/stop" ]; do
		xargs cat <"$WORK/lasting" >/dev/null 2>>"$WORK/missed"
		find entries -name "*.json" | sort | comm -13 - "$WORK/lasting" >>"$WORK/missed"
		echo round >>"$WORK/rounds"
	done' "$WORK" 3>&- &
	WATCH=$!
	wait_until 20 test -s "$WORK/rounds"
}

missed_nothing() {
	touch "$WORK/stop"
	wait "$WATCH"
	same '' "$(head -n 5 "$WORK/missed")" 'missed'
}

inits() {
	same "$1" "$(requests sync_init)" 'first pages asked for'
}

@test "a refused sync token means a new listing, and nothing ever vanishes that is still there" {
	setup_mount
	watch_lasting
	ctl refuse-tokens sync
	doom_some
	publish_some
	ctl latency 20
	wait_until 60 refreshed_equal
	missed_nothing
	inits 2
	local path
	while read -r path; do
		fails test -e "$MOUNT/$path"
	done <"$WORK/doomed"
}

@test "a sync token that is refused twice is tried again, without a new listing" {
	setup_mount
	ctl refuse-tokens sync --times 2
	publish "$(cut -d/ -f2 "$WORK/all" | head -n 1)" bltaaaaaaaaaaaaaaa1 en-us 'New'
	wait_until 60 refreshed_equal
	inits 1
}

@test "refused page tokens of the first sync mean a new one" {
	start_stack --generate 400 --page-size 20 --latency 150
	mount_stack &
	local command=$!
	ctl wait-requests sync_page 5
	ctl refuse-tokens pagination --times 5 # four in a row are enough; the new listing survives one
	wait $command
	equal
	inits 2
}

@test "page tokens that are refused twice are tried again" {
	start_stack --generate 400 --page-size 20 --latency 150
	mount_stack &
	local command=$!
	ctl wait-requests sync_page 5
	ctl refuse-tokens pagination --times 2
	wait $command
	equal
	inits 1
}

@test "a new listing that was killed goes on, beside content that stays whole" {
	setup_mount
	ctl requests --clear
	ctl fault stall-before --skip 5 --match pagination_token # before: a poll may find out by itself
	ctl refuse-tokens sync
	doom_some
	refresh_in_background
	ctl wait-requests sync_page 6 --timeout 60
	kill_daemon
	ctl fault reset --times forever
	mount_stack
	(cd "$MOUNT" && find entries -name '*.json' | sort) >"$WORK/shown"
	bounded diff "$WORK/all" "$WORK/shown"
	ctl faults-clear
	wait_until 60 refreshed_equal
	inits 1
}

# Four refusals in a row take as many refreshes.
refresh_in_background() {
	(for _ in 1 2 3 4 5 6; do refresh; done) 2>/dev/null 3>&- &
}
