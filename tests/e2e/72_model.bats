# Random histories against a model of what is published. Many more of them: python3 tests/model --histories 1000 --jobs 8

load lib

COMMAND_SECONDS=$((COMMAND_SECONDS * 4))
export BATS_TEST_TIMEOUT=$((COMMAND_SECONDS * 2))

@test "after each step of some random histories the tree is what was published" {
	export CONTENTFS TMPDIR=$WORK
	bounded python3 "$E2E/../model" --histories 8 --seed "${MODEL_SEED:-$RANDOM}" --steps 8 --jobs 8
}
