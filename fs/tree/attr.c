/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes, access, links' targets and extended attributes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "rows.h"
#include "text.h"
#include "tree_private.h"

static struct timespec timespec_of(int64_t wall_ms)
{
    return (struct timespec){.tv_sec = (time_t)(wall_ms / 1000), .tv_nsec = (long)(wall_ms % 1000) * 1000000};
}

/* A resource's own time does not change with its age in the cache: what is known is good. A directory of a
 * resource asks for it once. */
static int resource_time(struct fs_view *view, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (view->node->time != NULL) {
        *ret_ms = view->node->time(view);
        return 0;
    }
    if (!view->has_key || view->tree->cache == NULL)
        return 0;
    struct ecs_doc *doc = ecs_cache_peek(view->tree->cache, &view->key, NULL);
    bool own = S_ISDIR(view->node->mode) && view->id != NULL && ecs_kinds[view->key.kind]->time != NULL;
    int r = doc == NULL && own ? fs_view_doc(view, &doc) : 0;
    if (r == -ENOENT && ((view->node->flags & FS_NESTS) != 0 || view->node->present != NULL))
        r = 0; /* only leads to resources, or to what is left of one */
    if (r == 0 && doc != NULL)
        *ret_ms = ecs_doc_time_ms(doc);
    return r;
}

static void preset(struct fs_view *view, struct stat *st)
{
    st->st_ino = view->inode->ino;
    st->st_mode = view->node->mode;
    st->st_nlink = S_ISDIR(st->st_mode) ? 2 : 1;
    st->st_uid = view->tree->options.uid;
    st->st_gid = view->tree->options.gid;
    st->st_blksize = 4096;
    st->st_mtim = timespec_of(view->tree->started_ms);
}

static int link_size(struct fs_view *view, off_t *ret_size)
{
    cleanup_buf struct ecs_buf target = ECS_BUF(4096);
    int r = view->node->target(view, &target);
    *ret_size = (off_t)target.len;
    return r;
}

static bool has_size(const struct fs_node *row)
{
    return (row->flags & (FS_UNSIZED | FS_BLOCKS)) == 0 && (row->mode & 0400) != 0 && row->stream == NULL;
}

static int fill(struct fs_view *view, struct fs_attr *attr)
{
    struct stat *st = &attr->st;
    int64_t time_ms;
    int r = resource_time(view, &time_ms);
    if (r == 0 && S_ISLNK(st->st_mode))
        r = link_size(view, &st->st_size);
    else if (r == 0 && view->node->size != NULL)
        r = view->node->size(view, &st->st_size);
    else if (r == 0 && S_ISREG(st->st_mode) && has_size(view->node))
        r = fs_text_size(view, &st->st_size);
    if (r != 0)
        return r;
    int64_t changed_ms = S_ISREG(st->st_mode) ? fs_text_changed_ms(view) : 0;
    if (changed_ms > time_ms)
        time_ms = changed_ms;
    if (time_ms != 0)
        st->st_mtim = timespec_of(time_ms);
    return 0;
}

int fs_getattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, struct fs_attr *ret_attr)
{
    struct fs_view view;
    fs_begin(&view, tree, rq, inode);
    *ret_attr = (struct fs_attr){.generation = inode->generation};
    preset(&view, &ret_attr->st);
    int r = inode->local != NULL ? fs_overlay_attr(&view, ret_attr) : FS_NOT_LOCAL;
    if (r == FS_NOT_LOCAL) {
        r = fill(&view, ret_attr);
        ret_attr->valid_ms = view.valid_ms;
    }
    ret_attr->st.st_atim = ret_attr->st.st_ctim = ret_attr->st.st_mtim;
    ret_attr->st.st_blocks = (ret_attr->st.st_size + 511) / 512;
    inode->stale = view.stale;
    if (r == 0)
        inode->told_size = ret_attr->st.st_size <= INT32_MAX ? (int32_t)ret_attr->st.st_size : -1;
    return r;
}

bool fs_row_writable(const struct fs_node *row)
{
    return row->store != NULL || row->document != NULL || row->stream != NULL ||
           (row->ops != NULL && row->ops->write != NULL);
}

int fs_access(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, int mask)
{
    const struct fs_node *row = inode->node;
    if (S_ISDIR(row->mode))
        return (mask & W_OK) != 0 && tree->options.ro ? -EROFS : 0;
    if ((mask & X_OK) != 0 || ((mask & R_OK) != 0 && inode->local == NULL && (row->mode & 0400) == 0))
        return -EACCES;
    if ((mask & W_OK) == 0 || inode->local != NULL)
        return 0;
    if (!fs_row_writable(row))
        return -EACCES;
    return tree->options.ro && (row->flags & FS_LOCAL) == 0 ? -EROFS : 0;
}

int fs_setattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode)
{
    return 0;
}

int fs_readlink(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode,
                struct ecs_buf *ret_target)
{
    struct fs_view view;
    fs_begin(&view, tree, rq, inode);
    if (inode->local != NULL)
        return fs_overlay_readlink(&view, ret_target);
    return S_ISLNK(inode->node->mode) ? inode->node->target(&view, ret_target) : -EINVAL;
}

/* The last refusal of this path, as one line: "InvalidParameterException: ... (request 0a1b...)". */
static int xattr_error(struct fs_tree *tree, struct fs_inode *inode, struct ecs_buf *value)
{
    cleanup_buf struct ecs_buf path = ECS_BUF(8192);
    int r = fs_inode_path(inode, NULL, &path);
    if (r < 0)
        return r;
    const struct ecs_error *error = fs_errors_last(tree, path.data);
    if (error == NULL)
        return -ENODATA;
    ecs_buf_addf(value, "%s: %s", error->code, error->message);
    if (error->request_id[0] != '\0')
        ecs_buf_addf(value, " (request %s)", error->request_id);
    return value->failed;
}

static int xattr_stale(struct fs_tree *tree, struct fs_inode *inode, struct ecs_buf *value)
{
    return inode->stale ? ecs_buf_adds(value, "yes") : -ENODATA;
}

static const struct {
    const char *name;
    int (*get)(struct fs_tree *tree, struct fs_inode *inode, struct ecs_buf *value);
} xattrs[] = {
    {"user.ecsfs.error", xattr_error},
    {"user.ecsfs.stale", xattr_stale},
};

int fs_getxattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode, const char *name,
                struct ecs_buf *ret_value)
{
    for (size_t i = 0; i < ARRAY_LEN(xattrs); i++)
        if (strcmp(xattrs[i].name, name) == 0)
            return xattrs[i].get(tree, inode, ret_value);
    return -ENODATA;
}

int fs_listxattr(struct fs_tree *tree, struct fs_request *rq, struct fs_inode *inode,
                 struct ecs_buf *ret_names)
{
    for (size_t i = 0; i < ARRAY_LEN(xattrs); i++) {
        cleanup_buf struct ecs_buf value = ECS_BUF(65536);
        if (xattrs[i].get(tree, inode, &value) == 0)
            ecs_buf_add(ret_names, xattrs[i].name, strlen(xattrs[i].name) + 1);
    }
    return ret_names->failed;
}
