# The tree is what the stack publishes: names, texts, attributes. And it stays so, whatever the API leaves open.

load lib

GENERATED=(--generate 1500 --content-types 6 --locales 3 --assets 40)

# stays_equal OPTION...: with a stack of these options, the tree follows changes of every kind.
stays_equal() {
	start_stack "$@"
	mount_stack
	equal
	ctl random 120 --seed 5
	ctl publish-asset bltfedcba9876543210 en-us --file-bytes 100
	refreshed_equal
	ctl unpublish-asset "$(some_asset)"
	ctl delete-asset bltfedcba9876543210
	ctl random 60 --seed 6
	ctl delete-content-type story
	refreshed_equal
}

# The uid of a published asset.
some_asset() {
	find "$MOUNT/assets" -mindepth 2 -maxdepth 2 -name '*.json' -printf '%f\n' | sort | head -n 1 | sed 's/\.json$//'
}

@test "generated content is all there after the first sync" {
	start_stack "${GENERATED[@]}"
	mount_stack
	equal --attributes-every 1
}

@test "generated content follows random changes, and is the same after a remount" {
	start_stack "${GENERATED[@]}"
	mount_stack
	local seed
	for seed in 1 2 3 4; do
		ctl random 150 --seed $seed
		refreshed_equal
	done
	unmount
	mount_stack
	equal
}

@test "changes that were made while nothing was mounted are there after the next refresh" {
	start_stack "${GENERATED[@]}"
	mount_stack
	unmount
	ctl random 150 --seed 7
	mount_stack
	refreshed_equal
}

@test "the sample content, with all its oddities, is all there and follows changes" {
	start_stack
	mount_stack
	equal --attributes-every 1
	ctl random 150 --seed 8
	refreshed_equal --attributes-every 1
	unmount
	mount_stack
	equal
}

@test "a stack without content is an empty tree that fills with the first entry" {
	start_stack --content empty
	mount_stack
	equal
	ctl add-content-type note Note
	publish note blt0000000000000001 en-us First
	refreshed_equal
	ctl delete note blt0000000000000001
	refreshed_equal
}

@test "deltas may hold every event of an item" {
	stays_equal --delta-events all
}

@test "deltas may hold only the newest event of an item" {
	stays_equal --delta-events newest
}

@test "runs may begin with the oldest event" {
	stays_equal --order oldest --page-size 30
}

@test "runs may begin with the newest event" {
	stays_equal --order newest --page-size 30
}

@test "one deletion without locale removes every locale" {
	stays_equal --deletions no-locale
}

@test "content_type_deleted alone removes the entries of the type" {
	stays_equal --type-deletions alone
}

@test "content_type_deleted may come with a deletion of each entry" {
	stays_equal --type-deletions with-entries --page-size 15
}

@test "asset tombstones need no content_type_uid" {
	stays_equal --asset-tombstones bare
}

@test "empty pages end nothing" {
	stays_equal --empty-pages 2 --page-size 25
}

@test "an empty delta may come in full form with a new token" {
	start_stack --empty-delta full
	mount_stack
	refreshed_equal
	refreshed_equal
	ctl random 100 --seed 9
	refreshed_equal
	refreshed_equal
}

@test "deltas of many small pages become visible whole" {
	stays_equal --page-size 3
}

@test "a server that honours limits and knows comma lists makes no difference" {
	stays_equal --honour-limit --multi-value
}

@test "a CDN that lags behind is asked again" {
	start_stack --cdn-lag 2
	mount_stack
	equal
	ctl random 100 --seed 10
	wait_until 30 refreshed_equal
}

@test "answers need not be compressed" {
	stays_equal --gzip-level 0
}

@test "names that file systems cannot take are encoded" {
	start_stack --content empty
	ctl add-content-type 'a b'
	local uid
	for uid in . .. a/b 'a%b' 'naïve' '日本' "$(printf 'x%.0s' {1..300})" "$(printf '日%.0s' {1..120})" ' ' '~' '-rf' "tab	and
newline"; do
		ctl publish -- 'a b' "$uid" en-us
	done
	mount_stack
	equal --attributes-every 1
}
