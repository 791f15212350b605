# However it ends, it ends soon and leaves nothing behind.

load lib

# gone: no mount, no process, and the store closed in an orderly way.
gone() {
	wait_until 20 not_mounted
	wait_until 20 no_daemon
	fails test -e "$STORE-wal"
	same '' "$(ls -A "$MOUNT")"
}

# comes_back: the next start finds everything.
comes_back() {
	mount_stack
	equal
}

ends_by_signal() {
	start_stack
	mount_stack
	kill "-$1" "$(daemon_pid)"
	gone
	comes_back
}

# stalled FAULT...: a refresh waits for an answer that does not come.
stalled() {
	ctl requests --clear
	ctl fault "$@" --times forever
	refresh >"$WORK/refresh" 2>&1 &
	REFRESH=$!
	ctl wait-requests sync_delta 1
}

@test "SIGTERM ends it" {
	ends_by_signal TERM
}

@test "SIGINT ends it" {
	ends_by_signal INT
}

@test "SIGHUP ends it" {
	ends_by_signal HUP
}

@test "umount ends it" {
	require_root
	start_stack
	mount_stack
	bounded umount "$MOUNT"
	gone
	comes_back
}

@test "fusermount3 -u ends it" {
	start_stack
	mount_stack
	bounded fusermount3 -u "$MOUNT"
	gone
	comes_back
}

@test "contentfs umount returns when it has ended" {
	start_stack
	mount_stack
	contentfs umount "$MOUNT"
	not_mounted
	no_daemon
	gone
	comes_back
}

@test "SIGTERM ends it while a transfer has stalled" {
	start_stack
	mount_stack
	local fault
	for fault in stall stall-before trickle; do
		stalled $fault
		kill -TERM "$(daemon_pid)"
		gone
		fails wait "$REFRESH"
		ctl faults-clear
		comes_back
	done
}

@test "umount ends it while a transfer has stalled" {
	start_stack
	mount_stack --interval 0.2
	ctl requests --clear
	ctl fault stall --bytes 10 --times forever
	ctl wait-requests sync_delta 1
	contentfs umount "$MOUNT"
	gone
}

@test "SIGTERM ends it while it waits to try again" {
	start_stack
	mount_stack
	ctl fault 503 --times forever
	for _ in 1 2 3 4 5 6; do
		run -69 refresh
	done
	kill -TERM "$(daemon_pid)"
	gone
}

@test "SIGTERM in the first sync ends it, and mount says that it is to be continued" {
	start_stack --generate 500 --page-size 20
	local fault
	for fault in stall-before stall; do
		ctl requests --clear
		ctl fault $fault --skip 3 --match pagination_token
		mount_stack >"$WORK/said" 2>&1 &
		local command=$! status=0
		ctl wait-requests sync_page 4
		kill -TERM "$(daemon_pid)"
		wait $command || status=$?
		cat "$WORK/said"
		same 75 "$status" 'exit status of mount'
		gone
	done
	comes_back
}

@test "SIGTERM ends it while a file is open and a program has its folder there" {
	start_stack
	mount_stack
	local file
	file=$(find "$MOUNT/entries/story/en-us" -name '*.json' | head -n 1)
	bounded bash -c 'cd "$MOUNT/entries" && exec 5<"$1" && touch "$WORK/in" && until [ -e "$WORK/go" ]; do sleep 0.05; done
		cat <&5' bash "$file" >"$WORK/out" 2>&1 &
	local reader=$!
	wait_until 20 test -e "$WORK/in"
	kill -TERM "$(daemon_pid)"
	wait_until 20 not_mounted
	wait_until 20 no_daemon
	touch "$WORK/go"
	wait $reader || true
	comes_back
}

# Such as contentfs status, which others may run at any time.
@test "contentfs umount waits for who only looks in" {
	start_stack
	mount_stack
	touch "$WORK/looking"
	bounded bash -c 'while [ -e "$WORK/looking" ]; do "$0" status "$MOUNT"; done >/dev/null 2>&1' "$CONTENTFS" &
	local looking=$!
	for _ in {1..10}; do
		run -0 contentfs umount "$MOUNT"
		same '' "$output"
		mount_stack
	done
	rm "$WORK/looking"
	wait $looking
}

@test "contentfs umount of a mount that is in use leaves it and says who uses it" {
	start_stack
	mount_stack
	bounded bash -c 'cd "$MOUNT/entries" && touch "$WORK/in" && until [ -e "$WORK/go" ]; do sleep 0.05; done' &
	local user=$!
	wait_until 20 test -e "$WORK/in"
	run -75 contentfs umount "$MOUNT"
	has "$output" fuser "$MOUNT"
	is_mounted
	equal
	touch "$WORK/go"
	wait $user
	contentfs umount "$MOUNT"
}

@test "Ctrl-C of contentfs refresh returns at once, and the daemon goes on" {
	start_stack
	mount_stack
	ctl requests --clear
	ctl fault stall-before # whichever delta comes next, of a poll or of the refresh, which then waits for it
	timeout --kill-after=5 "$COMMAND_SECONDS" env --default-signal=INT "$CONTENTFS" refresh "$MOUNT" >"$WORK/said" 2>&1 3>&- &
	local command=$! pid status=0
	ctl wait-requests sync_delta 1
	pid=$(processes commands | grep -vx "$(daemon_pid)")
	wait_until 20 waits "$pid"
	kill -INT "$pid"
	wait $command || status=$?
	cat "$WORK/said"
	[ "$status" = 130 ] || { [ "$status" = 75 ] && grep -qx 'contentfs: interrupted; the sync goes on' "$WORK/said"; }
	ctl faults-clear
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	wait_until 30 refreshed_equal
}

@test "contentfs refresh that was stopped and goes on says that the sync does, too" {
	start_stack
	mount_stack
	ctl requests --clear
	ctl fault stall-before --times forever
	timeout --kill-after=5 "$COMMAND_SECONDS" "$CONTENTFS" refresh "$MOUNT" >"$WORK/said" 2>&1 3>&- &
	local command=$! pid status=0
	ctl wait-requests sync_delta 1
	pid=$(processes commands | grep -vx "$(daemon_pid)")
	wait_until 20 waits "$pid"
	kill -STOP "$pid"
	kill -CONT "$pid"
	wait $command || status=$?
	same 75 "$status" 'exit status'
	same 'contentfs: interrupted; the sync goes on' "$(<"$WORK/said")"
	ctl faults-clear
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	wait_until 30 refreshed_equal
}

# waits PID: it sleeps in the kernel.
waits() {
	grep -q '^State:.[SD]' "/proc/$1/status"
}

@test "a refresh that was killed does not harm the daemon" {
	start_stack
	mount_stack
	stalled stall-before
	local pid
	for pid in $(processes commands | grep -vx "$(daemon_pid)"); do
		kill -9 "$pid"
	done
	fails wait "$REFRESH"
	ctl faults-clear
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	wait_until 30 refreshed_equal
}

@test "a refresh says what the service had to say, and content stays" {
	start_stack
	mount_stack
	tell truth >"$WORK/truth"
	fails_with 69 'HTTP 503' 503
	fails_with 69 'HTTP 429' 429
	fails_with 69 "$(stack_port)" reset
	fails_with 69 "$(stack_port)" truncate
	fails_with 76 'not JSON' bad-json
	fails_with 76 "$(stack_port)" not-json
	fails_with 76 '' wrong-type --shape no-token
	fails_with 76 '' wrong-type --shape both-tokens
	fails_with 77 'delivery token' 401
	fails_with 77 'CONTENTSTACK_API_KEY' 412
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	wait_until 30 refreshed_equal
}

# fails_with STATUS TEXT FAULT...: it does so as often as it is asked, so that a poll of the daemon's own is no matter.
fails_with() {
	local want=$1 text=$2
	shift 2
	ctl fault "$@" --times forever
	run contentfs refresh "$MOUNT"
	echo "$1: $status: $output"
	same "$want" "$status" 'exit status'
	has "$output" 'contentfs: ' "$text"
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
	run contentfs status "$MOUNT"
	same "$want" "$status" 'exit status of status'
	ctl faults-clear
}

@test "a mount in the foreground stays there until it is unmounted" {
	start_stack
	contentfs mount -f --store "$STORE" --interval 3600 "$MOUNT" >"$WORK/said" 2>&1 &
	local command=$!
	wait_until 20 contentfs status "$MOUNT"
	equal
	fails ended $command
	contentfs umount "$MOUNT"
	wait $command
	gone
}

@test "Ctrl-C ends a mount in the foreground" {
	start_stack
	timeout --kill-after=5 "$COMMAND_SECONDS" env --default-signal=INT \
		"$CONTENTFS" mount -f --store "$STORE" "$MOUNT" >"$WORK/said" 2>&1 3>&- &
	local command=$!
	wait_until 20 contentfs status "$MOUNT"
	kill -INT "$(daemon_pid)"
	wait $command
	gone
}

@test "a daemon keeps no terminal, no folder and none of its parent's descriptors" {
	start_stack
	cd "$WORK"
	mkdir start
	cd start
	exec 7>"$WORK/held"
	mount_stack
	exec 7>&-
	local pid
	pid=$(daemon_pid)
	same / "$(readlink "/proc/$pid/cwd")"
	local fd
	for fd in 0 1 2; do
		same /dev/null "$(readlink "/proc/$pid/fd/$fd")" "descriptor $fd"
	done
	same "$pid" "$(awk '{ print $6 }' "/proc/$pid/stat")" 'session'
}

@test "a user without privileges mounts, reads, refreshes and unmounts" {
	require_root
	open_fuse_to_all
	start_stack
	local home=$WORK/nobody program=$WORK/nobody/contentfs
	chmod 755 "$WORK"
	mkdir "$home" "$home/mount"
	cp "$CONTENTFS" "$program"
	chown -R "$NOBODY:$NOBODY" "$home"
	HOME=$home as_nobody "$program" mount --interval 3600 "$home/mount"
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	as_nobody "$program" refresh "$home/mount"
	as_nobody cat "$home/mount/entries/story/en-us/bltaaaaaaaaaaaaaaa1.json" >"$WORK/read"
	same New "$(jq -r .title "$WORK/read")"
	same "$NOBODY:$NOBODY 444" \
		"$(as_nobody stat -c '%u:%g %a' "$home/mount/entries/story/en-us/bltaaaaaaaaaaaaaaa1.json")"
	fails bounded cat "$home/mount/entries/story/en-us/bltaaaaaaaaaaaaaaa1.json"
	as_nobody "$program" status "$home/mount"
	as_nobody "$program" umount "$home/mount"
	not_mounted "$home/mount"
	no_daemon
}
