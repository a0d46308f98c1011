/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences of write, truncate, flush, fsync, close and rename, by three writers of one document and on two
 * scratch files, against a model that is simple because it is slow: it keeps every byte, and asks the whole
 * text again at each step. Input: one operation after another, a byte of operation and writer, its numbers,
 * its text up to a NUL. */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "staging/scratch.h"
#include "staging/stage.h"
#include "staging/writing.h"
#include "target.h"

enum { FILES = 2, WRITERS = 3, TEXT_MAX = 1 << 16 };

#define CHECK(claim)  \
    do {              \
        if (!(claim)) \
            abort();  \
    } while (0)

struct model {
    char text[TEXT_MAX];
    size_t len;
    size_t straight; /* written in order from 0 up to here; SIZE_MAX: not in order */
    bool begun, staged, maps;
    int verdict;
    unsigned opened; /* the newest has the largest */
};

/* A writer sees its own text, and nothing of the others' but that the file was emptied. */
struct document {
    struct fs_writings writings;
    struct fs_writing *writing[WRITERS];
    struct model model[WRITERS];
    unsigned opened;
};

struct files {
    struct fs_scratch_pool pool;
    struct fs_scratch scratch[FILES];
    char text[FILES][TEXT_MAX];
    size_t len[FILES];
};

struct input {
    const uint8_t *data;
    size_t len;
};

static unsigned take(struct input *input)
{
    if (input->len == 0)
        return 0;
    input->len--;
    return *input->data++;
}

static const char *take_text(struct input *input, size_t *ret_len)
{
    const uint8_t *end = input->len ? memchr(input->data, 0, input->len) : NULL;
    const char *text = (const char *)input->data;
    *ret_len = end ? (size_t)(end - input->data) : input->len;
    size_t gone = end ? *ret_len + 1 : *ret_len;
    input->data += gone;
    input->len -= gone;
    return text;
}

/* ---- what a text is ---- */

static enum fs_scan_result whole(const char *text, size_t len)
{
    struct fs_scan at_once = {0}, in_bytes = {0};
    fs_scan_feed(&at_once, text, len);
    for (size_t i = 0; i < len; i++)
        fs_scan_feed(&in_bytes, text + i, 1);
    enum fs_scan_result result = fs_scan_result(&at_once);
    CHECK(result == fs_scan_result(&in_bytes) && at_once.at == in_bytes.at);
    CHECK(result == FS_SCAN_BROKEN ? at_once.at < len : at_once.at == len);
    /* The parser takes nothing that the scan would not save; the scan leaves UTF-8 and numbers to it. */
    json_t *parsed = json_loadb(text, len, 0, NULL);
    bool object = json_is_object(parsed);
    json_decref(parsed);
    CHECK(!object || result == FS_SCAN_WHOLE || memchr(text, '[', len));
    return result;
}

/* Reading never fails without a word, and what is read in one form stays in it. */
static void read_document(const struct fs_document *document, const char *text, size_t len)
{
    json_t *wanted = NULL;
    struct ecs_error *error = NULL;
    int r = fs_document_read(document, "name", text, len, &wanted, &error);
    CHECK((r == 0) == (wanted != NULL) && (r == 0) == (error == NULL));
    ecs_error_unref(error);
    if (r < 0)
        return;
    const struct ecs_shape *shape = ecs_api_find("ecs", document->input)->input;
    for (int how = FS_CANON_SHOW; how <= FS_CANON_COMPARE; how++) {
        json_t *once = fs_canon(shape, wanted, (enum fs_canon)how),
               *twice = fs_canon(shape, once, (enum fs_canon)how);
        CHECK(once && json_equal(once, twice));
        json_decref(once);
        json_decref(twice);
    }
    CHECK(fs_canon_equal(shape, wanted, wanted));
    struct fs_save save = {
        .key = {document->kind, "c", "name"}, .wanted = wanted, .now = wanted, .client_token = "t"};
    cleanup_plan struct fs_plan plan = {0};
    error = NULL;
    r = document->plan(&save, &plan, &error);
    CHECK((r == 0) == (error == NULL));
    json_t *forced = json_object_get(wanted, "forceNewDeployment");
    CHECK(r < 0 || plan.len == 0 || json_is_true(forced)); /* what is there is no change */
    ecs_error_unref(error);
    json_decref(wanted);
}

/* ---- the stage ---- */

static void judge(struct fs_stage *stage, struct model *model, int step, unsigned outcome)
{
    static const int outcomes[] = {0, -EINVAL, -EACCES, -EBUSY};
    int err = step == FS_STAGE_BROKEN ? -EINVAL : outcomes[outcome % 4];
    fs_stage_judge(stage, stage->writes, err);
    model->staged = false;
    model->verdict = err;
}

static void open_document(struct document *document, unsigned n, unsigned how)
{
    struct model *model = &document->model[n];
    model->len = 0;
    model->straight = how & 1 ? 0 : SIZE_MAX;
    model->begun = how & 1;
    model->maps = how & 2;
    model->staged = false;
    model->verdict = 0;
    model->opened = ++document->opened;
    document->writing[n] = fs_writing_open(&document->writings, model->maps, (pid_t)n + 1);
    CHECK(document->writing[n]);
    if (how & 1)
        CHECK(fs_stage_truncate(&document->writing[n]->stage, 0) == FS_STAGE_DONE);
}

/* What nobody judged is told or saved in the end, and what was begun and not finished. */
static void release_document(struct document *document, unsigned n)
{
    struct model *model = &document->model[n];
    bool nothing = !model->staged || model->len == 0;
    int step = fs_stage_release(&document->writing[n]->stage);
    if (nothing || whole(model->text, model->len) == FS_SCAN_WHOLE)
        CHECK(step == FS_STAGE_DONE || (step == FS_STAGE_SAVE && !nothing));
    else
        CHECK(step == FS_STAGE_BROKEN);
    fs_writing_close(document->writing[n]);
    document->writing[n] = NULL;
}

static bool emptied(const struct document *document, unsigned except)
{
    const struct model *newest = NULL;
    for (unsigned n = 0; n < WRITERS; n++) {
        const struct model *model = &document->model[n];
        if (n != except && document->writing[n] && model->begun &&
            (!newest || model->opened > newest->opened))
            newest = model;
    }
    return newest && newest->len == 0;
}

static unsigned writer_of_mapping(const struct document *document, unsigned through)
{
    unsigned newest = through;
    for (unsigned n = 0; n < WRITERS && !document->model[through].maps; n++) {
        if (document->model[n].maps &&
            (newest == through || document->model[n].opened > document->model[newest].opened))
            newest = n;
    }
    return newest;
}

static void seed(struct document *document, unsigned n)
{
    static const char old[] = "{\n  \"cpu\": \"256\"\n}\n";
    struct fs_writing *writing = document->writing[n];
    struct model *model = &document->model[n];
    if (!fs_stage_wants_text(&writing->stage))
        return;
    bool empty = emptied(document, n);
    CHECK(empty == fs_writings_emptied(&document->writings, writing));
    size_t len = empty ? 0 : sizeof(old) - 1;
    CHECK(fs_stage_seed(&writing->stage, old, len) == 0);
    memcpy(model->text, old, len);
    model->len = len;
    model->straight = SIZE_MAX;
    model->begun = true;
}

static int model_write(struct model *model, const char *text, size_t len, size_t offset, bool mapped)
{
    bool only_white = true;
    for (size_t i = 0; i < len; i++)
        only_white &= text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
    bool nothing = !model->staged && model->verdict == 0 && model->straight == model->len &&
                   offset == model->len && only_white && whole(model->text, model->len) == FS_SCAN_WHOLE;
    if (offset > model->len)
        memset(model->text + model->len, 0, offset - model->len);
    memcpy(model->text + offset, text, len);
    model->len = offset + len > model->len ? offset + len : model->len;
    if (offset == 0)
        model->straight = len;
    else
        model->straight = offset == model->straight ? offset + len : SIZE_MAX;
    bool broken = model->straight != SIZE_MAX && whole(model->text, model->straight) == FS_SCAN_BROKEN;
    if (broken)
        model->straight = SIZE_MAX;
    if (nothing)
        return FS_STAGE_DONE;
    model->staged = true;
    model->verdict = 0;
    if (mapped)
        return FS_STAGE_DONE;
    if (broken)
        return FS_STAGE_BROKEN;
    return model->straight == model->len && whole(model->text, model->len) == FS_SCAN_WHOLE ? FS_STAGE_SAVE
                                                                                            : FS_STAGE_DONE;
}

static void write_document(struct document *document, unsigned n, struct input *input, bool mapped)
{
    unsigned how = take(input), outcome = take(input);
    if (mapped) {
        unsigned through = n;
        n = writer_of_mapping(document, through);
        CHECK(fs_writing_mapped(&document->writings, document->writing[through]) == document->writing[n]);
    }
    struct fs_stage *stage = &document->writing[n]->stage;
    struct model *model = &document->model[n];
    size_t len, offset = how < 128 ? model->len : how < 192 ? 0 : how % 64;
    const char *text = take_text(input, &len);
    if (len > 1024)
        len = 1024;
    if (offset + len > TEXT_MAX || len == 0)
        return;
    if (!stage->begun) {
        seed(document, n);
        offset = how < 128 ? model->len : offset;
    }
    int want = model_write(model, text, len, offset, mapped);
    int step = fs_stage_write(stage, text, len, offset, mapped);
    CHECK(step == want);
    if (step == FS_STAGE_SAVE || step == FS_STAGE_BROKEN)
        judge(stage, model, step, outcome);
}

static void truncate_document(struct document *document, unsigned n, struct input *input)
{
    struct fs_stage *stage = &document->writing[n]->stage;
    struct model *model = &document->model[n];
    size_t size = take(input) % 128;
    if (size > 0)
        seed(document, n);
    bool same = model->begun && size > 0 && size == model->len;
    CHECK(fs_stage_truncate(stage, size) == FS_STAGE_DONE);
    if (same)
        return;
    if (size > model->len)
        memset(model->text + model->len, 0, size - model->len);
    if (size == 0)
        model->straight = 0;
    else if (model->straight != SIZE_MAX && size < model->straight)
        model->straight = SIZE_MAX;
    model->len = size;
    model->begun = true;
    model->staged = size > 0;
    model->verdict = 0;
}

static void close_document(struct fs_stage *stage, struct model *model, unsigned how, unsigned outcome)
{
    enum fs_scan_result result = whole(model->text, model->len);
    bool nothing = !model->staged || model->len == 0;
    int step, want;
    switch (how) {
    case 0:
        step = fs_stage_fsync(stage);
        want = result == FS_SCAN_WHOLE    ? FS_STAGE_SAVE
               : result == FS_SCAN_BROKEN ? FS_STAGE_BROKEN
                                          : FS_STAGE_DONE;
        break;
    case 1:
        step = fs_stage_flush(stage, true);
        want = result == FS_SCAN_WHOLE ? FS_STAGE_SAVE : FS_STAGE_BROKEN;
        break;
    default:
        step = fs_stage_flush(stage, false);
        want = result == FS_SCAN_WHOLE ? FS_STAGE_SAVE : FS_STAGE_DONE;
        break;
    }
    if (nothing)
        want = model->verdict;
    CHECK(step == want);
    if (step == FS_STAGE_SAVE || step == FS_STAGE_BROKEN)
        judge(stage, model, step, outcome);
    /* Whatever it was, asked again it says the same, and saves nothing more. */
    int again = fs_stage_flush(stage, false);
    CHECK(again != FS_STAGE_SAVE || step == FS_STAGE_DONE);
}

/* ---- scratch ---- */

static void write_scratch(struct files *files, struct input *input)
{
    unsigned n = take(input) % FILES, how = take(input);
    size_t len, offset = how < 128 ? files->len[n] : how * 8;
    const char *text = take_text(input, &len);
    if (offset + len > TEXT_MAX)
        return;
    CHECK(fs_scratch_write(&files->scratch[n], text, len, offset) == 0);
    if (len == 0)
        return;
    if (offset > files->len[n])
        memset(files->text[n] + files->len[n], 0, offset - files->len[n]);
    memcpy(files->text[n] + offset, text, len);
    files->len[n] = offset + len > files->len[n] ? offset + len : files->len[n];
}

static void truncate_scratch(struct files *files, struct input *input)
{
    unsigned n = take(input) % FILES;
    size_t size = take(input) * 16;
    CHECK(fs_scratch_truncate(&files->scratch[n], size) == 0);
    if (size > files->len[n])
        memset(files->text[n] + files->len[n], 0, size - files->len[n]);
    files->len[n] = size;
}

/* A rename onto the document: its text is saved as it is, or refused; the scratch file goes with a save. */
static void rename_scratch(struct files *files, struct input *input)
{
    unsigned n = take(input) % FILES;
    const char *text;
    size_t len;
    fs_scratch_read(&files->scratch[n], TEXT_MAX, 0, &text, &len);
    CHECK(len == files->len[n] && memcmp(text, files->text[n], len) == 0);
    whole(text, len);
    read_document(n ? &fs_service_document : &fs_task_definition_document, text, len);
    fs_scratch_free(&files->scratch[n]);
    CHECK(fs_scratch_init(&files->scratch[n], &files->pool, NULL) == 0);
    files->len[n] = 0;
}

static void check_all(const struct document *document, const struct files *files)
{
    size_t bytes = 0;
    for (unsigned n = 0; n < WRITERS; n++) {
        const struct fs_stage *stage = &document->writing[n]->stage;
        const struct model *model = &document->model[n];
        CHECK(stage->text.len == model->len);
        CHECK(model->len == 0 || memcmp(stage->text.data, model->text, model->len) == 0);
        CHECK(stage->staged == model->staged && stage->verdict == model->verdict);
    }
    for (int i = 0; i < FILES; i++) {
        CHECK(files->scratch[i].text.len == files->len[i]);
        bytes += files->len[i];
    }
    CHECK(files->pool.bytes == bytes && files->pool.files == FILES);
}

static void run_operation(struct document *document, struct files *files, struct input *input)
{
    unsigned byte = take(input), operation = byte % 16, n = (byte >> 4) % 4;
    if (n == WRITERS) {
        unsigned how = take(input);
        n = (how >> 2) % WRITERS;
        release_document(document, n);
        open_document(document, n, how);
    } else if (operation <= 6) {
        write_document(document, n, input, operation == 6);
    } else if (operation == 7) {
        truncate_document(document, n, input);
    } else if (operation < 11) {
        close_document(&document->writing[n]->stage, &document->model[n], operation - 8, take(input));
    } else if (operation < 13) {
        write_scratch(files, input);
    } else if (operation == 13) {
        truncate_scratch(files, input);
    } else {
        rename_scratch(files, input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct document document;
    static struct files files;
    struct input input = {data, size > 16384 ? 16384 : size};
    memset(&files.pool, 0, sizeof(files.pool));
    document.opened = 0;
    for (unsigned n = WRITERS; n-- > 0;)
        open_document(&document, n, 0);
    for (int i = 0; i < FILES; i++) {
        CHECK(fs_scratch_init(&files.scratch[i], &files.pool, NULL) == 0);
        files.len[i] = 0;
    }
    while (input.len > 0) {
        run_operation(&document, &files, &input);
        check_all(&document, &files);
    }
    for (unsigned n = 0; n < WRITERS; n++)
        release_document(&document, n);
    CHECK(!document.writings.newest);
    for (int i = 0; i < FILES; i++)
        fs_scratch_free(&files.scratch[i]);
    CHECK(files.pool.bytes == 0 && files.pool.files == 0);
    return 0;
}
