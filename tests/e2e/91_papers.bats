#!/usr/bin/env bats
# The manual, the completions and docs/ say what the program says of itself.

load lib

DOCS=$E2E/../../docs
PAGES=("$DOCS/contentfs.1" "$DOCS/mount.contentfs.8" "$DOCS/contentfs.config.5")

commands() {
	contentfs --help | sed -n 's/^  contentfs \([a-z]\+\) .*/\1/p'
}

# options COMMAND: as its help begins lines with them, each on a line of its own.
options() {
	contentfs "$1" --help | sed -n '/^Options:/,$p' | grep -oE '^ +-[^ ,]+(, --[a-z-]+)?' | tr -d ' ' | tr ',' '\n' | sort
}

# The source of a page without fonts and escapes.
plain() {
	sed 's/\\f[BIR]//g; s/\\-/-/g' "$1"
}

# The words that begin with a dash, in text on standard input.
words_with_dash() {
	grep -oE -- '(^|[^a-zA-Z0-9-])--?[a-zA-Z][a-z-]*' | sed 's/^[^-]//' | sort -u
}

# within WHAT FEW MANY: every line of FEW is in MANY.
within() {
	local missing
	missing=$(comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3"))
	[ -z "$missing" ] && return
	echo "$1: $missing"
	return 1
}

absent() {
	echo "$1 is missing"
	return 1
}

# What bash would offer for the last of these words.
bash_offers() {
	PATH=$(dirname "$CONTENTFS"):$PATH bounded bash --norc -c '
		set -u
		source "$1"
		compopt() { :; } # only a shell that completes has it
		COMP_WORDS=("${@:2}")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_contentfs
		printf "%s\n" "${COMPREPLY[@]}"' bash "$DOCS/completions/contentfs.bash" "$@"
}

# What fish would offer at the end of a command line.
fish_offers() {
	HOME=$WORK PATH=$(dirname "$CONTENTFS"):$PATH bounded fish --no-config -c \
		'source $argv[1]; complete -C $argv[2]' "$DOCS/completions/contentfs.fish" "$1" | cut -f1
}

# The options of a command that zsh's completion hands to _arguments, behind its flag -s.
zsh_options() {
	HOME=$WORK bounded zsh -f -c '
		_arguments() {
			[[ $1 == -C ]] && { state=arguments line=($command); return 1 }
			print -l -- ${@:2}
		}
		compdef() { : }
		command=$2
		source $1' zsh "$DOCS/completions/_contentfs" "$1" |
		sed -nE 's/^(\([^)]*\))?\*?(--?[a-zA-Z][a-z-]*).*/\2/p' | sort -u
}

write_profile() {
	export XDG_CONFIG_HOME=$WORK/config
	mkdir -p "$XDG_CONFIG_HOME/contentfs"
	printf '[harbour]\nenvironment = production\n' >"$XDG_CONFIG_HOME/contentfs/config"
}

@test "the help names commands, and each has options" {
	local command
	[ "$(commands | wc -l)" -ge 10 ]
	for command in $(commands); do
		has "$(options "$command")" --help --log-level
	done
}

@test "contentfs(1) has every command and every option, and no other" {
	local command all=$'-V\n--version\n-h\n--help' page
	page=$(plain "$DOCS/contentfs.1")
	for command in $(commands); do
		grep -qE "^$command( |\$)" <<<"$page"
		has "$(plain "$DOCS/contentfs.1" | sed -n '/^.SH SYNOPSIS/,/^.SH DESC/p')" "contentfs $command"
		all+=$'\n'$(options "$command")
	done
	within 'not in contentfs(1)' "$all" "$(words_with_dash <<<"$page")"
	within 'in contentfs(1), but in no help' "$(words_with_dash <<<"$page" | grep -- ^--)" "$all"
	for page in "${PAGES[@]}"; do
		within "in ${page##*/}, but in no help" "$(plain "$page" | words_with_dash | grep -- ^-- || true)" "$all"
	done
}

@test "contentfs(1) has every variable that the help names" {
	local command page
	page=$(plain "$DOCS/contentfs.1")
	for command in $(commands); do
		within 'not in contentfs(1)' "$(contentfs "$command" --help | grep -oE 'CONTENT(FS|STACK)_[A-Z_]+' || true)" \
			"$(grep -oE 'CONTENT(FS|STACK)_[A-Z_]+' <<<"$page")"
	done
}

@test "contentfs.config(5) has every setting as a key" {
	local key page
	page=$(plain "$DOCS/contentfs.config.5" | sed -n '/^.SH KEYS/,/^.SH ENV/p')
	for key in $(options mount | sed -n 's/^--//p') mountpoint delivery-token o; do
		case $key in
		profile | env-file | foreground | quiet | verbose | help) ;;
		*) grep -qE "(^\.|[ ,])$key( |,|\$)" <<<"$page" || absent "$key" ;;
		esac
	done
}

@test "each page names the version that the program has" {
	local page
	for page in "${PAGES[@]}"; do
		echo "$page"
		grep -qE "^\.TH [A-Z.]+ [158] \"\" \"$(contentfs --version)\" " "$page"
	done
}

@test "the pages are rendered without a warning" {
	require man
	local page
	for page in "${PAGES[@]}"; do
		same '' "$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)"
		has "$(MANWIDTH=80 bounded man -l "$page")" NAME 'SEE ALSO'
	done
}

@test "bash completes commands, options, profiles and mount points" {
	local command
	write_profile
	within 'bash does not offer' "$(commands)" "$(bash_offers contentfs '')"
	for command in $(commands); do
		same "$(options "$command")" "$(bash_offers contentfs "$command" - | sort)" "$command"
	done
	same status "$(bash_offers contentfs stat)"
	has "$(bash_offers contentfs mount har)" harbour
	same harbour "$(bash_offers contentfs sync --profile = har)"
	same $'gcp-na\ngcp-eu' "$(bash_offers contentfs sync --region gcp)"
	start_stack
	mount_stack
	same "$MOUNT" "$(bash_offers contentfs umount "$WORK")"
}

@test "fish completes commands, options, profiles and mount points" {
	require fish
	local command offers
	write_profile
	within 'fish does not offer' "$(commands)" "$(fish_offers 'contentfs ')"
	for command in $(commands); do
		offers=$(fish_offers "contentfs $command -"; fish_offers "contentfs $command --")
		same "$(options "$command")" "$(grep -- ^- <<<"$offers" | sort -u)" "$command"
	done
	has "$(fish_offers 'contentfs mount har')" harbour
	start_stack
	mount_stack
	has "$(fish_offers "contentfs umount $WORK/")" "$MOUNT"
}

@test "zsh has the commands, and the options of each" {
	require zsh
	local command
	for command in $(commands); do
		grep -q "^		'$command:" "$DOCS/completions/_contentfs"
		same "$(options "$command")" "$(zsh_options "$command")" "$command"
	done
}

@test "docs/architecture.md names every folder of src/" {
	local folder
	for folder in "$E2E"/../../src/*/; do
		grep -q "^\`src/$(basename "$folder")\` " "$DOCS/architecture.md" || absent "$folder"
	done
}
