/* SPDX-License-Identifier: Apache-2.0 */
/* Asking AWS, one call after the other, and what each answer says about permissions. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "check_private.h"
#include "ecsfs/buf.h"
#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"
#include "ecsfs/json.h"

enum { INPUT_MAX = 4096, MOST_SILENCE = 2 }; /* calls without an answer before it is given up */

static const char *const name_words[NAMES] = {
    [NAME_ABSENT] = "ABSENT",
    [NAME_ABSENT_ARN] = "ARN_ABSENT",
    [NAME_ABSENT_DEPLOYMENT] = "DEPLOYMENT_ABSENT",
    [NAME_CLUSTER] = "CLUSTER",
    [NAME_CLUSTER_ARN] = "ARN_CLUSTER",
    [NAME_SERVICE] = "SERVICE",
    [NAME_DEPLOYMENT] = "DEPLOYMENT",
    [NAME_REVISION] = "REVISION",
    [NAME_TASK] = "TASK",
    [NAME_INSTANCE] = "INSTANCE",
    [NAME_FAMILY] = "FAMILY",
    [NAME_DEFINITION] = "DEFINITION",
    [NAME_REPOSITORY] = "REPOSITORY",
};

struct question {
    struct ecs_call call; /* first */
    const struct check_probe *probe;
    char learned[512];
};

static bool wants_whole(enum check_name name)
{
    return name == NAME_CLUSTER_ARN || name == NAME_DEPLOYMENT || name == NAME_REVISION ||
           name == NAME_REPOSITORY;
}

/* On the backend's thread. Nothing of the reply is kept but one name. */
static struct ecs_error *digest(struct ecs_call *call, struct json_t *reply)
{
    struct question *question = (struct question *)call;
    const struct check_probe *probe = question->probe;
    if (probe->member == NULL)
        return NULL;
    const json_t *at = reply;
    for (const char *name = probe->member; name != NULL;) {
        size_t len = strcspn(name, ".");
        char member[64];
        snprintf(member, sizeof(member), "%.*s", (int)len, name);
        at = json_object_get(at, member);
        at = json_is_array(at) ? json_array_get(at, 0) : at;
        name = name[len] == '.' ? name + len + 1 : NULL;
    }
    const char *text = json_string_value(at);
    const char *slash = text != NULL && !wants_whole(probe->learns) ? strrchr(text, '/') : NULL;
    if (text != NULL)
        snprintf(question->learned, sizeof(question->learned), "%s", slash != NULL ? slash + 1 : text);
    return NULL;
}

/* Names are AWS's, so they are quoted as JSON wants it. */
static void add_name(struct ecs_buf *input, const char *name)
{
    json_t *text = json_string(name);
    cleanup_free char *quoted = text != NULL ? ecs_json_text(text, JSON_ENCODE_ANY) : NULL;
    json_decref(text);
    if (quoted != NULL && strlen(quoted) >= 2)
        ecs_buf_add(input, quoted + 1, strlen(quoted) - 2);
}

static char *fill_in(const struct check *check, const char *pattern)
{
    cleanup_buf struct ecs_buf input = ECS_BUF(INPUT_MAX);
    while (*pattern) {
        size_t plain = strcspn(pattern, "@"), word = 0;
        ecs_buf_add(&input, pattern, plain);
        pattern += plain;
        if (*pattern != '@')
            break;
        word = strspn(++pattern, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        for (size_t i = 1; i < NAMES; i++)
            if (strlen(name_words[i]) == word && strncmp(name_words[i], pattern, word) == 0)
                add_name(&input, check->names[i][0] ? check->names[i] : check->names[NAME_ABSENT]);
        pattern += word;
    }
    return input.failed ? NULL : ecs_buf_steal(&input, NULL);
}

static void wait_home(struct check *check)
{
    struct pollfd ready = {.fd = ecs_mailbox_fd(check->home), .events = POLLIN};
    while (ecs_mailbox_take(check->home) == NULL)
        poll(&ready, 1, -1); /* every call comes home in its time */
}

struct ecs_error *check_ask(struct check *check, const struct check_probe *probe, int64_t *ret_took_ms)
{
    struct ecs_backend *backend = check->what->backend;
    cleanup_free char *body = fill_in(check, probe->input);
    if (body == NULL)
        return ecs_error_new(-ENOMEM, "OutOfMemory", "out of memory");
    struct question question = {.call = {.home = check->home,
                                         .service = probe->service,
                                         .operation = probe->operation,
                                         .body = body,
                                         .priority = ECS_PRIORITY_READ,
                                         .timeout_ms = check->what->timeout_ms,
                                         .writing = probe->effect != CHECK_READS,
                                         .digest = digest},
                                .probe = probe};
    backend->submit(backend, &question.call);
    wait_home(check);
    if (ret_took_ms != NULL && question.call.sent_ms != 0)
        *ret_took_ms = ecs_system_clock.now_ms(&ecs_system_clock) - question.call.sent_ms;
    if (question.learned[0])
        memcpy(check->names[probe->learns], question.learned, sizeof(question.learned));
    backend->status(backend, &check->status);
    return question.call.error;
}

static bool is_unanswered(const struct ecs_error *error)
{
    return error != NULL && error->err != -EOPNOTSUPP &&
           (error->http_status == 0 || error->http_status >= 500);
}

/* The operator's scales, deploys and registers. */
static const char *policy_of(const struct check_probe *probe)
{
    static const char *const deploying[] = {"UpdateService", "StopServiceDeployment",
                                            "ContinueServiceDeployment"};
    if (probe->effect == CHECK_READS)
        return "contrib/iam/read-only.json";
    for (size_t i = 0; i < ARRAY_LEN(deploying); i++)
        if (strcmp(probe->operation, deploying[i]) == 0)
            return "contrib/iam/operator.json";
    return "contrib/iam/administrator.json";
}

static void tell(struct check *check, const struct check_probe *probe, const struct ecs_error *error)
{
    char name[80];
    snprintf(name, sizeof(name), "%s:%s", probe->service, probe->operation);
    bool changes = probe->effect != CHECK_READS;
    if (error != NULL && error->err == -EACCES)
        check_say(check, CHECK_NO, name, "denied, and with it %s: allow it in the policy (%s)%s",
                  probe->costs, policy_of(probe),
                  changes ? ", or mount with -o ro. It was asked about a name that does not exist: a policy "
                            "for certain names may allow it there"
                          : "");
    else if (error != NULL && error->err == -EOPNOTSUPP)
        check_say(check, CHECK_SKIPPED, name, "the endpoint does not know it: without it, no %s",
                  probe->costs);
    else if (is_unanswered(error) || (error != NULL && error->err == -EBUSY))
        check_say(check, CHECK_SKIPPED, name, "not to be known: %s", error->message);
    else if (error != NULL && (error->err == -EKEYREJECTED || error->err == -EKEYEXPIRED))
        check_say(check, CHECK_NO, name, "%s", error->message);
    else /* granted, or refused for another reason than permission */
        check_say(check, CHECK_OK, name, "%s", probe->costs);
}

/* Why a probe is not made; NULL: it is. */
static const char *reason_to_skip(const struct check *check, const struct check_probe *probe)
{
    if (probe->effect == CHECK_DELETES && !check->what->allow_delete)
        return "not without -o allow_delete";
    if (probe->effect != CHECK_READS && check->what->ro)
        return "not with -o ro";
    if (probe->input == NULL)
        return probe->why_not;
    if (probe->needs != NAME_NONE && !check->names[probe->needs][0])
        return "there is none to ask about";
    return NULL;
}

void check_permissions(struct check *check)
{
    unsigned silent = 0;
    for (const struct check_probe *probe = check_probes; probe->operation != NULL; probe++) {
        char name[80];
        snprintf(name, sizeof(name), "%s:%s", probe->service, probe->operation);
        const char *why =
            silent >= MOST_SILENCE ? "the endpoint does not answer any more" : reason_to_skip(check, probe);
        if (why != NULL) {
            check_say(check, CHECK_SKIPPED, name, "%s (%s)", why, probe->costs);
            continue;
        }
        cleanup_error struct ecs_error *error = check_ask(check, probe, NULL);
        silent = error != NULL && error->http_status == 0 && error->err != -EOPNOTSUPP ? silent + 1 : 0;
        tell(check, probe, error);
    }
}
