# From a fresh clone to a mount, and back to nothing but the user's data: as somebody goes that way on a Debian machine.
#
# Each test is a step and stands on those before it. The machine is this one with folders of its own: the package is really
# installed there, into the machine's own /usr and under its own dpkg, and nobody else sees it.

export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-600} # the build, beside other tests
CONTENTFS=/usr/bin/contentfs

load lib
load service

TREE=$(cd "$E2E/../.." && pwd)
FOLDERS=(etc usr var/lib var/cache var/log root mnt)

setup_file() {
	[ "$(id -u)" = 0 ] || return 0
	begin_test
	export CONTENTFS E2E STACK NOBODY TREE
	export PLACE=$WORK/content VISITOR=$WORK/visitor
	: >"$WORK/steps"
	chmod 755 "$WORK"
	mkdir "$PLACE" "$VISITOR"
	chown "$NOBODY:$NOBODY" "$VISITOR"
	start_stack
	export KEY=$CONTENTSTACK_API_KEY TOKEN=$CONTENTSTACK_DELIVERY_TOKEN URL=$CONTENTSTACK_HOST STACK_PID STACK_URL
	forget_environment
	start_machine
}

# A step after one that failed fails as well.
setup() {
	require_root
	require apt-cache apt-get chroot dh dpkg-buildpackage fish git man meson nsenter prlimit setpriv unshare zsh
	local made
	made=$(wc -l <"$WORK/steps")
	[ "$made" = $((BATS_TEST_NUMBER - 1)) ] && return
	echo "of the $((BATS_TEST_NUMBER - 1)) steps before this one $made were made"
	return 1
}

teardown() {
	[ -z "${BATS_TEST_COMPLETED:-}" ] || echo "$BATS_TEST_DESCRIPTION" >>"$WORK/steps"
}

teardown_file() {
	[ "$(id -u)" = 0 ] || return 0
	local failed=0
	end_machine || failed=1
	end_test || failed=1
	return $failed
}

# --- the machine --------------------------------------------------------------------------------------------------------

start_machine() {
	timeout 1800 unshare -m bash -c "$(declare -f)
		set -e -o pipefail
		$(declare -p FOLDERS)
		furnish
		exec sleep infinity" 3>&- &
	MACHINE_GUARD=$!
	wait_until 60 test -s "$WORK/machine"
	MACHINE=$(<"$WORK/machine")
	export MACHINE MACHINE_GUARD
}

# It has no contentfs, nor what an earlier one left; and whoever installs a page does not wait for an index of all pages.
furnish() {
	own_folders "${FOLDERS[@]}"
	mknod -m 666 "$WORK/layers/fuse" c 10 229
	mount --bind "$WORK/layers/fuse" /dev/fuse
	! dpkg-query -W contentfs >/dev/null 2>&1 || dpkg --purge --force-all contentfs
	rm -rf /etc/contentfs /etc/credstore /{var/lib,var/cache,mnt}/contentfs /root/{.config,.local/state,.cache}/contentfs
	rm -f /var/lib/man-db/auto-update
	echo $$ >"$WORK/machine"
}

# there FUNCTION: runs it in the machine. The first command that fails ends it.
there() {
	timeout --kill-after=5 150 nsenter --mount --target "$MACHINE" bash -c "$(declare -f)
		$(declare -p FOLDERS)
		set -eE -o pipefail
		trap 'echo \"failed: \$BASH_COMMAND\"' ERR
		$1" 3>&-
}

# The processes that are in it.
inhabitants() {
	local own process
	own=$(readlink "/proc/$MACHINE/ns/mnt") || return 0
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/ns/mnt")" != "$own" ] || echo "${process##*/}"
	done
}

# What is still mounted is unmounted; it is a failure of the step that left it, not of the end.
end_machine() {
	[ -n "${MACHINE:-}" ] || return 0
	local pid failed=0
	there leave_no_mount
	for pid in $(inhabitants); do
		kill "$pid" 2>/dev/null
		end_of "$pid" 20 || kill -9 "$pid" 2>/dev/null
	done
	end_of "$MACHINE_GUARD" 20 || failed=1
	return $failed
}

leave_no_mount() {
	local mount
	for mount in $(findmnt -nro TARGET -t fuse.contentfs | grep -E "^($WORK|/mnt)/"); do
		unmount_orderly "$mount" || unmount_lazily "$mount" || true
	done
}

package() {
	compgen -G "$WORK/packages/contentfs_*.deb"
}

install_package() {
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends --reinstall \
		-o APT::Sandbox::User=root -o 'DPkg::Options::=--path-include=/usr/share/*' "$(package)"
}

package_state() {
	dpkg-query -W -f '${db:Status-Status}' contentfs 2>/dev/null || true
}

# What is in the machine's folders, but for what apt, dpkg and their triggers keep for themselves.
inventory() {
	find /etc /usr /mnt /var/lib /var/cache -xdev \
		\( -path '/var/cache/*' -not -path '/var/cache/contentfs*' -o -path '/var/lib/apt/*' \
		-o -path '/var/lib/dpkg/*' -not -path '/var/lib/dpkg/info*' \) -prune \
		-o -type d -printf 'd %p\n' -o -type l -printf 'l %p %l\n' -o -printf '%y %p %s %T@\n' | sort
}

# as_visitor COMMAND...: somebody who is no root and has a home.
as_visitor() {
	HOME=$VISITOR as_nobody "$@"
}

equal_at() {
	bounded python3 "$E2E/compare.py" "$1" "$STACK_URL"
}

# --- the steps ----------------------------------------------------------------------------------------------------------

@test "a fresh clone becomes a package" {
	fresh_clone
	local last
	files "$WORK/clone" >"$WORK/files"
	cd "$WORK"
	DEB_BUILD_OPTIONS='nocheck parallel=2' nice "$WORK/clone/scripts/package" "$WORK/packages" >"$WORK/said"
	last=$(tail -n 1 "$WORK/said")
	same "$(package)" "$last" 'last line'
	same contentfs "$(dpkg-deb -f "$last" Package)"
	same "$(version)" "$(dpkg-deb -f "$last" Version)"
	files "$WORK/clone" | diff "$WORK/files" -
}

# The tree, with what was changed in it and is not committed yet; or as it is if it was unpacked.
fresh_clone() {
	printf '[safe]\n\tdirectory = *\n' >"$HOME/.gitconfig"
	git clone --quiet "$TREE" "$WORK/clone" || mkdir "$WORK/clone"
	{ git -C "$TREE" ls-files -z --cached --others --exclude-standard || files "$TREE" | tr '\n' '\0'; } |
		tar -C "$TREE" --null --files-from=- --ignore-failed-read -cf - | tar -C "$WORK/clone" -xf -
}

files() {
	(cd "$1" && find . -type f -not -path './.git/*' -not -path './build*' | sort)
}

version() {
	sed -n "s/^ *version: '\([^']*\)',\$/\1/p" "$TREE/meson.build"
}

@test "on a machine that has only what the package depends on, a user can mount" {
	there furnish_bare_machine
	there use_bare_machine
}

# Only the files of those packages.
furnish_bare_machine() {
	local depends folder root=$WORK/layers/bare
	depends=$(dpkg-deb -f "$(package)" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/,//g')
	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},dev,proc,etc,home,content}
	for folder in bin sbin lib lib64; do
		ln -s "usr/$folder" "$root/$folder"
	done
	# shellcheck disable=SC2086 # several words
	apt-cache depends --recurse --installed --important $depends | grep -E '^[a-z]' | sort -u >"$WORK/needed"
	xargs dpkg-query -L <"$WORK/needed" | grep -E '^/(etc|usr|bin|sbin|lib|lib64)/' |
		grep -vE '^/usr/share/(doc|man|locale)' | sort -u |
		tar --no-recursion --ignore-failed-read -cf - --files-from=- 2>/dev/null | tar --keep-directory-symlink -C "$root" -xf -
	dpkg-deb --fsys-tarfile "$(package)" | tar --keep-directory-symlink -C "$root" -xf -
	chown "$NOBODY:$NOBODY" "$root/home" "$root/content"
	cp /etc/passwd "$root/etc/passwd"
	ln -s /proc/self/mounts "$root/etc/mtab"
	mknod -m 666 "$root/dev/null" c 1 3
	mknod -m 666 "$root/dev/fuse" c 10 229
	mount -t proc proc "$root/proc"
}

in_bare_machine() {
	bounded env -i HOME=/home PATH=/usr/bin CONTENTSTACK_API_KEY="$KEY" CONTENTSTACK_DELIVERY_TOKEN="$TOKEN" \
		CONTENTSTACK_ENVIRONMENT=production CONTENTSTACK_HOST="$URL" \
		/usr/sbin/chroot --userspec="$NOBODY:$NOBODY" --groups= "$WORK/layers/bare" /usr/bin/contentfs "$@"
}

use_bare_machine() {
	in_bare_machine mount /content
	as_nobody python3 "$E2E/compare.py" "$WORK/layers/bare/content" "$STACK_URL"
	in_bare_machine umount /content
	not_mounted "$WORK/layers/bare/content"
	umount "$WORK/layers/bare/proc"
}

@test "the package is installed" {
	there install_it
}

install_it() {
	same '' "$(package_state)" state
	fails type -P contentfs mount.contentfs
	inventory >"$WORK/before"
	install_package >"$WORK/said" 2>&1 || {
		cat "$WORK/said"
		return 1
	}
	same installed "$(package_state)" state
	same '' "$(dpkg --verify contentfs)"
	same "contentfs $(version)" "$(contentfs --version)"
	same /usr/bin/contentfs "$(readlink -f /sbin/mount.contentfs)"
}

@test "man contentfs shows the manual, and shells complete" {
	there read_manual
	there complete
}

read_manual() {
	local page
	unset MANPATH
	export MANWIDTH=80
	same /usr/share/man/man1/contentfs.1.gz "$(man -w contentfs)"
	for page in contentfs contentfs.config mount.contentfs mount.fuse.contentfs; do
		echo "$page"
		bounded man "$page" >"$WORK/page"
		grep -qx NAME "$WORK/page"
		grep -qE "^ +${page/.fuse/} +- " "$WORK/page"
	done
}

# Each shell finds them itself; bash by a package that need not be there.
complete() {
	has "$(bounded fish -c "complete -C 'contentfs conf'")" configure
	same _contentfs "$(bounded zsh -f -c 'autoload -Uz compinit && compinit -D && print $_comps[contentfs]')"
	test -s /usr/share/bash-completion/completions/contentfs
}

@test "contentfs configure writes profiles: one of the machine's, one of a user's" {
	there configure_it
}

configure_it() {
	local said
	said=$(answers | contentfs configure site --system)
	has "$said" '138 entries and assets'
	same '600 755' "$(stat -c %a /etc/contentfs/config /etc/contentfs | xargs)"
	said=$(answers | as_visitor contentfs configure own)
	has "$said" '138 entries and assets'
	same "$NOBODY 600" "$(stat -c '%u %a' "$VISITOR/.config/contentfs/config")"
	# One whose token is where the machine's credentials are.
	sed '/^delivery-token/d; s/^\[site\]/\n[sealed]/' /etc/contentfs/config >"$WORK/sealed"
	cat "$WORK/sealed" >>/etc/contentfs/config
	mkdir -m 700 /etc/credstore
	(umask 077 && echo "$TOKEN" >/etc/credstore/contentfs.sealed.delivery-token)
	same $'sealed\nsite' "$(contentfs list --names profiles | sort)"
}

answers() {
	printf '%s\n' "$KEY" "$TOKEN" production '' '' "$URL" ''
}

@test "a line of fstab, mount DIR" {
	there mount_by_fstab
}

mount_by_fstab() {
	echo "site $PLACE contentfs _netdev,nofail,allow_other 0 0" >/etc/fstab
	env -i PATH="$PATH" WORK="$WORK" bash -c "$(declare -f bounded); COMMAND_SECONDS=60 bounded mount $PLACE"
	same 'site fuse.contentfs' "$(findmnt -nro SOURCE,FSTYPE "$PLACE")"
	same "$(readlink -f /usr/bin/contentfs)" "$(readlink "/proc/$(MOUNT=$PLACE daemon_pid)/exe")"
}

@test "ls DIR, and everything in it" {
	there look_around
}

look_around() {
	same $'assets\ncontent_types\nentries' "$(bounded ls "$PLACE")"
	equal_at "$PLACE"
	contentfs fetch "$PLACE/assets"
	as_nobody ls "$PLACE/entries" # the line says allow_other
}

# serve system|user INSTANCE: what systemctl start would begin; its process is SERVICE.
serve() {
	local as=()
	: >"$WORK/heard"
	[ "$1" = system ] || as=(env HOME="$VISITOR" setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups --)
	nsenter --mount --target "$MACHINE" "${as[@]}" \
		python3 "$E2E/unit.py" "$1" "/usr/lib/systemd/$1/contentfs@.service" "$2" >>"$WORK/served" 2>&1 3>&- &
	SERVICE=$!
	wait_until 60 hears READY=1 || {
		cat "$WORK/served"
		return 1
	}
	same "$SERVICE" "$(main_pid)" 'main process'
	same "$SERVICE" "$(cut -d' ' -f1 "$WORK/heard" | sort -u)" 'who speaks'
	wait_until 30 hears 'STATUS=Up to date'
}

# served PLACE: it is what the service shows, and goes with it.
served() {
	SERVED=$1 there equal_there
	kill -TERM "$SERVICE"
	wait "$SERVICE"
	hears STOPPING=1
	SERVED=$1 there gone_there
}

equal_there() {
	is_mounted "$SERVED"
	local who=bounded
	[ "$(stat -c %u "$SERVED" 2>/dev/null)" = 0 ] || who=as_visitor # nobody else sees it, not even root
	"$who" python3 "$E2E/compare.py" "$SERVED" "$STACK_URL"
}

gone_there() {
	not_mounted "$SERVED"
}

end_manager() {
	kill "$1"
	end_of "$1"
}

@test "the machine's unit starts, is ready, and stops" {
	start_manager "$WORK/notify-system"
	local manager=$!
	serve system sealed
	grep -qx 'NoNewPrivs:	1' "/proc/$SERVICE/status"
	served /mnt/contentfs/sealed
	there unit_kept
	end_manager $manager
}

unit_kept() {
	test -n "$(find /var/lib/contentfs -name '*.db')"
	test -d /var/cache/contentfs
}

@test "a user's unit starts, is ready, and stops" {
	rm "$WORK/heard"
	start_manager "$WORK/notify-user"
	local manager=$!
	chmod 666 "$WORK/notify-user"
	serve user own
	served "$VISITOR/contentfs/own"
	end_manager $manager
}

@test "the package is installed again under a mount, which stays" {
	there upgrade
}

upgrade() {
	local before
	before=$(MOUNT=$PLACE daemon_pid)
	install_package >"$WORK/said" 2>&1
	same "$before" "$(MOUNT=$PLACE daemon_pid)" daemon
	equal_at "$PLACE"
}

@test "umount DIR" {
	there unmount_it
}

unmount_it() {
	local pid
	pid=$(MOUNT=$PLACE daemon_pid)
	bounded umount "$PLACE"
	not_mounted "$PLACE"
	end_of "$pid"
	wait_until 20 no_daemon
	same '' "$(ls -A "$PLACE")"
}

@test "a removal leaves configuration, and the user's data" {
	there remove_it
}

remove_it() {
	local file conffiles
	conffiles=$(dpkg-query -W -f '${Conffiles}' contentfs)
	user_data >"$WORK/data"
	grep -q ' /var/lib/contentfs/.*\.db$' "$WORK/data"
	grep -q ' /root/.cache/contentfs/' "$WORK/data"
	grep -q " $VISITOR/.config/contentfs/config\$" "$WORK/data"
	dpkg --remove contentfs
	while read -r file _; do
		[ -z "$file" ] || test -e "$file"
	done <<<"$conffiles"
	[ "$(package_state)" != installed ]
	user_data | diff "$WORK/data" -
	fails test -e /usr/bin/contentfs
}

# What people wrote, and what contentfs fetched for them, with sums.
user_data() {
	find /etc/contentfs /etc/credstore /var/lib/contentfs /var/cache/contentfs \
		/root/.local/state/contentfs /root/.cache/contentfs "$VISITOR" -type f -print0 | sort -z | xargs -0 sha256sum
}

@test "a purge leaves the user's data, and nothing else" {
	there purge_it
}

purge_it() {
	install_package >"$WORK/said" 2>&1
	dpkg --purge contentfs
	same '' "$(package_state)" state
	user_data | diff "$WORK/data" -
	inventory >"$WORK/after"
	diff "$WORK/before" "$WORK/after" | grep '^[<>]' |
		grep -vE '^> . (/etc/(fstab|contentfs|credstore)|/var/(lib|cache)/contentfs|/mnt/contentfs)' |
		grep -vE '^< f /etc/fstab ' >"$WORK/left" || true
	same '' "$(<"$WORK/left")" 'what is left, or changed'
}
