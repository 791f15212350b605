# Assets are files: there when listed, fetched when they are read, and from then on at hand.

load lib
load assets

setup_assets() {
	set_cache
	start_stack --content sample --generate 30 --assets 36
	make_large
	mount_assets
}

all_names() {
	bounded find "$MOUNT" -printf '%p %s %b %t\n' >/dev/null
	bounded ls -lR "$MOUNT" >/dev/null
	bounded du -s "$MOUNT" >/dev/null
	bounded du -sb "$MOUNT" >/dev/null
	bounded getfattr -R --absolute-names -d -m - "$MOUNT" >/dev/null
	bounded stat "$(asset "$LARGE")" >/dev/null
	equal --attributes-every 1
}

file_count() {
	bounded find "$MOUNT/assets" -mindepth 3 -type f | wc -l
}

@test "looking at names, sizes, times and attributes asks for no asset" {
	require getfattr
	setup_assets
	[ "$(file_count)" -ge 61 ]
	no_asset_request all_names
	remount
	no_asset_request all_names
	same 0 "$(stack_status asset_requests)" 'requests for assets'
}

@test "every file reads back as it is, and is asked for no more: now, after changes, and without the service" {
	setup_assets
	equal_bytes --attributes-every 1
	no_asset_request equal_bytes
	forget_all
	no_asset_request equal_bytes
	ctl random 60 --seed 31
	refresh
	equal_bytes --attributes-every 1
	no_asset_request equal_bytes
	keep_truth
	unmount
	end_stack
	mount_assets
	still_equal --attributes-every 1
	unmount
}

@test "a file has the size, time, type and URL of its record" {
	require getfattr
	setup_assets
	local file record
	file=$(asset "$LARGE")
	record=$MOUNT/assets/en-us/$LARGE.json
	attribute() {
		bounded getfattr --absolute-names --only-values -n "user.contentfs.$1" "$file"
	}
	same film.mp4 "${file##*/}"
	same "$LARGE_BYTES 444" "$(bounded stat -c '%s %a' "$file")"
	same "$(bounded stat -c %y "$record")" "$(bounded stat -c %y "$file")" 'times'
	same video/mp4 "$(attribute content_type)"
	same "$(asset_url "$LARGE")" "$(attribute url)"
	same "$LARGE en-us" "$(attribute uid) $(attribute locale)"
	fails bounded getfattr --absolute-names -n user.contentfs.url "$record"
}

@test "the end of a large file costs a few requests, and not the file" {
	setup_assets
	local file
	file=$(asset "$LARGE")
	curl_whole
	ctl requests --clear
	same "$(tail -c 100 "$WHOLE" | sha256sum)" "$(bounded tail -c 100 "$file" | sha256sum)" 'the last 100 bytes'
	[ "$(stack_status asset_requests)" -le 3 ]
	[ "$(stack_status asset_bytes)" -lt 8000000 ]
	same "$(head -c 100 "$WHOLE" | sha256sum)" "$(bounded head -c 100 "$file" | sha256sum)" 'the first 100 bytes'
	[ "$(stack_status asset_requests)" -le 6 ]
	[ "$(stack_status asset_bytes)" -lt 16000000 ]
	same "$(tail -c +40000001 "$WHOLE" | head -c 4096 | sha256sum)" \
		"$(bounded dd if="$file" bs=4096 count=1 iflag=skip_bytes skip=40000000 status=none | sha256sum)" 'from the middle'
	[ "$(stack_status asset_bytes)" -lt 24000000 ]
	bounded cmp "$WHOLE" "$file"
	[ "$(stack_status asset_bytes)" -lt $((LARGE_BYTES + 16000000)) ]
}

# curl_whole: the large asset as the stack gives it, in $WHOLE.
curl_whole() {
	python3 -c 'import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer, open(sys.argv[2], "wb") as out:
    shutil.copyfileobj(answer, out)' "$(asset_url "$LARGE")" "$WHOLE"
}

@test "of a server without ranges everything is read all the same" {
	setup_assets
	ctl set asset-ranges off
	curl_whole
	bounded cmp <(tail -c 100 "$WHOLE") <(bounded tail -c 100 "$(asset "$LARGE")")
	equal_bytes
	no_asset_request equal_bytes
}

@test "entity tags may be weak, or missing" {
	local etags
	set_cache
	start_stack
	for etags in weak none; do
		ctl set asset-etags $etags
		make_asset "bltfff0000000000$etags" 3000000
	done
	mount_assets
	for etags in weak none; do
		ctl set asset-etags $etags
		bounded tail -c 10 "$(asset "bltfff0000000000$etags")" >/dev/null
		reads_right "bltfff0000000000$etags"
		rm -rf "$CACHE"
		unmount
		mount_assets
		equal_bytes
	done
}

@test "names are what the record calls the file, however odd" {
	start_stack --content empty
	set_cache
	local name number=0
	for name in 'it_s (1) & ;@!~$.txt' '日本語.png' '..txt' '.hidden' 'two.json' "$(printf 'x%.0s' {1..300}).jpeg" \
		"$(printf '日%.0s' {1..120}).tar.gz" '-rf' 'tab\u0009and\nnewline' '.' '..' 'a%2Fb'; do
		make_asset "$(asset_uid $((++number)))" $((1000 + number)) "$name" --as-is
	done
	ctl publish-asset blt.json en-us '{"filename": "of-a-uid.bin"}' --file-bytes 100
	ctl publish-asset bltnoname en-us --file-bytes 100
	ctl publish-asset bltnoname en-us --without filename
	ctl publish-asset bltnourl en-us --without url
	ctl publish-asset bltnulls en-us '{"url": null, "filename": null, "content_type": null}'
	mount_assets
	equal --attributes-every 1
	same bltnoname.bin "$(basename "$(asset bltnoname)")"
	fails test -e "$MOUNT/assets/en-us/bltnourl"
}

@test "URLs are encoded as the official clients do it" {
	start_stack --content empty
	set_cache
	local name number=0
	for name in "it's 100% (raw) [x] {y} «z» ^\`|.txt" 'a+b=c,d;e@f!g~h$i&j:k*l.txt' '日本語 und Größe €.txt' '👩🏽‍🚀.png' 'a b.txt'; do
		make_asset "$(asset_uid $((++number)))" $((1000 + number)) "$name" --as-is
	done
	mount_assets
	equal_bytes --attributes-every 1
}

# A record may be wrong about the size of its file.
sizes() {
	echo zero negative words missing null small large number huge
}

# setup_sizes: an asset of each kind, small and not so small.
setup_sizes() {
	set_cache
	start_stack --content empty
	local how
	for how in $(sizes); do
		make_asset "blt5$how" 5000
		ctl missize-asset "blt5$how" en-us "$how"
		make_asset "blt700$how" 700001
		ctl missize-asset "blt700$how" en-us "$how"
	done
	keep_truth
	mount_assets
}

# right_by COMMAND...: it writes every file to standard output as it is, though nothing of it was read before.
right_by() {
	local how part uid want
	rm -rf "$CACHE"
	rm -f "$STORE"*
	mount_assets
	for how in $(sizes); do
		for part in 5 700; do
			uid=blt$part$how
			want=$(digest_in "$uid" <"$WORK/truth")
			same "$want" "$("$@" "$(asset "$uid")" | sha256sum | cut -d' ' -f1)" "$uid by $*"
		done
	done
	still_equal
	unmount
}

by_copy() {
	rm -f "$WORK/copy"
	bounded cp "$1" "$WORK/copy"
	cat "$WORK/copy"
}

by_dd() {
	bounded dd if="$1" bs=1000 status=none
}

by_python() {
	bounded python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read())' "$1"
}

by_stat_first() {
	bounded stat "$1" >/dev/null
	bounded cat "$1"
}

@test "a record that is wrong about the size of its file misleads nobody" {
	setup_sizes
	unmount
	right_by bounded cat
	right_by by_copy
	right_by by_dd
	right_by by_python
	right_by by_stat_first
}

@test "a size that turned out to be another is the one that is shown, after a remount too" {
	setup_sizes
	still_equal
	has_size() {
		same "$1" "$(bounded stat -c %s "$(asset "$2")")"
	}
	local how
	for how in $(sizes); do
		wait_until 10 has_size 5000 "blt5$how"
		wait_until 10 has_size 700001 "blt700$how"
	done
	end_stack
	unmount
	mount_assets
	for how in $(sizes); do
		has_size 5000 "blt5$how"
		has_size 700001 "blt700$how"
	done
	still_equal
	unmount
}

@test "who has a file open that is replaced goes on with the old bytes, or is told; the new path has the new ones" {
	setup_assets
	make_asset bltfff000000000001 3000000 paper.bin
	refresh
	bounded cp "$(asset bltfff000000000001)" "$WORK/old"
	replace_both_under 7<"$(asset bltfff000000000001)" 8<"$(asset "$LARGE")"
	equal_bytes
}

# Descriptor 7: a file that was read, 8: one of which nothing was.
replace_both_under() {
	make_asset bltfff000000000001 2000000 paper.bin
	make_asset "$LARGE" 5000000 film.mp4
	refresh
	reads_right bltfff000000000001
	reads_right "$LARGE"
	bounded cmp "$WORK/old" - <&7
	run bounded dd bs=4096 count=1 status=none <&8
	has "$output" 'Stale'
}

@test "an asset in several locales is fetched once" {
	set_cache
	start_stack --content empty
	make_asset bltfff000000000001 2000000
	local locale
	for locale in de-de ja-jp ar-eg; do
		ctl publish-asset bltfff000000000001 $locale
	done
	mount_assets
	for locale in en-us de-de ja-jp ar-eg; do
		reads_right bltfff000000000001 $locale
	done
	[ "$(stack_status asset_bytes)" -le 2000000 ]
}

@test "many readers of one asset share one download" {
	setup_assets
	ctl requests --clear
	local reader readers=() want
	want=$(digest "$LARGE")
	for reader in 1 2 3 4 5 6; do
		bounded sha256sum "$(asset "$LARGE")" >"$WORK/sum$reader" &
		readers+=($!)
	done
	wait "${readers[@]}"
	for reader in 1 2 3 4 5 6; do
		same "$want" "$(cut -d' ' -f1 "$WORK/sum$reader")" "reader $reader"
	done
	[ "$(stack_status asset_bytes)" -le $((LARGE_BYTES + 1000000)) ]
}

@test "status counts what the cache does" {
	set_cache
	start_stack --content empty
	make_assets 3 300000
	mount_assets --cache-size 50M
	same "$CACHE" "$(cache_status folder)"
	same $((50 << 20)) "$(cache_status limit_bytes)"
	same 0 "$(cache_status requests)" 'requests before'
	equal_bytes
	[ "$(cache_status requests)" -ge 3 ]
	same 900000 "$(cache_status fetched_bytes)" 'fetched'
	[ "$(cache_status misses)" -ge 3 ]
	[ "$(cache_status cached_bytes)" -ge 900000 ]
	same '0 0 0' "$(cache_status failures) $(cache_status downloads) $(cache_status waiting)"
	local before
	before=$(cache_status requests)
	forget_all
	equal_bytes
	[ "$(cache_status hits)" -ge 3 ]
	same "$before" "$(cache_status requests)" 'requests after reading again'
	ctl fault 404 --times forever --match /v3/assets/
	make_asset bltfff00000000000e 1000
	refresh
	fails bounded cat "$(asset bltfff00000000000e)"
	[ "$(cache_status failures)" -ge 1 ]
	contentfs status "$MOUNT" | grep -qi cache
	contentfs status "$MOUNT" # assets that fail do not make the content unhealthy
}
