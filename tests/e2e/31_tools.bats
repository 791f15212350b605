# The programs that people use on files work as on a local disk.

load lib

setup_mount() {
	require "$@"
	start_stack
	mount_stack
}

change_one() {
	publish story bltaaaaaaaaaaaaaaa1 en-us "$1"
	refresh
}

inodes() {
	(cd "$MOUNT" && bounded find . -printf '%i %p\n' | sort)
}

@test "inode numbers are unique, and the same after a remount" {
	setup_mount
	change_one 'A newer version'
	inodes >"$WORK/before"
	same '' "$(cut -d' ' -f1 "$WORK/before" | uniq -d)" 'inode numbers used twice'
	unmount
	mount_stack
	inodes >"$WORK/after"
	bounded cmp "$WORK/before" "$WORK/after"
}

@test "an inode number that was given up is never used again" {
	setup_mount
	change_one 'One'
	local file first
	file=$(entry story bltaaaaaaaaaaaaaaa1 en-us)
	first=$(bounded stat -c %i "$file")
	ctl delete story bltaaaaaaaaaaaaaaa1
	refresh
	unmount
	mount_stack
	change_one 'Two'
	fails test "$first" = "$(bounded stat -c %i "$file")"
	fails grep -q "^$first " <(inodes)
}

@test "rsync transfers everything once, and then only what has changed" {
	setup_mount rsync
	change_one 'Old'
	bounded rsync -a "$MOUNT/" "$WORK/copy/"
	bounded diff -r "$MOUNT" "$WORK/copy"
	same '' "$(bounded rsync -ai "$MOUNT/" "$WORK/copy/")" 'second transfer'
	change_one 'New, and longer'
	bounded rsync -ai "$MOUNT/" "$WORK/copy/" | grep '^>f' >"$WORK/transferred"
	same 1 "$(wc -l <"$WORK/transferred")" 'files transferred'
	grep -q 'entries/story/en-us/bltaaaaaaaaaaaaaaa1.json$' "$WORK/transferred"
	bounded diff -r "$MOUNT" "$WORK/copy"
	ctl delete story bltaaaaaaaaaaaaaaa1
	refresh
	bounded rsync -ai --delete "$MOUNT/" "$WORK/copy/" | grep '^\*deleting' >"$WORK/deleted"
	same 1 "$(wc -l <"$WORK/deleted")" 'files deleted'
}

@test "tar brings everything back as it was" {
	setup_mount tar
	bounded tar -C "$MOUNT" -cf "$WORK/all.tar" . 2>"$WORK/complaints"
	same '' "$(cat "$WORK/complaints")" 'complaints'
	mkdir "$WORK/copy"
	bounded tar -C "$WORK/copy" -xpf "$WORK/all.tar"
	bounded diff -r "$MOUNT" "$WORK/copy"
	(cd "$MOUNT" && bounded find . -type f -printf '%p %s %T@ %m\n' | sort) >"$WORK/there"
	(cd "$WORK/copy" && find . -type f -printf '%p %s %T@ %m\n' | sort) >"$WORK/here"
	# the archive's format keeps whole seconds
	diff <(sed -E 's/\.[0-9]+ ([0-7]+)$/ \1/' "$WORK/there") <(sed -E 's/\.[0-9]+ ([0-7]+)$/ \1/' "$WORK/here")
}

@test "git finds exactly what has changed" {
	setup_mount git
	change_one 'Old'
	export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.com
	export GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.com GIT_DIR=$WORK/repository GIT_WORK_TREE=$MOUNT
	git init -q
	git config safe.directory '*'
	bounded git add -A
	bounded git commit -qm one
	bounded git add -A
	same '' "$(bounded git status --porcelain)" 'status after a second add'
	change_one 'New'
	same ' M entries/story/en-us/bltaaaaaaaaaaaaaaa1.json' "$(bounded git status --porcelain)"
	ctl delete story bltaaaaaaaaaaaaaaa1
	refresh
	same ' D entries/story/en-us/bltaaaaaaaaaaaaaaa1.json' "$(bounded git status --porcelain)"
}

@test "du adds up to what ls and wc say" {
	setup_mount
	local sizes words blocks
	sizes=$(bounded find "$MOUNT" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
	words=$(bounded find "$MOUNT" -type f -exec cat {} + | wc -c)
	blocks=$(bounded find "$MOUNT" -type f -printf '%b\n' | awk '{ sum += $1 * 512 } END { print sum }')
	same "$sizes" "$words" 'bytes read'
	same "$sizes" "$(bounded du -sb --apparent-size "$MOUNT" | cut -f1)" 'du -b'
	same "$blocks" "$(bounded du -sB1 "$MOUNT" | cut -f1)" 'du'
	bounded find "$MOUNT" -type f -exec wc -c {} + >/dev/null
}

@test "find -newer and -newermt see what was published since" {
	setup_mount
	touch "$WORK/then"
	same '' "$(bounded find "$MOUNT" -type f -newer "$WORK/then")" 'before the change'
	publish story bltaaaaaaaaaaaaaaa1 en-us 'New'
	refresh
	touch -d "$(bounded jq -r .publish_details.time "$(entry story bltaaaaaaaaaaaaaaa1 en-us)") 1 second ago" "$WORK/then"
	same "$(entry story bltaaaaaaaaaaaaaaa1 en-us)" "$(bounded find "$MOUNT/entries" -type f -newer "$WORK/then")"
	same '' "$(bounded find "$MOUNT" -type f -newermt '2099-01-01')"
}

@test "every record is JSON to jq" {
	start_stack --generate 300 --locales 2 --assets 5 # jq minds some oddities of the sample
	mount_stack
	bounded find "$MOUNT" -type f -name '*.json' -exec jq -er .uid {} + >"$WORK/uids"
	same "$(bounded find "$MOUNT" -type f -name '*.json' | wc -l)" "$(wc -l <"$WORK/uids")" 'uids'
}

@test "extended attributes spare a parse" {
	setup_mount getfattr
	change_one 'A title, näive'
	local file
	file=$(entry story bltaaaaaaaaaaaaaaa1 en-us)
	attribute() {
		bounded getfattr --absolute-names --only-values -n "user.contentfs.$1" "$file"
	}
	same bltaaaaaaaaaaaaaaa1 "$(attribute uid)"
	same story "$(attribute content_type)"
	same en-us "$(attribute locale)"
	same 'A title, näive' "$(attribute title)"
	same "$(bounded jq -r ._version "$file")" "$(attribute version)"
	same "$(bounded jq -r .updated_at "$file")" "$(attribute updated_at)"
	same "$(bounded jq -r .publish_details.time "$file")" "$(attribute published_at)"
	same 7 "$(bounded getfattr --absolute-names -m - "$file" | grep -c '^user.contentfs.')" 'attributes listed'
	fails attribute unheard_of
	fails bounded getfattr --absolute-names -n user.other "$file"
	bounded getfattr --absolute-names -d -m - "$MOUNT" "$MOUNT/entries/story" >/dev/null
}

@test "statfs gives the numbers of the content" {
	setup_mount
	local files bytes
	files=$(bounded find "$MOUNT" | wc -l)
	bytes=$(bounded find "$MOUNT" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
	same "$files" "$(bounded stat -f -c %c "$MOUNT")" 'inodes'
	same 0 "$(bounded stat -f -c %d "$MOUNT")" 'free inodes'
	same $(((bytes + 4095) / 4096)) "$(bounded stat -f -c %b "$MOUNT")" 'blocks'
	same 0 "$(bounded stat -f -c %a "$MOUNT")" 'free blocks'
	same 255 "$(bounded stat -f -c %l "$MOUNT")" 'length of names'
	bounded df "$MOUNT" >/dev/null
	bounded df -i "$MOUNT" >/dev/null
}

@test "cp -a makes a copy that diff -r finds nothing against" {
	setup_mount
	bounded cp -a "$MOUNT" "$WORK/copy"
	bounded diff -r "$MOUNT" "$WORK/copy"
	(cd "$MOUNT" && bounded find . -printf '%p %y %m %T@\n' | sort) >"$WORK/there"
	(cd "$WORK/copy" && find . -printf '%p %y %m %T@\n' | sort) >"$WORK/here"
	diff "$WORK/there" "$WORK/here"
}

@test "the control directory is named by who knows it, and in no listing" {
	setup_mount
	bounded jq -e .healthy "$MOUNT/.contentfs/status.json"
	same '' "$(bounded find "$MOUNT" -name '.contentfs*')"
	same status.json "$(bounded ls "$MOUNT/.contentfs")"
	same "$(bounded cat "$MOUNT/.contentfs/status.json" | wc -c)" "$(bounded stat -c %s "$MOUNT/.contentfs/status.json")"
}

@test "uid=, gid= and umask= say whose the files are and who may read them" {
	start_stack
	mount_stack -o uid=1234,gid=2345,umask=077
	same '1234 2345 400' "$(bounded stat -c '%u %g %a' "$MOUNT"/entries/Curio/en-us/*.json | sort -u)"
	same '1234 2345 500' "$(bounded stat -c '%u %g %a' "$MOUNT/entries")"
}
