# It is mounted as any file system is: by mount(8), from fstab, once a place, and unmounted likewise.

load lib

# start_profile: a stack, and a profile "work" of it.
start_profile() {
	start_stack
	write_profile work 'interval = 3600'
	TOKEN=$CONTENTSTACK_DELIVERY_TOKEN
	export TOKEN
	forget_environment
}

# of_mount FIELD...: what findmnt(8) says of the mount.
of_mount() {
	findmnt -nro "$1" "$MOUNT"
}

mount_it() {
	bounded mount -t contentfs "$@" work "$MOUNT"
}

# gone: no mount, no process.
gone() {
	wait_until 20 not_mounted
	wait_until 20 no_daemon
}

@test "mount -t contentfs mounts a profile, and umount ends it" {
	require_root
	start_profile
	in_machine mount_by_mount
	fails grep -rlF --exclude=config -- "$TOKEN" "$WORK/home"
}

mount_by_mount() {
	mount_it
	equal
	same 'work fuse.contentfs' "$(of_mount SOURCE,FSTYPE)"
	has ",$(of_mount OPTIONS)," ,ro, ,nosuid, ,nodev,
	bounded umount "$MOUNT"
	gone
	mount_it
	bounded fusermount3 -u "$MOUNT"
	gone
	mount_it
	contentfs umount "$MOUNT"
	not_mounted
	no_daemon
}

@test "a line of fstab mounts it, with all that may stand there, and mount -a does it once" {
	require_root
	start_profile
	in_machine mount_by_fstab
}

mount_by_fstab() {
	echo "work $MOUNT contentfs _netdev,nofail,noauto,user,x-systemd.automount,x-systemd.idle-timeout=60,comment=mine,noatime 0 0" >/etc/fstab
	bounded mount "$MOUNT"
	equal
	has ",$(of_mount OPTIONS)," ,noexec, ,noatime,
	bounded umount "$MOUNT"
	gone
	echo "work $MOUNT contentfs defaults,_netdev,nofail,content-type=person,store=$STORE 0 0" >/etc/fstab
	bounded mount -a
	same person "$(ls "$MOUNT/entries")"
	bounded mount -a
	same 1 "$(grep -cF " $MOUNT " /proc/self/mountinfo)" 'mounts after the second mount -a'
	bounded umount "$MOUNT"
	gone
}

@test "a user mounts and unmounts what fstab lets users mount" {
	require_root
	open_fuse_to_all
	chmod 755 "$WORK"
	start_profile
	cp "$CONTENTFS" "$WORK/contentfs"
	chown -R "$NOBODY:$NOBODY" "$WORK/home" "$MOUNT"
	CONTENTFS=$WORK/contentfs in_machine mount_as_user
}

mount_as_user() {
	echo "work $MOUNT contentfs noauto,user 0 0" >/etc/fstab
	as_nobody mount "$MOUNT"
	same "$NOBODY" "$(as_nobody stat -c %u "$MOUNT/entries")"
	fails bounded ls "$MOUNT"
	status_of 77 contentfs status "$MOUNT"
	has "$SAID" 'its own user' allow_other
	status_of 77 contentfs umount "$MOUNT"

	as_nobody bash -c 'cd "$MOUNT/entries" && touch "$HOME/in" && until [ -e "$WORK/go" ]; do sleep 0.05; done' &
	local user=$!
	wait_until 20 test -e "$HOME/in"
	status_of 75 as_nobody "$CONTENTFS" umount "$MOUNT"
	one_message 'busy' fuser
	touch "$WORK/go"
	wait $user

	status_of 73 as_nobody env PATH=/none "$CONTENTFS" umount "$MOUNT"
	one_message 'cannot run fusermount3' 'package fuse3'
	as_nobody "$CONTENTFS" umount "$MOUNT"
	gone
	chown 0:0 "$MOUNT"
	status_of 74 as_nobody "$CONTENTFS" mount work "$MOUNT"
	one_message "cannot mount on $MOUNT" 'no write access'
	gone
}

# one_message PART...: it was one line, with these in it.
one_message() {
	same 1 "$(wc -l <<<"$SAID")" messages
	has "$SAID" 'contentfs: ' "$@"
}

@test "-o takes settings and the options of mount(8), and refuses others without quoting a secret" {
	require_root
	start_profile
	in_machine mount_with_options
}

mount_with_options() {
	mount_it -o "content-type=person,content-type=story,store=$STORE,cache-size=1G,interval=10,uid=$NOBODY,umask=027,noexec,ro"
	same 'person story' "$(cd "$MOUNT/entries" && echo *)"
	same "$NOBODY 550" "$(stat -c '%u %a' "$MOUNT/entries")"
	has ",$(of_mount OPTIONS)," ,noexec,
	same "$STORE" "$(mount_status store)"
	status_of 32 bounded mount -o remount,noatime "$MOUNT"
	has "$SAID" 'cannot be remounted'
	bounded umount "$MOUNT"
	status_of 32 mount_it -o interval=soon
	has "$SAID" "the mount option 'interval'" "'soon'"
	status_of 32 mount_it -o token=cs-s3cret
	has "$SAID" "'token' is not known"
	[[ $SAID != *s3cret* ]]
	status_of 32 mount_it -o delivery-token=cs-s3cret
	has "$SAID" delivery-token-file
	[[ $SAID != **s3cret* ]]
	status_of 32 bounded mount -t contentfs other "$MOUNT"
	has "$SAID" "there is no profile 'other'"
	status_of 32 bounded mount -t contentfs work "$WORK/none"
	has "$SAID" "mkdir $WORK/none"
	not_mounted
	no_daemon
	mount_it -s -o frobnicate=1
	bounded umount "$MOUNT"
	gone
	mount_it -f
	not_mounted
	echo "$TOKEN" >"$WORK/token"
	chmod 600 "$WORK/token"
	sed -n 's/^host = //p' "$HOME/.config/contentfs/config" >"$WORK/host"
	bounded mount -t contentfs none "$MOUNT" -o \
		"api-key=$(sed -n 's/^api-key = //p' "$HOME/.config/contentfs/config"),environment=production,host=$(<"$WORK/host"),delivery-token-file=$WORK/token"
	equal
	same contentfs "$(of_mount SOURCE)"
	bounded umount "$MOUNT"
	gone
}

@test "the helper takes what mount(8) hands over, and is refused in its exit statuses" {
	start_profile
	ln -s "$CONTENTFS" "$WORK/mount.contentfs"
	status_of 1 bounded "$WORK/mount.contentfs" work
	has "$SAID" missing Usage:
	status_of 1 bounded "$WORK/mount.contentfs" work "$MOUNT" more
	status_of 1 bounded "$WORK/mount.contentfs" work "$MOUNT" -x
	has "$SAID" '-x is not known'
	status_of 1 bounded "$WORK/mount.contentfs" work "$MOUNT" -o
	has "$SAID" '-o needs a value'
	status_of 32 bounded "$WORK/mount.contentfs" work "$MOUNT" -N "$WORK/none"
	has "$SAID" 'mount namespace'
	bounded "$WORK/mount.contentfs" work "$MOUNT" -n -v -t fuse.contentfs -o rw,noexec
	equal
	unmount
	bounded env -u HOME XDG_CONFIG_HOME="$HOME/.config" XDG_STATE_HOME="$WORK/state" XDG_CACHE_HOME="$WORK/cache" \
		"$WORK/mount.contentfs" work "$MOUNT"
	equal
}

@test "-N mounts in another namespace" {
	require_root
	start_profile
	ln -s "$CONTENTFS" "$WORK/mount.contentfs"
	unshare -m bash -c 'touch "$WORK/in" && until [ -e "$WORK/go" ]; do sleep 0.05; done' >/dev/null 3>&- &
	local holder=$!
	wait_until 20 test -e "$WORK/in"
	bounded "$WORK/mount.contentfs" work "$MOUNT" -N "/proc/$holder/ns/mnt"
	grep -qF " $MOUNT " "/proc/$holder/mountinfo"
	not_mounted
	bounded nsenter -m -t "$holder" umount "$MOUNT"
	touch "$WORK/go"
	wait "$holder"
	gone
}

@test "a place is mounted on once, a store is mounted once" {
	start_profile
	mkdir "$WORK/second"
	contentfs mount work "$MOUNT"
	status_of 75 contentfs mount work "$MOUNT" --store "$WORK/other.db"
	has "$SAID" "mounted on $MOUNT already" 'contentfs umount'
	same 1 "$(grep -cF " $MOUNT " /proc/self/mountinfo)" mounts
	ln -s "$MOUNT" "$WORK/link"
	status_of 75 contentfs mount work "$WORK/link" --store "$WORK/other.db"
	status_of 75 contentfs mount work "$WORK/second"
	has "$SAID" 'is in use by another contentfs' main.db
	not_mounted "$WORK/second"
	equal
}

@test "of several that come to a place at once one mounts" {
	start_profile
	local number pids=() won=0 status
	for number in 1 2 3 4; do
		contentfs mount work "$MOUNT" --store "$WORK/$number.db" >"$WORK/said.$number" 2>&1 &
		pids+=($!)
	done
	for number in 1 2 3 4; do
		status=0
		wait "${pids[number - 1]}" || status=$?
		if [ $status = 0 ]; then
			won=$((won + 1))
		else
			same 75 $status 'exit status'
			grep -qF "mounted on $MOUNT already" "$WORK/said.$number"
		fi
	done
	same 1 $won 'that mounted'
	same 1 "$(grep -cF " $MOUNT " /proc/self/mountinfo)" mounts
	equal
}

@test "a mount comes right after an unmount" {
	start_profile
	contentfs mount work "$MOUNT"
	local _
	for _ in 1 2 3 4 5; do
		bounded fusermount3 -u "$MOUNT"
		contentfs mount work "$MOUNT"
	done
	equal
}

@test "a mount whose program is gone is replaced, or taken away" {
	require_root
	start_profile
	in_machine after_a_crash
}

after_a_crash() {
	contentfs mount work "$MOUNT"
	crash
	contentfs mount work "$MOUNT"
	equal
	crash
	mount_it
	equal
	same 1 "$(grep -cF " $MOUNT " /proc/self/mountinfo)" mounts
	crash
	status_of 0 contentfs umount "$MOUNT"
	has "$SAID" 'is gone'
	not_mounted
}

crash() {
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	end_of "$pid"
	fails bounded stat -f "$MOUNT" # of which the kernel remembers nothing
}

@test "what is installed is found by mount(8)" {
	require meson
	local root=$WORK/root link
	DESTDIR=$root meson install --no-rebuild -C "$(dirname "$CONTENTFS")/../.." >"$WORK/installed"
	link=$(find "$root" -name mount.contentfs)
	[ -n "$link" ]
	same "$(find "$root" -path '*/bin/contentfs')" "$(readlink -f "$link")"
}
