# A service that limits the rate of requests is asked as often as it allows, and never when it asked to be left alone.

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 2))

# syncs_within_limit HOW: a first run and a delta of many pages, at ten requests a second.
syncs_within_limit() {
	start_stack --generate 300 --body 300 --page-size 5 --rate-limit 10 --rate-limit-answer "$1"
	mount_stack
	equal
	ctl random 60 --seed 71
	refreshed_equal
	same 0 "$(tell status | jq .needless)" 'needless requests'
}

@test "a limit that says in seconds when to come again" {
	syncs_within_limit seconds
}

@test "a limit that says by a date when to come again" {
	syncs_within_limit date
}

@test "a limit that says by x-ratelimit-reset when to come again" {
	syncs_within_limit reset
}

@test "a limit that does not say when to come again" {
	syncs_within_limit none
}

# waits_for JQ: what the mount's status says about waiting.
waits_for() {
	contentfs status --json "$MOUNT" | jq -e "has(\"waiting_for\") and (.waiting_for | $1)"
}

@test "status says what a sync waits for, and that it waits no more" {
	start_stack --generate 20
	mount_stack
	waits_for '. == null'
	ctl set freeze on
	publish gen_article bltaaaaaaaaaaaaaaa1 en-us 'News'
	ctl fault 429 --retry-after 10 --match sync_token=
	ctl set freeze off
	refresh 2>"$WORK/refresh" &
	local command=$!
	wait_until 8 waits_for 'type == "string" and length > 10'
	wait $command || true
	wait_until 60 refreshed_equal
	wait_until 10 waits_for '. == null'
	same 0 "$(tell status | jq .needless)" 'needless requests'
}

@test "a service that asks for a day of rest holds up nobody, and the content stays" {
	start_stack --generate 20
	mount_stack
	tell truth >"$WORK/truth"
	ctl fault 429 --retry-after 86400 --match sync_token= --times forever
	run refresh
	echo "$output"
	same 69 "$status"
	has "$output" 'left alone' || has "$output" 'rate limit' # the mount's own poll may meet the fault first
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
}
