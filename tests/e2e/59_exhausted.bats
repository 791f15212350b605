# A machine that has run out of something: what fails says which call it was and why, once, and leaves nothing behind.

load lib

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

CALLS_MAX=40 # of one function, by one command; more than any has

# failing "CALL NTH ERRNO" ARGUMENT...: runs contentfs, whose NTH call of a function fails.
failing() {
	local order=$1
	shift
	rm -f "$WORK/failed"
	run bounded env LD_PRELOAD="$SHIM" SHIM_FAIL="$order" SHIM_FAILED="$WORK/failed" "$CONTENTFS" "$@"
	# shellcheck disable=SC2154 # `run` sets them
	echo "$order: contentfs $*: $status: $output"
}

# ends_well STATUS TEXT: what `failing` ran has said why it ends, in one message, and is gone.
ends_well() {
	same "$1" "$status" 'exit status'
	grep -qE -- "$2" <<<"$output"
	same 1 "$(grep -c '^contentfs: ' <<<"$output")" 'messages for one cause'
	wait_until 20 no_daemon
	not_mounted
}

# each_fails CALL ERRNO STATUS TEXT ARGUMENT...: each call of that function fails in turn, until a run has no more of them.
# Either contentfs goes on without, or it ends well; at least once it does.
each_fails() {
	local call=$1 reason=$2 want=$3 text=$4 nth failures=0
	shift 4
	for ((nth = 1; nth <= CALLS_MAX; nth++)); do
		failing "$call $nth $reason" "$@"
		if [ "$status" != 0 ]; then
			test -e "$WORK/failed"
			ends_well "$want" "$text"
			failures=$((failures + 1))
		elif is_mounted; then
			unmount
		fi
		[ -e "$WORK/failed" ] || break
	done
	[ "$failures" -gt 0 ]
	same 0 "$status" 'exit status with nothing that fails'
}

# each_of ARGUMENT... <TABLE: lines of CALL ERRNO STATUS TEXT, for contentfs ARGUMENT...
each_of() {
	local call reason want text
	while read -r -u 9 call reason want text; do
		each_fails "$call" "$reason" "$want" "$text" "$@"
	done 9<&0
}

@test "processes, threads, pipes, sockets, events, signals and files that a mount cannot have" {
	start_stack
	contentfs sync --store "$STORE"
	each_of mount --store "$STORE" --interval 3600 "$MOUNT" <<-'END'
		pipe2 24 74 cannot make a pipe: Too many open files
		fork 11 74 cannot start a process: Resource temporarily unavailable
		close_range 5 74 cannot close inherited files|the process that mounts and unmounts \([0-9]+\) is gone
		prctl(1) 5 75 ended before the work began|cannot outlive the command that started it
		prctl(38) 5 74 cannot (give up privileges|confine the process to its files)|the process that mounts and unmounts \([0-9]+\) is gone
		socketpair 24 74 cannot make a pair of sockets: Too many open files
		eventfd 24 74 cannot make an event: Too many open files
		signalfd 24 74 cannot take signals: Too many open files
		sigaction 5 74 cannot set a signal handler: Input/output error
		pthread_create 11 74 cannot start a thread: Resource temporarily unavailable
		realpath 5 74 cannot (use the mount point|find the store) .*: Input/output error
		fuse_session_mount(/dev/fd) 5 74 libfuse does not take the descriptor of the FUSE device
		open64(/) 24 74 cannot open /: Too many open files
	END
	mount_stack
	equal
}

@test "threads, events, signals and libcurl that a sync cannot have" {
	start_stack
	each_of sync --store "$STORE" <<-'END'
		eventfd 24 74 cannot (start a thread|make an event): Too many open files
		pthread_create 11 74 cannot start a thread: Resource temporarily unavailable
		signalfd 24 74 cannot take signals: Too many open files
		dlopen(libcurl.so.4) 2 71 libcurl, which speaks to the service, cannot be loaded: .*\(is it installed
		curl_global_init_mem 27 71 libcurl cannot be set up
		curl_multi_init 12 71 libcurl cannot be set up
	END
}

@test "what needs no service works without libcurl" {
	start_stack
	mount_stack
	local command
	for command in "status $MOUNT" "refresh $MOUNT" "log --store $STORE" list "umount $MOUNT"; do
		# shellcheck disable=SC2086 # words
		failing 'dlopen(libcurl.so.4) 1 2' $command
		same 0 "$status"
		fails test -e "$WORK/failed"
	done
	failing 'dlopen(libcurl.so.4) 1 2' doctor --store "$STORE"
	test -e "$WORK/failed"
	has "$output" 'libcurl, which speaks to the service, cannot be loaded'
}

@test "a mount that cannot wait ends" {
	start_stack
	ctl fault stall-before --match init
	# What is waited for is a signal, the end of the mount and the state of the sync.
	failing 'poll(3) 1 12' mount --store "$STORE" --jobs 1 "$MOUNT"
	ends_well 71 'cannot wait: Cannot allocate memory'
}

@test "a mount whose first sync cannot tell that it has ended says so, and goes on" {
	start_stack
	local nth
	for ((nth = 1; nth <= CALLS_MAX; nth++)); do # each wakes somebody
		failing "write(8) $nth 5" mount --store "$STORE" --interval 3600 "$MOUNT"
		same 0 "$status"
		equal
		[[ $output != *'cannot report the state of the sync: Input/output error'* ]] || return 0
		unmount
		rm "$STORE"
	done
	false
}

@test "a service that cannot be waited for" {
	start_stack
	failing 'curl_multi_poll 1 4' sync --store "$STORE"
	ends_well 74 'libcurl fails to wait for answers'
	failing 'curl_multi_poll 1 4' configure work --host "$CONTENTSTACK_HOST" </dev/null
	ends_well 74 'libcurl fails to wait for answers'
	fails test -e "$HOME/.config/contentfs/config"
	contentfs sync --store "$STORE"
	ctl latency 200 # what is there at once is not waited for
	failing 'curl_multi_poll 1 4' fetch --store "$STORE"
	test -e "$WORK/failed"
	same 0 "$status"
	has "$output" 'contentfs: assets: libcurl fails to wait'
}

@test "files that cannot be read to their end" {
	start_stack
	contentfs sync --store "$STORE"
	printf 'CONTENTSTACK_BRANCH=main\n' >"$WORK/work.env"
	printf '%s\n' "$CONTENTSTACK_DELIVERY_TOKEN" >"$WORK/token"
	chmod 600 "$WORK/work.env" "$WORK/token"
	each_fails 'fstat64(work.env)' 5 78 "cannot look at $WORK/work.env: Input/output error" sync --store "$STORE" --env-file "$WORK/work.env"
	each_fails 'read(work.env)' 5 78 "cannot read $WORK/work.env: Input/output error" sync --store "$STORE" --env-file "$WORK/work.env"
	each_fails 'read(token)' 5 64 "cannot read $WORK/token: Input/output error" sync --store "$STORE" --delivery-token-file "$WORK/token"
	write_profile work
	each_fails 'read(config)' 5 74 "cannot read .*/contentfs/config: Input/output error" configure work </dev/null
	each_fails "stat64($STORE)" 5 74 'Input/output error' log -n 1 --store "$STORE"
	failing 'fopen64(/proc/self/mountinfo) 1 24' list
	ends_well 74 'cannot read /proc/self/mountinfo: Too many open files'
	failing 'fopen64(/proc/self/mountinfo) 1 24' doctor --store "$STORE"
	same 0 "$status"
	has "$output" 'cannot read /proc/self/mountinfo: Too many open files'
}

# mount_with FILES: the mount may have no more of them open.
mount_with() {
	(ulimit -n "$1" && mount_stack)
}

@test "however few files a mount may have open, it works or says why not, and leaves nothing" {
	start_stack
	contentfs sync --store "$STORE"
	local files
	for ((files = 4; files < 100; files++)); do
		run mount_with "$files"
		echo "$files files: $status: $output"
		[ "$status" != 0 ] || break
		grep -qE 'Too many open files|are too many files open\?' <<<"$output"
		wait_until 20 no_daemon
		not_mounted
	done
	same 0 "$status"
	unmount
	mount_stack
	equal
}

@test "a mount whose other process was killed ends all the same, and says what it leaves" {
	start_stack
	timeout --kill-after=5 "$COMMAND_SECONDS" "$CONTENTFS" mount -f --store "$STORE" --interval 3600 "$MOUNT" >"$WORK/said" 2>&1 3>&- &
	local command=$! keeper
	wait_until 20 contentfs status "$MOUNT"
	keeper=$(processes contentfs | grep -vxF -e "$(processes commands)" -e "$command")
	kill -9 "$keeper"
	end_of "$keeper"
	kill -TERM "$(daemon_pid)"
	wait "$command"
	cat "$WORK/said"
	grep -qx "contentfs: the process that mounts and unmounts ($keeper) is gone" "$WORK/said"
	run -0 contentfs umount "$MOUNT"
	has "$output" 'its mount is taken away'
	not_mounted
}

@test "a terminal that cannot hide the token is not asked for it" {
	start_stack
	run bounded python3 "$E2E/terminal.py" 'API key' "$CONTENTSTACK_API_KEY" -- \
		env -u CONTENTSTACK_DELIVERY_TOKEN LD_PRELOAD="$SHIM" SHIM_FAIL='tcgetattr 1 5' "$CONTENTFS" configure work
	echo "$status: $output"
	same 74 "$status"
	has "$output" "cannot turn off the terminal's echo: Input/output error" 'echo: on'
}
