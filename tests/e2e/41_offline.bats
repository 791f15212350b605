# The service may come and go.

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 2))

setup_filled() {
	start_stack
	mount_stack
	tell truth >"$WORK/truth"
}

equals_truth() {
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
}

healthy() {
	contentfs status "$MOUNT"
}

@test "a filled store is mounted at once while the service is down, and says so" {
	setup_filled
	unmount
	end_stack
	mount_stack
	equals_truth
	wait_until 30 fails healthy
	run healthy
	echo "$output"
	same 69 "$status"
	has "$output" 'Last error' "$(stack_port)"
	same failing "$(mount_status state)"
	same 69 "$(mount_status last_status)"
	fails test null = "$(mount_status last_success)"
	run refresh
	same 69 "$status"
	equals_truth
	unmount
}

@test "content stays while the service is down, and news come by themselves when it is back" {
	start_stack
	mount_stack --interval 0.2
	tell truth >"$WORK/truth"
	ctl fault close --times forever
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Meanwhile'
	wait_until 30 fails healthy
	equals_truth
	ctl faults-clear
	wait_until 60 equal
	wait_until 10 healthy
}

@test "another service at the same address, which knows no token, is listed anew" {
	start_stack --generate 300 --locales 2 --seed 1
	mount_stack
	end_stack
	run refresh
	same 69 "$status"
	start_stack --generate 300 --locales 2 --seed 2 --port "$(stack_port)"
	wait_until 60 refreshed_equal
}

@test "an empty store cannot be mounted while the service is down" {
	start_stack
	end_stack
	run -69 mount_stack
	echo "$output"
	has "$output" "$(stack_port)"
	not_mounted
	no_daemon
}

@test "news come by themselves" {
	start_stack
	mount_stack --interval 0.2
	publish story bltaaaaaaaaaaaaaaa1 en-us 'By itself'
	wait_until 30 test -e "$(entry story bltaaaaaaaaaaaaaaa1 en-us)"
	ctl delete story bltaaaaaaaaaaaaaaa1
	wait_until 30 test ! -e "$(entry story bltaaaaaaaaaaaaaaa1 en-us)"
}

@test "a service that fails now and then only takes longer" {
	start_stack --generate 500 --page-size 50
	local fault skip=1
	for fault in 503 reset-mid truncate bad-json bad-gzip; do
		ctl fault $fault --skip $((skip++)) --match pagination_token
	done
	mount_stack
	equal
	same 1 "$(requests sync_init)" 'first pages asked for'
}

@test "items that make no sense are set aside, and the others shown" {
	start_stack --page-size 10
	local fault skip=1
	for fault in no-publish-details unknown-item-type null-data no-data no-uid bad-time repeat-items; do
		ctl fault $fault --skip $((skip++)) --match pagination_token
	done
	mount_stack
	[ "$(bounded find "$MOUNT/entries" "$MOUNT/assets" -type f | wc -l)" -ge 126 ]
	local set_aside
	set_aside=$(mount_status quarantined)
	((set_aside >= 3))
	same "$set_aside" "$(bounded sqlite3 -readonly "$STORE" 'SELECT count(*) FROM quarantine')"
	contentfs status "$MOUNT"
}

# The store is made to look as an earlier version would have left it, which did not understand what it was sent of one entry.
@test "what another version of the program had set aside is tried again" {
	require sqlite3
	start_stack
	ctl fault null-data --match init
	mount_stack
	local file path
	file=$(find "$MOUNT/entries" -type f | sort | head -n 1)
	path=${file#"$MOUNT/"}
	unmount
	bounded sqlite3 "$STORE" "UPDATE quarantine_item SET program = '0.0.1';
		INSERT INTO quarantine_item (kind, content_type, locale, uid, about, event_at, stream, at, reason, program,
			whole, source)
		SELECT 1, content_type, locale, uid, '', 0, 1, 0, 'because', '0.0.1', 1, json_object('type', 'entry_published',
			'event_at', '2040-01-01T00:00:00.000Z', 'content_type_uid', content_type,
			'data', json_set(json, '\$.title', 'Understood at last')) FROM entries WHERE path = '$path'"
	mount_stack
	refresh # a filled store is shown before anything is tried
	same 'Understood at last' "$(title "$file")"
	same 1 "$(mount_status quarantined)"
	same 0 "$(bounded sqlite3 -readonly "$STORE" "SELECT count(*) FROM quarantine_item WHERE program = '0.0.1'")" \
		'still as of the other version'
}
