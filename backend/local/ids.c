/* SPDX-License-Identifier: Apache-2.0 */
#include "ids.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* One getrandom for many ids: a task needs a dozen numbers. */
static uint8_t random_byte(void)
{
    static _Thread_local uint8_t pool[512];
    static _Thread_local size_t left;
    if (!left) {
        while (getrandom(pool, sizeof(pool), 0) != sizeof(pool))
            ;
        left = sizeof(pool);
    }
    return pool[--left];
}

static char *fill(char *text, size_t digits, const char *alphabet, unsigned letters)
{
    for (size_t i = 0; i < digits; i++)
        text[i] = alphabet[id_number(letters)];
    text[digits] = 0;
    return text;
}

unsigned id_number(unsigned below)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++)
        number = number << 8 | random_byte();
    return number % below;
}

char *id_hex(char *text, size_t digits)
{
    return fill(text, digits, "0123456789abcdef", 16);
}

char *id_uuid(char text[ID_MAX])
{
    char hex[33];
    id_hex(hex, 32);
    hex[12] = '4';
    hex[16] = "89ab"[id_number(4)];
    snprintf(text, ID_MAX, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return text;
}

char *id_decimal(char *text, size_t digits)
{
    fill(text, digits, "0123456789", 10);
    if (text[0] == '0')
        text[0] = '1';
    return text;
}

char *id_deployment(char text[ID_MAX])
{
    memcpy(text, "ecs-svc/", 8);
    id_decimal(text + 8, 19);
    return text;
}

char *id_service_deployment(char text[ID_MAX])
{
    return fill(text, 21, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", 64);
}

char *id_mac(char text[ID_MAX])
{
    snprintf(text, ID_MAX, "0a:%02x:%02x:%02x:%02x:%02x", random_byte(), random_byte(), random_byte(),
             random_byte(), random_byte());
    return text;
}

const char *partition_of(const char *region)
{
    static const struct {
        const char *prefix, *partition;
    } table[] = {
        {"cn-", "aws-cn"},         {"us-gov-", "aws-us-gov"}, {"us-iso-", "aws-iso"},
        {"us-isob-", "aws-iso-b"}, {"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"},
        {"eusc-", "aws-eusc"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (strncmp(region, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].partition;
    return "aws";
}
