/* SPDX-License-Identifier: Apache-2.0 */
/* README, made from the node table: every row with its access and its help line. */
#include <stdio.h>
#include <string.h>

#include "nodes.h"
#include "rows.h"

/* Where the help begins. */
enum { HELP_COLUMN = 44 };

static const char opening[] =
    "This is Amazon ECS and ECR as files. Reading is ls, cat, grep and diff; writing a file changes what it "
    "says.\n"
    "\n"
    "    cat overview                                      the clusters at a glance\n"
    "    cat clusters/prod/overview                        its services\n"
    "    echo 5 > clusters/prod/services/web/desired-count scale\n"
    "    echo web:13 > clusters/prod/services/web/task-definition\n"
    "                                                      deploy; `cat stable` beside it waits for the end\n"
    "    diff task-definitions/web/12.json task-definitions/web/13.json\n"
    "    vi task-definitions/web/latest.json               saving registers the next revision\n"
    "    ls repositories/team/app/images/*/in-use-by       which running tasks use which image\n"
    "    ln -sfn v7 repositories/team/app/image-tags/live  moves a tag\n"
    "    skopeo copy oci:repositories/team/app/oci:v7 oci:here:v7\n"
    "                                                      pulls an image; the reverse pushes one\n"
    "\n"
    "A write that AWS refuses fails in your shell or editor and changes nothing. AWS's own words are the "
    "last\n"
    "line of .ecsfs/errors, and `getfattr -n user.ecsfs.error FILE` has them for one file.\n"
    "What is shown is a few seconds old at most; `echo / > .ecsfs/refresh` forgets it all.\n"
    "mkdir in clusters/ creates a cluster; in services/ and task-definitions/ it makes a draft, which its "
    "first\n"
    "saved document creates. rm and rmdir remove nothing at AWS unless mounted with -o allow_delete.\n"
    "\n"
    "r read, w write; * is there when asked for by name, but not listed.\n"
    "\n";

static void add_name(struct ecs_buf *line, const struct fs_node *row)
{
    if (row->name != NULL)
        ecs_buf_adds(line, row->name);
    else if (row->called != NULL)
        ecs_buf_adds(line, row->called);
    else
        ecs_buf_addf(line, "<%s>", ecs_kinds[row->of - 1]->name);
    if (row->suffix != NULL)
        ecs_buf_adds(line, row->suffix);
    if (S_ISDIR(row->mode))
        ecs_buf_adds(line, "/");
    if (S_ISLNK(row->mode))
        ecs_buf_adds(line, " ->");
}

static void add_row(struct ecs_buf *text, const struct fs_node *row, int depth)
{
    cleanup_buf struct ecs_buf line = ECS_BUF(512);
    bool file = S_ISREG(row->mode);
    ecs_buf_addf(&line, "%c%c%c %*s", file && (row->mode & 0400) != 0 ? 'r' : ' ',
                 file && (row->mode & 0200) != 0 ? 'w' : ' ', (row->flags & FS_UNLISTED) != 0 ? '*' : ' ',
                 depth * 2, "");
    add_name(&line, row);
    if (row->help != NULL && line.failed == 0)
        ecs_buf_addf(&line, "%*s%s", line.len < HELP_COLUMN ? (int)(HELP_COLUMN - line.len) : 2, "",
                     row->help);
    if (line.failed == 0)
        ecs_buf_addf(text, "%s\n", line.data);
}

static void add_rows(struct ecs_buf *text, const struct fs_node *rows, int depth)
{
    for (const struct fs_node *row = rows; row != NULL && !fs_row_ends(row); row++) {
        if ((row->flags & FS_NESTS) != 0 && row->children == rows)
            continue; /* the row in its own table */
        add_row(text, row, depth);
        add_rows(text, row->children, depth + 1);
    }
}

int fs_show_readme(struct fs_view *view, struct ecs_buf *text)
{
    ecs_buf_adds(text, opening);
    add_rows(text, fs_root_node.children, 0);
    return text->failed;
}
