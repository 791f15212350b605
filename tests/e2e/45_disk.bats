# A store on a disk that is full, read-only or failing, or a store that is damaged: a sentence that says so, the mounted
# content stays readable, and all is well again when the cause is gone.

load lib

PAGE=16384 # bytes of the store

setup_stack() {
	start_stack --generate 300 --content-types 3 --locales 2 --assets 20
}

# mount_disk SIZE: a disk of its own for the store.
mount_disk() {
	require_root
	make_disk -t tmpfs -o "size=$1" tmpfs
	STORE=$DISK/store.db
}

# fill_disk: not a byte fits any more.
fill_disk() {
	dd if=/dev/zero of="$DISK/filler" bs=4k 2>/dev/null || true
	fails dd if=/dev/zero of="$DISK/more" bs=4k count=1 2>/dev/null
	rm -f "$DISK/more"
}

# publish_much: more than the room that a journal has left.
publish_much() {
	ctl random 300 --seed "$1"
}

# mount_failing: mounts with a disk that fails as $WORK/store/orders says.
mount_failing() {
	require "$FAILING_DISK"
	mkdir "$WORK/store"
	STORE=$WORK/store/store.db
	env LD_PRELOAD="$FAILING_DISK" FAILING_FOLDER="$WORK/store" FAILING_ORDERS="$WORK/store/orders" \
		timeout --kill-after=5 "$COMMAND_SECONDS" "$CONTENTFS" mount --store "$STORE" --interval 3600 "$MOUNT" 3>&-
}

# expect_failing WORDS...: a refresh and the status say what the matter is, and the content is what $WORK/before says.
expect_failing() {
	run contentfs refresh "$MOUNT"
	echo "$status $output"
	same 74 "$status" 'exit status of refresh'
	has "$output" "$@"
	run contentfs status "$MOUNT"
	echo "$status $output"
	same 74 "$status" 'exit status of status'
	has "$output" failing "$@"
	bounded python3 "$E2E/compare.py" "$MOUNT" "$WORK/before"
}

# aside: the store that was set aside.
aside() {
	local found=("$STORE".damaged-*Z)
	same 1 "${#found[@]}" 'stores set aside' >&2
	echo "${found[0]}"
}

nothing_aside() {
	fails compgen -G "$STORE.damaged-*"
}

# refuses_store STATUS WORDS...: mount and sync say so, and do not touch the store.
refuses_store() {
	local want=$1 command before
	shift
	before=$(sha256sum "$STORE" && stat -c '%a %Y' "$STORE")
	for command in "mount --store $STORE $MOUNT" "sync --store $STORE"; do
		# shellcheck disable=SC2086 # words
		run contentfs $command
		echo "$status $output"
		same "$want" "$status" "exit status of $command"
		has "$output" "$STORE" "$@"
	done
	same "$before" "$(sha256sum "$STORE" && stat -c '%a %Y' "$STORE")" 'the store'
	nothing_aside
}

# --- damage -------------------------------------------------------------------------------------------------------------

# replaces_damaged: the store as it is now is set aside by a mount, and its content is all there again.
replaces_damaged() {
	cp "$STORE" "$WORK/damaged"
	run mount_stack
	echo "$output"
	same 0 "$status"
	has "$output" 'is damaged' "$(aside)" 'fetched anew'
	cmp "$WORK/damaged" "$(aside)"
	equal
	unmount
	run mount_stack
	same '' "$output" 'a second time'
	equal
}

@test "a store that was cut short is set aside, and built anew by the next mount" {
	setup_stack
	contentfs sync --store "$STORE"
	truncate -s "$(($(stat -c %s "$STORE") / 2))" "$STORE"
	replaces_damaged
}

@test "a store whose header is gone is set aside, and built anew by the next mount" {
	setup_stack
	contentfs sync --store "$STORE"
	dd if=/dev/zero of="$STORE" bs=100 count=1 conv=notrunc 2>/dev/null
	replaces_damaged
}

@test "contentfs sync sets a damaged store aside, too" {
	setup_stack
	contentfs sync --store "$STORE"
	truncate -s 5000 "$STORE"
	run contentfs sync --store "$STORE"
	echo "$output"
	same 0 "$status"
	has "$output" 'is damaged' "$(aside)"
	same 5000 "$(stat -c %s "$(aside)")"
	mount_stack
	equal
}

@test "contentfs status says that a store is damaged, and leaves it alone" {
	setup_stack
	contentfs sync --store "$STORE"
	truncate -s 5000 "$STORE"
	run contentfs status --store "$STORE"
	echo "$output"
	same 74 "$status"
	has "$output" 'is damaged'
	nothing_aside
}

# scribble_inside: damage that opening the store does not find: all pages but those at the ends of its trees.
scribble_inside() {
	local page pages
	pages=$(bounded sqlite3 -readonly "$STORE" "SELECT pageno FROM dbstat WHERE pagetype = 'leaf'
		AND name IN ('version', 'node') AND path NOT LIKE '%/000/' AND ncell > 0
		AND pageno NOT IN (SELECT max(pageno) FROM dbstat GROUP BY name)
		AND path NOT IN (SELECT max(path) FROM dbstat GROUP BY name)
		AND path NOT IN (SELECT min(path) FROM dbstat WHERE pagetype = 'leaf' GROUP BY name)")
	[ -n "$pages" ]
	for page in $pages; do
		head -c "$PAGE" /dev/zero | tr '\0' '\377' | dd of="$STORE" bs="$PAGE" seek=$((page - 1)) conv=notrunc 2>/dev/null
	done
}

# scribble_all: nothing is left of the store's file but its first page.
scribble_all() {
	local pages=$(($(stat -c %s "$STORE") / PAGE - 1))
	head -c $((pages * PAGE)) /dev/zero | tr '\0' '\377' | dd of="$STORE" bs="$PAGE" seek=1 conv=notrunc 2>/dev/null
}

# scribble_on NAME: nothing is left of that table or index.
scribble_on() {
	local page
	for page in $(bounded sqlite3 -readonly "$STORE" "SELECT pageno FROM dbstat WHERE name = '$1'"); do
		head -c "$PAGE" /dev/zero | tr '\0' '\377' | dd of="$STORE" bs="$PAGE" seek=$((page - 1)) conv=notrunc 2>/dev/null
	done
}

@test "commands that only read say so wherever they come upon damage" {
	require sqlite3
	setup_stack
	contentfs sync --store "$STORE"
	cp "$STORE" "$WORK/sound"
	local table command
	while read -r table command; do
		cp "$WORK/sound" "$STORE"
		scribble_on "$table"
		# shellcheck disable=SC2086 # words
		exits_with 74 '' $command --store "$STORE"
		echo "$output" | grep -E 'the store is damaged|the store cannot be read: Structure needs cleaning'
		has "$output" 'contentfs sync or a mount sets it aside'
	done <<-'END'
		directory status
		dirent status
		dirent fetch
		dirent_name fetch assets/en-us
		asset fetch
		change log
	END
	contentfs sync --store "$STORE"
	contentfs status --store "$STORE"
}

@test "a mount that cannot tidy up its store at the start says so, and shows the content" {
	require sqlite3
	setup_stack
	contentfs sync --store "$STORE"
	bounded sqlite3 "$STORE" "INSERT INTO superseded (ino, at, size) VALUES (1000000, 0, 0);
		CREATE TRIGGER kept BEFORE DELETE ON superseded BEGIN SELECT raise(ABORT, 'it stays'); END"
	timeout --kill-after=5 "$COMMAND_SECONDS" "$CONTENTFS" mount -f --store "$STORE" --interval 3600 "$MOUNT" >"$WORK/said" 2>&1 3>&- &
	local command=$!
	wait_until 30 grep -qF 'contentfs: warning: the store cannot be used: it stays' "$WORK/said"
	wait_until 30 is_mounted
	equal
	publish_much 60
	refreshed_equal
	unmount
	wait $command
}

# texts: what all files hold.
texts() {
	bounded find "$MOUNT" -type f -exec sha256sum {} + | sort
}

# hold_files: the kernel may let go of this or that at any time; not of the files that there are now, nor of their names.
hold_files() {
	bounded find "$MOUNT" -type f -print0 >"$WORK/files"
	timeout 300 python3 "$E2E/hold.py" "$WORK/holds" <"$WORK/files" 3>&- &
	HOLDER=$!
	wait_until 20 test -e "$WORK/holds"
}

# held_texts: what they hold.
held_texts() {
	bounded xargs -0 sha256sum <"$WORK/files" | sort
}

@test "a store that is scribbled on under a mount is replaced beside it, and the mount goes over to the new one" {
	setup_stack
	contentfs sync --store "$STORE"
	mount_stack
	equal
	local old file
	old=$(bounded find "$MOUNT" -printf '%i\n' | sort -n | tail -1)
	file=$(bounded find "$MOUNT/entries" -name '*.json' | head -1)
	bounded cat "$file" >"$WORK/old-text"
	exec 8<"$file"
	scribble_all
	publish_much 51
	refresh
	equal
	same 'up to date' "$(mount_status state)"
	test -s "$(aside)"
	bounded cat <&8 >"$WORK/open-text"
	exec 8<&-
	cmp "$WORK/old-text" "$WORK/open-text"
	fails test "$(bounded find "$MOUNT/entries" -mindepth 1 -printf '%i\n' | sort -n | head -1)" -le "$old"
	publish_much 52
	refreshed_equal
	unmount
	run mount_stack
	same '' "$output"
	equal
	fails compgen -G "$STORE.being-rebuilt*"
}

@test "a store that is cut short under a mount is replaced, too" {
	setup_stack
	contentfs sync --store "$STORE"
	mount_stack
	equal
	truncate -s 8192 "$STORE"
	publish_much 53
	refresh
	equal
	test -s "$(aside)"
}

@test "a store that is damaged again soon after is not replaced again: status says to look after the disk" {
	setup_stack
	contentfs sync --store "$STORE"
	mount_stack
	equal
	scribble_all
	publish_much 57
	refresh
	equal
	local first
	first=$(aside)
	hold_files
	held_texts >"$WORK/before"
	scribble_all
	publish_much 58
	run contentfs refresh "$MOUNT"
	echo "$status $output"
	same 74 "$status"
	has "$output" 'again, so the disk should be looked after' 'is damaged'
	run contentfs status "$MOUNT"
	echo "$status $output"
	same 74 "$status"
	has "$output" failing 'again, so the disk should be looked after'
	held_texts | cmp - "$WORK/before"
	kill $HOLDER
	same "$first" "$(aside)" 'no other store was set aside'
}

@test "as long as a damaged store cannot be replaced, status says so, and its content stays readable" {
	setup_stack
	contentfs sync --store "$STORE"
	mount_stack
	equal
	hold_files
	held_texts >"$WORK/before"
	ctl fault 500 --times forever --match init # before: whoever looks finds the damage
	scribble_all
	publish_much 54
	run contentfs refresh "$MOUNT"
	echo "$status $output"
	same 69 "$status"
	has "$output" 'the store is damaged'
	run contentfs status "$MOUNT"
	echo "$status $output"
	same 69 "$status"
	has "$output" failing 'the store is damaged'
	held_texts | cmp - "$WORK/before"
	kill $HOLDER
	nothing_aside
	ctl faults-clear
	refreshed_equal
	test -s "$(aside)"
}

@test "who was killed while a damaged store was being replaced begins with that again" {
	setup_stack
	contentfs sync --store "$STORE"
	mount_stack
	ctl fault stall-before --match init # before: whoever looks finds the damage
	scribble_all
	publish_much 55
	refresh 2>/dev/null &
	wait_until 30 test -s "$STORE.being-rebuilt-wal"
	kill_daemon
	nothing_aside
	ctl faults-clear
	mount_stack
	refreshed_equal
	test -s "$(aside)"
	fails compgen -G "$STORE.being-rebuilt*"
}

@test "damage that only a reader meets is repaired without being asked for" {
	require sqlite3
	start_stack --generate 3000 --content-types 3 --locales 2
	contentfs sync --store "$STORE"
	scribble_inside
	run mount_stack
	same '' "$output"
	bounded find "$MOUNT" -type f -exec cat {} + >/dev/null 2>"$WORK/errors" || true
	has "$(<"$WORK/errors")" 'Input/output error'
	wait_until 60 aside
	wait_until 60 equal
	same 'up to date' "$(mount_status state)"
}

@test "damage that no sync meets is said to keep content from its readers" {
	require sqlite3
	setup_stack
	contentfs sync --store "$STORE"
	timeout --kill-after=5 "$COMMAND_SECONDS" "$CONTENTFS" mount -f --store "$STORE" --interval 3600 "$MOUNT" >"$WORK/said" 2>&1 3>&- &
	local command=$!
	wait_until 30 contentfs status "$MOUNT"
	scribble_on asset
	bounded find "$MOUNT/assets" -type f -size -100k -exec cat {} + >/dev/null 2>"$WORK/errors" || true
	has "$(<"$WORK/errors")" 'Input/output error'
	wait_until 30 grep -qF 'the store is damaged: not all of the content can be read: a new one is made beside it' "$WORK/said"
	wait_until 60 aside
	wait_until 60 equal
	unmount
	wait $command
}

@test "contentfs sync that meets damage on its way sets the store aside, and ends with all content" {
	require sqlite3
	start_stack --generate 3000 --content-types 3 --locales 2
	contentfs sync --store "$STORE"
	scribble_inside
	ctl random 2000 --seed 56
	run contentfs sync --store "$STORE"
	echo "$output"
	same 0 "$status"
	has "$output" 'is damaged' "$(aside)"
	run mount_stack
	same '' "$output"
	equal
}

@test "a store of a newer contentfs is refused with 78, and not touched" {
	require sqlite3
	setup_stack
	contentfs sync --store "$STORE"
	bounded sqlite3 "$STORE" 'PRAGMA user_version = 9999'
	refuses_store 78 'newer contentfs' 'upgrade' '--store'
}

@test "a database of another program is refused with 78, and not touched" {
	require sqlite3
	setup_stack
	bounded sqlite3 "$STORE" 'CREATE TABLE mail (id INTEGER PRIMARY KEY)'
	chmod 644 "$STORE"
	refuses_store 78 'another program' '--store'
}

@test "a file that is no database is refused with 78, and not touched" {
	setup_stack
	seq 1000 >"$STORE"
	refuses_store 78 'no store of contentfs' '--store'
}

@test "a store of another stack is refused with 78, and not touched" {
	setup_stack
	contentfs sync --store "$STORE"
	ln "$STORE" "$WORK/other"
	CONTENTSTACK_ENVIRONMENT=elsewhere refuses_store 78 'environment' '--store'
}

@test "a store that another contentfs holds is refused with 75, and stays its own" {
	setup_stack
	mount_stack
	local pid
	pid=$(daemon_pid)
	mkdir "$WORK/other"
	run contentfs mount --store "$STORE" "$WORK/other"
	echo "$status $output"
	same 75 "$status"
	has "$output" "$STORE" 'in use' "process $pid" 'contentfs refresh'
	run contentfs sync --store "$STORE"
	same 75 "$status"
	nothing_aside
	refreshed_equal
}

# --- a full disk --------------------------------------------------------------------------------------------------------

@test "on a full disk the content stays readable, and when there is room again it follows" {
	setup_stack
	mount_disk 12m
	contentfs sync --store "$STORE"
	mount_stack
	tell truth >"$WORK/before"
	fill_disk
	publish_much 45
	expect_failing 'no room left' 'make room'
	rm "$DISK/filler"
	refreshed_equal
	same 'up to date' "$(mount_status state)"
	nothing_aside
}

@test "on a full disk the polls go on, so that nobody has to ask when there is room again" {
	setup_stack
	mount_disk 12m
	contentfs sync --store "$STORE"
	mount_stack --interval 1
	fill_disk
	publish_much 46
	wait_until 30 status_is failing
	rm "$DISK/filler"
	wait_until 60 status_is 'up to date'
	wait_until 30 equal
}

status_is() {
	[ "$(mount_status state)" = "$1" ]
}

@test "a mount on a full disk fails with a sentence, and leaves nothing that keeps the next one from working" {
	setup_stack
	mount_disk 8m
	fill_disk
	run mount_stack
	echo "$status $output"
	same 74 "$status"
	has "$output" "$DISK" 'make room'
	rm "$DISK/filler"
	mount_stack
	equal
	nothing_aside
}

@test "a first sync that fills the disk fails with a sentence, and goes on from there when there is room" {
	start_stack --generate 3000 --content-types 3 --locales 2
	mount_disk 2m
	run mount_stack
	echo "$status $output"
	same 74 "$status"
	has "$output" 'no room left' 'make room'
	mount -o remount,size=40m "$DISK"
	mount_stack
	equal
	nothing_aside
}

# --- a read-only disk ---------------------------------------------------------------------------------------------------

@test "a mount on a read-only disk fails with a sentence and 74, with a store there or none" {
	setup_stack
	mount_disk 12m
	mount -o remount,ro "$DISK"
	run mount_stack
	echo "$status $output"
	same 74 "$status"
	has "$output" "$DISK" 'make the disk writable'
	mount -o remount,rw "$DISK"
	contentfs sync --store "$STORE"
	mount -o remount,ro "$DISK"
	run mount_stack
	echo "$status $output"
	same 74 "$status"
	mount -o remount,rw "$DISK"
	mount_stack
	equal
	nothing_aside
}

@test "when a disk turns read-only under a mount, the content stays readable" {
	require_root
	require mkfs.ext4 losetup
	setup_stack
	truncate -s 32M "$WORK/image"
	mkfs.ext4 -q "$WORK/image"
	make_disk -o loop,errors=remount-ro "$WORK/image"
	STORE=$DISK/store.db
	mount_stack
	tell truth >"$WORK/before"
	mount -o remount,abort "$DISK" # what the kernel does when it finds an error
	publish_much 47
	expect_failing 'read-only' 'make it writable'
}

@test "when a disk can be written again, the content follows by itself" {
	setup_stack
	mount_failing
	tell truth >"$WORK/before"
	echo 'write 30' >"$WORK/store/orders" # EROFS
	publish_much 48
	expect_failing 'read-only' 'make it writable'
	rm "$WORK/store/orders"
	refreshed_equal
	nothing_aside
}

# --- I/O errors ---------------------------------------------------------------------------------------------------------

@test "when writing fails, the content stays readable, and follows when writing works again" {
	setup_stack
	mount_failing
	tell truth >"$WORK/before"
	echo 'write 5' >"$WORK/store/orders" # EIO
	publish_much 49
	expect_failing "disk fails" 'Input/output error'
	rm "$WORK/store/orders"
	refreshed_equal
	nothing_aside
}

@test "when reading fails, who reads gets an error, and the content when reading works again" {
	setup_stack
	mount_failing
	publish_much 50
	echo 'read 5' >"$WORK/store/orders" # EIO
	run bounded find "$MOUNT" -type f -exec cat {} +
	[ "$status" != 0 ]
	has "$output" 'Input/output error'
	rm "$WORK/store/orders"
	refreshed_equal
	nothing_aside
}
