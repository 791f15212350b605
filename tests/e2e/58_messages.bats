# What else a user can bring about: each says what, why and what next, once, and has its exit status.

load lib

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

unset_folders() {
	unset XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME HOME
}

@test "a number of jobs that is none" {
	local jobs
	for jobs in 0 -1 many 1.5 1000000 99999999999999999999; do
		exits_with 64 '--jobs' sync --jobs "$jobs" --store "$STORE"
		has "$output" 'a whole number from 1 to'
	done
}

@test "no place for the store, for profiles or for the cache" {
	start_stack --generate 20
	contentfs sync --store "$STORE"
	unset_folders
	exits_with 78 'HOME' sync
	exits_with 78 'HOME' sync --profile blog
	exits_with 78 'XDG_CACHE_HOME' fetch --store "$STORE"
	export HOME=$WORK/home
}

@test "secured assets without a token" {
	start_stack --generate 20
	contentfs sync --store "$STORE"
	unset CONTENTSTACK_DELIVERY_TOKEN
	exits_with 78 'CONTENTSTACK_DELIVERY_TOKEN' fetch --secure-assets --store "$STORE" --cache "$WORK/cache"
}

@test "files of settings that are not what they should be" {
	start_stack
	printf 'CONTENTSTACK_API_KEY=%05000d\n' 1 >"$WORK/long.env"
	printf 'CONTENTSTACK_API_KEY=a\0b\n' >"$WORK/binary.env"
	head -c 300000 /dev/zero | tr '\0' '#' >"$WORK/large.env"
	mkdir "$WORK/folder.env"
	chmod 600 "$WORK"/*.env
	exits_with 78 'more than 4096 bytes' sync --store "$STORE" --env-file "$WORK/long.env"
	exits_with 78 'is not a text: is it the right file?' sync --store "$STORE" --env-file "$WORK/binary.env"
	exits_with 78 'bytes: is it the right file?' sync --store "$STORE" --env-file "$WORK/large.env"
	exits_with 78 'is not a file' sync --store "$STORE" --env-file "$WORK/folder.env"
	exits_with 78 "cannot read $WORK/none.env" sync --store "$STORE" --env-file "$WORK/none.env"
	printf 'a\0b' >"$WORK/token"
	chmod 600 "$WORK/token"
	exits_with 64 'this is not a text: is it the right file?' sync --store "$STORE" --delivery-token-file "$WORK/token"
	exits_with 64 "cannot read $WORK/none" sync --store "$STORE" --delivery-token-file "$WORK/none"
}

@test "a store that another program has locked" {
	start_stack --generate 20
	contentfs sync --store "$STORE"
	hold_store exclusive
	exits_with 75 'locked by another program' sync --store "$STORE"
	kill "$HOLDER"
	wait "$HOLDER" || true
	contentfs sync --store "$STORE"
}

@test "a damaged store that cannot be set aside" {
	start_stack --generate 20
	local folder=$WORK/store
	mkdir "$folder"
	contentfs sync --store "$folder/store.db"
	rm -f "$folder"/store.db-*
	head -c 4096 /dev/urandom | dd of="$folder/store.db" bs=4096 conv=notrunc status=none
	chown -R "$NOBODY:$NOBODY" "$WORK"
	chmod 555 "$folder"
	run as_nobody "$CONTENTFS" sync --store "$folder/store.db"
	echo "$status: $output"
	same 73 "$status"
	has "$output" 'it cannot be set aside as' 'let its folder be written'
	same 1 "$(grep -c '^contentfs: ' <<<"$output")" 'messages for one cause'
	chmod 755 "$folder"
	as_nobody "$CONTENTFS" sync --store "$folder/store.db"
}

@test "a damaged store, for commands that only read" {
	start_stack --generate 200
	contentfs sync --store "$STORE"
	local size command
	size=$(stat -c %s "$STORE")
	head -c $((size - 8192)) /dev/urandom | dd of="$STORE" bs=4096 seek=2 conv=notrunc status=none
	for command in 'status' 'status --json' 'status --metrics' 'log' 'fetch'; do
		# shellcheck disable=SC2086 # words
		exits_with 74 'is damaged' $command --store "$STORE"
		has "$output" 'contentfs sync or a mount sets it aside and fetches the content anew'
	done
	contentfs sync --store "$STORE"
	contentfs status --store "$STORE"
}

@test "a store on a disk that is read-only" {
	start_stack --generate 20
	make_disk -t tmpfs -o size=16M tmpfs
	contentfs sync --store "$DISK/store.db"
	mount -o remount,ro "$DISK"
	exits_with 74 'make the disk writable' sync --store "$DISK/store.db"
	mount -o remount,rw "$DISK"
	contentfs sync --store "$DISK/store.db"
}

@test "a store that others may read, and that is somebody else's" {
	start_stack --generate 20
	local folder=$WORK/store
	mkdir "$folder"
	contentfs sync --store "$folder/store.db"
	rm -f "$folder"/store.db-* "$folder"/store.db.lock
	chown "$NOBODY:$NOBODY" "$WORK" "$folder"
	chmod 666 "$folder/store.db"
	run as_nobody "$CONTENTFS" sync --store "$folder/store.db"
	echo "$status: $output"
	same 73 "$status"
	has "$output" 'others may read the store, and that cannot be changed' 'chown'
	same 1 "$(grep -c '^contentfs: ' <<<"$output")" 'messages for one cause'
}

@test "a store that is somebody else's" {
	start_stack --generate 20
	contentfs sync --store "$STORE"
	chmod 755 "$WORK"
	local command
	for command in status log fetch sync; do
		run as_nobody "$CONTENTFS" "$command" --store "$STORE"
		echo "$command: $status: $output"
		same 73 "$status"
		has "$output" 'Permission denied' 'name another file with --store'
		same 1 "$(grep -c '^contentfs: ' <<<"$output")" 'messages for one cause'
	done
}

is_syncing() {
	contentfs status --json "$MOUNT" | jq -e .syncing
}

@test "a daemon that does not end with its mount" {
	start_stack
	mount_stack
	local daemon
	daemon=$(daemon_pid)
	hold_store immediate
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Another title'
	wait_until 20 is_syncing
	LD_PRELOAD=$SHIM SHIM_SPEED=100 exits_with 75 'has not ended yet' umount "$MOUNT"
	kill "$HOLDER"
	end_of "$daemon" 30
}

@test "a service that answers configure too slowly" {
	start_stack --generate 2000
	ctl fault trickle --bytes 2000 --delay 100 --times forever
	export LD_PRELOAD=$SHIM SHIM_SPEED=100
	run bounded "$CONTENTFS" configure slow --api-key "$CONTENTSTACK_API_KEY" --environment production --host "$CONTENTSTACK_HOST" </dev/null
	unset LD_PRELOAD SHIM_SPEED
	echo "$status: $output"
	same 69 "$status"
	has "$output" 'no answer has come within 60 s'
}

@test "a cache that cannot be made" {
	start_stack --generate 20
	touch "$WORK/file"
	run -0 mount_stack --cache "$WORK/file/cache"
	same "contentfs: warning: assets are not kept: $WORK/file is not a folder" "$output"
	equal
}

@test "a store below a folder that is gone" {
	start_stack
	mkdir "$WORK/gone"
	cd "$WORK/gone"
	rmdir "$WORK/gone"
	exits_with 73 'cannot find out the current folder' sync --store store.db
	cd "$WORK"
}

@test "answers that cannot be read" {
	start_stack
	run contentfs configure work <"$WORK"
	echo "$status: $output"
	same 74 "$status"
	has "$output" 'cannot read the answer: Is a directory'
	fails test -e "$HOME/.config/contentfs/config"
}

@test "what libfuse has to say of a mount that it has made" {
	start_stack
	LD_PRELOAD=$SHIM SHIM_SAYS='fusermount3: unknown parameter in /etc/fuse.conf' mount_stack >"$WORK/said" 2>&1
	same 'contentfs: warning: fusermount3: unknown parameter in /etc/fuse.conf' "$(<"$WORK/said")"
	equal
}

@test "a mount that may not be unmounted" {
	require_root
	start_stack
	mount_stack
	run bounded setpriv --bounding-set -sys_admin --inh-caps -sys_admin -- "$CONTENTFS" umount "$MOUNT"
	echo "$status: $output"
	same 73 "$status"
	has "$output" "cannot unmount $MOUNT: Operation not permitted"
	same 1 "$(grep -c '^contentfs: ' <<<"$output")" 'messages for one cause'
	equal
}

@test "a folder with a status that is none of contentfs" {
	require_root
	make_disk -t tmpfs -o size=1M tmpfs
	mkdir -p "$DISK/.contentfs" "$DISK/assets"
	echo '{"state": ' >"$DISK/.contentfs/status.json"
	exits_with 76 'the status cannot be read: not JSON' status "$DISK"
	exits_with 78 'no contentfs is mounted' umount "$DISK"
	exits_with 76 'the status cannot be read: not JSON' fetch "$DISK/assets"
	exits_with 76 'the status cannot be read: not JSON' log "$DISK"
}
