# Readers that are at work while the content changes.

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 4))
export BATS_TEST_TIMEOUT=$((COMMAND_SECONDS * 2))

@test "nobody ever reads half of one version and half of another" {
	start_stack
	mount_stack
	bounded python3 "$E2E/readers.py" versions "$STACK_URL" "$MOUNT" "$(entry story bltaaaaaaaaaaaaaaa1 en-us)"
}

@test "a listing shows each untouched entry exactly once while others come and go, and none that has gone" {
	start_stack --generate 3000 --content-types 1
	mount_stack
	local directory
	directory=$(echo "$MOUNT"/entries/*/*)
	bounded python3 "$E2E/readers.py" listing "$STACK_URL" "$MOUNT" "$directory"
	bounded python3 "$E2E/readers.py" listing --buffer 4096 --every 1 --seed 2 "$STACK_URL" "$MOUNT" "$directory"
	bounded python3 "$E2E/readers.py" listing --buffer 16384 --every 1 --near 80 --seed 3 "$STACK_URL" "$MOUNT" "$directory"
	equal
}
