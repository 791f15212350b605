# The benchmark measures what it says. What it finds is nobody's business here.

load lib

@test "every section of the benchmark runs to its end, and none of its tables is empty" {
	require curl mksquashfs rg squashfuse_ll
	local sections='sync read mount change hanging concurrency scale'
	# shellcheck disable=SC2086
	COMMAND_SECONDS=300 bounded python3 "$E2E/../bench" $sections --warm --entries 100 --rounds 1 --build "$BUILD" --folder "$WORK" \
		--json "$WORK/rows.json" --markdown "$WORK/tables.md"
	same 9 "$(jq '[.rows[].section] | unique | length' "$WORK/rows.json")" 'sections'
	same '' "$(jq -r '.rows[] | select(.samples == {}) | .name' "$WORK/rows.json")" 'rows without samples'
	same 9 "$(grep -c '^## ' "$WORK/tables.md")" 'tables'
}
