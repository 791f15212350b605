# What the end-to-end tests share: a stack and a mount of it, waiting, and cleaning up.
#
# Every test has a folder of its own, $WORK, with the mount point $MOUNT and the store $STORE in it; whatever it starts has
# $WORK in its command line, so that teardown finds it. Nothing here sleeps for a result: it waits for one, up to a deadline.
# The program under test is named by CONTENTFS.

bats_require_minimum_version 1.5.0

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STACK=$E2E/../stack
CONTENTFS=${CONTENTFS:-$E2E/../../build/src/cli/contentfs}

export COMMAND_SECONDS=${COMMAND_SECONDS:-60} # for any one command; a sanitizer build is slow
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-200}

# shellcheck disable=SC2034 # for the tests
NOBODY=65534

setup() {
	begin_test
}

teardown() {
	end_test
}

begin_test() {
	require /dev/fuse
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/contentfs-e2e.XXXXXX")
	MOUNT=$WORK/mount
	STORE=$WORK/store.db
	STACK_PID=
	DISK=
	mkdir "$MOUNT" "$WORK/home"
	export HOME=$WORK/home WORK MOUNT STORE LC_ALL=C.UTF-8
	export PYTHONPYCACHEPREFIX=${BUILD:-$BATS_RUN_TMPDIR}/python # compiled once for all tests
	unset PYTHONDONTWRITEBYTECODE XDG_STATE_HOME CONTENTSTACK_BRANCH CONTENTSTACK_REGION CONTENTFS_STORE CONTENTFS_INTERVAL
	unset CONTENTFS_LOG NO_COLOR JOURNAL_STREAM
	unset XDG_CACHE_HOME CONTENTFS_CACHE CONTENTFS_CACHE_SIZE CONTENTFS_ASSET_TIMEOUT CONTENTFS_SECURE_ASSETS
	unset XDG_CONFIG_HOME CONTENTFS_PROFILE
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$WORK/sanitizer"
	export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$WORK/sanitizer"
	export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}log_path=$WORK/sanitizer"
}

end_test() {
	local failed=0
	[ -z "${FUSE_MODE:-}" ] || chmod "$FUSE_MODE" /dev/fuse
	end_helpers
	unmount_all || failed=1
	end_daemons || failed=1
	end_stack || failed=1
	end_disk || failed=1
	if compgen -G "$WORK/sanitizer*" >/dev/null; then
		cat "$WORK"/sanitizer*
		failed=1
	fi
	rm -rf --one-file-system "$WORK"
	return $failed
}

# require THING...: a program, or a path. Without it the test is skipped; under CI it fails.
require() {
	local thing
	for thing; do
		[ -e "$thing" ] || command -v "$thing" >/dev/null || missing "$thing"
	done
}

require_root() {
	[ "$(id -u)" = 0 ] || missing 'root'
}

# Everybody may open it, as udev has it; teardown puts back what it was.
open_fuse_to_all() {
	require fusermount3
	FUSE_MODE=$(stat -c %a /dev/fuse)
	chmod a+rw /dev/fuse
}

missing() {
	if [ -n "${CI:-}" ]; then
		echo "$1 is needed"
		return 1
	fi
	skip "$1 is needed"
}

# --- commands -----------------------------------------------------------------------------------------------------------

# Anything that may touch a mount goes through this. Descriptor 3 is bats' own: what keeps it open keeps bats waiting.
bounded() {
	timeout --kill-after=5 "$COMMAND_SECONDS" "$@" 3>&-
}

# The allocator of contentfs alone fills what it gives out, where meson asks for that: what tests it has much to do already.
FILLED_WITH=${MALLOC_PERTURB_:-0}
unset MALLOC_PERTURB_

contentfs() {
	MALLOC_PERTURB_=$FILLED_WITH bounded "$CONTENTFS" "$@"
}

# as_nobody COMMAND...
as_nobody() {
	bounded setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups -- "$@"
}

# wait_until SECONDS COMMAND...: tries until it succeeds.
wait_until() {
	local until=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		if ((SECONDS > until)); then
			echo "did not happen in time: $*"
			return 1
		fi
		sleep 0.05
	done
}

# fails COMMAND...: for the middle of a test, where bash does not look at the status of `! command`.
fails() {
	if "$@"; then
		echo "should have failed: $*"
		return 1
	fi
}

# exits_with STATUS TEXT ARGUMENT...: contentfs fails so, and says so, in one message.
exits_with() {
	local want=$1 text=$2
	shift 2
	run contentfs "$@"
	# shellcheck disable=SC2154 # `run` sets them
	echo "contentfs $*: $status: $output"
	same "$want" "$status" 'exit status'
	has "$output" "$text"
	same 1 "$(grep -c '^contentfs: ' <<<"$output")" 'messages for one cause'
}

# same WANT GOT [WHAT]
same() {
	[ "$1" = "$2" ] && return
	printf '%s: want %s\n%s   got %s\n' "${3:-}" "$1" "${3//?/ }" "$2"
	return 1
}

# has TEXT PART...: every part is in the text.
has() {
	local text=$1 part
	shift
	for part; do
		[[ $text == *"$part"* ]] && continue
		printf 'missing: %s\n     in: %s\n' "$part" "$text"
		return 1
	done
}

# --- the stack ----------------------------------------------------------------------------------------------------------

# start_stack [OPTION...]: starts one, and points contentfs to it through the environment.
start_stack() {
	rm -f "$WORK/stack.url"
	python3 "$STACK" serve --ready-file "$WORK/stack.url" "$@" >>"$WORK/stack.log" 2>&1 3>&- &
	STACK_PID=$!
	wait_until 30 test -s "$WORK/stack.url" || {
		cat "$WORK/stack.log"
		return 1
	}
	STACK_URL=$(<"$WORK/stack.url")
	eval "$(tell env)"
}

# end_stack: the service is gone. Another one at the same address (--port "$(stack_port)") knows none of its tokens.
end_stack() {
	[ -n "$STACK_PID" ] || return 0
	kill "$STACK_PID" 2>/dev/null
	end_of "$STACK_PID" 10 || kill -9 "$STACK_PID" 2>/dev/null
	wait "$STACK_PID" 2>/dev/null
	STACK_PID=
}

# ctl COMMAND...: commands the stack, quietly.
ctl() {
	tell "$@" >/dev/null
}

stack_port() {
	echo "${STACK_URL##*:}"
}

# tell COMMAND...: commands the stack, and prints its answer.
tell() {
	tell_at "$STACK_URL" "$@"
}

# tell_at URL COMMAND...: commands the stack there.
tell_at() {
	bounded "$STACK/ctl" "$@"
}

# requests KIND: how many of that kind have reached the stack.
requests() {
	tell requests | jq ".counters.$1 // 0"
}

# --- the mount ----------------------------------------------------------------------------------------------------------

# mount_stack [OPTION...]: mounts $STORE at $MOUNT. It polls so rarely that only `refresh` brings news.
mount_stack() {
	contentfs mount --store "$STORE" --interval 3600 "$@" "$MOUNT"
}

refresh() {
	contentfs refresh "$MOUNT"
}

# mount_status KEY: one value of the mount's status.
mount_status() {
	contentfs status --json "$MOUNT" | jq -r ".$1"
}

# unmount: what a user would do; the daemon has ended when it returns.
unmount() {
	contentfs umount "$MOUNT"
}

# equal [OPTION...]: the mount shows what the stack publishes.
equal() {
	bounded python3 "$E2E/compare.py" "$@" "$MOUNT" "$STACK_URL"
}

refreshed_equal() {
	refresh && equal "$@"
}

is_mounted() {
	grep -qF " ${1:-$MOUNT} " /proc/self/mountinfo
}

not_mounted() {
	! is_mounted "$@"
}

# entry CONTENT_TYPE UID LOCALE: the path of its file.
entry() {
	echo "$MOUNT/entries/$1/$3/$2.json"
}

# title FILE: what it says in `title`.
title() {
	bounded jq -r .title "$1"
}

# publish CONTENT_TYPE UID LOCALE TITLE
publish() {
	ctl publish "$1" "$2" "$3" "{\"title\": \"$4\"}"
}

# no_trace SECRET: it is in no file of this test, in no command line or environment of a contentfs, nowhere in the tree.
no_trace() {
	local pid where
	fails grep -rlF --exclude-dir=mount --exclude=token -- "$1" "$WORK"
	fails grep -rlF -- "$1" "$MOUNT" "$MOUNT/.contentfs"
	for pid in $(processes contentfs); do
		for where in cmdline environ; do
			fails grep -qaF -- "$1" "/proc/$pid/$where"
		done
	done
}

# noting COMMAND...: runs it, whatever comes of it, and keeps what it says.
noting() {
	"$@" >>"$WORK/said" 2>&1 || true
}

# write_profile NAME [LINE...]: the user has this profile of the stack, and no variable that names it.
write_profile() {
	local file=$HOME/.config/contentfs/config
	mkdir -p "${file%/*}"
	{
		echo "[$1]"
		echo "api-key = $CONTENTSTACK_API_KEY"
		echo "delivery-token = $CONTENTSTACK_DELIVERY_TOKEN"
		echo "environment = $CONTENTSTACK_ENVIRONMENT"
		echo "host = $CONTENTSTACK_HOST"
		printf '%s\n' "${@:2}"
	} >>"$file"
	chmod 600 "$file"
}

forget_environment() {
	unset CONTENTSTACK_API_KEY CONTENTSTACK_DELIVERY_TOKEN CONTENTSTACK_ENVIRONMENT CONTENTSTACK_HOST
}

# in_machine FUNCTION: runs it with mounts of its own, where mount(8) finds mount.contentfs, and what is written to /etc stays
# there. The first command that fails ends it.
in_machine() {
	export CONTENTFS E2E STACK STACK_URL STACK_PID NOBODY
	timeout --kill-after=5 150 unshare -m bash -c "$(declare -f)
		set -eE -o pipefail
		trap 'leave_machine' EXIT
		make_machine
		$1" 3>&-
}

make_machine() {
	own_folders etc usr/sbin
	ln -sf "$CONTENTFS" /usr/sbin/mount.contentfs
	ln -sf "$CONTENTFS" /usr/sbin/mount.fuse.contentfs
	# mount(8) hands no HOME on.
	export XDG_CONFIG_HOME=$HOME/.config XDG_STATE_HOME=$HOME/.local/state XDG_CACHE_HOME=$HOME/.cache
}

# In a mount namespace of one's own: the mounts of other tests, which it has got copies of, go from it.
forget_other_mounts() {
	local mount
	for mount in $(findmnt -nro TARGET -t fuse.contentfs | grep -v "^$WORK/"); do
		timeout 20 umount --no-canonicalize --lazy "$mount" || true
	done
}

# own_folders FOLDER...: what is written to these folders of the machine stays in this mount namespace. No copy of another
# test's mount may stay in it: a daemon does not end before the last copy is gone.
own_folders() {
	local folder
	forget_other_mounts
	mkdir -p "$WORK/layers"
	mount -t tmpfs tmpfs "$WORK/layers"
	chmod 755 "$WORK/layers"
	for folder; do
		mkdir -p "$WORK/layers/$folder/upper" "$WORK/layers/$folder/work"
		mount -t overlay overlay "/$folder" -o \
			"lowerdir=/$folder,upperdir=$WORK/layers/$folder/upper,workdir=$WORK/layers/$folder/work"
	done
}

# What is still mounted is a failure of the test; it goes all the same.
leave_machine() {
	local status=$? mount
	for mount in $(mounts | grep -vxF "$WORK/layers"); do
		unmount_lazily "$mount" || true
	done
	exit $status
}

# status_of STATUS COMMAND...: it ends with that status; what it says is in $SAID.
status_of() {
	local want=$1 got=0
	shift
	SAID=$("$@" 2>&1) || got=$?
	echo "$*: $got: $SAID"
	same "$want" "$got" "$*"
}

# hold_store KIND: another program has begun a transaction of that kind in the store, until $HOLDER is killed.
hold_store() {
	python3 -c '
import sqlite3, sys, time
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("BEGIN " + sys.argv[2])
open(sys.argv[3], "w").close()
time.sleep(600)' "$STORE" "$1" "$WORK/held" 3>&- &
	# shellcheck disable=SC2034 # for the tests
	HOLDER=$!
	wait_until 30 test -e "$WORK/held"
}

# --- disks --------------------------------------------------------------------------------------------------------------

# make_disk OPTION...: mounts what they say at $DISK. It is beside $WORK, since it has to stay until the daemons have ended.
make_disk() {
	DISK=$WORK.disk
	mkdir "$DISK"
	timeout 20 mount "$@" "$DISK"
}

end_disk() {
	[ -n "${DISK:-}" ] || return 0
	if is_mounted "$DISK" && ! unmount_orderly "$DISK"; then
		echo "$DISK could not be unmounted in an orderly way"
		unmount_lazily "$DISK"
		return 1
	fi
	rmdir "$DISK"
}

# --- processes ----------------------------------------------------------------------------------------------------------

# The processes of this test that run contentfs, with those that mount and unmount for a daemon (contentfs) or without them
# (commands); or that run anything but contentfs and the stack (helpers). By name: whose program it is, root only may know.
# What mount(8) has started has the name of the mount helper, as much of it as the kernel keeps.
processes() {
	local pid program
	while read -r pid; do
		program=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
		[ "$pid" = "$STACK_PID" ] && continue
		case $program in
		mount.contentfs | mount.fuse.cont) program=contentfs ;;
		esac
		case $1 in
		contentfs) [ "${program%-mount}" = contentfs ] && echo "$pid" ;;
		commands) [ "$program" = contentfs ] && echo "$pid" ;;
		helpers) [ "${program%-mount}" = contentfs ] || echo "$pid" ;;
		esac
	done < <(grep -lsFz -- "$WORK" /proc/[0-9]*/cmdline | cut -d/ -f3)
}

no_daemon() {
	[ -z "$(processes contentfs)" ]
}

# The pid of the daemon behind $MOUNT.
daemon_pid() {
	mount_status pid
}

ended() {
	local state
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
	[ -z "$state" ] || [ "$state" = Z ]
}

# end_of PID [SECONDS]: waits for its end.
end_of() {
	wait_until "${2:-20}" ended "$1"
}

# kill_daemon: it dies without a chance to clean up, and its dead mount is taken away.
kill_daemon() {
	local pid
	for pid in $(processes contentfs); do
		kill -9 "$pid" 2>/dev/null || true # a command may have ended with it
		end_of "$pid"
	done
	drop_mounts
}

drop_mounts() {
	local mount
	for mount in $(mounts); do
		unmount_orderly "$mount" || unmount_lazily "$mount"
	done
}

# --- cleaning up --------------------------------------------------------------------------------------------------------

# Mount points under $WORK, innermost first.
mounts() {
	cut -d' ' -f5 /proc/self/mountinfo | grep -F "$WORK/" | tac
}

end_helpers() {
	local pid
	for pid in $(processes helpers); do
		kill -9 "$pid" 2>/dev/null
		end_of "$pid" 5 || true
	done
}

abort_connection() {
	local number
	number=$(grep -F " $1 " /proc/self/mountinfo | cut -d' ' -f3 | cut -d: -f2)
	[ -n "$number" ] && echo 1 >"/sys/fs/fuse/connections/$number/abort"
}

unmount_orderly() {
	timeout 20 umount "$1" 2>/dev/null || timeout 20 fusermount3 -qu -- "$1" 2>/dev/null
}

unmount_lazily() {
	timeout 20 umount -l "$1" 2>/dev/null || timeout 20 fusermount3 -quz -- "$1" 2>/dev/null
}

unmount_all() {
	local mount failed=0
	for mount in $(mounts); do
		unmount_orderly "$mount" && continue
		echo "$mount could not be unmounted in an orderly way"
		failed=1
		unmount_lazily "$mount" && continue
		abort_connection "$mount"
		unmount_lazily "$mount"
	done
	return $failed
}

end_daemons() {
	wait_until 20 no_daemon && return
	echo 'a daemon did not end with its mount'
	local pid
	for pid in $(processes contentfs); do
		kill -9 "$pid" 2>/dev/null
	done
	return 1
}
