# Completion of contentfs for fish.

function __contentfs_takes --description 'whether the command is one of these'
    set -l words (commandline -opc)
    set -q words[2]; and contains -- $words[2] $argv
end

function __contentfs_no_command
    set -l words (commandline -opc)
    test (count $words) -eq 1
end

complete -c contentfs -f

complete -c contentfs -n __contentfs_no_command -a mount -d 'mount, and return when the tree can be used'
complete -c contentfs -n __contentfs_no_command -a sync -d 'bring the store up to date and exit'
complete -c contentfs -n __contentfs_no_command -a fetch -d 'bring assets into the cache ahead'
complete -c contentfs -n __contentfs_no_command -a status -d 'counts, age of the content, last error'
complete -c contentfs -n __contentfs_no_command -a log -d 'what was added, changed and removed last'
complete -c contentfs -n __contentfs_no_command -a doctor -d 'look for what is wrong, and say what to do'
complete -c contentfs -n __contentfs_no_command -a refresh -d 'sync now; return when it is done'
complete -c contentfs -n __contentfs_no_command -a umount -d 'unmount; return when the program has ended'
complete -c contentfs -n __contentfs_no_command -a configure -d 'write a profile, after trying it'
complete -c contentfs -n __contentfs_no_command -a list -d 'profiles, stores and mounts'
complete -c contentfs -n __contentfs_no_command -s V -l version -d 'the version'
complete -c contentfs -s h -l help -d 'a help text'

set -l any __contentfs_takes mount sync fetch status log doctor refresh umount configure list
set -l stack __contentfs_takes mount sync fetch status log doctor configure
set -l sync __contentfs_takes mount sync doctor
set -l assets __contentfs_takes mount fetch status doctor
set -l mount __contentfs_takes mount doctor

# Operands
complete -c contentfs -n '__contentfs_takes status log doctor refresh umount' -a '(contentfs list --names mounts 2>/dev/null)'
complete -c contentfs -n '__contentfs_takes mount configure' -a '(contentfs list --names profiles 2>/dev/null)' -d profile
complete -c contentfs -n '__contentfs_takes mount' -a '(__fish_complete_directories)'
complete -c contentfs -n '__contentfs_takes fetch' -F

# Which settings and which stack
complete -c contentfs -n "$stack" -l profile -x -a '(contentfs list --names profiles 2>/dev/null)' -d 'take its settings'
complete -c contentfs -n "$stack" -l env-file -r -F -d 'take the settings of a .env file'
complete -c contentfs -n "$stack" -l api-key -x -d 'the stack'
complete -c contentfs -n "$stack" -l delivery-token-file -r -F -d 'a file with the delivery token in it'
complete -c contentfs -n "$stack" -l environment -x -d 'whose published content to show'
complete -c contentfs -n "$stack" -l branch -x -d 'instead of the main branch'
complete -c contentfs -n "$stack" -l region -x -a 'na eu au azure-na azure-eu gcp-na gcp-eu' -d 'where the stack is'
complete -c contentfs -n "$stack" -l host -x -d 'another host'
complete -c contentfs -n "$stack" -l store -r -F -d 'the file of the store'

# What to keep
complete -c contentfs -n "$sync" -l content-type -x -d 'keep only this content type'
complete -c contentfs -n "$sync" -l locale -x -d 'keep only this locale'
complete -c contentfs -n "$sync" -l start-from -x -d 'keep only what was published since'
complete -c contentfs -n "$sync" -l type -x -d 'ask only for these item types' \
    -a 'entry_published entry_unpublished entry_deleted asset_published asset_unpublished asset_deleted content_type_deleted'
complete -c contentfs -n "$sync" -l jobs -x -d 'questions under way at once'

# Assets
complete -c contentfs -n "$assets" -l cache -x -a '(__fish_complete_directories)' -d 'where assets are kept'
complete -c contentfs -n "$assets" -l cache-size -x -d 'what they may take'
complete -c contentfs -n "$assets" -l asset-timeout -x -d 'how long a read waits while nothing arrives'
complete -c contentfs -n "$assets" -l secure-assets -d 'assets need the delivery token'

# Mounting
complete -c contentfs -n "$mount" -l interval -x -d 'how often to ask for news'
complete -c contentfs -n "$mount" -s o -x -a 'allow_other allow_root auto_unmount uid= gid= umask=' -d 'mount options'
complete -c contentfs -n '__contentfs_takes mount' -s f -l foreground -d 'stay in the foreground'

# What is said
complete -c contentfs -n "$any" -l log-level -x -a 'error warning notice info debug' -d 'what to say'
complete -c contentfs -n "$any" -s v -l verbose -d 'say everything'
complete -c contentfs -n '__contentfs_takes mount sync fetch' -s q -l quiet -d 'no progress, only errors and warnings'
complete -c contentfs -n '__contentfs_takes status log doctor list' -l json -d 'for programs'
complete -c contentfs -n '__contentfs_takes status' -l metrics -d 'for Prometheus'
complete -c contentfs -n '__contentfs_takes status' -l max-age -x -d 'for monitoring: how old the content may be'
complete -c contentfs -n '__contentfs_takes log' -s f -l follow -d 'go on with what comes'
complete -c contentfs -n '__contentfs_takes log' -s n -l lines -x -d 'begin with the last changes'

# Others
complete -c contentfs -n '__contentfs_takes list' -l names -x -a 'profiles mounts' -d 'only names'
complete -c contentfs -n '__contentfs_takes configure' -l system -d 'for the whole machine'
complete -c contentfs -n '__contentfs_takes configure' -l no-check -d 'do not ask the service'
