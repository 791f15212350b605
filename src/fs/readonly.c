/* The mount is read-only, so the kernel refuses these itself; they are here for a mount that somebody remounted. */
#include "fs/internal.h"

#include <errno.h>

static void refuse(fuse_req_t req)
{
	fuse_reply_err(req, EROFS);
}

static void refuse_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	(void)ino, (void)attr, (void)to_set, (void)fi;
	refuse(req);
}

static void refuse_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)parent, (void)name, (void)mode, (void)rdev;
	refuse(req);
}

static void refuse_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)parent, (void)name, (void)mode;
	refuse(req);
}

static void refuse_name(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent, (void)name;
	refuse(req);
}

static void refuse_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link, (void)parent, (void)name;
	refuse(req);
}

static void refuse_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
			  const char *newname, unsigned int flags)
{
	(void)parent, (void)name, (void)newparent, (void)newname, (void)flags;
	refuse(req);
}

static void refuse_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	(void)ino, (void)newparent, (void)newname;
	refuse(req);
}

static void refuse_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
			 struct fuse_file_info *fi)
{
	(void)ino, (void)bytes, (void)size, (void)offset, (void)fi;
	refuse(req);
}

static void refuse_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	(void)ino, (void)name, (void)value, (void)size, (void)flags;
	refuse(req);
}

static void refuse_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	(void)parent, (void)name, (void)mode, (void)fi;
	refuse(req);
}

static void refuse_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
			     struct fuse_file_info *fi)
{
	(void)ino, (void)mode, (void)offset, (void)length, (void)fi;
	refuse(req);
}

void fs_refuse_writes(struct fuse_lowlevel_ops *operations)
{
	operations->setattr = refuse_setattr;
	operations->mknod = refuse_mknod;
	operations->mkdir = refuse_mkdir;
	operations->unlink = refuse_name;
	operations->rmdir = refuse_name;
	operations->symlink = refuse_symlink;
	operations->rename = refuse_rename;
	operations->link = refuse_link;
	operations->write = refuse_write;
	operations->setxattr = refuse_setxattr;
	operations->removexattr = refuse_name;
	operations->create = refuse_create;
	operations->fallocate = refuse_fallocate;
}
