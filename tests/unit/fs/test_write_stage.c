/* SPDX-License-Identifier: Apache-2.0 */
/* The save sequences of real tools, as they reach the filesystem: exactly one save each. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "staging/stage.h"

#define OLD "{\n  \"cpu\": \"256\"\n}\n"
#define NEW "{\n  \"cpu\": \"1024\"\n}\n"
#define SHORT "{\"a\":1}\n"

enum what { END, OPEN, TRUNC, WRITE, AT, MAP, SIZE, FSYNC, FLUSH, CHILD_FLUSH, RELEASE, REFUSE, BITS };

struct op {
    enum what what;
    const char *text;
    long number; /* offset, size, errno of the refusal */
    int want;    /* what the stage answers */
};

#define SAVE FS_STAGE_SAVE
#define BROKEN FS_STAGE_BROKEN

/* After SAVE and BROKEN the row's next op may be REFUSE with an errno; without it the save succeeds. */
struct sequence {
    const char *name;
    int saves;
    struct op ops[16];
};

static const struct sequence sequences[] = {
    {"shell >, cat >, dd", 1, {{TRUNC}, {FLUSH}, {WRITE, NEW, 0, SAVE}, {FLUSH}, {RELEASE}}},
    {"tee, cp, python w", 1, {{TRUNC}, {WRITE, NEW, 0, SAVE}, {FLUSH}, {RELEASE}}},
    {"512-byte writes", 1, {{TRUNC}, {BITS, NEW, 3, SAVE}, {FLUSH}}},
    {"python r+, longer", 1, {{OPEN}, {AT, NEW, 0, SAVE}, {SIZE, NULL, sizeof(NEW) - 1}, {FLUSH}}},
    {"python r+, shorter",
     1,
     {{OPEN}, {AT, SHORT, 0}, {SIZE, NULL, sizeof(SHORT) - 1}, {FLUSH, NULL, 0, SAVE}}},
    {"rsync --inplace, in bits",
     1,
     {{OPEN}, {AT, "{\"a\"", 0}, {AT, ":1}\n", 4}, {SIZE, NULL, 8}, {FLUSH, NULL, 0, SAVE}}},
    {"touch", 0, {{OPEN}, {FLUSH}, {RELEASE}}},
    {"VS Code", 1, {{TRUNC}, {WRITE, NEW, 0, SAVE}, {FSYNC}, {FLUSH}, {RELEASE}}},
    {"VS Code, refused, written three times",
     3,
     {{TRUNC},
      {AT, NEW, 0, SAVE},
      {REFUSE, NULL, EINVAL},
      {AT, NEW, 0, SAVE},
      {REFUSE, NULL, EINVAL},
      {AT, NEW, 0, SAVE},
      {REFUSE, NULL, EINVAL},
      {FSYNC, NULL, 0, -EINVAL},
      {FLUSH, NULL, 0, -EINVAL}}},
    {"nano", 1, {{TRUNC}, {WRITE, NEW, 0, SAVE}, {FSYNC}, {FLUSH}, {RELEASE}}},
    {"vim", 1, {{TRUNC}, {SIZE, NULL, 0}, {WRITE, NEW, 0, SAVE}, {FSYNC}, {FLUSH}}},
    {"vim, backupcopy=yes", 1, {{OPEN}, {SIZE, NULL, 0}, {WRITE, NEW, 0, SAVE}, {FSYNC}, {FLUSH}}},
    {"emacs",
     1,
     {{TRUNC}, {WRITE, "{\n  \"cpu\": \"1024\"\n}", 0, SAVE}, {WRITE, "\n"}, {FSYNC}, {FLUSH}, {FLUSH}}},
    {"emacs, split in the middle",
     1,
     {{TRUNC}, {WRITE, "{\n"}, {WRITE, "\"a\":1}\n", 0, SAVE}, {FSYNC}, {FLUSH}}},
    {"(echo {; cat x; echo }) >",
     1,
     {{TRUNC}, {WRITE, "{\n"}, {WRITE, "\"a\":1\n"}, {CHILD_FLUSH}, {WRITE, "}\n", 0, SAVE}, {FLUSH}}},
    {"mmap",
     1,
     {{OPEN}, {SIZE, NULL, sizeof(NEW) - 1}, {MAP, NEW}, {FSYNC, NULL, 0, SAVE}, {FLUSH}, {FLUSH}}},
    {"mmap, written back while half done",
     1,
     {{OPEN}, {MAP, "{\"half\":"}, {MAP, SHORT}, {SIZE, NULL, 8}, {FSYNC, NULL, 0, SAVE}, {FLUSH}}},
    {"mmap, closed before the pages are written", 1, {{OPEN}, {FLUSH}, {MAP, NEW}, {RELEASE, NULL, 0, SAVE}}},
    {"O_TRUNC alone", 0, {{TRUNC}, {FLUSH}, {RELEASE}}},
    {"truncated and fsynced", 0, {{TRUNC}, {SIZE, NULL, 0}, {FSYNC}, {FLUSH}}},
    {"incomplete",
     0,
     {{TRUNC},
      {WRITE, "{\"a\":"},
      {FLUSH, NULL, 0, BROKEN},
      {REFUSE, NULL, EINVAL},
      {FLUSH, NULL, 0, -EINVAL},
      {RELEASE}}},
    {"incomplete, by a child",
     0,
     {{TRUNC}, {WRITE, "{\"a\":"}, {CHILD_FLUSH}, {RELEASE, NULL, 0, BROKEN}, {REFUSE, NULL, EINVAL}}},
    {"incomplete at fsync, then the rest",
     1,
     {{TRUNC}, {WRITE, "{\"a\":"}, {FSYNC}, {WRITE, "1}", 0, SAVE}, {FLUSH}}},
    {"white space alone", 0, {{TRUNC}, {WRITE, "\n"}, {FLUSH, NULL, 0, BROKEN}, {REFUSE, NULL, EINVAL}}},
    {"no JSON fails in the write",
     0,
     {{TRUNC}, {WRITE, "bad\n", 0, BROKEN}, {REFUSE, NULL, EINVAL}, {FLUSH, NULL, 0, -EINVAL}}},
    {"two objects in one write",
     0,
     {{TRUNC}, {WRITE, "{}{}", 0, BROKEN}, {REFUSE, NULL, EINVAL}, {FLUSH, NULL, 0, -EINVAL}}},
    {"refused sticks until the next write",
     2,
     {{TRUNC},
      {WRITE, NEW, 0, SAVE},
      {REFUSE, NULL, EACCES},
      {FSYNC, NULL, 0, -EACCES},
      {FLUSH, NULL, 0, -EACCES},
      {FLUSH, NULL, 0, -EACCES},
      {SIZE, NULL, 0},
      {FLUSH},
      {AT, SHORT, 0, SAVE},
      {FLUSH}}},
    {"edited in place", 1, {{OPEN}, {AT, "512", 12}, {AT, "9", 12}, {FLUSH, NULL, 0, SAVE}, {FLUSH}}},
    {"edited in place, broken for now",
     1,
     {{OPEN}, {AT, "}}}}", 11}, {CHILD_FLUSH}, {AT, "\"512", 11}, {FLUSH, NULL, 0, SAVE}}},
    {"written over with a tail left",
     0,
     {{OPEN}, {AT, SHORT, 0}, {FLUSH, NULL, 0, BROKEN}, {REFUSE, NULL, EINVAL}}},
    {"two saves on one descriptor",
     2,
     {{TRUNC}, {WRITE, NEW, 0, SAVE}, {SIZE, NULL, 0}, {AT, SHORT, 0, SAVE}, {FLUSH}}},
    {"written over in the middle, then on",
     0,
     {{TRUNC},
      {WRITE, "{\"a\":1"},
      {AT, "xxxxx", 1},
      {WRITE, "}"},
      {FLUSH, NULL, 0, BROKEN},
      {REFUSE, NULL, EINVAL}}},
    {"too large", 1, {{TRUNC}, {AT, "x", FS_STAGE_MAX, -EFBIG}, {AT, SHORT, 0, SAVE}, {FLUSH}}},
    {"cut to nothing but the same", 0, {{OPEN}, {SIZE, NULL, sizeof(OLD) - 1}, {FLUSH}}},
};

/* Piece by piece: only the last piece that matters may save. */
static int write_bits(struct fs_stage *stage, const char *text, size_t piece)
{
    size_t len = strlen(text), at = 0;
    int r = 0;
    while (at < len) {
        ck_assert_int_eq(r, 0);
        size_t n = len - at < piece ? len - at : piece;
        r = fs_stage_write(stage, text + at, n, at, false);
        at += n;
        if (r == SAVE)
            break;
    }
    return r;
}

static int run_op(struct fs_stage *stage, const struct op *op)
{
    if (fs_stage_wants_text(stage) &&
        (op->what == AT || op->what == MAP || (op->what == SIZE && op->number > 0)))
        ck_assert_int_eq(fs_stage_seed(stage, OLD, sizeof(OLD) - 1), 0);
    switch (op->what) {
    case TRUNC:
        return fs_stage_truncate(stage, 0);
    case SIZE:
        return fs_stage_truncate(stage, (uint64_t)op->number);
    case WRITE:
        return fs_stage_write(stage, op->text, strlen(op->text), stage->text.len, false);
    case BITS:
        return write_bits(stage, op->text, (size_t)op->number);
    case AT:
        return fs_stage_write(stage, op->text, strlen(op->text), (uint64_t)op->number, false);
    case MAP:
        return fs_stage_write(stage, op->text, strlen(op->text), 0, true);
    case FSYNC:
        return fs_stage_fsync(stage);
    case FLUSH:
    case CHILD_FLUSH:
        return fs_stage_flush(stage, op->what == FLUSH);
    case RELEASE:
        return fs_stage_release(stage);
    default:
        return 0;
    }
}

START_TEST(each_tool_saves_once)
{
    const struct sequence *sequence = &sequences[_i];
    struct fs_stage stage;
    fs_stage_init(&stage);
    int saves = 0;
    for (const struct op *op = sequence->ops; op->what != END; op++) {
        int r = run_op(&stage, op);
        ck_assert_msg(r == op->want, "%s, step %d: %d instead of %d", sequence->name,
                      (int)(op - sequence->ops), r, op->want);
        saves += r == SAVE;
        if (r == SAVE || r == BROKEN) {
            int err = op[1].what == REFUSE ? -(int)op[1].number : 0;
            fs_stage_judge(&stage, stage.writes, err);
        }
    }
    ck_assert_msg(saves == sequence->saves, "%s: %d saves", sequence->name, saves);
    fs_stage_free(&stage);
}
END_TEST

START_TEST(overtaken_save_judges_nothing)
{
    struct fs_stage stage;
    fs_stage_init(&stage);
    fs_stage_truncate(&stage, 0);
    ck_assert_int_eq(fs_stage_write(&stage, NEW, strlen(NEW), 0, false), SAVE);
    uint64_t writes = stage.writes;
    ck_assert_int_eq(fs_stage_write(&stage, SHORT, strlen(SHORT), 0, false), 0); /* a tail is left */
    fs_stage_judge(&stage, writes, -EINVAL);
    ck_assert(stage.staged);
    ck_assert_int_eq(stage.verdict, 0);
    fs_stage_truncate(&stage, strlen(SHORT));
    ck_assert_int_eq(fs_stage_flush(&stage, true), SAVE);
    fs_stage_free(&stage);
}
END_TEST

static const struct {
    const char *text;
    enum fs_scan_result want;
} scans[] = {
    {"", FS_SCAN_MORE},
    {" \n\t\r", FS_SCAN_MORE},
    {"{", FS_SCAN_MORE},
    {"{}", FS_SCAN_WHOLE},
    {" {} \n", FS_SCAN_WHOLE},
    {"{} x", FS_SCAN_BROKEN},
    {"[", FS_SCAN_BROKEN},
    {"\"a\"", FS_SCAN_BROKEN},
    {"{\"a\":[{},[],{\"b\":[]}]}", FS_SCAN_WHOLE},
    {"{\"a\":[}", FS_SCAN_BROKEN},
    {"{\"a\":]", FS_SCAN_BROKEN},
    {"{\"a\":{]", FS_SCAN_BROKEN},
    {"{\"a\" 1}", FS_SCAN_BROKEN},
    {"{\"a\":1 2}", FS_SCAN_BROKEN},
    {"{\"a\":1,}", FS_SCAN_BROKEN},
    {"{\"a\":[1,]}", FS_SCAN_BROKEN},
    {"{,}", FS_SCAN_BROKEN},
    {"{a:1}", FS_SCAN_BROKEN},
    {"{\"a\":1.5e+10,\"b\":-0,\"c\":0.1E-2,\"d\":12}", FS_SCAN_WHOLE},
    {"{\"a\":01}", FS_SCAN_BROKEN},
    {"{\"a\":-}", FS_SCAN_BROKEN},
    {"{\"a\":1.}", FS_SCAN_BROKEN},
    {"{\"a\":.5}", FS_SCAN_BROKEN},
    {"{\"a\":1e}", FS_SCAN_BROKEN},
    {"{\"a\":1e+}", FS_SCAN_BROKEN},
    {"{\"a\":1e5.2}", FS_SCAN_BROKEN},
    {"{\"a\":1e5", FS_SCAN_MORE},
    {"{\"a\":true,\"b\":false,\"c\":null}", FS_SCAN_WHOLE},
    {"{\"a\":tru}", FS_SCAN_BROKEN},
    {"{\"a\":truex}", FS_SCAN_BROKEN},
    {"{\"a\":TRUE}", FS_SCAN_BROKEN},
    {"{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\":\"}{\"}", FS_SCAN_WHOLE},
    {"{\"a\":\"\\x\"}", FS_SCAN_BROKEN},
    {"{\"a\":\"\\u12g4\"}", FS_SCAN_BROKEN},
    {"{\"a\":\"\n\"}", FS_SCAN_BROKEN},
    {"{\"a\":\"\xc3\xa9\"}", FS_SCAN_WHOLE},
    {"{\"a\":'x'}", FS_SCAN_BROKEN},
    {"{\"a\":1}//", FS_SCAN_BROKEN},
    {"\xef\xbb\xbf{}", FS_SCAN_BROKEN},
};

START_TEST(scans_whole_and_in_bytes)
{
    const char *text = scans[_i].text;
    struct fs_scan scan = {0};
    ck_assert_msg(fs_scan_feed(&scan, text, strlen(text)) == scans[_i].want, "%s", text);
    struct fs_scan bytes = {0};
    for (size_t i = 0; i < strlen(text); i++)
        fs_scan_feed(&bytes, text + i, 1);
    ck_assert_int_eq(fs_scan_result(&bytes), scans[_i].want);
    ck_assert_uint_eq(bytes.at, scan.at);
}
END_TEST

START_TEST(scan_depth_is_bounded)
{
    struct fs_scan scan = {0};
    fs_scan_feed(&scan, "{\"a\":", 5);
    for (int i = 1; i < FS_SCAN_DEPTH; i++)
        ck_assert_int_eq(fs_scan_feed(&scan, "[", 1), FS_SCAN_MORE);
    ck_assert_int_eq(fs_scan_feed(&scan, "[", 1), FS_SCAN_BROKEN);
    ck_assert_uint_eq(scan.at, 5 + FS_SCAN_DEPTH - 1);
}
END_TEST

/* A whole save in small writes looks at each byte once: 2 MiB in 512-byte pieces takes no noticeable time. */
START_TEST(small_writes_are_linear)
{
    enum { LEN = 2 << 20 };
    char *text = malloc(LEN);
    memset(text, 'x', LEN);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + LEN - 3, "\"}\n", 3);
    struct fs_stage stage;
    fs_stage_init(&stage);
    fs_stage_truncate(&stage, 0);
    int saves = 0;
    for (size_t at = 0; at < LEN; at += 512)
        saves += fs_stage_write(&stage, text + at, 512, at, false) == SAVE;
    ck_assert_int_eq(saves, 1);
    ck_assert_uint_eq(stage.scan.at, LEN);
    fs_stage_free(&stage);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stage");
    TCase *tcase = tcase_create("sequences");
    tcase_add_loop_test(tcase, each_tool_saves_once, 0, (int)(sizeof(sequences) / sizeof(*sequences)));
    tcase_add_test(tcase, overtaken_save_judges_nothing);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("scan");
    tcase_add_loop_test(tcase, scans_whole_and_in_bytes, 0, (int)(sizeof(scans) / sizeof(*scans)));
    tcase_add_test(tcase, scan_depth_is_bounded);
    tcase_add_test(tcase, small_writes_are_linear);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
