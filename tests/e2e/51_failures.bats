# Every failure has an exit status of its own, and a sentence that says what to do.

load lib

# refused STATUS TEXT ARGUMENT...: contentfs exits so, says so, and leaves nothing.
refused() {
	exits_with "$@"
	not_mounted
	no_daemon
}

@test "wrong credentials are 77, at once" {
	start_stack
	CONTENTSTACK_DELIVERY_TOKEN=wrong refused 77 CONTENTSTACK_DELIVERY_TOKEN mount --store "$STORE" "$MOUNT"
	CONTENTSTACK_API_KEY=wrong refused 77 CONTENTSTACK_API_KEY mount --store "$WORK/b.db" "$MOUNT"
	CONTENTSTACK_ENVIRONMENT=wrong refused 77 CONTENTSTACK_ENVIRONMENT mount --store "$WORK/c.db" "$MOUNT"
	CONTENTSTACK_DELIVERY_TOKEN=wrong refused 77 CONTENTSTACK_DELIVERY_TOKEN sync --store "$STORE"
}

@test "an unreachable service is 69, nonsense from it is 76" {
	start_stack
	mkdir "$WORK/other"
	local closed
	closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	declare -A pids
	CONTENTSTACK_HOST=http://127.0.0.1:$closed contentfs sync --store "$WORK/1.db" >"$WORK/69-sync" 2>&1 &
	pids[69-sync]=$!
	CONTENTSTACK_HOST=http://127.0.0.1:$closed contentfs mount --store "$WORK/2.db" "$MOUNT" >"$WORK/69-mount" 2>&1 &
	pids[69-mount]=$!
	ctl fault not-json --times forever
	contentfs sync --store "$WORK/3.db" >"$WORK/76-sync" 2>&1 &
	pids[76-sync]=$!
	contentfs mount --store "$WORK/4.db" "$WORK/other" >"$WORK/76-mount" 2>&1 &
	pids[76-mount]=$!
	local which status
	for which in "${!pids[@]}"; do
		status=0
		wait "${pids[$which]}" || status=$?
		cat "$WORK/$which"
		same "${which%-*}" "$status" "$which"
	done
	grep -qF "127.0.0.1:$closed" "$WORK/69-sync"
	grep -qE '\(trying again in [0-9.]+ s\)$' "$WORK/69-sync"
	grep -qF "127.0.0.1:$closed" "$WORK/69-mount"
	grep -qF "$STACK_URL" "$WORK/76-sync"
	grep -qF "$STACK_URL" "$WORK/76-mount"
	not_mounted
}

@test "settings that are missing are named" {
	start_stack
	local name
	for name in CONTENTSTACK_API_KEY CONTENTSTACK_DELIVERY_TOKEN CONTENTSTACK_ENVIRONMENT; do
		(
			unset $name
			refused 78 $name mount --store "$STORE" "$MOUNT"
			refused 78 $name sync --store "$STORE"
		)
	done
	fails test -e "$STORE"
}

@test "values that make no sense are named" {
	start_stack
	refused 64 --region mount --region '' --store "$STORE" "$MOUNT"
	refused 64 --interval mount --interval soon "$MOUNT"
	refused 64 --interval mount --interval 0 "$MOUNT"
	refused 64 --start-from sync --start-from yesterday
	refused 64 --type sync --type entry_published,entry_archived
	refused 64 'unencrypted' sync --host http://example.com
	refused 64 --host sync --host ftp://example.com
	refused 64 --host sync --host http://127.0.0.1:99999
	refused 64 'rw' mount -o rw "$MOUNT"
	refused 64 'frobnicate' mount -o frobnicate "$MOUNT"
	refused 64 'uid=' mount -o uid=me "$MOUNT"
	CONTENTSTACK_HOST='' refused 78 'mars' sync --region mars --store "$STORE"
	CONTENTFS_INTERVAL=soon refused 78 CONTENTFS_INTERVAL sync
	fails test -e "$STORE"
}

@test "command lines that are not understood are 64" {
	refused 64 'missing'
	refused 64 'frobnicate' frobnicate
	refused 64 '--frobnicate' mount --frobnicate "$MOUNT"
	refused 64 'needs a value' mount "$MOUNT" --store
	refused 64 'mount point is missing' mount
	refused 64 'mount point is missing' refresh
	refused 64 'mount point is missing' umount
	refused 64 'too much' mount work "$MOUNT" "$WORK"
	refused 64 'no name of a profile' mount "$MOUNT" "$WORK"
	refused 64 'too much' mount --profile work other "$MOUNT"
	refused 64 'too much' sync "$MOUNT"
	refused 64 '--interval' status --interval 3
}

@test "a mount point that cannot be one is 73" {
	start_stack
	refused 73 'mkdir' mount --store "$STORE" "$WORK/none"
	touch "$WORK/file"
	refused 73 'not a directory' mount --store "$STORE" "$WORK/file"
	refused 73 "cannot use the mount point $WORK/file/x: Not a directory" mount --store "$STORE" "$WORK/file/x"
	refused 64 'the mount point is empty' mount --store "$STORE" ''
	refused 64 'the mount point is empty' umount ''
}

@test "a mount that would cover its own store or cache is refused" {
	start_stack
	mkdir "$MOUNT/below"
	refused 78 "the store $MOUNT/below/store.db would be covered" mount --store "$MOUNT/below/store.db" "$MOUNT"
	refused 78 "the cache $MOUNT/cache would be covered" mount --store "$STORE" --cache "$MOUNT/cache" "$MOUNT"
}

@test "a place that another program holds is 75" {
	start_stack
	flock "$MOUNT" sh -c 'touch "$WORK/held" && until [ -e "$WORK/go" ]; do sleep 0.05; done' 3>&- &
	local holder=$!
	wait_until 20 test -e "$WORK/held"
	refused_while_held
	touch "$WORK/go"
	wait $holder
	mount_stack
}

refused_while_held() {
	exits_with 75 "another program holds $MOUNT" mount --store "$STORE" "$MOUNT"
	has "$output" 'try again'
	not_mounted
}

@test "a path without / from a folder that is gone says so" {
	start_stack
	mkdir "$WORK/gone"
	cd "$WORK/gone"
	rmdir "$WORK/gone"
	refused 73 'cannot find out the current folder' sync --store store.db
	refused 73 'cannot find out the current folder' mount --store "$STORE" --cache cache "$MOUNT"
}

@test "output that cannot be written is 74, in one message" {
	require /dev/full
	start_stack --generate 200
	contentfs sync --store "$STORE"
	local arguments status said
	for arguments in --help --version 'mount --help' list 'list --json' "status --store $STORE" "status --json --store $STORE" \
		"status --metrics --store $STORE" "log --store $STORE" "log -n 10000 --json --store $STORE" "log -f --store $STORE" \
		"doctor --store $STORE"; do
		status=0
		# shellcheck disable=SC2086 # several words
		said=$(contentfs $arguments 2>&1 >/dev/full) || status=$?
		echo "$arguments: $status: $said"
		same 74 "$status" 'exit status'
		same 'contentfs: cannot write the output: No space left on device' "$said"
	done
}

@test "a store that cannot be is refused" {
	start_stack
	mkdir "$WORK/folder"
	refused_store "$WORK/folder"
	seq 10000 >"$WORK/numbers"
	cp "$WORK/numbers" "$WORK/text"
	refused_store "$WORK/text"
	cmp "$WORK/numbers" "$WORK/text"
	sqlite3 "$WORK/other.db" 'CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)'
	refused_store "$WORK/other.db"
	same 1 "$(sqlite3 "$WORK/other.db" 'SELECT a FROM theirs')"
	refused_store /proc/none/store.db /proc/none
}

# refused_store FILE [NAMED]: mount and sync exit with one of the statuses for this and name it.
refused_store() {
	local command=(sync)
	for _ in 1 2; do
		run contentfs "${command[@]}" --store "$1" ${command[1]:+"$MOUNT"}
		echo "$1: $status: $output"
		[[ $status =~ ^(73|74|78)$ ]]
		has "$output" "${2:-$1}"
		command=(mount -v)
	done
	not_mounted
}

@test "a store that is in use is 75" {
	start_stack
	mount_stack
	mkdir "$WORK/second"
	run -75 contentfs mount --store "$STORE" "$WORK/second"
	echo "$output"
	has "$output" "$STORE"
	run -75 contentfs sync --store "$STORE"
	has "$output" "$STORE"
	not_mounted "$WORK/second"
	equal
}

@test "a store of another stack, environment, branch or filter is 78, and what differs is named" {
	start_stack
	contentfs sync --store "$STORE"
	ctl requests --clear
	refused 78 environment sync --store "$STORE" --environment staging
	refused 78 branch mount --store "$STORE" --branch next "$MOUNT"
	refused 78 host mount --store "$STORE" --host "http://localhost:$(stack_port)" "$MOUNT"
	refused 78 'API key' sync --store "$STORE" --api-key blt0000000000000000
	refused 78 filter sync --store "$STORE" --content-type story
	refused 78 filter sync --store "$STORE" --locale en-us
	refused 78 filter sync --store "$STORE" --start-from 2025-01-01
	refused 78 filter sync --store "$STORE" --type entry_published
	same 0 "$(tell requests | jq .total)" 'requests'
	mount_stack
	equal
}

@test "status, refresh and umount say so where nothing is mounted" {
	local command
	for command in status refresh umount; do
		refused 78 'no contentfs is mounted' $command "$MOUNT"
		refused 78 'no contentfs is mounted' $command "$WORK/none"
	done
}

@test "status without a store says how to get one" {
	run -78 contentfs status --store "$STORE"
	has "$output" "$STORE" 'contentfs sync'
	fails test -e "$STORE"
}

@test "status of a store tells what the last sync came to" {
	start_stack
	contentfs sync --store "$STORE"
	run -0 contentfs status --store "$STORE"
	has "$output" 'up to date' production "$STORE"
	contentfs status --json --store "$STORE" | jq -e '.healthy and .entries == 104 and .assets == 34 and (.mounted | not)'
	ctl fault 401 --times forever
	run -77 contentfs sync --store "$STORE"
	run -77 contentfs status --store "$STORE"
	has "$output" failing 'delivery token'
}

@test "the store's place follows from stack, environment and branch" {
	start_stack
	contentfs sync
	[ -f "$HOME/.local/state/contentfs/$CONTENTSTACK_API_KEY/production/main.db" ]
	XDG_STATE_HOME=$WORK/state contentfs sync
	[ -f "$WORK/state/contentfs/$CONTENTSTACK_API_KEY/production/main.db" ]
	contentfs status | grep -q main.db
	(cd "$WORK" && contentfs sync --store relative.db && contentfs status --store relative.db)
	[ -f "$WORK/relative.db" ]
}

@test "help and version are for everybody" {
	unset CONTENTSTACK_API_KEY CONTENTSTACK_DELIVERY_TOKEN CONTENTSTACK_ENVIRONMENT
	run -0 contentfs --help
	has "$output" mount sync status refresh umount
	run -0 contentfs --version
	[[ $output =~ ^contentfs\ [0-9]+\.[0-9]+ ]]
	local command
	for command in mount sync status refresh umount; do
		run -0 contentfs $command --help
		has "$output" "Usage: contentfs $command"
	done
}

@test "a full disk leaves the content that is there" {
	require_root
	start_stack --generate 300 --body 4000
	mkdir "$WORK/small"
	mount -t tmpfs -o size=4m,mode=700 tmpfs "$WORK/small"
	STORE=$WORK/small/store.db
	mount_stack
	tell truth >"$WORK/truth"
	dd if=/dev/zero of="$WORK/small/filler" bs=64k 2>/dev/null || true
	ctl random 150 --seed 51
	run refresh
	echo "$output"
	same 74 "$status"
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
	run -74 contentfs status "$MOUNT"
	rm "$WORK/small/filler"
	wait_until 30 refreshed_equal
	unmount
}
