/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's protocols: JSON 1.1 (ECS, ECR, CloudWatch Logs) and query (STS). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecsfs/cleanup.h"
#include "ecsfs/clock.h"
#include "ecsfs/error.h"
#include "http.h"
#include "ids.h"
#include "input.h"

static const struct {
    const char *target, *service;
} targets[] = {
    {"AmazonEC2ContainerServiceV20141113", "ecs"},
    {"AmazonEC2ContainerRegistry_V20150921", "ecr"},
    {"SpencerFrontendService", "ecr-public"},
    {"Logs_20140328", "logs"},
};

/* The region of a signature's scope: "Credential=AKID/20261123/eu-west-1/ecs/aws4_request". */
static void region_of(const struct exchange *exchange, char *region, size_t size)
{
    const char *header = header_of(exchange, "Authorization");
    const char *at = header ? strstr(header, "Credential=") : NULL;
    region[0] = 0;
    for (int slash = 0; at && slash < 2; slash++) {
        at = strchr(at, '/');
        at = at ? at + 1 : NULL;
    }
    if (at)
        snprintf(region, size, "%.*s", (int)strcspn(at, "/"), at);
}

/* A region's name becomes part of ARNs: nothing else than such a name is taken for one. */
static bool is_region(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
            return false;
    return *name && strlen(name) < 32;
}

static json_t *call_world(struct exchange *exchange, const char *service, const char *operation,
                          const json_t *in, struct ecs_error **ret_error)
{
    char region[64];
    region_of(exchange, region, sizeof(region));
    return world_call(exchange->face->world, is_region(region) ? region : NULL, service, operation, in,
                      ret_error);
}

static enum MHD_Result answer_aws(struct exchange *exchange, unsigned status, json_t *tree,
                                  const char *request_id)
{
    /* 13 digits hold milliseconds exactly for the next centuries. */
    char *text = json_dumps(tree, JSON_COMPACT | JSON_REAL_PRECISION(13));
    json_decref(tree);
    return answer(exchange, status, "application/x-amz-json-1.1", text, text ? strlen(text) : 0,
                  "x-amzn-RequestId", request_id, NULL);
}

static enum MHD_Result refuse_aws(struct exchange *exchange, unsigned status, const char *code,
                                  const char *message)
{
    char id[ID_MAX];
    count_call(exchange->face, exchange->operation, "errors");
    return answer_aws(exchange, status, json_pack("{s:s, s:s}", "__type", code, "message", message),
                      id_uuid(id));
}

static enum MHD_Result speak_json(struct exchange *exchange, const char *service, const char *operation)
{
    struct ecs_error *error = NULL;
    char id[ID_MAX];
    json_t *in = exchange->body.len ? input_read(exchange->body.data, exchange->body.len) : json_object();
    if (!in)
        return refuse_aws(exchange, 400, "SerializationException", "The request is not valid JSON.");
    json_t *reply = call_world(exchange, service, operation, in, &error);
    json_decref(in);
    if (reply)
        return answer_aws(exchange, 200, reply, id_uuid(id));
    enum MHD_Result result = refuse_aws(exchange, error->http_status ? (unsigned)error->http_status : 500,
                                        error->code, error->message);
    ecs_error_unref(error);
    return result;
}

/* --- the query protocol --- */

static void add_escaped(struct ecs_buf *xml, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '&' ? "&amp;" : NULL;
        if (entity)
            ecs_buf_adds(xml, entity);
        else
            ecs_buf_add(xml, text, 1);
    }
}

static void add_xml(struct ecs_buf *xml, const json_t *tree)
{
    const char *name;
    json_t *value;
    char time[ECS_TIME_TEXT];
    json_object_foreach((json_t *)(uintptr_t)tree, name, value)
    {
        ecs_buf_addf(xml, "<%s>", name);
        if (json_is_object(value))
            add_xml(xml, value);
        else if (json_is_string(value))
            add_escaped(xml, json_string_value(value));
        else if (json_is_real(value)) /* the only numbers of STS are times */
            ecs_buf_adds(xml, ecs_time_format((int64_t)json_real_value(value) * 1000, time));
        ecs_buf_addf(xml, "</%s>", name);
    }
}

static enum MHD_Result answer_xml(struct exchange *exchange, unsigned status, struct ecs_buf *xml,
                                  const char *id)
{
    size_t len;
    char *text = ecs_buf_steal(xml, &len);
    return answer(exchange, status, "text/xml", text, len, "x-amzn-RequestId", id, NULL);
}

static enum MHD_Result refuse_query(struct exchange *exchange, const struct ecs_error *error)
{
    char id[ID_MAX];
    cleanup_buf struct ecs_buf xml = ECS_BUF(64 * 1024);
    count_call(exchange->face, exchange->operation, "errors");
    ecs_buf_adds(&xml,
                 "<ErrorResponse "
                 "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>");
    add_escaped(&xml, error->code);
    ecs_buf_adds(&xml, "</Code><Message>");
    add_escaped(&xml, error->message);
    ecs_buf_addf(&xml, "</Message></Error><RequestId>%s</RequestId></ErrorResponse>", id_uuid(id));
    return answer_xml(exchange, error->http_status ? (unsigned)error->http_status : 500, &xml, id);
}

/* In place: '+' and %XX. */
static void decode(char *text)
{
    char *to = text;
    for (; *text; text++) {
        unsigned byte;
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1 && isxdigit((unsigned char)text[2])) {
            *to++ = (char)byte;
            text += 2;
        } else {
            *to++ = *text == '+' ? ' ' : *text;
        }
    }
    *to = 0;
}

static json_t *read_form(char *text)
{
    static const char *const numbers[] = {"DurationSeconds"};
    json_t *in = json_object();
    for (char *part; (part = strsep(&text, "&"));) {
        char *value = strchr(part, '=');
        if (!value)
            continue;
        *value++ = 0;
        decode(part);
        decode(value);
        bool number = false;
        for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
            number |= strcmp(part, numbers[i]) == 0;
        json_object_set_new(in, part, number ? json_integer(atol(value)) : json_string(value));
    }
    return in;
}

static enum MHD_Result speak_query(struct exchange *exchange)
{
    enum MHD_Result result;
    struct ecs_error *error = NULL;
    char id[ID_MAX];
    cleanup_free char *text = strdup(exchange->body.data); /* taken apart; a held exchange comes again */
    json_t *in = read_form(text);
    const char *action = json_string_value(json_object_get(in, "Action"));
    cleanup_free char *operation = strdup(action ? action : "");
    snprintf(exchange->operation, sizeof(exchange->operation), "sts.%s", operation ? operation : "");
    json_object_del(in, "Action");
    json_object_del(in, "Version");
    if (struck_before(exchange, &result)) {
        json_decref(in);
        return result;
    }
    json_t *reply = call_world(exchange, "sts", operation, in, &error);
    json_decref(in);
    if (!reply) {
        result = refuse_query(exchange, error);
        ecs_error_unref(error);
        return result;
    }
    cleanup_buf struct ecs_buf xml = ECS_BUF(64 * 1024);
    ecs_buf_addf(&xml, "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>",
                 operation, operation);
    add_xml(&xml, reply);
    json_decref(reply);
    ecs_buf_addf(&xml,
                 "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
                 operation, id_uuid(id), operation);
    return answer_xml(exchange, 200, &xml, id);
}

enum MHD_Result speak_aws(struct exchange *exchange)
{
    enum MHD_Result result;
    const char *target = header_of(exchange, "X-Amz-Target"), *message = NULL;
    const char *type = header_of(exchange, "Content-Type");
    const char *service = NULL, *dot = target ? strchr(target, '.') : NULL;
    for (size_t i = 0; dot && i < ARRAY_LEN(targets); i++)
        if (strncmp(target, targets[i].target, (size_t)(dot - target)) == 0 &&
            !targets[i].target[dot - target])
            service = targets[i].service;
    bool query =
        !target && type && strncmp(type, "application/x-www-form-urlencoded", 33) == 0 && exchange->body.len;
    snprintf(exchange->operation, sizeof(exchange->operation), "%.32s.%.128s", service ? service : "unknown",
             dot ? dot + 1 : "");
    const char *code = sigv4_check(exchange, &message);
    if (code)
        return refuse_aws(exchange, 403, code, message);
    if (query)
        return speak_query(exchange);
    if (!service)
        return refuse_aws(exchange, 400, "UnknownOperationException",
                          "The emulator does not know this operation.");
    if (struck_before(exchange, &result))
        return result;
    return speak_json(exchange, service, dot + 1);
}
