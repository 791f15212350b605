# What a terminal shows of long work, and what a log does; and how it is ended.

load lib

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

# start_terminal COLUMNS COMMAND: a shell command in a terminal. When it has ended the terminal says "ended STATUS".
start_terminal() {
	require tmux
	tmux -S "$WORK/tmux" -f /dev/null new-session -d -x "$1" -y 30 \
		"env -u TMUX sh -c 'trap : INT; $2; echo ended \$?; while :; do sleep 1; done'"
}

tmux_keys() {
	tmux -S "$WORK/tmux" send-keys "$1"
}

# screen: what it shows.
screen() {
	tmux -S "$WORK/tmux" capture-pane -p
}

# shows PATTERN
shows() {
	screen | grep -qE -- "$1"
}

end_terminal() {
	tmux -S "$WORK/tmux" kill-server
}

# on_terminal [VARIABLE=VALUE...] COMMAND...: its output as the terminal gets it, escapes and all, each \r a line of its own.
on_terminal() {
	require script
	local command
	command=$(printf '%q ' env "$@")
	TERM=xterm bounded script -qec "$command" /dev/null </dev/null | tr '\r' '\n'
}

slow_stack() {
	start_stack --generate 1000 --page-size 50
	ctl latency "${1:-100}"
}

# asked_twice: page tokens that were asked for more than once.
asked_twice() {
	tell requests --kind sync_page | jq -r '.requests[].query' | sort | uniq -d
}

@test "a first sync shows how far it is, and leaves nothing of it" {
	slow_stack
	start_terminal 100 "$CONTENTFS sync --store $STORE"
	wait_until 30 shows '^first sync  \[=+> +\]  [0-9]+%  [0-9,]+ of 1,000 items  [0-9.]+ s left  [0-9,]+/s$'
	wait_until 60 shows '^ended 0$'
	fails shows 'first sync'
	end_terminal
}

@test "a mount in the background shows it until the tree can be used" {
	slow_stack
	start_terminal 100 "$CONTENTFS mount --store $STORE $MOUNT"
	wait_until 30 shows '^first sync  .* of 1,000 items'
	wait_until 60 shows '^ended 0$'
	fails shows 'first sync'
	end_terminal
	equal
}

@test "the line follows the width of the window" {
	slow_stack 300
	start_terminal 100 "$CONTENTFS sync --store $STORE"
	wait_until 30 shows '^first sync  \['
	tmux -S "$WORK/tmux" resize-window -x 30 -y 30
	wait_until 30 shows '^first sync  (\[[^]]*\]  )?[0-9]+%$'
	tmux -S "$WORK/tmux" resize-window -x 150 -y 30
	wait_until 30 shows '^first sync  \[[=> ]{40}\]  '
	wait_until 60 shows '^ended 0$'
	end_terminal
}

@test "a fetch shows it too" {
	start_stack
	contentfs sync --store "$STORE"
	on_terminal "$CONTENTFS" fetch --store "$STORE" --cache "$WORK/cache" >"$WORK/said"
	grep -qE 'fetching  .*[0-9]+ of [0-9]+ assets' "$WORK/said"
}

@test "colour is for who wants it, and control sequences for terminals that know them" {
	slow_stack 20
	on_terminal "$CONTENTFS" sync --store "$STORE.1" >"$WORK/said"
	grep -q $'\033\\[32m' "$WORK/said"
	on_terminal NO_COLOR=1 "$CONTENTFS" sync --store "$STORE.2" >"$WORK/said"
	grep -q 'first sync  \[=' "$WORK/said"
	fails grep -q $'\033\\[[0-9]*m' "$WORK/said"
	on_terminal TERM=dumb "$CONTENTFS" sync --store "$STORE.3" >"$WORK/said"
	grep -q 'first sync  \[=' "$WORK/said"
	fails grep -q $'\033' "$WORK/said"
}

@test "--quiet silences it" {
	slow_stack 20
	on_terminal "$CONTENTFS" sync -q --store "$STORE.1" >"$WORK/said"
	same '' "$(<"$WORK/said")"
	on_terminal "$CONTENTFS" mount --quiet --store "$STORE.2" "$MOUNT" >"$WORK/said"
	same '' "$(<"$WORK/said")"
	on_terminal "$CONTENTFS" fetch --quiet --store "$STORE.1" --cache "$WORK/cache" >"$WORK/said"
	same '' "$(<"$WORK/said")"
}

@test "a message has a line of its own" {
	slow_stack 20
	on_terminal "$CONTENTFS" sync -v --store "$STORE" | sed 's/\x1b\[K//g' >"$WORK/said"
	grep -q '^first sync  ' "$WORK/said"
	grep -q '^contentfs: debug: ' "$WORK/said"
	fails grep -E '..*contentfs: ' "$WORK/said"
}

@test "a wait says what for" {
	start_stack --generate 1000 --page-size 50
	ctl fault 429 --retry-after 5 --skip 4 --match pagination_token
	start_terminal 120 "$CONTENTFS sync --store $STORE"
	wait_until 30 shows '^first sync  .*waiting for the rate limit of the service'
	wait_until 60 shows '^ended 0$'
	end_terminal
}

@test "where there is no terminal a line a minute goes to the log" {
	slow_stack 50
	env LD_PRELOAD="$SHIM" SHIM_SPEED=100 "$CONTENTFS" sync --store "$STORE" 2>"$WORK/said"
	grep -qE '^contentfs: first sync: [0-9,]+ of 1,000 items, [0-9]+%, ' "$WORK/said"
	fails grep -q $'\r' "$WORK/said"
	env LD_PRELOAD="$SHIM" SHIM_SPEED=100 "$CONTENTFS" sync -q --store "$STORE.2" 2>"$WORK/said"
	same '' "$(<"$WORK/said")"
	contentfs sync --store "$STORE.3" 2>"$WORK/said"
	same '' "$(<"$WORK/said")" 'a short one needs none'
}

# ends_at_once COMMAND: Ctrl-C while an answer is waited for. What was answered is not asked for again.
ends_at_once() {
	start_stack --generate 1000 --page-size 50
	ctl fault stall-before --skip 7 --match pagination_token
	start_terminal 100 "$1"
	ctl wait-requests sync_page 8 --timeout 30
	local began=$EPOCHREALTIME
	tmux_keys C-c
	wait_until 10 shows '^ended 75$'
	echo "ended between $began and $EPOCHREALTIME"
	shows 'goes on from there'
	end_terminal
	wait_until 10 no_daemon
	not_mounted
	ctl faults-clear
	local before stalled
	before=$(requests sync_page)
	stalled=$(tell requests --kind sync_page | jq -r '.requests[-1].query')
	mount_stack
	equal
	same 1 "$(requests sync_init)" 'first pages'
	same "$stalled" "$(asked_twice)" 'what was asked for twice'
	same 20 "$(($(requests sync_page) - before + 8))" 'pages, and the one that was not answered'
}

@test "Ctrl-C ends a mount in its first sync, and the next one goes on" {
	ends_at_once "$CONTENTFS mount --store $STORE $MOUNT"
}

@test "Ctrl-C ends a first sync, and the next one goes on" {
	ends_at_once "$CONTENTFS sync --store $STORE"
}

@test "Ctrl-C ends a sync that waits to try again" {
	start_stack
	ctl fault 503 --times forever --retry-after 30
	start_terminal 100 "$CONTENTFS sync --store $STORE"
	ctl wait-requests content_types 1 --timeout 30
	tmux_keys C-c
	wait_until 10 shows '^ended 75$'
	end_terminal
}
