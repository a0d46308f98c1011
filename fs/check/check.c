/* SPDX-License-Identifier: Apache-2.0 */
/* The checks in their order, each with its remedy.
 *
 *     $ ecsfs --check aws:eu-west-1
 *     ok       fuse                      /dev/fuse can be opened
 *     ok       region                    eu-west-1
 *     ...
 */
#include "check_account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "check_private.h"
#include "command/places.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"

enum { CLOCK_ALLOWED_MS = 240000 }; /* AWS takes five minutes */

static const char *const verdicts[] = {[CHECK_OK] = "ok", [CHECK_NO] = "no", [CHECK_SKIPPED] = "skipped"};

void check_say(struct check *check, enum check_verdict verdict, const char *name, const char *format, ...)
{
    check->counts[verdict]++;
    fprintf(check->out, "%-8s %-33s ", verdicts[verdict], name);
    va_list args;
    va_start(args, format);
    vfprintf(check->out, format, args);
    va_end(args);
    fputc('\n', check->out);
    fflush(check->out);
}

static void check_fuse(struct check *check)
{
    char why[512];
    cleanup_free char *path = NULL;
    if (places_check_fuse(why, sizeof(why)) == 0)
        check_say(check, CHECK_OK, "fuse", "/dev/fuse can be opened");
    else
        check_say(check, CHECK_NO, "fuse", "%s", why);
    if (check->what->mountpoint == NULL)
        return;
    if (places_mountpoint(check->what->mountpoint, &path, why, sizeof(why)) == 0)
        check_say(check, CHECK_OK, "mountpoint", "%s", path);
    else
        check_say(check, CHECK_NO, "mountpoint", "%s", why);
}

/* What the configuration says, before anything is asked. */
static bool check_configuration(struct check *check)
{
    const struct ecs_error *refused = check->what->refused;
    if (refused != NULL) {
        check_say(check, CHECK_NO, strcmp(refused->code, "NoRegion") == 0 ? "region" : "configuration", "%s",
                  refused->message);
        return false;
    }
    check->what->backend->status(check->what->backend, &check->status);
    check_say(check, CHECK_OK, "region", "%s", check->status.region);
    int r = check->what->backend->start(check->what->backend);
    if (r < 0)
        check_say(check, CHECK_NO, "threads", "%s", strerror(-r));
    return r == 0;
}

static bool about_keys(const struct ecs_error *error)
{
    return error->err == -ENOKEY || error->err == -EKEYEXPIRED || error->err == -EKEYREJECTED ||
           strcmp(error->code, "CredentialsTimeout") == 0;
}

/* No answer of AWS's is in it. */
static bool about_the_way(const struct ecs_error *error)
{
    return error->http_status == 0 && !about_keys(error);
}

/* What our own errors say holds the remedy already. */
static const char *remedy_of_keys(const struct ecs_error *error)
{
    if (error->http_status == 0)
        return "";
    return error->err == -EKEYEXPIRED ? "; renew them: `aws sso login`, or whatever made them"
                                      : "; compare with `aws sts get-caller-identity`: is the clock right, "
                                        "and the secret that key's?";
}

static void check_keys(struct check *check, const struct ecs_error *error)
{
    const struct ecs_backend_status *status = &check->status;
    char expire[ECS_TIME_TEXT] = "do not expire";
    if (status->credentials_expire_ms != 0)
        ecs_time_format(status->credentials_expire_ms, expire);
    if (check->what->local)
        check_say(check, CHECK_SKIPPED, "credentials", "the emulator asks for none");
    else if (error != NULL && about_keys(error))
        check_say(check, CHECK_NO, "credentials", "%s%s", error->message, remedy_of_keys(error));
    else if (*status->credentials)
        check_say(check, CHECK_OK, "credentials", "from %s; %s%s", status->credentials,
                  status->credentials_expire_ms != 0 ? "until " : "they ", expire);
    else
        check_say(check, CHECK_SKIPPED, "credentials", "not known: %s",
                  error != NULL ? error->message : "nothing asked for them");
}

static void check_answer(struct check *check, const struct ecs_error *error, int64_t took_ms)
{
    if (error == NULL || error->http_status != 0)
        check_say(check, CHECK_OK, "answer", "in %lld ms", (long long)took_ms);
    else if (about_keys(error))
        check_say(check, CHECK_SKIPPED, "answer", "without credentials nothing is sent");
    else
        check_say(check, CHECK_NO, "answer", "%s; %s", error->message,
                  strcmp(error->code, "TLSFailure") == 0
                      ? "is a proxy with its own certificate between? AWS_CA_BUNDLE names one"
                      : "look at HTTPS_PROXY, AWS_ENDPOINT_URL and the firewall");
}

static void check_clock(struct check *check, bool answered)
{
    int64_t off = check->status.clock_off_ms;
    if (check->what->local)
        check_say(check, CHECK_SKIPPED, "clock", "the emulator's is this machine's");
    else if (!answered)
        check_say(check, CHECK_SKIPPED, "clock", "no answer to compare it with");
    else if (off == 0)
        check_say(check, CHECK_OK, "clock", "the endpoint's, to the second");
    else
        check_say(check, llabs(off) > CLOCK_ALLOWED_MS ? CHECK_NO : CHECK_OK, "clock",
                  "%lld s %s the endpoint's (AWS allows 300)%s", llabs((long long)off) / 1000,
                  off > 0 ? "behind" : "before",
                  llabs(off) > CLOCK_ALLOWED_MS ? "; set it: timedatectl set-ntp true" : "");
}

/* "arn:aws:sts::123456789012:assumed-role/..." tells the partition too. */
static void name_absent_arns(struct check *check)
{
    const struct ecs_backend_status *status = &check->status;
    const char *partition = strncmp(status->identity, "arn:", 4) == 0 ? status->identity + 4 : "";
    if (!*partition || !*status->account)
        return;
    char begin[128];
    snprintf(begin, sizeof(begin), "arn:%.*s:ecs:%s:%s", (int)strcspn(partition, ":"), partition,
             status->region, status->account);
    snprintf(check->names[NAME_ABSENT_ARN], sizeof(check->names[0]), "%s:cluster/%.63s", begin,
             check->names[NAME_ABSENT]);
    snprintf(check->names[NAME_ABSENT_DEPLOYMENT], sizeof(check->names[0]),
             "%s:service-deployment/%.63s/%.63s/abcdefghijklmnopqrstu", begin, check->names[NAME_ABSENT],
             check->names[NAME_ABSENT]);
}

static void check_identity(struct check *check, bool answered)
{
    static const struct check_probe probe = {"sts", "GetCallerIdentity", "{}", "", CHECK_READS};
    if (!answered) {
        check_say(check, CHECK_SKIPPED, "identity", "nobody to ask");
        return;
    }
    cleanup_error struct ecs_error *error = check_ask(check, &probe, NULL);
    if (error == NULL)
        check_say(check, CHECK_OK, "identity", "%s", check->status.identity);
    else /* a mount does without; an endpoint of one's own need not have STS */
        check_say(check, CHECK_SKIPPED, "identity", "%s: %s", error->code, error->message);
    name_absent_arns(check);
}

static void check_calls(struct check *check)
{
    int64_t took_ms = 0;
    cleanup_error struct ecs_error *error = check_ask(check, &check_probes[0], &took_ms);
    check_answer(check, error, took_ms);
    check_keys(check, error);
    bool answered = error == NULL || error->http_status != 0;
    bool served = error == NULL || (!about_keys(error) && !about_the_way(error));
    check_clock(check, answered);
    check_identity(check, served);
    if (served)
        check_permissions(check);
    else
        check_say(check, CHECK_SKIPPED, "permissions", "nobody to ask");
}

/* A call shows what the keys are, though it cannot arrive. */
static void check_keys_alone(struct check *check)
{
    cleanup_error struct ecs_error *error = check_ask(check, &check_probes[0], NULL);
    check_keys(check, error);
    check_say(check, CHECK_SKIPPED, "calls", "the endpoint cannot be reached");
}

static bool prepare(struct check *check)
{
    unsigned char bytes[8] = {0};
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    int n = snprintf(check->names[NAME_ABSENT], sizeof(check->names[0]), "ecsfs-check-");
    for (size_t i = 0; i < sizeof(bytes); i++)
        n += snprintf(check->names[NAME_ABSENT] + n, sizeof(check->names[0]) - (size_t)n, "%02x", bytes[i]);
    check->home = ecs_mailbox_new();
    return check->home != NULL;
}

bool fs_check(const struct fs_check_what *what, FILE *out)
{
    struct check *check = calloc(1, sizeof(*check));
    if (check == NULL || (check->what = what, !prepare(check))) {
        fprintf(out, "no       %-32s %s\n", "memory", strerror(errno));
        free(check);
        return false;
    }
    check->out = out;
    check_fuse(check);
    if (check_configuration(check)) {
        if (check_endpoint(check))
            check_calls(check);
        else
            check_keys_alone(check);
    }
    fprintf(out, "%u ok, %u no, %u skipped\n", check->counts[CHECK_OK], check->counts[CHECK_NO],
            check->counts[CHECK_SKIPPED]);
    bool good = check->counts[CHECK_NO] == 0;
    ecs_mailbox_free(check->home);
    free(check);
    return good;
}
