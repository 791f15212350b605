# The cache of assets: shared, bounded, killed, damaged, filled ahead; and who is told the token.

load lib
load assets

# setup_cache COUNT BYTES [OPTION...]: a mount of so many assets.
setup_cache() {
	set_cache
	start_stack --content empty
	make_assets "$1" "$2"
	mount_assets "${@:3}"
}

# --- killed -------------------------------------------------------------------------------------------------------------

@test "a daemon that was killed in the middle of a download leaves nothing wrong behind" {
	set_cache
	start_stack --content empty
	make_large
	make_assets 4 3000000
	mount_assets
	local part uid=1
	for part in 1 33 66 99; do
		ctl fault stall --match "/$(asset_uid $uid)/" --part $part
		bounded cat "$(asset "$(asset_uid $uid)")" >/dev/null 2>&1 &
		wait_until 20 waiting 1
		wait_until 20 sent "$(asset_uid $uid)" 1
		kill_daemon
		ctl faults-clear
		mount_assets
		((uid++)) || true
	done
	equal_bytes
	keep_truth
	end_stack
	remount
	still_equal
	unmount
}

@test "a daemon that is killed at random moments of a large download keeps what it has, and nothing else" {
	set_cache
	start_stack --content empty
	make_large
	mount_assets
	RANDOM=815
	local turn
	for turn in 1 2 3 4; do
		echo "turn $turn"
		ctl requests --clear
		ctl fault trickle --match "/$LARGE/" --bytes 65536 --delay $((RANDOM % 5)) --times forever
		bounded cat "$(asset "$LARGE")" >/dev/null 2>&1 &
		wait_until 20 sent_or_over "$LARGE" $((RANDOM * 100)) $!
		kill_daemon
		ctl faults-clear
		mount_assets
	done
	reads_right "$LARGE"
	[ "$(cache_status cached_bytes)" -ge "$LARGE_BYTES" ]
	remount
	no_asset_request reads_right "$LARGE"
}

# --- shared -------------------------------------------------------------------------------------------------------------

# mount_two: the same stack, at $MOUNT and $OTHER, with the same cache.
mount_two() {
	OTHER=$WORK/other
	mkdir "$OTHER"
	mount_assets
	contentfs mount --store "$WORK/other.db" --interval 3600 --asset-timeout 5 "$OTHER"
}

@test "two mounts that read the same asset at once fetch it once or twice" {
	set_cache
	start_stack --content empty
	make_asset "$LARGE" 20000000
	mount_two
	local want reader readers=() here
	here=$(asset "$LARGE")
	want=$(digest "$LARGE")
	for reader in "$here" "$OTHER${here#"$MOUNT"}"; do
		bounded sha256sum "$reader" >"$WORK/sum${#readers[@]}" 3>&- &
		readers+=($!)
	done
	wait "${readers[@]}"
	same "$want $want" "$(cut -d' ' -f1 "$WORK/sum0") $(cut -d' ' -f1 "$WORK/sum1")"
	[ "$(stack_status asset_bytes)" -le 41000000 ]
	forget "$here"
	forget "$OTHER${here#"$MOUNT"}"
	no_asset_request reads_right "$LARGE"
	no_asset_request bounded cmp "$here" "$OTHER${here#"$MOUNT"}"
}

@test "what one mount has fetched the other need not" {
	set_cache
	start_stack
	mount_two
	equal_bytes
	no_asset_request bounded python3 "$E2E/compare.py" --assets "$OTHER" "$STACK_URL"
}

# --- bounded ------------------------------------------------------------------------------------------------------------

# most_of DIRECTORY FILE: writes down the most that the directory ever takes on the disk, until it is ended.
watch_disk() {
	bash -c 'most=0; while sleep 0.05; do
		now=$(du -sB1 "$1" 2>/dev/null | cut -f1)
		((${now:-0} <= most)) || { most=$now; echo "$most" >"$2.new" && mv "$2.new" "$2"; }
	done' watch "$CACHE" "$WORK/most" 3>&- &
}

@test "a cache of 10 MB under 200 MB of reads stays within its bound" {
	setup_cache 40 5000000 --cache-size 10M
	watch_disk
	local watcher=$!
	bounded find "$MOUNT/assets" -mindepth 3 -type f -print0 | bounded xargs -0 -n 4 -P 4 cat | wc -c >"$WORK/read"
	same 200000000 "$(cat "$WORK/read")" 'bytes read'
	equal_bytes
	kill "$watcher"
	[ "$(cat "$WORK/most")" -le $((10 << 20)) ]
	[ "$(cache_disk)" -le $((10 << 20)) ]
	[ "$(cache_status cached_bytes)" -le $((10 << 20)) ]
	[ "$(cache_status cached_bytes)" -ge 4000000 ] # and is of use
}

@test "an asset larger than the whole cache is read all the same" {
	setup_cache 3 500000 --cache-size 2M
	make_asset "$LARGE" 9000000
	refresh
	equal_bytes
	forget_all
	equal_bytes
	[ "$(cache_disk)" -le $((2 << 20)) ]
}

@test "what was used lately stays when room is made" {
	setup_cache 12 1000000 --cache-size 6M
	local number first before
	first=$(asset_uid 1)
	reads_right "$first"
	before=$(tell requests --match "/$first/" | jq .matching)
	for number in 2 3 4 5 6 7 8 9 10 11 12; do
		sum_of "$(asset "$(asset_uid $number)")" >/dev/null
		forget "$(asset "$first")"
		sum_of "$(asset "$first")" >/dev/null
	done
	same "$before" "$(tell requests --match "/$first/" | jq .matching)" 'requests for what is in use'
	reads_right "$first"
}

# --- damaged ------------------------------------------------------------------------------------------------------------

objects() {
	find "$CACHE" -type f -size +0 -print0
}

# damage HOW: every file of the cache.
damage() {
	case $1 in
	flipped) objects | xargs -0 python3 -c 'import sys
for name in sys.argv[1:]:
    with open(name, "r+b") as file:
        byte = file.read(1)
        file.seek(0)
        file.write(bytes([byte[0] ^ 1]))' ;;
	flipped-silently) objects | xargs -0 python3 -c 'import os, sys
for name in sys.argv[1:]:
    before = os.stat(name)
    with open(name, "r+b") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)
        file.seek(before.st_size // 2)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(name, ns=(before.st_atime_ns, before.st_mtime_ns))' ;;
	cut) objects | xargs -0 truncate --size=-1000 ;;
	cut-short) objects | xargs -0 truncate --size=100 ;;
	emptied) objects | xargs -0 truncate --size=0 ;;
	zeroed) objects | xargs -0 -n 1 sh -c 'dd if=/dev/zero of="$1" bs=4096 count=2 conv=notrunc status=none' zero ;;
	longer) objects | xargs -0 -n 1 sh -c 'echo more >>"$1"' longer ;;
	swapped)
		local files=()
		mapfile -d '' -t files < <(objects)
		mv "${files[0]}" "$WORK/swap"
		mv "${files[1]}" "${files[0]}"
		mv "$WORK/swap" "${files[1]}"
		;;
	deleted) objects | xargs -0 rm ;;
	gone) rm -rf "$CACHE" ;;
	a-file)
		rm -rf "$CACHE"
		echo 'in the way' >"$CACHE"
		;;
	litter)
		mkdir -p "$CACHE"
		find "$CACHE" -type d -exec touch {}/litter {}/.hidden \;
		;;
	esac
}

ways() {
	echo flipped flipped-silently cut cut-short emptied zeroed longer swapped deleted gone litter a-file
}

@test "whatever happens to the files of the cache while they are in use: right bytes" {
	setup_cache 5 700000
	local way
	for way in $(ways); do
		echo "$way"
		equal_bytes
		damage "$way"
		forget_all
		equal_bytes
		[ "$way" != a-file ] || rm "$CACHE"
	done
	forget_all
	equal_bytes
}

@test "whatever happens to the files of the cache between mounts: right bytes" {
	setup_cache 5 700000
	local way
	for way in $(ways); do
		echo "$way"
		equal_bytes
		unmount
		damage "$way"
		mount_assets
		equal_bytes
		[ "$way" != a-file ] || rm "$CACHE"
	done
	forget_all
	equal_bytes
}

@test "without the service what is damaged is an error, and never a wrong byte" {
	setup_cache 5 700000
	keep_truth
	local way
	for way in flipped cut zeroed swapped; do
		echo "$way"
		equal_bytes
		ctl fault close --times forever --match /v3/assets/
		unmount
		damage "$way"
		mount_assets
		run still_equal
		echo "$output"
		fails grep -q 'SHA-256\|bytes read' <<<"$output"
		ctl faults-clear
	done
}

@test "a cache that cannot be written is done without" {
	require_root
	make_disk -t tmpfs -o size=8m,mode=755 none
	setup_cache 3 700000 --cache "$DISK/cache"
	reads_right "$(asset_uid 1)"
	unmount
	mount -o remount,ro "$DISK"
	mount_assets --cache "$DISK/cache"
	equal_bytes
	unmount
	mount -o remount,rw "$DISK"
	mount_assets --cache "$DISK/cache"
	equal_bytes
	unmount
}

@test "a cache on a full disk is done without" {
	require_root
	make_disk -t tmpfs -o size=1m,mode=755 none
	setup_cache 3 700000 --cache "$DISK/cache"
	equal_bytes
	forget_all
	equal_bytes
	unmount
}

@test "the cache is private" {
	umask 022
	setup_cache 2 1000
	equal_bytes
	same 700 "$(find "$CACHE" -type d -printf '%m\n' | sort -u)" 'mode of folders'
	same 600 "$(find "$CACHE" -type f -printf '%m\n' | sort -u)" 'mode of files'
}

# --- the token ----------------------------------------------------------------------------------------------------------

none_astray() {
	same 0 "$(stack_status astray)" 'tokens gone astray'
}

@test "assets of a secured stack are read with the token, which nobody else gets to see" {
	set_cache
	start_stack --secure-assets
	noting contentfs mount -v --store "$STORE" --interval 3600 --asset-timeout 5 --secure-assets "$MOUNT"
	is_mounted
	equal_bytes
	[ "$(tell requests --kind asset_bytes | jq '[.requests[] | select(.token == ["query"])] | length')" -ge 20 ]
	none_astray
	noting contentfs status -v "$MOUNT"
	noting contentfs fetch -v --store "$STORE" --secure-assets
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
	unmount
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
}

@test "assets of a secured stack are an error without --secure-assets" {
	set_cache
	start_stack --secure-assets
	make_asset bltfff000000000001 1000
	in_foreground
	run bounded cat "$(asset bltfff000000000001)"
	same 1 "$status"
	has "$output" 'Input/output error'
	has "$(cat "$WORK/daemon.log")" assets/en-us/bltfff000000000001/ 403
	same 0 "$(tell requests --kind asset_bytes | jq '[.requests[] | select(.token != [])] | length')" 'tokens sent for assets'
	none_astray
	unmount
	CONTENTFS_SECURE_ASSETS=1 mount_assets
	reads_right bltfff000000000001
}

@test "without --secure-assets no token is sent for an asset" {
	set_cache
	start_stack
	mount_assets
	equal_bytes
	same 0 "$(tell requests --kind asset_bytes | jq '[.requests[] | select(.token != [])] | length')" 'tokens sent for assets'
}

@test "a secured stack's token goes along no redirect, and is in no message, whatever goes wrong" {
	set_cache
	start_stack --secure-assets
	local fault other
	python3 "$STACK" serve --ready-file "$WORK/other.url" >"$WORK/other.log" 2>&1 3>&- &
	wait_until 30 test -s "$WORK/other.url"
	other=$(<"$WORK/other.url")
	contentfs_foreground -v --secure-assets >>"$WORK/daemon.log" 2>&1 3>&- &
	wait_until 30 contentfs status "$MOUNT"
	ctl fault redirect --times forever --match /v3/assets/ --to "$other/v3/assets{file}"
	equal_bytes
	[ "$(tell_at "$other" status | jq .asset_requests)" -ge 20 ]
	same 0 "$(tell_at "$other" requests | jq '[.requests[] | select(.token != [])] | length')" 'tokens told to another'
	ctl faults-clear
	make_assets 12 100000
	refresh
	local number=0
	for fault in 401 403 404 500 reset not-json truncate '416' "redirect --to http://localhost:$(stack_port)/mirror{file}" \
		'redirect --to nonsense://x' 'redirect --to http://127.0.0.1:9/x' close; do
		((++number))
		# shellcheck disable=SC2086 # a parameter
		ctl fault $fault --times forever --match "/v3/assets/bltlocalstack0000/$(asset_uid $number)/"
	done
	for ((number = 1; number <= 12; number++)); do
		noting bounded cat "$(asset "$(asset_uid $number)")" >/dev/null &
	done
	wait_until 60 none_waiting
	none_astray
	unmount
	no_trace "$CONTENTSTACK_DELIVERY_TOKEN"
}

# --- filled ahead -------------------------------------------------------------------------------------------------------

fetch() {
	contentfs fetch --store "$STORE" --asset-timeout 5 "$@"
}

@test "fetch brings everything, and then all can be read without the service" {
	set_cache
	start_stack --content sample --generate 10 --assets 30
	contentfs sync --store "$STORE"
	keep_truth
	fetch
	no_asset_request fetch
	end_stack
	mount_assets
	still_equal
	unmount
}

@test "fetch goes on where it was killed" {
	set_cache
	start_stack --content empty --latency 30
	make_assets 40 500000
	contentfs sync --store "$STORE"
	fetch >"$WORK/first" 2>&1 3>&- &
	ctl wait-requests asset_bytes 20 --timeout 60
	kill_daemon
	ctl set latency 0
	fetch
	[ "$(stack_status asset_bytes)" -le 30000000 ] # of 20,000,000
	no_asset_request fetch
	mount_assets
	no_asset_request equal_bytes
}

@test "fetch brings anew what is damaged in the cache, so that all can be read without the service" {
	setup_cache 5 700000
	keep_truth
	local way
	for way in flipped cut zeroed swapped; do
		echo "$way"
		fetch
		unmount
		damage "$way"
		fetch
		ctl fault close --times forever --match /v3/assets/
		mount_assets
		still_equal
		ctl faults-clear
	done
}

@test "fetch brings what is asked for only, named by the tree or in a mount" {
	set_cache
	start_stack
	mount_assets
	fetch assets/de-de
	local before
	before=$(stack_status asset_requests)
	[ "$before" -ge 5 ]
	no_asset_request fetch assets/de-de "$MOUNT/assets/de-de"
	no_asset_request bounded find "$MOUNT/assets/de-de" -mindepth 2 -type f -exec cat {} + >/dev/null
	make_asset "$LARGE" 300000
	refresh
	contentfs fetch "$MOUNT/assets/en-us/$LARGE"
	no_asset_request reads_right "$LARGE"
	exits_with 78 'no assets/no-such-place in the tree' fetch --store "$STORE" assets/no-such-place
	exits_with 78 'is in no mount of contentfs' fetch --store "$STORE" "$WORK"
	exits_with 78 'a place in a mount is meant' fetch --store "$STORE" "$WORK/none"
	contentfs sync --store "$STORE.other"
	exits_with 78 'shows another store' fetch --store "$STORE.other" "$MOUNT/assets"
}

@test "fetch takes the cache of the mount that is named, and the limit that it is given" {
	setup_cache 8 1000000 --cache-size 4M
	run -74 contentfs fetch "$MOUNT/assets"
	has "$output" 'the cache may take 4.2 MB'
	contentfs fetch --cache-size 40M "$MOUNT/assets"
}

@test "fetch into a cache that cannot be written says why" {
	make_disk -t tmpfs -o size=8M tmpfs
	setup_cache 2 100000 --cache "$DISK/cache"
	unmount
	mount -o remount,ro "$DISK"
	run -69 contentfs fetch --store "$STORE" --cache "$DISK/cache"
	has "$output" 'Read-only file system' 'not fetched'
	fails grep 'larger --cache-size' <<<"$output"
}

@test "fetch lists what it could not bring, and brings the rest" {
	setup_cache 10 100000
	ctl fault 404 --times forever --match "/$(asset_uid 3)/"
	ctl fault 500 --times forever --match "/$(asset_uid 7)/"
	run fetch
	echo "$output"
	fails test "$status" = 0
	has "$output" "assets/en-us/$(asset_uid 3)/" "assets/en-us/$(asset_uid 7)/"
	fails grep -q "$(asset_uid 5)" <<<"$output"
	ctl faults-clear
	ctl requests --clear
	fetch
	same 200000 "$(stack_status asset_bytes)" 'bytes of the second time'
	no_asset_request equal_bytes
}

@test "fetch shows on a terminal how far it is, within a large file too" {
	require script
	set_cache
	start_stack --content empty
	make_assets 3 100000
	make_asset "$LARGE" 20000000
	contentfs sync --store "$STORE"
	fetch "assets/en-us/$(asset_uid 2)"
	ctl fault trickle --match "/$LARGE/" --bytes 1000000 --delay 200 --times 2
	bounded script -qec "'$CONTENTFS' fetch --store '$STORE'" "$WORK/terminal" >/dev/null
	tr '\r' '\n' <"$WORK/terminal" >"$WORK/lines"
	cat "$WORK/lines"
	[ "$(grep -o '3 of 4 assets.*[kM]B' "$WORK/lines" | grep -o '[0-9.]* [kM]B' | sort -u | wc -l)" -ge 3 ]
	[ "$(grep '3 of 4 assets' "$WORK/lines" | grep -o '[0-9]*%' | sort -u | wc -l)" -ge 3 ]
	grep -q 'MB of 20.3 MB' "$WORK/lines"
	fetch 2>"$WORK/quiet"
	same '' "$(cat "$WORK/quiet")" 'where there is no terminal'
}

@test "fetch lists all that it could not bring, however many" {
	setup_cache 1100 100
	ctl fault 404 --times forever --match /v3/assets/
	run fetch
	same 69 "$status"
	same 1100 "$(grep -c '^assets/.*: not fetched$' <<<"$output")" 'names'
}

@test "fetch says before it begins that the cache is too small, and at the end what has no room" {
	setup_cache 8 1000000
	unmount
	run -74 contentfs fetch --store "$STORE" --cache-size 4M
	fails grep 'is not kept' <<<"$output"
	has "$output" 'use a larger --cache-size' '8.0 MB of assets are wanted, and the cache may take 4.2 MB' 'no room in the cache'
	contentfs fetch --store "$STORE" --cache-size 40M
	no_asset_request fetch
}

@test "fetch without the service fails for what is missing only" {
	setup_cache 3 100000
	reads_right "$(asset_uid 2)"
	end_stack
	run fetch "assets/en-us/$(asset_uid 2)"
	same 0 "$status"
	run fetch --asset-timeout 1
	fails test "$status" = 0
	has "$output" "$(asset_uid 1)" "$(asset_uid 3)"
	unmount
}
