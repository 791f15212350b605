# What the tests of services share: a service manager that writes down what it hears.
#
# shellcheck shell=bash

# start_manager SOCKET: what it hears is in $WORK/heard, a line each, behind the number of the process.
start_manager() {
	python3 "$E2E/service_manager.py" "$1" "$WORK/heard" 3>&- &
	wait_until 20 test -e "$WORK/heard"
	export NOTIFY_SOCKET=$1
}

# hears LINE: a pattern, as a whole.
hears() {
	grep -qE "^[0-9]+ $1\$" "$WORK/heard"
}

# heard LINE: how often.
heard() {
	grep -cE "^[0-9]+ $1\$" "$WORK/heard"
}

heard_times() {
	test "$(heard "$2")" = "$1"
}

main_pid() {
	sed -n 's/.* MAINPID=//p' "$WORK/heard" | tail -n 1
}
