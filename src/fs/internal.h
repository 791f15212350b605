/* What the files of this folder share. */
#ifndef CONTENTFS_FS_INTERNAL_H
#define CONTENTFS_FS_INTERNAL_H

#define FUSE_USE_VERSION 35

#include "fs/fs.h"
#include "store/reader.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* Node ids of what is not in the store; see STORE_INO_RESERVED. */
#define INO_CONTROL 14
#define INO_STATUS 15

/* Nothing expires: a hundred years, in seconds. */
#define FOREVER 3.15e9

#define WORKERS 2

enum operation { OP_LOOKUP, OP_GETATTR, OP_READ, OP_READDIR, OP_OPEN, OP_XATTR, OP_STATFS };

struct worker {
	struct fs *fs;
	struct store_reader *reader;   /* this thread's own */
	struct store_reader *previous; /* of a store that was replaced, for what is still open of it; or NULL */
	pthread_t thread;
	atomic_bool done;
	_Atomic int64_t busy_since; /* monotonic ms; 0 while it waits for a request */
};

enum pending_kind {
	PENDING_REFRESH,
	PENDING_READ,   /* of an asset */
	PENDING_SIZE,   /* a reader of an asset asks how large it is */
	PENDING_STAT,   /* somebody else does, while a reader waits for that */
	PENDING_LOOKUP, /* so does this one */
};

/* A request that is answered later. */
struct pending {
	uint64_t id;
	enum pending_kind kind;
	fuse_req_t req;
	int64_t since; /* monotonic ms */
	bool arming;   /* the rest is guarded by fs->lock until it is taken */
	bool interrupted;
	void (*cancel)(struct fs *fs, uint64_t id); /* told when it was taken back; NULL for nothing */

	/* of reads of assets */
	struct node_attr attr; /* its ino; the rest where attributes are asked for */
	int64_t shown;         /* how large the kernel holds it to be; -1: not known */
	int64_t offset;
	size_t size; /* that were asked for */
};

/* Somebody was told that nothing is known of a size. */
struct glance {
	int64_t ino;
	pid_t thread;
	int64_t at; /* monotonic ms */
};

#define GLANCES 64

/* A refresh that is waited for. */
struct waiter {
	struct waiter *next;
	uint64_t id; /* of the pending request */
	uint64_t number;
};

/* A superseded node that the kernel may still hold. */
struct watched {
	int64_t ino;
	int64_t since; /* monotonic ms */
	bool forgotten;
	struct watched *next; /* in the order of since */
};

struct fs {
	char *store_path;
	struct fs_config config; /* its strings are not to be used after fs_create */
	struct fs_hooks hooks;
	struct fuse_session *session;
	bool mounted;

	pthread_rwlock_t answering; /* see fs.h */
	int64_t numbered_after; /* the nodes of a store that replaced another are above this; guarded by answering */
	pthread_key_t worker_key;
	bool has_worker_key;
	struct worker workers[WORKERS];
	int workers_started;
	struct ahead *ahead;
	struct listings *listings;
	atomic_bool stopping;
	atomic_bool ended;
	atomic_uint_fast64_t requests[FS_OPERATIONS];

	/* Announcing. `lock` guards what follows; it is taken after no other lock and held for moments only. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t announcer;
	bool announcer_started;
	atomic_bool announcer_stopping; /* not `stopping`: the workers must go on while the announcer ends */
	bool change_pending;
	bool store_replaced;
	int64_t announced;
	struct waiter *waiters;
	uint64_t refreshes_wanted;
	void *watched; /* a tsearch tree of struct watched by ino */
	struct watched *oldest;
	struct watched *newest;
	struct buf status;   /* the text of status.json as it was last looked up */
	int64_t status_time; /* ns */
	atomic_size_t watched_count;

	/* Requests that wait, and true sizes; guarded by `lock` too. */
	void *pending; /* a tsearch tree of struct pending by id */
	size_t pending_count;
	uint64_t pending_last;
	void *measured; /* a tsearch tree by ino: what the store does not know yet */
	atomic_size_t measured_count;
	struct buf resized; /* inos whose attributes the kernel is to forget */
	uint64_t resized_last;
	uint64_t resized_told;
	struct glance glances[GLANCES]; /* the latest, in a ring */
	unsigned glance_next;
};

/* fs.c */

/* A session of libfuse with the options of a mount, not mounted yet. `source` and options may be NULL. */
int fs_session_create(struct fuse_session **out, const char *source, const char *mount_options,
		      const struct fuse_lowlevel_ops *operations, void *userdata, struct err *err);
void fs_count(struct fs *fs, enum operation operation);

/* operations.c */
void fs_reply_attr(fuse_req_t req, const struct node_attr *attr);
void fs_reply_entry(fuse_req_t req, const struct node_attr *attr);
void fs_reply_failure(fuse_req_t req, fuse_ino_t ino, int rc); /* of the store */
struct fuse_entry_param fs_entry(struct fs *fs, const struct node_attr *stored);
extern const struct fuse_lowlevel_ops fs_operations;
struct fs *fs_of(fuse_req_t req);
struct store_reader *fs_reader(fuse_req_t req, fuse_ino_t ino); /* that knows the node */

/* Says so if it is the store as it is now that could not be read. */
void fs_note_failure(fuse_req_t req, fuse_ino_t ino, int rc);
void fs_stat(const struct fs *fs, const struct node_attr *attr, struct stat *st); /* a size below 0 shows as 0 */

/* listing.c: what is made before it is asked for is an answer that is on its way, to be dropped where those are waited for. */
int listings_init(struct fs *fs);
void listings_drop(struct fs *fs); /* with fs->answering held for writing */
void listings_finish(struct fs *fs);
void fs_list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool plus);

/* xattr.c */
void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);

/* readonly.c: every call that would change something */
void fs_refuse_writes(struct fuse_lowlevel_ops *operations);

/* control.c */
void control_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void control_getattr(fuse_req_t req, fuse_ino_t ino);
void control_read(fuse_req_t req, size_t size, off_t offset);
void control_readdir(fuse_req_t req, size_t size, off_t offset, bool plus);
void control_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg, struct fuse_file_info *fi,
		   unsigned flags, const void *in, size_t in_size, size_t out_size);
void control_answer(struct fs *fs, uint64_t wanted, int status, const char *message);

/* workers.c */

/* Starts a thread that takes no signal but this one (0: none at all): the rest goes to the thread that waits for them. */
int thread_start(pthread_t *thread, int signal, void *(*run)(void *argument), void *argument, struct err *err);
int workers_start(struct fs *fs, struct err *err);
void workers_stop(struct fs *fs);

/* announce.c */

/* Waits for every answer that may have been read from the store before now, and drops those that nobody has asked for yet. */
void let_answers_pass(struct fs *fs);

int announcer_start(struct fs *fs, struct err *err);
void announcer_stop(struct fs *fs);

/* ahead.c: texts that are put into the kernel's cache before they are asked for. Started before the workers, stopped before
 * them as well. */
int ahead_start(struct fs *fs, struct err *err);
void ahead_stop(struct fs *fs);
void ahead_finish(struct fs *fs);

/* A thread asks for the beginning of a text. */
void ahead_note(struct fs *fs, pid_t thread, int64_t directory, int64_t ino);

/* A thread lists a directory: the kernel knows all up to this cookie; next comes this text (0: none). */
void ahead_listed(struct fs *fs, pid_t thread, int64_t directory, int64_t cookie, int64_t next);

/* pending.c */

/* Keeps a request for another thread to answer: its number, or 0 if it was answered already. It may be taken back, and
 * gone, as soon as this returns. */
uint64_t pending_add(fuse_req_t req, const struct pending *template);

/* Takes it out, to be answered: false if it is not there any more. */
bool pending_take(struct fs *fs, uint64_t id, struct pending *out);

/* remote.c: the files of assets */
void remote_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset);

/* Whether attributes that have no size are to be waited for: a reader asks for them, or one waits already. Then the request
 * is taken over. `kind`: PENDING_SIZE for a reader, else PENDING_STAT or PENDING_LOOKUP. */
bool remote_measure(fuse_req_t req, const struct node_attr *attr, enum pending_kind kind);

int64_t remote_size(struct fs *fs, int64_t ino, int64_t stored); /* the size as far as it is known; -1: it is not */
void remote_tell_sizes(struct fs *fs);                           /* of the announcer */
void remote_finish(struct fs *fs);

/* switch.c: goes over to the store that is at store_path now; *reader is the announcer's. */
int switch_store(struct fs *fs, struct store_reader **reader, struct err *err);
void set_announced(struct fs *fs, int64_t change);

/* forget.c */
int watch_add(struct fs *fs, int64_t ino);
void watch_forget(struct fs *fs, int64_t ino);
void watch_finish(struct fs *fs);

#endif
