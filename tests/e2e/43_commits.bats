# Killed at each commit, contentfs goes on where it was.
#
# A run is done again and again from the same start, by a contentfs that tests/shim kills right before or right after its
# Nth commit, for N = 1, 2, 3 … until one gets through. After each kill another contentfs goes on with the store, and
#   * ends equal to what the stack publishes,
#   * fetches no page without need; tests/e2e/pages.py says what need is,
#   * has shown nothing that vanished again: a reader lists the files all the while (tests/e2e/lasting.py).
#
# Settings, in the environment:
#   CONTENTFS_KILLS=N|all   how many of a run's kills to do, spread evenly from a random start (5). All of them take minutes
#   CONTENTFS_SEED=N        for that start, and for the random moments; printed when a test fails

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 2))
KILLS=${CONTENTFS_KILLS:-5}
export BATS_TEST_TIMEOUT=$((COMMAND_SECONDS * 10))
[ "$KILLS" != all ] || BATS_TEST_TIMEOUT=$((COMMAND_SECONDS * 60))

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

# --- one run ------------------------------------------------------------------------------------------------------------

# shimmed [NAME=VALUE...]: the run, by a contentfs that may not survive it.
shimmed() {
	bounded env LD_PRELOAD="$SHIM" SHIM_COMMITS="$WORK/commits" "$@" \
		"$CONTENTFS" mount --store "$STORE" --interval 3600 "$MOUNT" && refresh
}

# from_start: the store is as it was before the run, and nothing is known of the one before.
from_start() {
	rm -f "$STORE"* "$WORK/commits" "$WORK/stop" "$WORK/watched"
	[ ! -e "$WORK/start" ] || cp "$WORK"/start/* "$WORK"
}

# paths: of the files that are there.
paths() {
	(cd "$MOUNT" && bounded find . -type f -printf '%P\n')
}

watch() {
	bounded python3 "$E2E/lasting.py" "$MOUNT" "$WORK/before" "$WORK/after" "$WORK/stop" \
		>"$WORK/watched" 2>&1 &
	WATCH=$!
	wait_until 20 test -s "$WORK/watched"
}

missed_nothing() {
	touch "$WORK/stop"
	wait "$WATCH" && return
	cat "$WORK/watched"
	return 1
}

# note_requests NAME: keeps what was asked of the stack, and forgets it.
note_requests() {
	tell requests >"$WORK/$1.json"
	ctl requests --clear
}

# equal_to_truth: as `equal`, without asking the stack each time.
equal_to_truth() {
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
}

# go_on: another contentfs takes over, from what the one that was killed has left: its store, and its dead mount.
go_on() {
	note_requests killed
	mount_stack
	refresh
	equal_to_truth
	missed_nothing
	note_requests again
	bounded python3 "$E2E/pages.py" "${PAGES[@]}" "$WORK/whole.json" "$WORK/killed.json" "$WORK/again.json" "$WORK/commits"
	kill_daemon
}

# --- kills --------------------------------------------------------------------------------------------------------------

# prepare: the run without a kill. Says how many commits it has, and what it asks for.
prepare() {
	tell truth >"$WORK/truth"
	from_start
	ctl requests --clear
	shimmed
	equal_to_truth
	paths >"$WORK/after"
	[ -e "$WORK/before" ] || cp "$WORK/after" "$WORK/before"
	unmount
	note_requests whole
	COMMITS=$(wc -l <"$WORK/commits")
	RANDOM=${CONTENTFS_SEED:-$RANDOM}
	echo "seed ${CONTENTFS_SEED:=$RANDOM}, $COMMITS commits"
	RANDOM=$CONTENTFS_SEED
}

was_killed() {
	grep -qsx killed "$WORK/commits"
}

# killed_at COMMIT before|after: whether it was.
killed_at() {
	from_start
	watch
	shimmed SHIM_KILL_COMMIT="$1" SHIM_KILL_WHEN="$2" >/dev/null 2>&1 || true
	was_killed || kill_daemon
	wait_until 20 no_daemon
}

# kill_at_commits: before the first, after the first, before the second, … With all of them, until one gets through.
kill_at_commits() {
	local stride=1 point kills=0 moment=(before after)
	[ "$KILLS" = all ] || stride=$(((2 * COMMITS + KILLS - 1) / KILLS | 1)) # odd, so that both moments come in turn
	for ((point = RANDOM % stride; stride == 1 || point < 2 * COMMITS; point += stride)); do
		echo "killed ${moment[point % 2]} commit $((point / 2 + 1))"
		killed_at $((point / 2 + 1)) "${moment[point % 2]}"
		go_on
		was_killed || break
		kills=$((kills + 1))
	done
	echo "$kills kills"
	((kills >= 3))
}

# killed_in_between MILLISECONDS: whether it was still at work then.
killed_in_between() {
	from_start
	watch
	shimmed >/dev/null 2>&1 &
	local run=$!
	sleep "0.$(printf %03d "$1")" # not for a result: the moment is what is tried
	kill_daemon
	wait $run || true
}

# kill_at_moments: anywhere in the run, from its beginning to a little after its end.
kill_at_moments() {
	local kill moment
	for ((kill = 0; kill < 6; kill++)); do
		moment=$((RANDOM % 900))
		echo "killed after $moment ms"
		killed_in_between $moment
		go_on
	done
}

# start_with STACK-OPTION...: a store that has the stack's content, to begin each run with.
start_with() {
	start_stack "$@"
	mount_stack
	equal
	paths >"$WORK/before"
	unmount
	mkdir "$WORK/start"
	cp "$STORE"* "$WORK/start"
}

@test "a first run that is killed at any commit goes on from there" {
	PAGES=()
	start_stack --generate 600 --content-types 3 --locales 2 --assets 20 --latency 25
	prepare
	kill_at_commits
}

@test "so does one of small pages" {
	PAGES=()
	start_stack --generate 600 --content-types 3 --locales 2 --assets 20 --page-size 25 --latency 25
	prepare
	kill_at_commits
}

@test "so does a delta of several pages" {
	PAGES=(--delta)
	start_with --generate 600 --content-types 3 --locales 2 --assets 20
	ctl random 80 --seed 43
	ctl set page-size 10
	ctl latency 25
	prepare
	kill_at_commits
}

@test "so does a delta that is killed at any moment" {
	PAGES=(--delta)
	start_with --generate 600 --content-types 3 --locales 2 --assets 20
	ctl random 80 --seed 45
	ctl set page-size 5
	ctl latency 25
	prepare
	kill_at_moments
}

@test "so does a new listing after a refused token" {
	PAGES=()
	start_with --generate 600 --content-types 3 --locales 2 --assets 20
	ctl random 80 --seed 44
	ctl refuse-tokens sync
	ctl latency 25
	prepare
	kill_at_commits
}

@test "so does a first run in parts" {
	start_stack --generate 600 --content-types 3 --locales 2 --assets 20 --page-size 25 --latency 25
	prepare
	mv "$WORK/whole.json" "$WORK/undivided.json"
	PAGES=(--undivided "$WORK/undivided.json")
	export CONTENTFS_JOBS=6
	prepare
	same 4 "$(jq '[.requests[] | select(.query | test("init=true&(content_type_uid|type)="))] | length' "$WORK/whole.json")" parts
	kill_at_commits
}
