# `contentfs status`, for people, programs, monitoring and Prometheus.

load lib

SHIM=${SHIM:-$E2E/../../build/tests/shim/libshim.so}

# later SECONDS COMMAND...: contentfs by a clock that is ahead.
later() {
	echo "$1" >"$WORK/clock"
	bounded env LD_PRELOAD="$SHIM" SHIM_CLOCK="$WORK/clock" "$CONTENTFS" "${@:2}"
}

# metrics [MOUNTPOINT]: what Prometheus reads, a sample a line.
metrics() {
	contentfs status --metrics "$@" >"$WORK/metrics" && bounded python3 "$E2E/metrics.py" <"$WORK/metrics"
}

healthy() {
	contentfs status "$MOUNT"
}

@test "people read numbers, sizes and times as they would write them" {
	start_stack
	mount_stack --cache "$WORK/cache"
	run -0 contentfs status "$MOUNT"
	echo "$output"
	has "$output" 'State:          up to date' "Mounted on:     $MOUNT" 'Environment:    production' \
		'since the last successful sync' ' ago)' 'Next poll in:   ' 'Content types:  9' 'Entries:        104' \
		'10  story, en-us' 'Quarantined:    0'
	grep -qE "^Store: +$STORE \([0-9.]+ [kM]B\)$" <<<"$output"
	grep -qE "^Cached assets:  0 bytes of 10.7 GB in $WORK/cache$" <<<"$output"
	grep -qE '^Assets: +34 \([0-9.]+ MB\)$' <<<"$output"
}

@test "programs learn what the store and the cache take, with a mount and without" {
	start_stack
	mount_stack --cache "$WORK/cache" --cache-size 5M
	bounded cat "$(bounded find "$MOUNT/assets/en-us" -name '*.png' | head -n 1)" >/dev/null
	contentfs status --json "$MOUNT" >"$WORK/mounted"
	unmount
	contentfs status --json --store "$STORE" --cache "$WORK/cache" >"$WORK/alone"
	local file
	for file in mounted alone; do
		jq -e '.store_bytes > 100000 and .complete and .cache.cached_bytes > 0' "$WORK/$file"
		jq -e --arg folder "$WORK/cache" '.cache.folder == $folder' "$WORK/$file"
	done
	jq -e '.cache.limit_bytes == 5242880 and .cache.misses == 1' "$WORK/mounted"
	jq -e '.cache | has("hits") | not' "$WORK/alone"
	contentfs status --store "$STORE" --cache "$WORK/cache" | grep -F "$WORK/cache"
	fails test -e "$HOME/.cache" # looking makes nothing
}

@test "a store can be looked at where there is no place for a cache" {
	start_stack
	contentfs sync --store "$STORE"
	unset HOME
	contentfs status --json --store "$STORE" | jq -e '.healthy and (has("cache") | not)'
}

@test "--max-age goes by the age of the content, not by the last try" {
	start_stack
	mount_stack
	contentfs status --max-age 10min "$MOUNT"
	end_stack
	run -69 refresh
	wait_until 30 fails healthy
	contentfs status --max-age 10min "$MOUNT" # one failure is no reason to wake anybody
	unmount
	run -75 later 7200 status --max-age 1h --store "$STORE"
	has "$output" 'the last successful sync is 2 h' 'and 1 h are allowed' "$(stack_port)"
	later 7200 status --max-age 3h --store "$STORE"
	later 7200 status --max-age 10800 --json --store "$STORE" | jq -e '.age_seconds >= 7200 and .state == "failing"'
}

@test "--max-age tells content that is not whole yet" {
	start_stack --generate 300 --page-size 50
	ctl fault 401 --skip 2 --match pagination_token --times forever
	run -77 contentfs sync --store "$STORE"
	run -75 contentfs status --max-age 1h --store "$STORE"
	has "$output" 'the content is not whole yet: '
}

@test "what is no time is refused, and so is an age for another command" {
	run -64 contentfs status --max-age soon
	has "$output" "--max-age: the age 'soon' is no time"
	run -64 contentfs status --max-age
	has "$output" '--max-age needs a value'
	run -64 contentfs refresh --max-age 5 "$MOUNT"
}

@test "Prometheus reads the metrics of a mount" {
	start_stack
	mount_stack
	bounded cat "$(bounded find "$MOUNT/assets/en-us" -name '*.png' | head -n 1)" >/dev/null
	metrics "$MOUNT" >"$WORK/samples"
	cat "$WORK/samples"
	local store
	store=$(jq -cn --arg store "$STORE" '{store: $store}' | sed 's/:/: /')
	grep -qxF "contentfs_healthy gauge $store 1.0" "$WORK/samples"
	grep -qxF "contentfs_assets gauge $store 34.0" "$WORK/samples"
	grep -qxF "contentfs_cache_misses_total counter $store 1.0" "$WORK/samples"
	grep -q '^contentfs_entries gauge .*"content_type": "story", "locale": "en-us".* 10.0$' "$WORK/samples"
	grep -q '^contentfs_requests_total counter .*"operation": "lookup"' "$WORK/samples"
	grep -q '^contentfs_info gauge .*"mountpoint": "'"$MOUNT" "$WORK/samples"
	same 104 "$(awk '$1 == "contentfs_entries" { sum += $NF } END { print sum }' "$WORK/samples")"
	same '' "$(cut -d' ' -f1 "$WORK/samples" | grep -v '^contentfs_' || true)"
	same '' "$(grep -v '^#' "$WORK/metrics" | cut -d'}' -f1 | sort | uniq -d)" 'samples that are there twice'
}

@test "Prometheus reads the metrics of a store, whatever its name" {
	start_stack
	STORE=$WORK/$'a "quoted\\ name"\nin two lines.db'
	contentfs sync --store "$STORE"
	metrics --store "$STORE" >"$WORK/samples"
	same "$STORE" "$(sed -n 's/^contentfs_complete gauge \(.*\) 1.0$/\1/p' "$WORK/samples" | jq -r .store)"
	grep -q '^contentfs_mounted gauge .* 0.0$' "$WORK/samples"
	fails grep -q cache_hits "$WORK/samples"
}

@test "metrics are there while a sync fails, and say so" {
	start_stack
	mount_stack
	end_stack
	run -69 refresh
	wait_until 30 fails healthy
	metrics "$MOUNT" >"$WORK/samples"
	grep -q '^contentfs_healthy gauge .* 0.0$' "$WORK/samples"
	grep -q '^contentfs_last_status gauge .* 69.0$' "$WORK/samples"
	run -75 contentfs status --metrics --max-age 0 "$MOUNT"
}

@test "metrics of what is not there are a failure" {
	run -78 contentfs status --metrics "$MOUNT"
	has "$output" 'no contentfs is mounted'
	run -78 contentfs status --metrics --store "$STORE"
	has "$output" 'there is no store at'
}
