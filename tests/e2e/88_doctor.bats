# `contentfs doctor` finds what is wrong, says what to do, and changes nothing.

load lib

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

setup_doctor() {
	start_stack
	export CONTENTFS_STORE=$STORE CONTENTFS_CACHE=$WORK/cache
}

# doctor [OPTION...]: on this machine others may have dead mounts, so without a mount point that check is left out.
# It also tells of mounts that others have left behind, as tests do that kill daemons beside this one.
doctor() {
	local alone=()
	[ "$(id -u)" != 0 ] || alone=(unshare -m bash -c "$(declare -f forget_other_mounts); forget_other_mounts; exec \"\$@\"" alone)
	status=0
	bounded "${alone[@]}" "$CONTENTFS" doctor --json "$@" >"$WORK/report" || status=$?
	jq -r --arg work "$WORK" '.checks[] | select(.check != "mount" or (.text | contains($work)))
		| "\(.outcome) \(.check): \(.text)"' "$WORK/report" | tee "$WORK/checks"
}

# finds OUTCOME CHECK PART...: that check, once, with these words.
finds() {
	local line
	line=$(grep "^$1 $2: " "$WORK/checks")
	same 1 "$(wc -l <<<"$line")"
	has "$line" "${@:3}"
}

# finds_only CHECK: nothing else is wrong.
finds_only() {
	same "failed $1" "$(grep '^failed ' "$WORK/checks" | cut -d: -f1)"
}

# in_private COMMAND: a shell command, in a view of the file system of its own.
in_private() {
	bounded unshare --mount sh -c "$1" "$CONTENTFS"
}

@test "a mount that is well" {
	setup_doctor
	mount_stack
	run -0 contentfs doctor "$MOUNT"
	echo "$output"
	local check
	for check in settings fuse fusermount3 mount token 'store folder' 'store disk' 'store file' 'cache folder' store \
		integrity 'last sync' quarantine service credentials clock; do
		grep -qE "^ok +$check " <<<"$output"
	done
	has "${lines[-1]}" ' 0 failed'
	doctor "$MOUNT"
	same 0 "$status"
	jq -e '.ok and .failed == 0 and (.checks | length) >= 16' "$WORK/report"
}

@test "before the first mount, and makes nothing" {
	setup_doctor
	CONTENTFS_STORE=$WORK/state/store.db doctor
	finds ok store 'is made by the first mount'
	finds ok 'store folder' 'is made when it is needed'
	finds ok credentials ''
	fails grep '^failed ' "$WORK/checks"
	fails test -e "$WORK/state"
	fails test -e "$WORK/cache"
}

@test "settings that are missing, once" {
	doctor
	same 78 "$status"
	finds failed settings 'which stack? Set CONTENTSTACK_API_KEY'
	finds_only settings
}

@test "a mount whose token is not at hand" {
	setup_doctor
	mount_stack
	unset CONTENTSTACK_DELIVERY_TOKEN CONTENTSTACK_API_KEY CONTENTSTACK_ENVIRONMENT CONTENTSTACK_HOST CONTENTFS_STORE
	doctor "$MOUNT"
	same 0 "$status"
	finds warning token 'set CONTENTSTACK_DELIVERY_TOKEN'
	finds ok store "$STORE"
}

@test "no mount" {
	setup_doctor
	doctor "$WORK"
	same 78 "$status"
	finds failed settings "no contentfs is mounted on $WORK"
	finds_only settings
}

@test "a mount whose program is gone" {
	setup_doctor
	mount_stack
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	end_of "$pid"
	doctor "$MOUNT"
	same 69 "$status"
	finds failed mount "the program behind $MOUNT is gone" "fusermount3 -u $MOUNT"
	finds_only mount
	doctor
	finds failed mount "the program behind $MOUNT is gone"
}

@test "a mount whose program does not answer" {
	setup_doctor
	mount_stack
	local pid
	pid=$(daemon_pid)
	kill -STOP "$pid"
	doctor "$MOUNT"
	kill -CONT "$pid"
	same 69 "$status"
	finds failed mount "the program behind $MOUNT does not answer"
	finds_only mount
}

@test "no FUSE" {
	require_root
	setup_doctor
	status=0
	in_private 'mount -t tmpfs none /dev && exec "$0" doctor' >"$WORK/said" || status=$?
	same 73 "$status"
	grep -E '^failed +fuse +there is no /dev/fuse: load' "$WORK/said"
	status=0
	in_private 'mount -t tmpfs none /dev && mknod -m 600 /dev/fuse c 10 229 &&
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" doctor' >"$WORK/said" || status=$?
	same 73 "$status"
	grep -E '^failed +fuse +/dev/fuse cannot be opened: Permission denied: chmod 666 /dev/fuse' "$WORK/said"
}

@test "no fusermount3, which only root can do without" {
	require_root
	setup_doctor
	chmod 755 "$WORK"
	local at
	at=$(dirname "$CONTENTFS")
	as_nobody env PATH="$at" "$CONTENTFS" doctor --store "$WORK/none/s.db" >"$WORK/said" || true
	grep -E '^failed +fusermount3 +is not in the PATH' "$WORK/said"
	bounded env PATH="$at" "$CONTENTFS" doctor >"$WORK/said" || true
	grep -E '^ok +fusermount3 ' "$WORK/said"
	cp /bin/true "$WORK/fusermount3"
	as_nobody env PATH="$WORK" "$CONTENTFS" doctor --store "$WORK/none/s.db" >"$WORK/said" || true
	grep -E '^failed +fusermount3 .*chmod u\+s' "$WORK/said"
}

@test "allow_other that is not allowed, where it is asked for" {
	require_root
	setup_doctor
	local command='mount --bind "$WORK/fuse.conf" /etc/fuse.conf &&
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" doctor -o allow_other'
	chmod 755 "$WORK"
	echo '#user_allow_other' >"$WORK/fuse.conf"
	in_private "$command" >"$WORK/said" || true
	grep -E '^failed +allow_other +/etc/fuse.conf .*add a line user_allow_other' "$WORK/said"
	echo 'user_allow_other' >"$WORK/fuse.conf"
	in_private "$command" >"$WORK/said" || true
	grep -E '^ok +allow_other ' "$WORK/said"
	contentfs doctor >"$WORK/said" || true
	fails grep allow_other "$WORK/said"
}

@test "a token file that others may read, or that is not there, and the token in no line" {
	setup_doctor
	local token=$CONTENTSTACK_DELIVERY_TOKEN
	unset CONTENTSTACK_DELIVERY_TOKEN
	echo "$token" >"$WORK/token"
	chmod 644 "$WORK/token"
	doctor --delivery-token-file "$WORK/token"
	same 78 "$status"
	finds failed token "others may read $WORK/token: chmod 600"
	fails grep -q '^failed settings' "$WORK/checks"
	doctor --delivery-token-file "$WORK/none"
	finds failed token "the delivery token: cannot read $WORK/none"
	chmod 600 "$WORK/token"
	doctor --delivery-token-file "$WORK/token"
	finds ok token ''
	finds ok credentials ''
	fails grep -F "$token" "$WORK/report"
}

@test "credentials that are refused, and settings that the service does not know" {
	setup_doctor
	CONTENTSTACK_DELIVERY_TOKEN=cswrong doctor
	finds failed credentials 'the delivery token was refused' 'CONTENTSTACK_DELIVERY_TOKEN'
	fails grep -qF cswrong "$WORK/report"
	finds ok clock ''
	CONTENTSTACK_ENVIRONMENT=nowhere doctor
	finds failed credentials 'environment'
}

@test "a service that is not there, or does not make sense" {
	setup_doctor
	ctl fault not-json
	doctor
	finds failed service 'check the network'
	end_stack
	doctor
	finds failed service "$(stack_port)" 'check the network'
	fails grep -q '^failed credentials' "$WORK/checks"
}

@test "a service that does not answer" {
	setup_doctor
	ctl fault stall-before --times forever
	doctor
	same 69 "$status"
	has "$(cat "$WORK/checks")" 'failed service:' 'does not answer within 20 s: check the network'
}

@test "a clock that is off" {
	setup_doctor
	local shift
	for shift in 7200 -7200; do
		echo "$shift" >"$WORK/clock"
		env LD_PRELOAD="$SHIM" SHIM_CLOCK="$WORK/clock" "$CONTENTFS" doctor --json >"$WORK/report" || true
		jq -r '.checks[] | "\(.outcome) \(.check): \(.text)"' "$WORK/report" >"$WORK/checks"
		finds warning clock '1 h 59 min\|2 h' 'timedatectl' || grep -E '^warning clock: .*(1 h 59 min|2 h) ' "$WORK/checks"
	done
}

@test "places that cannot be used, or that others can" {
	require_root
	setup_doctor
	contentfs sync
	chmod 644 "$STORE"
	doctor
	finds failed 'store file' "others may read $STORE: chmod 600"
	chmod 600 "$STORE"
	chown "$NOBODY" "$STORE"
	doctor
	finds failed 'store file' 'belongs to somebody else'
	chown 0 "$STORE"
	chmod 777 "$WORK"
	doctor
	finds failed 'store folder' "others may change what is in $WORK"
	chmod 700 "$WORK"
	: >"$WORK/file" || true
	doctor --cache "$WORK/file/cache"
	finds failed 'cache folder' "$WORK/file is no folder"
	mkdir "$WORK/closed"
	chmod 755 "$WORK"
	as_nobody "$CONTENTFS" doctor --store "$WORK/closed/s.db" --cache "$WORK/closed/cache" >"$WORK/said" || true
	grep -E '^failed +store folder .*cannot be written to' "$WORK/said"
	grep -E '^failed +cache folder .*cannot be written to' "$WORK/said"
}

@test "disks that are full, small, or read-only" {
	require_root
	setup_doctor
	make_disk -t tmpfs -o size=8M none
	doctor --store "$DISK/s.db" --cache "$DISK/cache"
	finds failed 'store disk' '8.4 MB are free'
	finds warning 'cache disk' 'the cache may grow by 10.7 GB' '--cache-size'
	mount -o remount,size=100M "$DISK"
	doctor --store "$DISK/s.db" --cache "$WORK/cache" --cache-size 1M
	finds warning 'store disk' 'only 105 MB are free'
	mount -o remount,ro "$DISK"
	doctor --store "$DISK/s.db"
	grep -E '^failed store (disk|folder): .*[Rr]ead-only' "$WORK/checks"
}

@test "a store of other settings, or of no contentfs, or damaged" {
	setup_doctor
	contentfs sync
	doctor --branch other
	finds failed store "belongs to other settings, which differ in: branch ('main' in the store, 'other' now)"
	truncate -s 5000 "$STORE"
	doctor
	grep -E '^failed (store|integrity): .*is damaged' "$WORK/checks"
	echo 'a file of somebody else' >"$STORE"
	chmod 600 "$STORE"
	doctor
	grep -E '^failed store: ' "$WORK/checks"
	same 'a file of somebody else' "$(cat "$STORE")"
}

@test "damage in the middle, which nothing else would find" {
	setup_doctor
	contentfs sync
	local page
	page=$(sqlite3 -readonly "$STORE" "SELECT pageno FROM dbstat WHERE name = 'version' AND pagetype = 'leaf' AND path NOT IN
		(SELECT max(path) FROM dbstat WHERE name = 'version') ORDER BY path DESC LIMIT 1")
	head -c 4096 /dev/zero | tr '\0' '\377' | dd of="$STORE" bs=16384 seek=$((page - 1)) conv=notrunc 2>/dev/null
	doctor
	finds failed integrity 'the store is damaged: ' 'look after the disk'
}

@test "a last sync that failed, and what is in the quarantine" {
	setup_doctor
	ctl fault null-data --match init
	contentfs sync
	ctl fault 401 --times forever
	run -77 contentfs sync
	ctl faults-clear
	doctor
	finds warning 'last sync' 'it failed: ' 'the last that succeeded: '
	finds warning quarantine 'cannot be applied' 'FROM quarantine'
	fails grep '^failed ' "$WORK/checks"
}
