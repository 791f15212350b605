# Settings come from a profile, a .env file, the environment and options; the later of these count more.

load lib

CONFIG() {
	echo "$HOME/.config/contentfs/config"
}

@test "a profile is all that a mount, a sync, a fetch and a status need" {
	start_stack
	write_profile work 'interval = 3600'
	local token=$CONTENTSTACK_DELIVERY_TOKEN
	forget_environment
	contentfs mount work "$MOUNT"
	equal
	fails grep -rlF --exclude=config -- "$token" "$WORK/home"
	contentfs status --profile work | grep -q 'up to date'
	contentfs fetch --profile work
	contentfs umount "$MOUNT"
	contentfs sync --profile work
	CONTENTFS_PROFILE=work contentfs sync
}

@test "a profile may name the mount point" {
	start_stack
	write_profile work "mountpoint = $MOUNT"
	forget_environment
	contentfs mount --profile work
	equal
}

@test "an option counts more than the environment, and that more than a profile" {
	start_stack
	write_profile work 'branch = of-profile' 'content-type = person' "store = $STORE"
	forget_environment
	contentfs sync --profile work --branch main
	same 0 "$(sqlite3 "$STORE" "SELECT count(*) FROM entries WHERE content_type <> 'person'")"
	CONTENTSTACK_BRANCH=of-environment exits_with 78 "'of-environment'" sync --profile work
	exits_with 78 "'of-profile'" sync --profile work
}

@test "the machine's profiles are there for those that the user has none of" {
	require_root
	start_stack
	write_profile work
	sed 's/^\[work\]/[shared]/' "$(CONFIG)" >"$WORK/system"
	printf '[work]\nenvironment = nowhere\n' >>"$WORK/system"
	forget_environment
	in_machine use_system_profiles
}

use_system_profiles() {
	mkdir /etc/contentfs
	install -m 600 "$WORK/system" /etc/contentfs/config
	contentfs sync --profile shared
	contentfs sync --profile work
	same 'shared work' "$(contentfs list --names profiles | sort | xargs)"
}

@test "a file that others may read is refused for the token in it, and says what to do" {
	start_stack
	write_profile work
	forget_environment
	chmod 644 "$(CONFIG)"
	exits_with 78 "chmod 600 $(CONFIG)" sync --profile work
	chmod 620 "$(CONFIG)"
	exits_with 78 "chmod go-w $(CONFIG)" sync --profile work
	sed -i '/delivery-token/d' "$(CONFIG)"
	chmod 644 "$(CONFIG)"
	exits_with 78 'the delivery token is missing' sync --profile work
}

@test "what is wrong in a file of profiles is named with its line" {
	start_stack
	write_profile work 'bogus = 1'
	forget_environment
	exits_with 78 "$(CONFIG):6: the key 'bogus' is not known" sync --profile work
	sed -i 's/bogus.*/interval = soon/' "$(CONFIG)"
	exits_with 78 "$(CONFIG):6: interval: the interval 'soon'" mount work "$MOUNT"
	exits_with 78 "there is no profile 'other'" mount other "$MOUNT"
	exits_with 78 "contentfs configure other" sync --profile other
	CONTENTFS_PROFILE=../x exits_with 78 CONTENTFS_PROFILE sync
}

@test "a .env file of a starter project is read, over a profile and under the environment" {
	start_stack
	cat >"$WORK/.env.local" <<-END
		# Contentstack
		NEXT_PUBLIC_CONTENTSTACK_API_KEY="$CONTENTSTACK_API_KEY"
		export CONTENTSTACK_DELIVERY_TOKEN='$CONTENTSTACK_DELIVERY_TOKEN' # read only
		CONTENTSTACK_ENVIRONMENT=$CONTENTSTACK_ENVIRONMENT
		CONTENTSTACK_REGION=AWS-NA
		CONTENTSTACK_MANAGEMENT_TOKEN=cs-not-ours
		DATABASE_URL=postgres://db
	END
	chmod 600 "$WORK/.env.local"
	local host=$CONTENTSTACK_HOST
	forget_environment
	(cd "$WORK" && contentfs sync --env-file .env.local --host "$host" --store "$STORE")
	CONTENTSTACK_ENVIRONMENT=nowhere exits_with 78 environment \
		sync --env-file "$WORK/.env.local" --host "$host" --store "$STORE"
	chmod 644 "$WORK/.env.local"
	exits_with 78 "chmod 600 $WORK/.env.local" sync --env-file "$WORK/.env.local"
	exits_with 78 "$WORK/none" sync --env-file "$WORK/none"
}

@test "list shows profiles, mounts and stores" {
	start_stack
	run -0 contentfs list
	has "$output" Profiles: Mounts: Stores: none
	write_profile work 'interval = 3600'
	write_profile spare "mountpoint = $WORK/other"
	forget_environment
	contentfs mount work "$MOUNT"
	run -0 contentfs list
	has "$output" work spare "$MOUNT" "$HOME/.local/state/contentfs/" 'up to date'
	contentfs list --json >"$WORK/list"
	same 'work spare' "$(jq -r '[.profiles[].name] | join(" ")' "$WORK/list")"
	same "work $(daemon_pid)" "$(jq -r --arg m "$MOUNT" '.mounts[] | select(.mountpoint == $m) | "\(.profile) \(.pid)"' "$WORK/list")"
	same production "$(jq -r '.stores[].environment' "$WORK/list")"
	same 'work spare' "$(contentfs list --names profiles | xargs)"
	contentfs list --names mounts | grep -qxF "$MOUNT"
	exits_with 64 "'stores'" list --names stores
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	end_of "$pid"
	contentfs list | grep -F "$MOUNT" | grep -q dead
	contentfs umount "$MOUNT"
	not_mounted
}

@test "list shows what there is although a file cannot be used" {
	start_stack
	contentfs sync
	write_profile work 'bogus = 1'
	exits_with 78 "$(CONFIG):6" list
	has "$output" "$HOME/.local/state/contentfs/"
}
