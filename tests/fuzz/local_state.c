/* SPDX-License-Identifier: Apache-2.0 */
/* A state file with anything in its records: lines of "kind<tab>key<tab>JSON". It is refused with a reason,
 * or opened, lived in for an hour and shown. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"
#include "ecsfs/error.h"
#include "store.h"
#include "target.h"
#include "world.h"

static char file[64];

static void remove_file(void)
{
    char path[80];
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        snprintf(path, sizeof(path), "%s%s", file, tails[i]);
        unlink(path);
    }
}

/* In memory where that can be had: each input is a file of its own. */
static void name_file(void)
{
    const char *top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");
    if (!*file) {
        snprintf(file, sizeof(file), "%.40s/ecsfs-state-%d", top ? top : "/tmp", (int)getpid());
        atexit(remove_file);
    }
    remove_file();
}

static void fill(char *text)
{
    struct ecs_error *error = NULL;
    name_file();
    struct store *store = store_open(file, &error);
    if (!store || store_begin(store) < 0)
        abort();
    char *rest = text;
    while (rest) {
        char *line = strsep(&rest, "\n"), *kind = strsep(&line, "\t"),
             *key = line ? strsep(&line, "\t") : NULL;
        if (line)
            store_put(store, "us-east-1", kind, key, line, strlen(line));
    }
    if (store_commit(store) < 0)
        abort();
    store_close(store);
}

static json_t *ask(struct world *world, const char *service, const char *operation, const char *input)
{
    struct ecs_error *error = NULL;
    json_t *in = json_loads(input, 0, NULL);
    json_t *reply = world_call(world, NULL, service, operation, in, &error);
    json_decref(in);
    ecs_error_unref(error);
    return reply;
}

static void look_around(struct world *world)
{
    static const char *const questions[][3] = {
        {"ecs", "ListClusters", "{}"},
        {"ecs", "DescribeClusters", "{\"clusters\": [\"c\"], \"include\": [\"STATISTICS\", \"TAGS\"]}"},
        {"ecs", "ListServices", "{\"cluster\": \"c\"}"},
        {"ecs", "DescribeServices",
         "{\"cluster\": \"c\", \"services\": [\"web\", \"ext\"], \"include\": [\"TAGS\"]}"},
        {"ecs", "ListTasks", "{\"cluster\": \"c\"}"},
        {"ecs", "ListContainerInstances", "{\"cluster\": \"c\"}"},
        {"ecs", "ListTaskDefinitions", "{}"},
        {"ecs", "DescribeTaskDefinition", "{\"taskDefinition\": \"web\", \"include\": [\"TAGS\"]}"},
        {"ecs", "DescribeCapacityProviders", "{}"},
        {"ecs", "ListAccountSettings", "{\"effectiveSettings\": true}"},
        {"ecs", "ListServiceDeployments", "{\"cluster\": \"c\", \"service\": \"web\"}"},
        {"ecr", "DescribeRepositories", "{}"},
        {"ecr", "DescribeImages", "{\"repositoryName\": \"app\"}"},
        {"ecr", "GetLifecyclePolicyPreview", "{\"repositoryName\": \"app\"}"},
        {"ecr", "DescribeRegistry", "{}"},
        {"logs", "DescribeLogGroups", "{}"},
        {"logs", "FilterLogEvents", "{\"logGroupName\": \"/ecs/web\"}"},
        {"ecs", "UpdateService", "{\"cluster\": \"c\", \"service\": \"web\", \"desiredCount\": 1}"},
        {"ecs", "DeleteService", "{\"cluster\": \"c\", \"service\": \"web\", \"force\": true}"},
        {"ecr", "DeleteRepository", "{\"repositoryName\": \"app\", \"force\": true}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        json_decref(ask(world, questions[i][0], questions[i][1], questions[i][2]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ecs_manual_clock manual;
    struct ecs_error *error = NULL;
    cleanup_free char *text = target_text(data, size);
    if (!text)
        return 0;
    fill(text);
    ecs_manual_clock_init(&manual, 1000000, 1790000000000);
    struct world *world = world_new(
        &(struct ecs_local_options){.clock = &manual.clock, .region = "us-east-1", .state_file = file},
        &error);
    if (!world && (!error || !*error->message))
        abort();
    ecs_error_unref(error);
    if (!world)
        return 0;
    look_around(world);
    for (int i = 0; i < 4; i++) {
        ecs_manual_clock_step(&manual, 1000000);
        world_tick(world);
    }
    look_around(world);
    world_free(world);
    return 0;
}
