# Whatever happens to the bytes of an asset on their way: nobody reads a wrong one, and none is kept.

load lib
load assets

# drive GROUP...: the cases of asset_cases.py, each by its name.
drive() {
	set_cache
	start_stack --content empty
	ctl set asset-etags "${ETAGS:-strong}"
	contentfs sync --store "$STORE"
	timeout --kill-after=5 "$BATS_TEST_TIMEOUT" python3 "$E2E/asset_faults.py" --stack "$STACK_PID" "$@" >&3
	no_daemon
}

@test "statuses other than 200" {
	drive statuses
}

@test "pauses that are asked for" {
	drive --patience 20 pauses
}

@test "a limit that stays" {
	drive limits
}

@test "connections that end" {
	drive connections
}

@test "connections that hang" {
	drive stalls
}

@test "lengths that are wrong or not told" {
	drive lengths
}

@test "ranges that are refused, ignored or others" {
	drive ranges
}

@test "bodies that are another thing" {
	drive bodies
}

@test "files that change behind their URL" {
	drive changes
}

@test "files that change behind their URL, and nothing tells it but they themselves" {
	ETAGS=none drive changes
}

@test "redirects" {
	drive redirects
}

# setup_stalled PART [OPTION...]: the large asset stops there, for as long as anybody asks for it.
setup_stalled() {
	set_cache
	start_stack --content empty --generate 1000
	make_large
	mount_assets "${@:2}"
	ctl fault stall --times forever --match "/$LARGE/" --part "$1"
}

# interrupted SIGNAL: a cat that waits for the network ends by it, soon.
interrupted() {
	local since reader
	env --default-signal=INT cat "$(asset "$LARGE")" >/dev/null 2>&1 3>&- &
	reader=$!
	wait_until 20 waiting 1
	since=$SECONDS
	kill -s "$1" "$reader"
	end_of "$reader" 3
	((SECONDS - since <= 4))
	wait "$reader" || true
}

@test "a reader that waits for the network can be interrupted and killed" {
	setup_stalled 0 --asset-timeout 300
	interrupted INT
	interrupted TERM
	interrupted KILL
	ctl faults-clear
	reads_right "$LARGE"
	unmount
}

@test "a mount whose readers wait for the network can be unmounted once they have ended" {
	setup_stalled 10 --asset-timeout 300
	bounded ls -lR "$MOUNT" >/dev/null
	interrupted INT
	unmount
	not_mounted
	wait_until 10 no_daemon
}

@test "a daemon that is told to end while readers wait lets them go" {
	setup_stalled 0 --asset-timeout 300
	cat "$(asset "$LARGE")" >/dev/null 2>"$WORK/complaint" 3>&- &
	local reader=$! daemon
	daemon=$(daemon_pid)
	wait_until 20 waiting 1
	kill "$daemon"
	end_of "$reader" 10
	end_of "$daemon" 10
	fails wait "$reader"
}

@test "a read that nothing comes for ends in an error by itself, and the log names the asset" {
	set_cache
	start_stack --content empty
	make_large
	in_foreground
	ctl fault stall --times forever --match "/$LARGE/" --part 0
	local since=$SECONDS
	run bounded cat "$(asset "$LARGE")"
	same 1 "$status"
	has "$output" 'Input/output error'
	((SECONDS - since >= 2 && SECONDS - since <= 30))
	has "$(cat "$WORK/daemon.log")" "assets/en-us/$LARGE/film.mp4"
	ctl faults-clear
	reads_right "$LARGE"
	unmount
}

read_entries() {
	bounded find "$MOUNT/entries" -type f -exec cat {} + | wc -c
}

@test "while 50 downloads hang, a thousand entries are read as ever" {
	set_cache
	start_stack --content empty --generate 1000
	make_assets 50 100000
	mount_assets --asset-timeout 120
	local want readers=() number
	want=$(read_entries)
	ctl fault stall-before --times forever --match /v3/assets/
	for ((number = 1; number <= 50; number++)); do
		bounded sha256sum <"$(asset "$(asset_uid $number)")" >"$WORK/sum$number" 3>&- &
		readers+=($!)
	done
	wait_until 30 waiting 50
	forget_entries
	same "$want" "$(read_entries)" 'bytes of entries'
	refresh
	waiting 50
	ctl faults-clear
	wait "${readers[@]}"
	keep_truth
	for ((number = 1; number <= 50; number++)); do
		same "$(jq -r --arg uid "$(asset_uid $number)" 'select(.uid == $uid) | .sha256' "$WORK/truth")  -" \
			"$(cat "$WORK/sum$number")" "asset $number"
	done
	same 0 "$(cache_status waiting)" 'waiting'
}

# What the kernel remembers of the entries would hide whether anybody answers for them.
forget_entries() {
	bounded find "$MOUNT/entries" -type f -exec python3 -c 'import os, sys
for name in sys.argv[1:]:
    with open(name) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)' {} +
}
