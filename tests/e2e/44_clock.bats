# The wall clock may jump; nothing but what it is asked for may jump with it. tests/shim shifts it for contentfs alone.

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 2))

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}
TEN_YEARS=$((10 * 366 * 86400))
BACK_TO_1971=$((31536000 - $(date +%s)))

# shift_clock SECONDS: from what it really is. In one step, as the shim may read it at any time.
shift_clock() {
	echo "$1" >"$WORK/clock.new"
	mv "$WORK/clock.new" "$WORK/clock"
}

# mount_shifted [OPTION...]: a mount whose wall clock is the shifted one.
mount_shifted() {
	bounded env LD_PRELOAD="$SHIM" SHIM_CLOCK="$WORK/clock" "$CONTENTFS" mount --store "$STORE" "$@" "$MOUNT"
}

has_title() {
	[ "$(title "$1")" = "$2" ]
}

# arrives TITLE: published now, it comes by a poll; nobody asks for a refresh.
arrives() {
	publish story bltaaaaaaaaaaaaaaa1 en-us "$1"
	wait_until 30 has_title "$(entry story bltaaaaaaaaaaaaaaa1 en-us)" "$1"
}

# polls_at_ease: six more polls come, and about as many as the interval of a second allows in that time. A flood is
# hundreds a second.
polls_at_ease() {
	local before began=$SECONDS count
	before=$(requests sync_delta)
	ctl wait-requests sync_delta $((before + 6)) --timeout 60
	count=$(($(requests sync_delta) - before))
	echo "$count polls in $((SECONDS - began)) s"
	((count <= 20 + 5 * (SECONDS - began)))
}

# sane_status: the numbers of the status are some that a person believes, once a poll has passed.
sane_status() {
	contentfs status --json "$MOUNT" >"$WORK/status" && jq -e '
		.healthy and (.age_seconds | type == "number" and . >= 0 and . < 60)
		and .next_poll_seconds >= 0 and .next_poll_seconds < 60
		and .entries > 0 and .bytes > 0 and .service_calls > 0' "$WORK/status"
}

# keeps_polling TITLE
keeps_polling() {
	polls_at_ease
	wait_until 30 sane_status || {
		cat "$WORK/status"
		return 1
	}
	arrives "$1"
}

@test "a wall clock that jumps neither stops the polling nor floods the service" {
	start_stack
	shift_clock 0
	mount_shifted --interval 1
	keeps_polling 'now'
	shift_clock $TEN_YEARS
	keeps_polling 'in ten years'
	shift_clock "$BACK_TO_1971"
	keeps_polling 'in 1971'
	shift_clock 0
	keeps_polling 'now again'
	equal
}

@test "the status is valid at the moment of a jump" {
	start_stack
	shift_clock 0
	mount_shifted --interval 3600
	local shift
	for shift in $TEN_YEARS "$BACK_TO_1971" -3600 0; do
		shift_clock "$shift"
		contentfs status --json "$MOUNT" | jq -e '.healthy and .age_seconds >= 0 and .next_poll_seconds <= 4000'
		refresh
		contentfs status --json "$MOUNT" | jq -e '.healthy and .age_seconds >= 0 and .age_seconds < 60'
	done
}

# hold_old: a reader has a version open, has read its beginning only, and it is replaced.
hold_old() {
	FILE=$(entry story bltaaaaaaaaaaaaaaa1 en-us)
	publish story bltaaaaaaaaaaaaaaa1 en-us "$(printf 'old %.0s' {1..20000})"
	refresh
	bounded cat "$FILE" >"$WORK/old"
	bounded python3 "$E2E/readers.py" hold "$FILE" "$WORK/opened" "$WORK/go" "$WORK/out" &
	READER=$!
	wait_until 20 test -e "$WORK/opened"
	publish story bltaaaaaaaaaaaaaaa1 en-us 'new'
	refresh
}

# old_is_whole: what the reader gets now is the rest of its version.
old_is_whole() {
	echo 3 >/proc/sys/vm/drop_caches
	touch "$WORK/go"
	wait "$READER"
	bounded cmp "$WORK/old" "$WORK/out"
	same new "$(title "$FILE")"
}

# refresh_twice: the second begins after the housekeeping that follows the first has ended.
refresh_twice() {
	refresh
	refresh
}

@test "a version that is open is not thrown away because the clock jumps ahead" {
	require_root
	start_stack
	shift_clock 0
	mount_shifted --interval 3600
	hold_old
	shift_clock $TEN_YEARS
	refresh_twice
	old_is_whole
}

@test "a version that is open is not thrown away because the clock jumps back" {
	require_root
	start_stack
	shift_clock $TEN_YEARS
	mount_shifted --interval 3600
	hold_old
	shift_clock "$BACK_TO_1971"
	refresh_twice
	shift_clock 0
	refresh_twice
	old_is_whole
}

@test "a start before the store's last change follows the stack as ever" {
	start_stack
	shift_clock $TEN_YEARS
	mount_shifted --interval 3600
	equal
	unmount
	ctl random 30 --seed 5
	shift_clock "$BACK_TO_1971"
	mount_shifted --interval 1
	refresh
	equal
	keeps_polling 'in 1971'
	unmount
	shift_clock 0
	mount_shifted --interval 1
	keeps_polling 'now'
	equal
}

@test "schemas that were fetched in the future change and go with the stack's" {
	start_stack
	shift_clock $TEN_YEARS
	mount_shifted --interval 3600
	equal
	shift_clock 0
	ctl change-schema story
	refresh
	equal
	ctl add-content-type short_lived
	shift_clock $TEN_YEARS
	refresh
	shift_clock "$BACK_TO_1971"
	ctl delete-content-type short_lived
	ctl delete-content-type story
	refresh
	equal
}
