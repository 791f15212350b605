# Only what was asked for.

load lib

# filtered OPTION... -- COMPARISON...: the mount has these options and shows what they leave, also after changes.
filtered() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	start_stack --page-size 40
	mount_stack "${options[@]}"
	equal "$@"
	ctl random 100 --seed 60
	publish story bltaaaaaaaaaaaaaaa1 en-us 'Of one type and locale'
	publish story bltaaaaaaaaaaaaaaa1 de-de 'Of one type, in another locale'
	publish room bltaaaaaaaaaaaaaaa2 de-de 'Of another type'
	ctl publish-asset bltaaaaaaaaaaaaaaa3 de-de
	refreshed_equal "$@"
	ctl delete story bltaaaaaaaaaaaaaaa1
	ctl delete-content-type person
	refreshed_equal "$@"
	unmount
	mount_stack "${options[@]}"
	equal "$@"
}

@test "one content type" {
	filtered --content-type story -- --content-type story
}

@test "several content types" {
	filtered --content-type story --content-type room --content-type Curio -- \
		--content-type story --content-type room --content-type Curio
}

@test "one locale" {
	filtered --locale de-de -- --locale de-de
}

@test "several locales" {
	filtered --locale de-de --locale en-us -- --locale de-de --locale en-us
}

@test "content types and locales together" {
	filtered --content-type story --content-type room --locale de-de --locale en-us -- \
		--content-type story --content-type room --locale de-de --locale en-us
}

@test "only what was published since a date" {
	filtered --start-from 2025-02-12 -- --since 2025-02-12
}

@test "only some types of items" {
	filtered --type entry_published,entry_unpublished,entry_deleted,content_type_deleted -- --kind entries
}

@test "the same filters in another order are the same" {
	start_stack
	contentfs sync --store "$STORE" --locale de-de --locale en-us --content-type room --content-type story
	mount_stack --content-type story --locale en-us --content-type room --locale de-de
	equal --content-type story --content-type room --locale de-de --locale en-us
}
