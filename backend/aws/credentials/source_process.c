/* SPDX-License-Identifier: Apache-2.0 */
/* credential_process: a program of the user's prints the keys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "ecsfs/cleanup.h"
#include "process.h"
#include "sources.h"

enum { OUTPUT_MAX = 64 * 1024 };

struct aws_credentials *aws_from_process(const struct aws_env *env, const struct aws_section *profile,
                                         struct ecs_error **ret_error)
{
    cleanup_free char **argv = aws_process_split(aws_section_get(profile, "credential_process"));
    if (!argv) {
        *ret_error = ecs_error_new(-ENOKEY, "InvalidConfiguration",
                                   "credential_process of profile %s is no command line", profile->title);
        return NULL;
    }
    cleanup_buf struct ecs_buf output = ECS_BUF_SECRET(OUTPUT_MAX);
    struct aws_credentials *found = NULL;
    aws_env_waits(env, "run it by hand to see what it waits for", "credential_process %.90s", argv[0]);
    *ret_error = env->run(env, argv, AWS_PROCESS_MS, &output);
    if (!*ret_error) {
        found =
            aws_document_parse(AWS_DOCUMENT_PROCESS, output.data ? output.data : "", output.len, ret_error);
        if (!found)
            *ret_error = ecs_error_context(*ret_error, 0, "what credential_process %s printed", argv[0]);
    }
    if (!found)
        return NULL;
    const char *account = aws_section_get(profile, "aws_account_id");
    if (!found->account && account)
        found->account = strdup(account);
    aws_credentials_describe(found, "run its login", "credential_process, profile %.80s", profile->title);
    return found;
}
