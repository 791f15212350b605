# contentfs configure asks, tries, and writes: from a pipe and at a terminal.

load lib

CONFIG() {
	echo "$HOME/.config/contentfs/config"
}

# answers [LINE...]: what the stack needs, and then these for branch, region, host and mount point.
answers() {
	printf '%s\n' "$KEY" "$TOKEN" production "${@:-}"
}

# asked FILE: the stack is known to this test only.
start_unknown_stack() {
	start_stack
	KEY=$CONTENTSTACK_API_KEY TOKEN=$CONTENTSTACK_DELIVERY_TOKEN URL=$CONTENTSTACK_HOST
	forget_environment
}

# at_terminal [QUESTION ANSWER]... -- ARGUMENT...
at_terminal() {
	local words=()
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	bounded python3 "$E2E/terminal.py" "${words[@]}" -- "$CONTENTFS" "$@"
}

@test "answers from a pipe make a profile, which is tried first" {
	start_unknown_stack
	umask 022
	run -0 contentfs configure work < <(answers '' '' "$URL" "$MOUNT")
	has "$output" '138 entries and assets' production "$(CONFIG)" 'contentfs mount --profile work'
	[[ $output != *"$TOKEN"* ]]
	same 600 "$(stat -c %a "$(CONFIG)")" 'mode of the file'
	same 700 "$(stat -c %a "$(dirname "$(CONFIG)")")" 'mode of its folder'
	same config "$(ls -A "$(dirname "$(CONFIG)")")" 'what is in it'
	contentfs mount --profile work
	equal
}

@test "options and the environment answer too, and the end of the input takes what is there" {
	start_unknown_stack
	CONTENTSTACK_DELIVERY_TOKEN=$TOKEN contentfs configure work --api-key "$KEY" --environment production --host "$URL" </dev/null
	contentfs sync --profile work
	rm "$(CONFIG)"
	echo "$TOKEN" >"$WORK/token"
	chmod 600 "$WORK/token"
	cd "$WORK"
	contentfs configure work --api-key "$KEY" --environment production --host "$URL" --delivery-token-file token </dev/null
	grep -qx "delivery-token-file = $WORK/token" "$(CONFIG)"
	fails grep -F "$TOKEN" "$(CONFIG)"
	contentfs sync --profile work
}

@test "a profile that is there is changed, and everything else in its file stays" {
	start_unknown_stack
	mkdir -p "$(dirname "$(CONFIG)")"
	cat >"$(CONFIG)" <<-END
		# mine
		[other]
		branch = x ; not this

		[work]
		# slow
		interval = 600
		api-key = old
		branch = old

		# the last
		[more]
		region = eu
	END
	chmod 600 "$(CONFIG)"
	contentfs configure work < <(answers - '' "$URL")
	cat >"$WORK/want" <<-END
		# mine
		[other]
		branch = x ; not this

		[work]
		# slow
		interval = 600
		api-key = $KEY
		delivery-token = $TOKEN
		environment = production
		host = $URL

		# the last
		[more]
		region = eu
	END
	diff "$WORK/want" "$(CONFIG)"
	contentfs configure work </dev/null
	diff "$WORK/want" "$(CONFIG)"
}

@test "settings that the service does not take are not written, and the reason is the exit status" {
	start_unknown_stack
	run -77 contentfs configure work < <(printf '%s\n' "$KEY" wrong-token production '' '' "$URL")
	has "$output" 'was not written' --no-check
	[[ $output != *wrong-token* ]]
	fails test -e "$(CONFIG)"
	run -69 contentfs configure work < <(answers '' '' http://127.0.0.1:1)
	fails test -e "$(CONFIG)"
	contentfs configure work --no-check < <(answers '' '' http://127.0.0.1:1)
	grep -qx 'host = http://127.0.0.1:1' "$(CONFIG)"
}

@test "answers that cannot be are refused with what to do, and nothing is written" {
	start_unknown_stack
	local want
	while read -r want line; do
		# shellcheck disable=SC2086 # several answers
		run -78 contentfs configure work < <(printf '%s\n' ${line//_/})
		has "$output" "${want//_/ }"
	done <<-END
		no_answer_to_'API_key_of_the_stack' -
		no_answer_to_'Delivery_token $KEY
		no_answer_to_'Environment' $KEY $TOKEN
	END
	run -78 contentfs configure work < <(printf '%s\n' "$KEY" "$TOKEN" production '' mars)
	has "$output" mars azure-na
	run -78 contentfs configure work < <(answers '' '' http://example.com)
	has "$output" unencrypted
	run -78 contentfs configure ../x < <(answers '' '' "$URL")
	has "$output" 'no name of a profile'
	HOME='' run -78 contentfs configure work < <(answers '' '' "$URL")
	has "$output" 'no place for profiles' --system
	run -64 contentfs configure a b
	fails test -e "$(CONFIG)"
}

@test "a file of profiles that cannot be used is left alone" {
	start_unknown_stack
	write_profile_of_bogus
	cp "$(CONFIG)" "$WORK/before"
	run -78 contentfs configure work < <(answers '' '' "$URL")
	has "$output" "$(CONFIG):2" bogus
	cmp "$WORK/before" "$(CONFIG)"
}

write_profile_of_bogus() {
	mkdir -p "$(dirname "$(CONFIG)")"
	printf '[other]\nbogus = 1\n' >"$(CONFIG)"
	chmod 600 "$(CONFIG)"
}

@test "a place that cannot be written is 74 or 73, and named" {
	start_unknown_stack
	touch "$WORK/file"
	XDG_CONFIG_HOME=$WORK/file run contentfs configure work < <(answers '' '' "$URL")
	echo "$status: $output"
	same 73 "$status" 'exit status'
	has "$output" "$WORK/file"
	mkdir -p "$WORK/config/contentfs/config"
	XDG_CONFIG_HOME=$WORK/config run -78 contentfs configure work < <(answers '' '' "$URL")
	has "$output" "$WORK/config/contentfs/config is not a file"
}

@test "a disk that cannot be written is 74" {
	require_root
	start_unknown_stack
	make_disk -t tmpfs -o mode=700 tmpfs
	export XDG_CONFIG_HOME=$DISK
	mount -o remount,ro "$DISK"
	run -74 contentfs configure work < <(answers '' '' "$URL")
	has "$output" "contentfs: cannot make the folder $DISK/contentfs: Read-only file system"
	mount -o remount,rw "$DISK"
	mkdir -m 700 "$DISK/contentfs"
	mount -o remount,ro "$DISK"
	run -74 contentfs configure work < <(answers '' '' "$URL")
	has "$output" "contentfs: cannot write $DISK/contentfs/config: Read-only file system"
}

@test "answers that cannot be read are refused" {
	start_unknown_stack
	run -74 contentfs configure work </
	has "$output" 'cannot read the answer: Is a directory'
	run -78 contentfs configure work < <(head -c 100000 /dev/zero | tr '\0' x)
	has "$output" 'the answer is too long'
	run -78 contentfs configure work < <(printf 'a\0b\n')
	has "$output" 'the answer is no text'
	fails test -e "$(CONFIG)"
}

@test "at a terminal every setting is asked for, and the token is not shown" {
	start_unknown_stack
	run at_terminal 'Name of the profile [default]: ' '' 'API key of the stack: ' "$KEY" 'Delivery token (is not shown): ' "$TOKEN" \
		'Environment: ' production 'Branch, if not the main one: ' '' 'Region' mars 'there is no region' '' \
		'Host' "$URL" 'Mount point' '' -- configure
	echo "$output"
	has "$output" 'hidden: Delivery token' 'echo: on' 'Asking the service' 'Wrote [default]' "$KEY" 'there is no region'
	[[ $output != *"$TOKEN"* ]]
	same 1 "$(grep -c '^hidden: ' <<<"$output")" 'answers that were not shown'
	contentfs sync --profile default
	run -0 at_terminal 'API key of the stack [' '' 'Delivery token (is not shown) [as it is]: ' '' "Environment [production]: " '' \
		'Branch' '' 'Region' '' "Host, if not the region's [$URL]: " '' 'Mount point' "$MOUNT" -- configure default
	contentfs sync --profile default
	grep -qx "mountpoint = $MOUNT" "$(CONFIG)"
}

@test "at a terminal what the service does not take is written if the person says so" {
	start_unknown_stack
	run -77 at_terminal 'API key' "$KEY" 'Delivery token' wrong-token 'Environment' production 'Branch' '' 'Region' '' 'Host' "$URL" \
		'Mount point' '' 'all the same? [y/N]' '' -- configure work
	has "$output" 'was not written'
	fails test -e "$(CONFIG)"
	run -0 at_terminal 'API key' "$KEY" 'Delivery token' wrong-token 'Environment' production 'Branch' '' 'Region' '' 'Host' "$URL" \
		'Mount point' '' 'all the same? [y/N]' y -- configure work
	grep -qx 'delivery-token = wrong-token' "$(CONFIG)"
}

@test "the terminal shows what is typed again, however the question for the token ends" {
	start_unknown_stack
	local ending
	for ending in '<CTRL-C> 130' '<SIGTERM> 143' '<SIGHUP> 129' '<SIGQUIT> 131'; do
		run at_terminal 'API key' "$KEY" 'Delivery token' "${ending% *}" -- configure work
		echo "$ending: $status: $output"
		same "${ending#* }" "$status" 'exit status'
		has "$output" 'hidden: Delivery token' 'echo: on'
	done
	fails test -e "$(CONFIG)"
}

@test "the machine's file is written with --system" {
	require_root
	start_unknown_stack
	export KEY TOKEN URL
	in_machine configure_system
}

configure_system() {
	answers '' '' "$URL" | contentfs configure shared --system
	same '600 755' "$(stat -c %a /etc/contentfs/config /etc/contentfs | xargs)"
	contentfs sync --profile shared
	fails test -e "$HOME/.config"
}
