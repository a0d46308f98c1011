/* SPDX-License-Identifier: Apache-2.0 */
/* ~/.aws/config and ~/.aws/credentials: any bytes, cut in two at the first NUL; then the plan of each
 * profile. */
#include <stdlib.h>
#include <string.h>

#include "credentials/plan.h"
#include "target.h"

static void follow(const struct aws_profiles *profiles, const struct aws_section *profile)
{
    struct aws_plan plan;
    struct ecs_error *error = NULL;
    if (aws_plan_make(profiles, profile->title, &plan, &error) < 0) {
        if (!error || !*error->message)
            abort();
        ecs_error_unref(error);
    } else if (!plan.profile) {
        abort();
    }
    free(aws_section_nested(profile, "s3", "endpoint_url"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
    size_t config = cut ? (size_t)(cut - data) : size;
    const char *credentials = cut ? (const char *)cut + 1 : NULL;
    struct ecs_error *error = NULL;
    struct aws_profiles *profiles =
        aws_profiles_parse(text, config, credentials, cut ? size - config - 1 : 0, &error);
    if (!profiles) {
        if (!error || error->err >= 0)
            abort();
        ecs_error_unref(error);
        return 0;
    }
    const struct aws_ini *all = &profiles->kinds[AWS_PROFILE];
    for (size_t i = 0; i < all->sections_len && i < 64; i++)
        follow(profiles, &all->sections[i]);
    aws_profiles_free(profiles);
    return 0;
}
