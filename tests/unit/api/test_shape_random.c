/* SPDX-License-Identifier: Apache-2.0 */
/* Random values for every operation there is: what is made after a shape has no fault, and what is
 * damaged at one known place has just that one. ECSFS_SEED=N repeats a run. */
#include <check.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ecsfs/cleanup.h"
#include "tables.h"

ECS_CLEANUP(json_decref, json_t *, json_decref)
#define cleanup_json __attribute__((cleanup(json_decref_p)))

enum { DEPTH_MAX = 8 };

static uint64_t state; /* xorshift64* */

static unsigned random_below(unsigned n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * 0x2545F4914F6CDD1DULL) >> 33) % n;
}

static json_t *make(const struct ecs_shape *shape, int depth);

static json_t *make_structure(const struct ecs_shape *shape, int depth)
{
    json_t *object = json_object();
    for (size_t i = 0; i < shape->members_len; i++) {
        const struct ecs_member *member = &shape->members[i];
        if (member->required || (depth < DEPTH_MAX && random_below(3) == 0))
            json_object_set_new(object, member->name, make(member->shape, depth + 1));
    }
    return object;
}

static long length_for(const struct ecs_shape *shape, unsigned spread)
{
    long length = shape->min + (long)random_below(spread);
    return shape->max >= 0 && length > shape->max ? shape->max : length;
}

static json_t *make_list(const struct ecs_shape *shape, int depth)
{
    json_t *list = json_array();
    for (long n = depth < DEPTH_MAX ? length_for(shape, 3) : shape->min; n > 0; n--)
        json_array_append_new(list, make(shape->value, depth + 1));
    return list;
}

static json_t *make_map(const struct ecs_shape *shape, int depth)
{
    json_t *map = json_object();
    for (long n = length_for(shape, 3); n > 0; n--) {
        cleanup_json json_t *key = make(shape->key, depth + 1);
        char unique[1024];
        snprintf(unique, sizeof(unique), "%s%ld", json_string_value(key), n);
        json_object_set_new(map, shape->key->enumeration ? json_string_value(key) : unique,
                            make(shape->value, depth + 1));
    }
    return map;
}

static json_t *make_string(const struct ecs_shape *shape)
{
    size_t values = 0;
    while (shape->enumeration && shape->enumeration[values])
        values++;
    if (values)
        return json_string(shape->enumeration[random_below((unsigned)values)]);
    long length = length_for(shape, 6);
    cleanup_free char *text = calloc(1, (size_t)length + 1);
    for (long i = 0; i < length; i++)
        text[i] = (char)('a' + random_below(26));
    return json_string(text);
}

static json_t *make_blob(const struct ecs_shape *shape)
{
    static const char *const blobs[] = {"", "YQ==", "YWI=", "YWJj"};
    return json_string(blobs[length_for(shape, 3)]);
}

static json_t *make_integer(const struct ecs_shape *shape)
{
    bool bounded = shape->min != 0 || shape->max != -1;
    if (!bounded)
        return json_integer((json_int_t)random_below(100000) - 50000);
    long most = shape->max - shape->min < 1000 ? shape->max - shape->min : 1000;
    return json_integer(shape->min + (long)random_below((unsigned)most + 1));
}

static json_t *make(const struct ecs_shape *shape, int depth)
{
    switch (shape->type) {
    case ECS_SHAPE_STRUCTURE:
        return make_structure(shape, depth);
    case ECS_SHAPE_LIST:
        return make_list(shape, depth);
    case ECS_SHAPE_MAP:
        return make_map(shape, depth);
    case ECS_SHAPE_STRING:
        return make_string(shape);
    case ECS_SHAPE_BLOB:
        return make_blob(shape);
    case ECS_SHAPE_INTEGER:
    case ECS_SHAPE_LONG:
    case ECS_SHAPE_DOUBLE:
        return make_integer(shape);
    case ECS_SHAPE_BOOLEAN:
        return json_boolean(random_below(2));
    case ECS_SHAPE_TIMESTAMP:
        return json_real(1.5e9 + random_below(1000) / 8.0);
    case ECS_SHAPE_DOCUMENT:
        return random_below(2) ? json_null() : json_pack("[i,n]", 1);
    }
    return NULL;
}

/* Faults other than of patterns, which make_string knows nothing of. */
struct faults {
    int number;
    char text[512];
};

static void count(void *arg, enum ecs_fault fault, const char *place, const char *what)
{
    struct faults *faults = arg;
    if (fault == ECS_FAULT_PATTERN)
        return;
    faults->number++;
    snprintf(faults->text, sizeof(faults->text), "%s: %s", place, what);
}

static int faults_of(const struct ecs_shape *shape, const json_t *value, struct faults *ret_faults)
{
    *ret_faults = (struct faults){0};
    ecs_shape_check(shape, value, count, ret_faults);
    return ret_faults->number;
}

/* Adds an unknown member somewhere in the value; what was there stays. False if it holds no structure. */
static bool damage(const struct ecs_shape *shape, json_t *value)
{
    if (shape->type == ECS_SHAPE_LIST && json_array_size(value))
        return damage(shape->value, json_array_get(value, random_below((unsigned)json_array_size(value))));
    if (shape->type != ECS_SHAPE_STRUCTURE)
        return false;
    for (size_t i = 0; i < shape->members_len; i++) {
        json_t *item = json_object_get(value, shape->members[i].name);
        if (item && random_below(2) && damage(shape->members[i].shape, item))
            return true;
    }
    return json_object_set_new(value, "no such member", json_true()) == 0;
}

static void try_shape(const struct ecs_shape *shape)
{
    struct faults faults;
    cleanup_json json_t *value = make(shape, 0);
    ck_assert_msg(faults_of(shape, value, &faults) == 0, "%s: %s", shape->name, faults.text);
    cleanup_json json_t *same = ecs_shape_project(shape, value);
    ck_assert_msg(json_equal(same, value), "%s: projecting what is valid changed it", shape->name);
    ck_assert(damage(shape, value));
    ck_assert_msg(faults_of(shape, value, &faults) == 1, "%s: %d faults, %s", shape->name, faults.number,
                  faults.text);
    cleanup_json json_t *mended = ecs_shape_project(shape, value);
    ck_assert_msg(json_equal(mended, same), "%s: projecting did not mend it", shape->name);
}

/* Each loop may be a process of its own: it must not repeat the one before. */
static void stir(int loop)
{
    state += (uint64_t)loop << 20;
}

START_TEST(every_operation)
{
    stir(_i);
    for (size_t i = 0; i < api_operations_len; i++) {
        const struct ecs_api_operation *operation = &api_operations[i];
        if (operation->input)
            try_shape(operation->input);
        if (operation->output)
            try_shape(operation->output);
    }
}
END_TEST

static json_t *noise(int depth)
{
    switch (random_below(depth < DEPTH_MAX ? 9 : 7)) {
    case 0:
        return json_null();
    case 1:
        return json_integer((json_int_t)state);
    case 2:
        return json_real(random_below(1000) / 7.0);
    case 3:
        return json_boolean(random_below(2));
    case 4:
        return json_string("\xc3\xa9\x01");
    case 5:
        return json_string("");
    case 6:
        return json_string("web");
    case 7: {
        json_t *list = json_array();
        for (unsigned n = random_below(4); n > 0; n--)
            json_array_append_new(list, noise(depth + 1));
        return list;
    }
    default:
        return json_pack("{s:o, s:o}", "name", noise(depth + 1), "x", noise(depth + 1));
    }
}

/* Replaces random members of a valid value by anything at all, at any depth. */
static void scramble(json_t *value)
{
    const char *name;
    void *next;
    size_t i;
    json_t *item;
    json_object_foreach_safe(value, next, name, item)
    {
        if (random_below(4) == 0)
            json_object_set_new(value, name, noise(4));
        else
            scramble(item);
    }
    json_array_foreach(value, i, item)
    {
        if (random_below(4) == 0)
            json_array_set_new(value, i, noise(4));
        else
            scramble(item);
    }
}

/* Nothing to hold but that it ends, the sanitizers are content, and projecting leaves no unknown member. */
static void no_unknown(void *arg, enum ecs_fault fault, const char *place, const char *what)
{
    ck_assert_msg(fault != ECS_FAULT_UNKNOWN, "%s: %s", place, what);
    ck_assert_uint_gt(strlen(what), 0);
    (void)arg;
}

START_TEST(survives_noise)
{
    stir(_i);
    for (size_t i = 0; i < api_operations_len; i++) {
        const struct ecs_shape *shape = api_operations[i].input;
        cleanup_json json_t *value = make(shape, 0);
        scramble(value);
        ecs_shape_check(shape, value, count, &(struct faults){0});
        cleanup_json json_t *projected = ecs_shape_project(shape, value);
        ecs_shape_check(shape, projected, no_unknown, NULL);
        cleanup_json json_t *again = ecs_shape_project(shape, projected);
        ck_assert(json_equal(again, projected));
    }
}
END_TEST

static void seed(void)
{
    const char *given = getenv("ECSFS_SEED");
    uint64_t start = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("ECSFS_SEED=%llu\n", (unsigned long long)start);
    state = start * 0x9E3779B97F4A7C15ULL | 1;
}

int main(void)
{
    seed();
    Suite *suite = suite_create("shape-random");
    TCase *random = tcase_create("random");
    tcase_set_timeout(random, 120);
    tcase_add_loop_test(random, every_operation, 0, 10);
    tcase_add_loop_test(random, survives_noise, 0, 10);
    suite_add_tcase(suite, random);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
