# Whatever the service answers: readers see whole files and whole states meanwhile, and in the end the truth.

load lib

# drive [--first-run] GROUP...: the cases of outcome_cases.py, each by its name.
drive() {
	start_stack --generate 20 --content-types 2 --locales 2 --assets 3 --body 600 --page-size 3
	mount_stack
	timeout --kill-after=5 "$BATS_TEST_TIMEOUT" python3 "$E2E/outcomes.py" "$@" >&3
}

@test "statuses other than 200" {
	drive refusals
}

@test "rate limits" {
	drive limits
}

@test "connections that end, stall or trickle" {
	drive connections
}

@test "bodies that are damaged, too large, or another thing" {
	drive bodies redirects
}

@test "pages of the wrong shape" {
	drive shapes
}

@test "items with odd fields" {
	drive items removals
}

@test "tokens that are refused or wrong, and runs with odd things in them" {
	drive tokens odd-runs deletions
}

@test "first runs into connections and bodies that are not well" {
	drive --first-run connections bodies
}

@test "first runs into rate limits" {
	drive --first-run more-limits
}

@test "connections that are refused, until the service is back and knows no token" {
	start_stack --generate 20 --page-size 3
	mount_stack
	tell truth >"$WORK/truth"
	end_stack
	run -69 refresh
	has "$output" "127.0.0.1:$(stack_port)"
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
	start_stack --generate 25 --page-size 3 --port "$(stack_port)"
	wait_until 60 refreshed_equal
}

# unreachable HOST TEXT: a sync says that the host cannot be reached, and why.
unreachable() {
	CONTENTSTACK_HOST=$1 run contentfs sync --store "$WORK/of-${1##*:}.db"
	echo "$output"
	same 69 "$status" 'exit status'
	has "$output" "${1#*://}" "${@:2}"
}

@test "a host that does not resolve" {
	start_stack --content empty
	unreachable https://nothing.invalid 'resolve' 'check the network'
}

@test "a host that does not speak TLS, or that nobody vouches for, is told nothing" {
	require openssl
	start_stack --content empty
	unreachable "https://127.0.0.1:$(stack_port)" 'SSL'
	same 0 "$(tell requests | jq .total)" 'requests'
	python3 "$E2E/tls_server.py" "$WORK/certificate" "$WORK/port" "$WORK/heard" 2>"$WORK/tls.log" 3>&- &
	wait_until 60 test -s "$WORK/port"
	unreachable "https://127.0.0.1:$(<"$WORK/port")" 'certificate' 'check the clock'
	fails test -s "$WORK/heard"
}

none_waits() {
	same '[]' "$(tell faults | jq -c .faults)"
}

# published_in STORE: how many entries it has.
published_in() {
	sqlite3 "$1" 'SELECT count(*) FROM entries'
}

@test "transfers that stall, or hardly trickle, end by themselves" {
	export COMMAND_SECONDS=150
	start_stack --generate 20 --page-size 3
	mount_stack
	tell truth >"$WORK/truth"
	ctl set freeze on
	publish gen_article bltaaaaaaaaaaaaaaa1 en-us 'News'
	ctl fault stall --match sync_token= --bytes 50
	ctl fault stall-before --match init=true
	ctl fault trickle --match init=true --bytes 1 --delay 5000
	ctl set freeze off
	local commands=()
	refresh >"$WORK/refresh" 2>&1 &
	commands+=($!)
	contentfs sync --store "$WORK/a.db" >"$WORK/a" 2>&1 &
	commands+=($!)
	contentfs sync --store "$WORK/b.db" >"$WORK/b" 2>&1 &
	commands+=($!)
	wait_until 30 none_waits
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/truth"
	wait "${commands[@]}" || true # each may overcome it, or leave it to the next
	refreshed_equal
	local store
	for store in "$WORK/a.db" "$WORK/b.db"; do
		contentfs sync --store "$store"
		same 21 "$(published_in "$store")" 'entries'
	done
}
