/* Words that writing and reading the store share, and that are in its files: numbers never change their meaning. */
#ifndef CONTENTFS_STORE_TYPES_H
#define CONTENTFS_STORE_TYPES_H

/* Inode numbers of the directories that are always there. Those up to STORE_INO_RESERVED that are not named here never
 * stand in the store and are free for what a mount adds to the tree. */
#define STORE_INO_ROOT 1
#define STORE_INO_CONTENT_TYPES 2
#define STORE_INO_ENTRIES 3
#define STORE_INO_ASSETS 4
#define STORE_INO_RESERVED 15

enum node_kind {
	NODE_DIRECTORY = 0,
	NODE_ENTRY = 1,
	NODE_ASSET = 2, /* an asset's record */
	NODE_SCHEMA = 3,
	NODE_FILE = 4,   /* the asset itself, whose bytes are not in the store: the node after its record's */
	NODE_FOLDER = 5, /* an asset's own directory, with its file in it */
};

enum change_op { CHANGE_ADDED = 1, CHANGE_CHANGED = 2, CHANGE_REMOVED = 3 };

/* Keys of store_note and reader_note. */
#define NOTE_LAST_ATTEMPT "last_attempt" /* ISO time */
#define NOTE_LAST_SUCCESS "last_success" /* ISO time */
#define NOTE_LAST_CHANGE "last_change"   /* ISO time */
#define NOTE_LAST_ERROR "last_error"     /* a sentence, "" after a success */
#define NOTE_RETRY_AT "retry_at"         /* ISO time until which the service asked to be left alone, "" if it did not */
#define NOTE_QUARANTINE_LOST "quarantine_lost" /* how many items the quarantine had no room for */
#define NOTE_NUMBERED_AFTER "numbered_after"   /* the numbers of its nodes are above this; none: from the beginning */
#define NOTE_LAST_STATUS "last_status"         /* the exit status that goes with it, "0" after a success */

/* What the names of files with a text end in. */
#define STORE_FILE_SUFFIX ".json"

#endif
