# Killed at any instant, contentfs goes on where it was.

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 2))

# pages_reach N: so many further pages were asked for.
pages_reach() {
	ctl wait-requests sync_page "$1" --timeout 60
}

# stall_after N: the page behind the next N further ones never comes.
stall_after() {
	ctl fault stall-before --skip "$1" --match pagination_token
}

@test "a first sync that was killed goes on from its last page" {
	start_stack --generate 1500 --content-types 6 --locales 3 --assets 40 --page-size 20
	stall_after 12
	mount_stack &
	local command=$!
	pages_reach 13
	kill_daemon
	fails wait $command
	mount_stack
	equal
	same 1 "$(requests sync_init)" 'first pages asked for'
	same $(((1540 + 19) / 20)) "$(requests sync_page)" 'further pages asked for' # 76, and one of them twice
}

@test "a first sync that is killed again and again ends with all content" {
	start_stack --generate 1500 --content-types 6 --locales 3 --assets 40 --page-size 20
	local pages asked=0
	for pages in 1 7 8 25 40; do
		stall_after $((pages - asked - 1))
		asked=$pages
		mount_stack &
		local command=$!
		pages_reach $pages
		kill_daemon
		fails wait $command
	done
	mount_stack
	equal
	same 1 "$(requests sync_init)" 'first pages asked for'
}

@test "contentfs sync that was killed goes on, too" {
	start_stack --generate 600 --page-size 20
	stall_after 4
	contentfs sync --store "$STORE" &
	local command=$!
	pages_reach 5
	kill_daemon
	fails wait $command
	contentfs sync --store "$STORE"
	same 1 "$(requests sync_init)" 'first pages asked for'
	mount_stack
	equal
}

@test "of a delta that is under way, or was killed, nothing shows until it is whole" {
	start_stack --generate 600 --content-types 3 --locales 2 --assets 20
	mount_stack
	tell truth >"$WORK/before"
	unmount
	ctl random 150 --seed 21
	ctl set page-size 10
	ctl requests --clear
	stall_after 5
	mount_stack
	pages_reach 6
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/before"
	kill_daemon
	ctl fault reset --times forever
	mount_stack
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/before"
	ctl faults-clear
	wait_until 30 refreshed_equal
	same 0 "$(requests sync_init)" 'first pages asked for'
}

@test "deltas that are killed at random moments lose nothing" {
	start_stack --generate 600 --content-types 3 --locales 2 --assets 20
	mount_stack
	ctl set page-size 5
	RANDOM=4711
	local turn before
	for turn in 1 2 3 4 5 6 7 8; do
		before=$(requests sync_page)
		ctl random 40 --seed $turn
		ctl latency $((RANDOM % 20))
		refresh 2>/dev/null &
		pages_reach $((before + RANDOM % 5))
		kill_daemon
		mount_stack
		((turn % 2)) || refreshed_equal
	done
	unmount
	mount_stack
	refreshed_equal
	same 1 "$(requests sync_init)" 'first pages asked for'
}

@test "the mount of a daemon that was killed is an error that says what to do, and the next mount replaces it" {
	start_stack
	mount_stack
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	end_of "$pid"
	local command
	for command in refresh status; do
		run contentfs $command "$MOUNT"
		echo "$command: $status $output"
		same 69 "$status" "$command"
		has "$output" 'contentfs umount'
	done
	mount_stack
	equal
	same 1 "$(grep -c " $MOUNT " /proc/self/mountinfo)" 'mounts there'
}

@test "a refresh that ends an interrupted delta shows what was published after that began" {
	start_stack --generate 60 --content-types 1 --page-size 2
	mount_stack --interval 3600
	local type
	type=$(ls "$MOUNT/entries")
	ctl fault 500 --times forever --match pagination_token
	ctl random 20 --seed 3 >/dev/null # at once, so that no poll finds less than several pages
	fails contentfs refresh "$MOUNT"
	ctl publish "$type" late en-us '{"title": "later"}'
	ctl faults-clear
	contentfs refresh "$MOUNT"
	jq -e '.title == "later"' "$MOUNT/entries/$type/en-us/late.json"
	equal
}
