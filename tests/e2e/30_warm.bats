# A warm read costs no request.

load lib

a_pass() {
	bounded find "$MOUNT" -printf '%p %s %t %i\n' >/dev/null
	bounded grep -r 'no such text anywhere' "$MOUNT" >/dev/null || [ $? = 1 ]
}

# Requests so far, but for STATFS: find and grep send one each, and the kernel remembers no answer to it.
asked() {
	mount_status 'requests_by_operation | del(.statfs) | tojson'
}

# silent COMMAND...: it succeeds without a request to the file system. The kernel may drop what it remembers whenever
# something else on the machine needs the memory: of a few tries, one has to be without.
silent() {
	local before after
	for _ in 1 2 3 4; do
		before=$(asked)
		"$@"
		after=$(asked)
		[ "$before" != "$after" ] || return 0
	done
	same "$before" "$after" "requests after $*"
}

warm_passes() {
	a_pass
	silent a_pass
	silent bounded du -s "$MOUNT"
	silent bounded tar -C "$MOUNT" -cf /dev/null .
	silent fails bounded stat "$MOUNT/entries/nothing" 2>/dev/null
}

@test "a second pass over the tree asks for nothing, and so after a remount" {
	start_stack --generate 1500 --content-types 6 --locales 3 --assets 40
	mount_stack
	bounded stat "$MOUNT/entries/nothing" || true
	warm_passes
	unmount
	mount_stack
	bounded stat "$MOUNT/entries/nothing" || true
	warm_passes
}

@test "polls that bring no news keep the tree warm" {
	start_stack
	mount_stack
	a_pass
	refresh
	refresh
	silent a_pass
}

@test "only what has changed is asked for again" {
	start_stack
	mount_stack
	a_pass
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	refresh
	a_pass
	local before after
	before=$(mount_status requests)
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Newer'
	refresh
	a_pass
	after=$(mount_status requests)
	((after > before && after - before < 20)) # of 135 files
	silent a_pass
}

@test "reading sends nothing to the service" {
	start_stack
	mount_stack
	local before
	before=$(requests content_types)
	a_pass
	same 0 "$(requests entry)" 'entries asked for'
	same 0 "$(requests entries)" 'lists asked for'
	same "$before" "$(requests content_types)" 'content types asked for'
}

@test "listing in full asks about labels and access control lists once, not for each file" {
	start_stack
	mount_stack
	bounded ls -lR "$MOUNT" >/dev/null
	local before after
	before=$(mount_status requests_by_operation.xattr)
	bounded ls -lR "$MOUNT" >/dev/null
	after=$(mount_status requests_by_operation.xattr)
	((after - before < 10)) # of 135 files
}

# What comes next is put into the kernel's cache ahead of the reader, who may overtake that.
@test "a directory that is read through, either way, is read with few requests, and rightly" {
	start_stack --generate 4000 --content-types 1 --locales 1
	mount_stack
	local folder before after order
	folder=$(echo "$MOUNT"/entries/*/*)
	find "$folder" -type f -printf '%i %p\n' | sort -n | cut -d' ' -f2- >"$WORK/files"
	xargs sha256sum <"$WORK/files" | sort >"$WORK/sums"
	for order in cat tac; do
		$order "$WORK/files" >"$WORK/ordered"
		echo 3 >/proc/sys/vm/drop_caches
		bounded find "$folder" >/dev/null # the kernel takes texts of files that it has seen
		before=$(mount_status requests_by_operation.read)
		bounded xargs sha256sum <"$WORK/ordered" | sort >"$WORK/sums.again"
		after=$(mount_status requests_by_operation.read)
		cmp "$WORK/sums" "$WORK/sums.again"
		echo "$order: $((after - before)) requests"
		((after - before < 3000)) # of 4,000 files
	done
}

@test "who has read a directory through finds the files of the next one that it lists there" {
	start_stack --generate 900 --content-types 3 --locales 1
	mount_stack
	bounded python3 "$E2E/readers.py" trusted "$MOUNT" "$MOUNT"/entries/*/*
}
