# The delivery token stays secret.

load lib

@test "the token is in no file, no message and no process that others can look at" {
	start_stack
	export XDG_STATE_HOME=$WORK/state
	noting contentfs mount -v --interval 3600 "$MOUNT"
	is_mounted
	ctl random 20
	noting contentfs refresh -v "$MOUNT"
	noting contentfs status -v "$MOUNT"
	noting contentfs status --json "$MOUNT"
	noting contentfs status
	bounded find "$MOUNT" -type f -exec getfattr --absolute-names -d -m - {} + >"$WORK/attributes"
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
	[ "$(find "$WORK/state" -name '*.db' | wc -l)" = 1 ]
	kill_daemon # which leaves the journal of the store as it is
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
	noting contentfs sync -v
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
}

@test "a daemon in the foreground does not say the token either, whatever goes wrong" {
	start_stack
	contentfs mount -v -f --store "$STORE" --interval 0.2 "$MOUNT" >"$WORK/said" 2>&1 &
	wait_until 20 contentfs status "$MOUNT"
	local fault
	for fault in 401 403 412 422 429 500 reset not-json bad-gzip 'wrong-type --shape array' \
		'redirect --to http://127.0.0.1:9/elsewhere'; do
		# shellcheck disable=SC2086 # a parameter
		ctl fault $fault
		noting refresh
		no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
	done
	ctl refuse-tokens sync
	noting refresh
	noting contentfs status "$MOUNT"
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
	unmount
	grep -q 'HTTP 401' "$WORK/said"
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
}

@test "a wrong token is not quoted" {
	start_stack
	export CONTENTSTACK_DELIVERY_TOKEN=cswrongtoken0123456789abcdef
	run -77 contentfs mount -v --store "$STORE" "$MOUNT"
	has "$output" CONTENTSTACK_DELIVERY_TOKEN
	noting echo "$output"
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
	run -78 contentfs status --store "$WORK/none.db"
	noting echo "$output"
	local broken
	for broken in 'with a space cs0123456789' $'cs0123456789\nwith a line' 'cs0123456789-ä'; do
		CONTENTSTACK_DELIVERY_TOKEN=$broken run contentfs sync --store "$STORE"
		has "$output" CONTENTSTACK_DELIVERY_TOKEN
		noting echo "$output"
		no_trace cs0123456789
	done
}

@test "an option that would carry the token does not exist, and its value is not quoted" {
	start_stack
	local token=$CONTENTSTACK_DELIVERY_TOKEN
	unset CONTENTSTACK_DELIVERY_TOKEN
	local option
	for option in --delivery-token --token --access-token; do
		run -64 contentfs mount "$option=$token" "$MOUNT"
		has "$output" "$option"
		noting echo "$output"
		no_trace "$token"
	done
}

@test "the token may come from a file that only its owner can read" {
	start_stack
	local token=$CONTENTSTACK_DELIVERY_TOKEN
	unset CONTENTSTACK_DELIVERY_TOKEN
	echo "$token" >"$WORK/token"
	chmod 644 "$WORK/token"
	run mount_stack --delivery-token-file "$WORK/token"
	echo "$output"
	fails test "$status" = 0
	has "$output" "$WORK/token" 'chmod 600'
	chmod 600 "$WORK/token"
	mount_stack --delivery-token-file "$WORK/token"
	equal
	no_trace "$token"
	run mount_stack --delivery-token-file "$WORK/no-such-file"
	fails test "$status" = 0
	has "$output" "$WORK/no-such-file"
}

@test "store and lock are private, and so are the folders that were made for them" {
	start_stack
	umask 022
	export XDG_STATE_HOME=$WORK/state
	contentfs mount --interval 3600 "$MOUNT"
	same 600 "$(find "$WORK/state" -type f -printf '%m\n' | sort -u)" 'mode of files'
	same 700 "$(find "$WORK/state/contentfs" -type d -printf '%m\n' | sort -u)" 'mode of folders'
}

@test "a redirect to another host is not followed" {
	start_stack
	mount_stack
	local other
	python3 "$STACK" serve --ready-file "$WORK/other.url" >"$WORK/other.log" 2>&1 3>&- &
	wait_until 30 test -s "$WORK/other.url"
	other=$(<"$WORK/other.url")
	ctl fault redirect --to "$other/v3/stacks/sync?init=true&environment=production" --times forever
	run -76 refresh
	same 0 "$(tell_at "$other" requests | jq .total)" 'requests to the other host'
	equal
}
