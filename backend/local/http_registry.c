/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Registry HTTP API v2. */
#include "http.h"

bool registry_streams(const struct exchange *exchange)
{
    (void)exchange;
    return false;
}

enum MHD_Result registry_data(struct exchange *exchange, const char *data, size_t len)
{
    (void)exchange;
    (void)data;
    (void)len;
    return MHD_NO;
}

void registry_forget(struct exchange *exchange)
{
    (void)exchange;
}

enum MHD_Result speak_registry(struct exchange *exchange)
{
    return answer_json(exchange, 404, json_object());
}
