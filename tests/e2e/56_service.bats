# As a service: what the manager is told, when, and what it may pass on.

load lib
load service

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

# serve [OPTION...]: as the unit does it.
serve() {
	timeout --kill-after=5 "$COMMAND_SECONDS" "$CONTENTFS" mount --foreground --store "$STORE" --interval 3600 "$@" "$MOUNT" \
		>>"$WORK/said" 2>&1 3>&- &
	SERVICE=$!
}

fill_store() {
	start_stack
	contentfs sync --store "$STORE"
}

ends_orderly() {
	kill -TERM "$(main_pid)"
	wait "$SERVICE"
	hears STOPPING=1
	not_mounted
	no_daemon
}

@test "a filled store is ready at once, before there is a network" {
	fill_store
	tell truth >"$WORK/truth"
	end_stack
	start_manager "$WORK/notify"
	serve
	wait_until 30 hears READY=1
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
	same "$(daemon_pid)" "$(main_pid)" 'main process'
	same "$(main_pid)" "$(cut -d' ' -f1 "$WORK/heard" | sort -u)" 'who speaks'
	wait_until 60 hears 'STATUS=Showing what is there; the last sync failed: .*'
	ends_orderly
	same 1 "$(heard READY=1)" 'times ready'
}

@test "the manager may listen in the abstract namespace" {
	fill_store
	start_manager "@$WORK/notify"
	serve
	wait_until 30 hears READY=1
	wait_until 30 hears 'STATUS=Up to date'
	ends_orderly
}

@test "a first sync tells its progress, and is ready when it has ended" {
	start_stack --generate 300 --page-size 20
	ctl fault stall-before --skip 5 --match pagination_token --times forever
	start_manager "$WORK/notify"
	serve --jobs 1
	wait_until 30 hears 'STATUS=First sync: [1-9][0-9]* items'
	fails hears READY=1
	ctl faults-clear
	kill -TERM "$(processes commands)"
	wait "$SERVICE" || same 75 $? 'exit status of one that was not ready'
	hears STOPPING=1
	serve
	wait_until 60 hears READY=1
	equal
	ends_orderly
}

@test "the status says that the sync fails, and that it is well again" {
	fill_store
	start_manager "$WORK/notify"
	serve
	wait_until 30 hears 'STATUS=Up to date'
	ctl fault 401 --times forever
	run -77 refresh
	wait_until 30 hears 'STATUS=Showing what is there; the last sync failed: .*401.*'
	ctl faults-clear
	refresh
	wait_until 30 heard_times 2 'STATUS=Up to date'
	ends_orderly
}

@test "without content and without the service it is never ready, and ends with the reason" {
	start_stack
	ctl fault 401 --times forever
	start_manager "$WORK/notify"
	serve
	local status=0
	wait "$SERVICE" || status=$?
	same 77 "$status" 'exit status'
	fails hears READY=1
	hears STOPPING=1
}

# beats: the watchdog was fed again.
beats() {
	local before
	before=$(heard WATCHDOG=1)
	wait_until 30 test_more "$before"
}

test_more() {
	[ "$(heard WATCHDOG=1)" -gt "$1" ]
}

# starves: the watchdog is fed no more. (On a machine that is slow it may seem so by chance; it never seems so when it is fed
# every third of a second.)
starves() {
	local before
	before=$(heard WATCHDOG=1)
	sleep 2
	same "$before" "$(heard WATCHDOG=1)"
}

@test "the watchdog is fed while all is well, and not while a thread is stuck" {
	fill_store
	start_manager "$WORK/notify"
	export WATCHDOG_USEC=1000000 LD_PRELOAD=$SHIM SHIM_HANG=$WORK/hang
	serve
	unset LD_PRELOAD WATCHDOG_USEC
	wait_until 30 hears 'STATUS=Up to date'
	beats
	beats

	# One that answers the kernel.
	touch "$WORK/hang"
	bounded stat "$MOUNT/.contentfs/status.json" >/dev/null &
	local stat=$!
	wait_until 30 starves
	rm "$WORK/hang"
	wait $stat
	beats

	# The sync: it waits for a store that another program writes to, for 10 seconds.
	hold_store immediate
	noting refresh &
	local refresh=$!
	wait_until 30 starves
	kill "$HOLDER"
	wait $refresh
	beats
	ends_orderly
}

@test "a service that is asked slowly is not stuck" {
	fill_store
	start_manager "$WORK/notify"
	export WATCHDOG_USEC=3000000
	serve
	wait_until 30 hears 'STATUS=Up to date'
	ctl requests --clear
	ctl fault stall-before --times forever
	noting refresh &
	local refresh=$! before
	ctl wait-requests sync_delta 1
	before=$(heard WATCHDOG=1)
	wait_until 60 test_more $((before + 6)) # two times its time, in which nothing comes
	same true "$(mount_status syncing)" 'still under way'
	ctl faults-clear
	kill -TERM "$(main_pid)"
	wait $refresh "$SERVICE"
}

@test "in the background the daemon speaks for itself" {
	start_stack
	start_manager "$WORK/notify"
	mount_stack
	wait_until 30 hears READY=1
	same "$(daemon_pid)" "$(main_pid)" 'main process'
	unmount
	wait_until 30 hears STOPPING=1
}

@test "the token may come from the credentials of the service" {
	start_stack
	local token=$CONTENTSTACK_DELIVERY_TOKEN
	export CREDENTIALS_DIRECTORY=$WORK/credentials
	mkdir "$CREDENTIALS_DIRECTORY"
	echo "$token" >"$CREDENTIALS_DIRECTORY/delivery-token"
	chmod 440 "$CREDENTIALS_DIRECTORY/delivery-token" # as it looks with an access list
	unset CONTENTSTACK_DELIVERY_TOKEN
	contentfs sync --store "$STORE"

	# What was said by hand counts more.
	CONTENTSTACK_DELIVERY_TOKEN=cswrongtoken0123456789abcdef run -77 contentfs sync --store "$STORE"
	(umask 077 && echo cswrongtoken0123456789abcdef >"$WORK/token")
	run -77 contentfs sync --store "$STORE" --delivery-token-file "$WORK/token"
	echo cswrongtoken0123456789abcdef >"$CREDENTIALS_DIRECTORY/delivery-token"
	run -77 contentfs sync --store "$STORE"
	CONTENTSTACK_DELIVERY_TOKEN=$token contentfs sync --store "$STORE"

	echo 'no token at all' >"$CREDENTIALS_DIRECTORY/delivery-token"
	run -78 contentfs sync --store "$STORE"
	has "$output" "$CREDENTIALS_DIRECTORY/delivery-token"
	rm "$CREDENTIALS_DIRECTORY/delivery-token"
	run -78 contentfs sync --store "$STORE"
	has "$output" 'the delivery token is missing'
}

# line_of KIND KEY: a command of that unit, for the profile "site".
line_of() {
	sed -n "s/^$2=//p" "$E2E/../../scripts/systemd/$1/contentfs@.service.in" |
		sed "s|@bindir@/contentfs|$CONTENTFS|; s|@mkdir@|mkdir|; s|%i|site|"
}

@test "the commands of the units mount a profile where they are told to" {
	start_stack
	write_profile site "store = $STORE"
	forget_environment
	start_manager "$WORK/notify"
	local kind
	for kind in system user; do
		: >"$WORK/heard"
		export MOUNTPOINT=$WORK/mounts/$kind
		bash -c "$(line_of $kind ExecStartPre)"
		timeout --kill-after=5 "$COMMAND_SECONDS" bash -c "exec $(line_of $kind ExecStart)" >>"$WORK/said" 2>&1 3>&- &
		SERVICE=$!
		wait_until 30 hears READY=1
		bounded python3 "$E2E/compare.py" "$MOUNTPOINT" "$STACK_URL"
		ends_orderly
		not_mounted "$MOUNTPOINT"
	done
}
