# What the tests of assets share. CACHE is where mounts keep what they fetched, unless told otherwise.
#
# shellcheck shell=bash

# The kernel keeps what it has read of a file. Who wants to see the cache at work has it forget, or mounts again.

set_cache() {
	CACHE=$HOME/.cache/contentfs
	LARGE=bltfff00000000000f # an asset of LARGE_BYTES
	LARGE_BYTES=80000000
	# shellcheck disable=SC2034 # for the tests
	WHOLE=$WORK/whole
}

# mount_assets [OPTION...]: a mount that is patient for a few seconds only.
mount_assets() {
	mount_stack --asset-timeout 5 "$@"
}

remount() {
	unmount
	mount_assets "$@"
}

# make_asset UID BYTES [NAME [OPTION...]]: in en-us.
make_asset() {
	ctl publish-asset "$1" en-us "{\"filename\": \"${3:-$1.bin}\"}" --file-bytes "$2" "${@:4}"
}

# make_assets COUNT BYTES: asset_uid 1 and so on.
make_assets() {
	local number
	for ((number = 1; number <= $1; number++)); do
		make_asset "$(asset_uid "$number")" "$2"
	done
}

asset_uid() {
	printf 'bltaaaa%08d' "$1"
}

# asset UID [LOCALE]: the path of its file.
asset() {
	local files=("$MOUNT/assets/${2:-en-us}/$1/"*)
	echo "${files[0]}"
}

make_large() {
	make_asset "$LARGE" "$LARGE_BYTES" film.mp4 --mime video/mp4
}

# asset_url UID [LOCALE]: as its record has it.
asset_url() {
	bounded jq -r .url "$MOUNT/assets/${2:-en-us}/$1.json"
}

# digest UID [LOCALE]: of what the stack has as its file. (jq minds some oddities of the sample.)
digest() {
	tell truth --sha256 | digest_in "$@"
}

# digest_in UID [LOCALE]: the same, in a truth on standard input.
digest_in() {
	sed -nE "s|^\{\"path\":\"assets/${2:-en-us}/$1\.json\".*\"sha256\":\"([0-9a-f]{64})\".*|\1|p"
}

sum_of() {
	bounded sha256sum <"$1" | cut -d' ' -f1
}

# reads_right UID [LOCALE]
reads_right() {
	same "$(digest "$@")" "$(sum_of "$(asset "$@")")" "SHA-256 of $1"
}

# equal_bytes [OPTION...]: the mount is what the stack publishes, and so is every byte of its assets.
equal_bytes() {
	equal --assets "$@"
}

# keep_truth: for when the stack is gone.
keep_truth() {
	tell truth --sha256 >"$WORK/truth"
}

# still_equal [OPTION...]: to what was kept.
still_equal() {
	bounded python3 "$E2E/compare.py" --assets "$@" "$MOUNT" "$WORK/truth"
}

# stack_status KEY: asset_requests, asset_bytes, astray.
stack_status() {
	tell status | jq ".$1"
}

# no_asset_request COMMAND...: it succeeds and asks for nothing.
no_asset_request() {
	local before
	before=$(stack_status asset_requests)
	"$@"
	same "$before" "$(stack_status asset_requests)" "requests for assets after $*"
}

# cache_status KEY
cache_status() {
	mount_status "cache.$1"
}

# waiting COUNT: so many reads wait, at least.
waiting() {
	[ "$(cache_status waiting)" -ge "$1" ]
}

none_waiting() {
	[ "$(cache_status waiting)" = 0 ]
}

# sent UID BYTES: the stack has sent so much of it by now, in one answer.
sent() {
	tell requests --match "/$1/" | jq -e "any(.requests[]; .body_bytes >= $2)"
}

# sent_or_over UID BYTES PID: the same, or the process has ended without so much.
sent_or_over() {
	ended "$3" || sent "$1" "$2"
}

# forget FILE: the kernel holds none of its pages any more.
forget() {
	bounded dd if="$1" iflag=nocache count=0 status=none
}

forget_all() {
	local file
	while IFS= read -r -d '' file; do
		forget "$file"
	done < <(bounded find "$MOUNT/assets" -mindepth 3 -type f -size +0 -print0)
}

# Bytes that the cache takes on the disk.
cache_disk() {
	du -sB1 "$CACHE" | cut -f1
}

# in_foreground [OPTION...]: a mount whose messages go to $WORK/daemon.log.
in_foreground() {
	contentfs_foreground "$@" >>"$WORK/daemon.log" 2>&1 3>&- &
	wait_until 30 contentfs status "$MOUNT"
}

contentfs_foreground() {
	exec "$CONTENTFS" mount -f --store "$STORE" --interval 3600 --asset-timeout 3 "$@" "$MOUNT"
}
