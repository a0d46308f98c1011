/* SPDX-License-Identifier: Apache-2.0 */
/* ecs-local: serves the embedded emulator over HTTP.
 *
 *     $ ecs-local --listen 127.0.0.1:4566 --state ~/ecs.db
 *     ecs-local: listening on 127.0.0.1:4566
 *     $ aws --endpoint-url http://127.0.0.1:4566 ecs list-clusters */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <openssl/crypto.h>

#include "ecsfs/error.h"
#include "http/http.h"

static volatile int stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static const char usage[] =
    "Usage: ecs-local [OPTION...]\n"
    "\n"
    "A small Amazon ECS, ECR, CloudWatch Logs and STS of your own, and the registry of its images,\n"
    "over HTTP. Point any AWS client at it:\n"
    "\n"
    "    $ ecs-local --state ~/ecs.db &\n"
    "    $ export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1\n"
    "    $ export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n"
    "    $ aws ecs create-cluster --cluster-name demo\n"
    "    $ ecsfs aws ~/ecs\n"
    "    $ skopeo copy --dest-tls-verify=false oci:app docker://127.0.0.1:4566/app:v1\n"
    "\n"
    "Where, and what is kept:\n"
    "  -l, --listen ADDR:PORT   default 127.0.0.1:4566, and without ADDR 127.0.0.1;\n"
    "                           port 0 takes any that is free and prints it\n"
    "  -s, --state FILE         keep everything in FILE (default: in memory); also for ecsfs local:FILE,\n"
    "                           one after the other\n"
    "  -r, --region REGION      of requests that name none (default AWS_REGION, else us-east-1)\n"
    "  -a, --account ID         12 digits (default 123456789012)\n"
    "  -v, --verify KEY:SECRET  refuse requests that are not signed with this key (SigV4),\n"
    "                           and at the registry whoever has not ECR's login\n"
    "\n"
    "Time:\n"
    "  -x, --speed N            live N times as fast; a Fargate task runs after 2 s at speed 1\n"
    "      --still              time stands still: it passes by POST /_local/step {\"ms\": 5000} only\n"
    "\n"
    "What can go wrong, on demand:\n"
    "  -p, --pacing             throttle by AWS's documented token buckets\n"
    "      --lag MS             eventual consistency: ECS's reads answer what was so MS ago\n"
    "  -f, --fault SPEC         kind=throttle,operation=ecs.Describe*,times=3; may be given again.\n"
    "                           kinds: latency throttle error reset hang lost corrupt\n"
    "                           with: ms= code= status= message= times= after= probability=\n"
    "\n"
    "  -V, --version            -h, --help\n"
    "\n"
    "While it runs: /_local/faults, /_local/calls, /_local/lag, /_local/step, /_local/time, /_local/health.\n"
    "What an image or a command must look like to fail, exit or starve: ecs-local(1), doc/EMULATOR.md.\n";

/* Options without a letter. */
enum { OPTION_STILL = 256, OPTION_LAG };

static const struct option options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"state", required_argument, NULL, 's'},
    {"region", required_argument, NULL, 'r'},
    {"account", required_argument, NULL, 'a'},
    {"speed", required_argument, NULL, 'x'},
    {"pacing", no_argument, NULL, 'p'},
    {"still", no_argument, NULL, OPTION_STILL},
    {"lag", required_argument, NULL, OPTION_LAG},
    {"verify", required_argument, NULL, 'v'},
    {"fault", required_argument, NULL, 'f'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct settings {
    struct ecs_local_options local;
    struct face_options face;
    struct stepped_clock time;
    bool still;
    int64_t lag_ms;
    char *key, *secret; /* what face borrows */
};

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "ecs-local: %s: %s\n", what, why);
    return 2;
}

static int take_fault(struct settings *settings, const char *text)
{
    const char *why;
    struct fault *fault = fault_parse(text, &why);
    if (!fault)
        return complain(text, why);
    struct fault **last = &settings->face.faults;
    while (*last)
        last = &(*last)->next;
    *last = fault;
    return 0;
}

static void forget_key(struct settings *settings)
{
    free(settings->key);
    if (settings->secret)
        OPENSSL_cleanse(settings->secret, strlen(settings->secret));
    free(settings->secret);
    settings->key = settings->secret = NULL;
}

static int take_key(struct settings *settings, char *text)
{
    char *colon = strchr(text, ':');
    if (!colon || colon == text || !colon[1])
        return complain("--verify", "wants KEY:SECRET");
    *colon = 0;
    forget_key(settings);
    settings->face.key = settings->key = strdup(text);
    settings->face.secret = settings->secret = strdup(colon + 1);
    memset(colon + 1, 'x', strlen(colon + 1)); /* out of ps */
    return settings->key && settings->secret ? 0 : complain("--verify", "out of memory");
}

static int take_speed(struct settings *settings, const char *text)
{
    char *end;
    settings->local.speed = strtod(text, &end);
    return *text && !*end && settings->local.speed >= 0.001 && settings->local.speed <= 1e6
               ? 0
               : complain("--speed", "wants a number from 0.001 to 1000000");
}

static int take_lag(struct settings *settings, const char *text)
{
    char *end;
    settings->lag_ms = strtol(text, &end, 10);
    return *text && !*end && settings->lag_ms >= 0 ? 0 : complain("--lag", "wants milliseconds");
}

static int take_account(struct settings *settings, const char *text)
{
    settings->local.account = text;
    return strlen(text) == 12 && strspn(text, "0123456789") == 12 ? 0
                                                                  : complain("--account", "wants 12 digits");
}

/* 0 to go on, else the exit status plus one. */
static int take_option(struct settings *settings, int option)
{
    switch (option) {
    case 'l':
        settings->face.listen = optarg;
        return 0;
    case 's':
        settings->local.state_file = optarg;
        return 0;
    case 'r':
        settings->local.region = optarg;
        return 0;
    case 'a':
        return take_account(settings, optarg) ? 3 : 0;
    case 'x':
        return take_speed(settings, optarg) ? 3 : 0;
    case 'p':
        settings->local.pacing = true;
        return 0;
    case OPTION_STILL:
        settings->still = true;
        return 0;
    case OPTION_LAG:
        return take_lag(settings, optarg) ? 3 : 0;
    case 'v':
        return take_key(settings, optarg) ? 3 : 0;
    case 'f':
        return take_fault(settings, optarg) ? 3 : 0;
    case 'V':
        puts("ecs-local " ECSFS_VERSION);
        return 1;
    case 'h':
        fputs(usage, stdout);
        return 1;
    default:
        fputs("Try 'ecs-local --help'.\n", stderr);
        return 3;
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static int serve(struct settings *settings)
{
    struct ecs_error *error = NULL;
    stepped_clock_init(&settings->time, settings->still);
    settings->local.clock = &settings->time.clock;
    settings->face.time = &settings->time;
    struct world *world = world_new(&settings->local, &error);
    struct face *face = world ? face_new(world, &ecs_system_clock, &settings->face, &error) : NULL;
    if (world)
        settings->face.faults = NULL; /* taken over */
    int r = -1;
    if (face) {
        world_set_lag(world, settings->lag_ms);
        printf("ecs-local: listening on %s\n", face->address);
        fflush(stdout);
        r = face_run(face, &stop);
        if (r < 0)
            fprintf(stderr, "ecs-local: %s\n", strerror(-r));
    } else {
        fprintf(stderr, "ecs-local: %s\n", error->message);
        ecs_error_unref(error);
    }
    face_free(face);
    world_free(world);
    return r < 0 ? 1 : 0;
}

/* 0 to go on, else the exit status plus one. */
static int take_options(struct settings *settings, int argc, char **argv)
{
    int option, r = 0;
    while (r == 0 && (option = getopt_long(argc, argv, "l:s:r:a:x:pv:f:Vh", options, NULL)) >= 0)
        r = take_option(settings, option);
    if (r == 0 && optind < argc)
        r = complain(argv[optind], "no argument is expected") + 1;
    return r;
}

int main(int argc, char **argv)
{
    struct settings settings = {.face.listen = "127.0.0.1:4566"};
    prctl(PR_SET_DUMPABLE, 0); /* before a secret is read */
    int r = take_options(&settings, argc, argv);
    if (r == 0) {
        catch_signals();
        r = serve(&settings) + 1;
    }
    faults_free(settings.face.faults);
    forget_key(&settings);
    return r - 1;
}
