/* SPDX-License-Identifier: Apache-2.0 */
/* What each operation of the kernel does to the tree: the run functions of face.c's rows, without FUSE.
 * All return 0, FS_PARKED or -errno, and leave what is to be answered in the request. */
#ifndef FS_OPERATIONS_H
#define FS_OPERATIONS_H

#include "request.h"
#include "tree/tree.h"

int run_lookup(struct face *face, struct face_request *r);
int run_getattr(struct face *face, struct face_request *r);
int run_setattr(struct face *face, struct face_request *r);
int run_access(struct face *face, struct face_request *r);
int run_readlink(struct face *face, struct face_request *r);
int run_getxattr(struct face *face, struct face_request *r);
int run_listxattr(struct face *face, struct face_request *r);

int run_opendir(struct face *face, struct face_request *r);
/* What is known of an entry without waiting, into r->attr; it is then remembered and in r->found. Else
 * r->found is 0, and r->attr holds type and number alone. */
void look_ahead(struct face_request *r, const struct fs_dirent *entry);
/* rewinddir: the names as they are known now. */
void rewind_listing(struct face *face, struct face_request *r);

int run_open(struct face *face, struct face_request *r);
int run_create(struct face *face, struct face_request *r);
int run_read(struct face *face, struct face_request *r);
int run_write(struct face *face, struct face_request *r);
int run_flush(struct face *face, struct face_request *r);
int run_fsync(struct face *face, struct face_request *r);

int run_mkdir(struct face *face, struct face_request *r);
int run_symlink(struct face *face, struct face_request *r);
int run_unlink(struct face *face, struct face_request *r);
int run_rmdir(struct face *face, struct face_request *r);
int run_rename(struct face *face, struct face_request *r);

/* Forgets r->found: its answer does not reach the kernel. */
void drop_found(struct face *face, struct face_request *r);

#endif
