# What the daemon has given up once it is there, and that it does its work without.

load lib
load assets

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

# of PID KEY: what the kernel says of a process.
of() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# keeper: the process that mounts and unmounts for the daemon.
keeper() {
	processes contentfs | grep -vx "$(daemon_pid)"
}

has_no_privileges() {
	local set
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		same 0000000000000000 "$(of "$1" $set)" $set
	done
}

@test "the daemon has no privileges and leaves no dumps, and all of its threads are like that" {
	require_root
	start_stack
	mount_stack
	local pid thread
	pid=$(daemon_pid)
	for thread in "/proc/$pid/task/"*; do
		has_no_privileges "${thread##*/}"
		same 1 "$(of "${thread##*/}" NoNewPrivs)" NoNewPrivs
	done
	same 0077 "$(of "$pid" Umask)" umask
	[[ $(grep '^Max core file size' "/proc/$pid/limits") =~ \ 0\ +0\  ]]
	refreshed_equal
}

@test "the daemon of a user cannot gain privileges, and not even the user looks into it" {
	require_root
	open_fuse_to_all
	start_stack
	local home=$WORK/nobody program=$WORK/nobody/contentfs pid
	chmod 755 "$WORK"
	mkdir "$home" "$home/mount"
	cp "$CONTENTFS" "$program"
	chown -R "$NOBODY:$NOBODY" "$home"
	HOME=$home as_nobody "$program" mount --interval 3600 "$home/mount"
	pid=$(as_nobody "$program" status --json "$home/mount" | jq .pid)
	same "$NOBODY" "$(of "$pid" Uid | cut -f1)" user
	has_no_privileges_but_bounds "$pid"
	same 1 "$(of "$pid" NoNewPrivs)" NoNewPrivs
	same 0 "$(stat -c %u "/proc/$pid/environ")" 'owner of its memory'
	fails as_nobody cat "/proc/$pid/environ"
	as_nobody "$program" refresh "$home/mount"
	kill -TERM "$pid"
	end_of "$pid"
	not_mounted "$home/mount"
	no_daemon
}

has_no_privileges_but_bounds() {
	local set
	for set in CapInh CapPrm CapEff CapAmb; do
		same 0000000000000000 "$(of "$1" $set)" $set
	done
}

@test "who mounts and unmounts for it can do little else, and knows nothing" {
	require_root
	start_stack
	mount_stack
	local pid
	pid=$(keeper)
	same 0000000000200004 "$(of "$pid" CapEff)" 'capabilities (CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)'
	same 0000000000200004 "$(of "$pid" CapBnd)" 'capabilities to be had'
	same 1 "$(of "$pid" NoNewPrivs)" NoNewPrivs
	same '/dev/null /dev/null /dev/null socket' \
		"$(readlink "/proc/$pid/fd/"* | sed 's/:.*//' | xargs)" 'what it has open'
	same '' "$(python3 "$E2E/memory.py" "$pid" "$CONTENTSTACK_DELIVERY_TOKEN")" 'where it has the token'
	kill -TERM "$pid" # as a manager does it, with all of a service
	equal
	unmount
	ended "$pid"
}

@test "a daemon that was killed leaves a mount that fails, and nobody else" {
	require_root
	start_stack
	mount_stack
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	end_of "$pid"
	wait_until 20 no_daemon
	is_mounted
	run bounded ls "$MOUNT"
	has "$output" 'not connected'
	mount_stack
	equal
}

@test "without the one who unmounts, the daemon goes on, and says at the end what is left" {
	require_root
	start_stack
	in_foreground
	local pid
	pid=$(daemon_pid)
	kill -9 "$(keeper)"
	refreshed_equal
	kill -TERM "$pid"
	end_of "$pid"
	grep -q "that mounts and unmounts.* is gone" "$WORK/daemon.log"
	is_mounted
	bounded umount "$MOUNT"
}

# escape COMMAND...: what somebody comes to who rules the process of the command.
escape() {
	mkdir -p "$WORK/outside" "$WORK/store"
	STORE=$WORK/store/store.db
	echo 'a key' >"$WORK/outside/secret"
	: >"$WORK/store/escape"
	bounded env LD_PRELOAD="$SHIM" SHIM_ESCAPE="$WORK/store/escape" SHIM_OUTSIDE="$WORK/outside" "$@"
	wait_until 30 grep -qx end "$WORK/store/escape"
	cat "$WORK/store/escape"
}

expected_escape() {
	cat <<END
read: EACCES
write: EACCES
make: EACCES
list: EACCES
remove: EACCES
processes: EACCES
program: EACCES
signal: EPERM
user: EPERM
mount: EPERM
unmount: EPERM
names: done
end
END
}

@test "whoever comes to rule the daemon comes to nothing" {
	require_root
	start_stack
	escape "$CONTENTFS" mount --store "$WORK/store/store.db" --interval 3600 "$MOUNT"
	diff <(expected_escape) "$WORK/store/escape"
	grep -q 'a key' "$WORK/outside/secret"
	equal
}

@test "nor does whoever comes to rule a sync or a fetch" {
	require_root
	set_cache
	start_stack
	escape "$CONTENTFS" sync --store "$WORK/store/store.db"
	diff <(expected_escape) "$WORK/store/escape"
	escape "$CONTENTFS" fetch --store "$WORK/store/store.db"
	diff <(expected_escape) "$WORK/store/escape"
	[ -n "$(find "$CACHE/objects" -type f)" ]
}

@test "the token is where no dump and no swap has it, and nowhere else" {
	require_root
	start_stack --secure-assets
	mount_stack --secure-assets
	local pid found
	pid=$(daemon_pid)
	refreshed_equal --assets
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	refreshed_equal
	found=$(python3 "$E2E/memory.py" "$pid" "$CONTENTSTACK_DELIVERY_TOKEN")
	echo "$found"
	same 2 "$(wc -l <<<"$found")" 'places: for the service, and for assets'
	fails grep -v '\<dd\>' <<<"$found"
	fails grep -v '\<lo\>' <<<"$found"
}

@test "names are resolved, stores replaced and assets kept by a daemon that is confined" {
	set_cache
	start_stack
	local port
	port=$(stack_port)
	export CONTENTSTACK_HOST=http://localhost:$port
	in_foreground
	equal --assets
	[ -n "$(find "$CACHE/objects" -type f)" ]
	ctl refuse-tokens sync
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	wait_until 30 refreshed_equal
	fails grep -i 'permission denied' "$WORK/daemon.log"
}

@test "a cache whose folder was removed is made again by the next mount, and meanwhile every byte is right" {
	set_cache
	start_stack
	STORE=$WORK/own/store.db # it may write where the store is
	in_foreground
	equal --assets
	rm -rf "$CACHE"
	forget_all
	make_asset "$LARGE" 3000
	refresh
	equal --assets
	has "$(cat "$WORK/daemon.log")" "$CACHE cannot be used" 'a new mount makes it anew'
	unmount
	mount_stack
	equal --assets
	[ -n "$(find "$CACHE/objects" -type f)" ]
}

@test "a store or a cache that others could lead elsewhere is refused" {
	start_stack
	mkdir "$WORK/open"
	chmod 777 "$WORK/open"
	run -78 contentfs mount --store "$WORK/open/own/store.db" "$MOUNT"
	has "$output" "$WORK/open" 'others may write' 'chmod'
	fails test -e "$WORK/open/own"
	run -78 contentfs sync --store "$WORK/open/store.db"
	has "$output" "$WORK/open"
	run -78 mount_stack --cache "$WORK/open/cache"
	has "$output" 'the cache' "$WORK/open" 'others may write'
	contentfs sync --store "$STORE"
	run -78 contentfs fetch --store "$STORE" --cache "$WORK/open/cache"
	has "$output" 'the cache' "$WORK/open"
	not_mounted
	chmod 1777 "$WORK/open" # as /tmp is
	mount_stack --cache "$WORK/open/cache"
	equal --assets
}

@test "a store or a cache behind another user's folder or link is refused" {
	require_root
	start_stack
	mkdir "$WORK/theirs"
	chown "$NOBODY" "$WORK/theirs"
	ln -s "$WORK/home" "$WORK/link"
	chown -h "$NOBODY" "$WORK/link"
	run -78 contentfs mount --store "$WORK/theirs/store.db" "$MOUNT"
	has "$output" "$WORK/theirs" 'belongs to somebody else'
	run -78 contentfs mount --store "$WORK/link/store.db" "$MOUNT"
	has "$output" "$WORK/link" 'belongs to somebody else'
	run -78 mount_stack --cache "$WORK/link/cache"
	has "$output" "$WORK/link" 'belongs to somebody else'
	fails test -e "$WORK/home/cache"
	not_mounted
}
