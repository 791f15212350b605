# Nobody writes.

load lib


a_file() {
	find "$MOUNT/entries/Curio" -name '*.json' | sort | head -n 1
}

@test "every call that writes fails with EROFS" {
	start_stack
	mount_stack
	bounded python3 "$E2E/writes.py" "$(a_file)" "$WORK/outside"
	equal
}

@test "every call that writes fails with EROFS in the control directory, too" {
	start_stack
	mount_stack
	bounded python3 "$E2E/writes.py" "$MOUNT/.contentfs/status.json" "$WORK/outside"
	bounded jq -e .healthy "$MOUNT/.contentfs/status.json"
}

@test "every call that writes fails for another user who may look" {
	require_root
	start_stack
	mount_stack -o allow_other
	chmod 755 "$WORK"
	mkdir -m 777 "$WORK/theirs"
	as_nobody cat "$(a_file)" >/dev/null
	bounded python3 "$E2E/writes.py" --user "$NOBODY" "$(a_file)" "$WORK/theirs/outside"
	equal
}

@test "a mount is private to its user, even from root's other users" {
	require_root
	start_stack
	mount_stack
	chmod 755 "$WORK"
	fails as_nobody ls "$MOUNT"
	fails as_nobody cat "$(a_file)"
	fails as_nobody "$CONTENTFS" refresh "$MOUNT"
}

@test "another user who may look may not refresh" {
	require_root
	start_stack
	mount_stack -o allow_other
	chmod 755 "$WORK"
	run as_nobody "$CONTENTFS" refresh "$MOUNT"
	echo "$output"
	fails test "$status" = 0
	as_nobody "$CONTENTFS" status "$MOUNT"
}

@test "nothing can be changed in a mount that root remounted for writing" {
	require_root
	start_stack
	mount_stack
	bounded mount -i -o remount,rw "$MOUNT"
	local file
	file=$(a_file)
	bounded bash -c ': >"$1"' bash "$file" || true # opening asks for nothing, see fs.h
	local calls=('echo x >"$1"' 'echo x >>"$1"' 'rm -f "$1"' 'mkdir "$1.new"' 'mv "$1" "$1.new"' 'touch "$1"'
		'chmod 600 "$1"' 'ln "$1" "$1.new"' 'ln -s x "$1.new"' 'truncate -s 0 "$1"' 'touch "$1.new"')
	local call
	for call in "${calls[@]}"; do
		run bounded bash -c "$call" bash "$file"
		fails test "$status" = 0
		has "$output" 'Read-only file system'
	done
	equal
}
