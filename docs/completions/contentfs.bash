# Completion of contentfs for bash. Stands alone: nothing of the package bash-completion is needed.
# shellcheck shell=bash

# The options of a command.
_contentfs_options() {
	local stack='--profile --env-file --api-key --delivery-token-file --environment --branch --region --host --store'
	local sync='--content-type --locale --start-from --type --jobs'
	local assets='--cache --cache-size --asset-timeout --secure-assets'
	local mount='--interval -o'
	local all='--log-level -v --verbose -h --help'
	case $1 in
	mount) echo "$stack $sync $assets $mount -f --foreground -q --quiet $all" ;;
	sync) echo "$stack $sync -q --quiet $all" ;;
	fetch) echo "$stack $assets -q --quiet $all" ;;
	status) echo "$stack $assets --json --metrics --max-age $all" ;;
	log) echo "$stack -f --follow -n --lines --json $all" ;;
	doctor) echo "$stack $sync $assets $mount --json $all" ;;
	refresh | umount) echo "$all" ;;
	configure) echo "$stack --system --no-check $all" ;;
	list) echo "--json --names $all" ;;
	*) echo '-h --help -V --version' ;;
	esac
}

# Adds those of the lines on standard input that begin with $1.
_contentfs_add() {
	local line
	while IFS= read -r line; do
		[[ $line == "$1"* ]] && COMPREPLY+=("$line")
	done
}

_contentfs_add_words() {
	local IFS=$' \n'
	mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

_contentfs_add_names() {
	_contentfs_add "$1" < <("${COMP_WORDS[0]}" list --names "$2" 2>/dev/null)
}

_contentfs_add_paths() {
	compopt -o filenames
	_contentfs_add "$1" < <(compgen "$2" -- "$1")
}

# The value of option $1, of which $2 is there; 1 if it takes none.
_contentfs_value() {
	case $1 in
	--profile) _contentfs_add_names "$2" profiles ;;
	--env-file | --delivery-token-file | --store) _contentfs_add_paths "$2" -f ;;
	--cache) _contentfs_add_paths "$2" -d ;;
	--region) _contentfs_add_words "$2" 'na eu au azure-na azure-eu gcp-na gcp-eu' ;;
	--log-level) _contentfs_add_words "$2" 'error warning notice info debug' ;;
	--names) _contentfs_add_words "$2" 'profiles mounts' ;;
	--type) _contentfs_add_words "$2" 'entry_published entry_unpublished entry_deleted asset_published
		asset_unpublished asset_deleted content_type_deleted' ;;
	-o) _contentfs_add_words "$2" 'allow_other allow_root auto_unmount uid= gid= umask=' ;;
	--api-key | --environment | --branch | --host | --content-type | --locale | --start-from | --jobs) ;;
	--cache-size | --asset-timeout | --interval | --max-age | -n | --lines) ;;
	*) return 1 ;;
	esac
}

_contentfs_operand() {
	case $1 in
	status | log | doctor | refresh | umount)
		compopt -o filenames
		_contentfs_add_names "$2" mounts
		[ ${#COMPREPLY[@]} -gt 0 ] || _contentfs_add_paths "$2" -d
		;;
	fetch)
		_contentfs_add_paths "$2" -f
		;;
	mount)
		_contentfs_add_names "$2" profiles
		_contentfs_add_paths "$2" -d
		;;
	configure) _contentfs_add_names "$2" profiles ;;
	esac
}

# bash cuts "--store=FILE" into three words.
_contentfs() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	COMPREPLY=()
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ] && [ "$COMP_CWORD" -gt 2 ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [ "$COMP_CWORD" -eq 1 ]; then
		_contentfs_add_words "$word" "mount sync fetch status log doctor refresh umount configure list
			$(_contentfs_options '')"
	elif _contentfs_value "$before" "$word"; then
		:
	elif [[ $word == -* ]]; then
		_contentfs_add_words "$word" "$(_contentfs_options "$command")"
	else
		_contentfs_operand "$command" "$word"
	fi
}

complete -F _contentfs contentfs
