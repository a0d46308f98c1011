/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "show.h"

enum { CELL_BYTES = 512 };

struct fs_table {
    const char *const *headers;
    size_t columns;
    char **cells; /* owned, row by row */
    size_t len, size;
    int failed;
};

struct fs_table *fs_table_new(const char *const *columns)
{
    struct fs_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return NULL;
    table->headers = columns;
    while (columns[table->columns] != NULL)
        table->columns++;
    return table;
}

struct fs_table *fs_table_free(struct fs_table *table)
{
    if (table == NULL)
        return NULL;
    for (size_t i = 0; i < table->len; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
    return NULL;
}

static int make_room(struct fs_table *table)
{
    if (table->len < table->size)
        return 0;
    size_t size = table->size > 0 ? table->size * 2 : 64;
    char **cells = realloc(table->cells, size * sizeof(*cells));
    if (cells == NULL)
        return -ENOMEM;
    table->cells = cells;
    table->size = size;
    return 0;
}

void fs_table_cell(struct fs_table *table, const char *value)
{
    if (table->failed != 0)
        return;
    cleanup_buf struct ecs_buf cell = ECS_BUF(CELL_BYTES);
    fs_add_safe(&cell, value != NULL && value[0] != '\0' ? value : "-");
    if (cell.failed == -EFBIG)
        cell.failed = 0; /* a long cell is cut */
    char *text = make_room(table) == 0 ? ecs_buf_steal(&cell, NULL) : NULL;
    if (text == NULL)
        table->failed = -ENOMEM;
    else
        table->cells[table->len++] = text;
}

/* Characters, not bytes: what follows a UTF-8 character's first byte takes no place. */
static size_t width(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static bool to_right(const char *header)
{
    return header[0] == '>';
}

static void pad(struct ecs_buf *text, size_t n)
{
    while (n-- > 0)
        ecs_buf_add(text, " ", 1);
}

static void write_row(const struct fs_table *table, const size_t *widths, const char *const *cells,
                      bool header, struct ecs_buf *text)
{
    for (size_t i = 0; i < table->columns; i++) {
        const char *cell = header && to_right(cells[i]) ? cells[i] + 1 : cells[i];
        size_t gap = widths[i] - width(cell);
        bool right = to_right(table->headers[i]);
        if (i > 0)
            pad(text, 2);
        if (right)
            pad(text, gap);
        ecs_buf_adds(text, cell);
        if (!right && i + 1 < table->columns)
            pad(text, gap);
    }
    ecs_buf_adds(text, "\n");
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

int fs_table_write(struct fs_table *table, struct ecs_buf *text)
{
    if (table->failed != 0)
        return table->failed;
    size_t rows = table->len / table->columns, widths[FS_TABLE_COLUMNS];
    cleanup_free const char *const **sorted = calloc(rows + 1, sizeof(*sorted));
    if (sorted == NULL || table->columns > FS_TABLE_COLUMNS)
        return -ENOMEM;
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = width(table->headers[i]) - (to_right(table->headers[i]) ? 1 : 0);
    for (size_t i = 0; i < rows * table->columns; i++)
        if (width(table->cells[i]) > widths[i % table->columns])
            widths[i % table->columns] = width(table->cells[i]);
    for (size_t i = 0; i < rows; i++)
        sorted[i] = (const char *const *)(table->cells + i * table->columns);
    qsort(sorted, rows, sizeof(*sorted), compare_rows);
    write_row(table, widths, table->headers, true, text);
    for (size_t i = 0; i < rows; i++)
        write_row(table, widths, sorted[i], false, text);
    return text->failed;
}
