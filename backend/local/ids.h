/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers in the forms AWS gives them. All random: nothing may depend on their order. */
#ifndef LOCAL_IDS_H
#define LOCAL_IDS_H

#include <stddef.h>

enum { ID_MAX = 48 };

char *id_hex(char *text, size_t digits);        /* a task's id: 32; ret text, which holds digits + 1 */
char *id_uuid(char text[ID_MAX]);               /* "f22515f3-9fe6-4be6-aff4-c1696bf5e9b2" */
char *id_deployment(char text[ID_MAX]);         /* "ecs-svc/1718156036370285947" */
char *id_decimal(char *text, size_t digits);    /* a service revision's: 19 */
char *id_service_deployment(char text[ID_MAX]); /* 21 of [A-Za-z0-9_-] */
char *id_mac(char text[ID_MAX]);                /* "12:11:c4:f4:0d:42" */
unsigned id_number(unsigned below);

/* "aws", "aws-cn", "aws-us-gov", ... of a region's name. */
const char *partition_of(const char *region);

#endif
