/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "registry.h"

enum { FINDINGS_MAX = 2 };

static const char *const severities[16][FINDINGS_MAX] = {
    [0x8] = {"INFORMATIONAL"},  [0x9] = {"INFORMATIONAL"},    [0xa] = {"LOW", "LOW"},
    [0xb] = {"LOW", "LOW"},     [0xc] = {"MEDIUM", "LOW"},    [0xd] = {"MEDIUM", "LOW"},
    [0xe] = {"HIGH", "MEDIUM"}, [0xf] = {"CRITICAL", "HIGH"},
};

/* Hexadecimal digits of the digest, from one of them on. */
static unsigned long digits(const char *digest, size_t from, size_t count)
{
    const char *colon = strchr(digest, ':');
    const char *hex = colon ? colon + 1 : digest;
    char text[9] = "";
    if (count < sizeof(text) && strlen(hex) >= from + count)
        memcpy(text, hex + from, count);
    return strtoul(text, NULL, 16);
}

json_t *scan_findings(const char *digest)
{
    static const char *const packages[] = {"openssl", "zlib",    "glibc", "expat",
                                           "curl",    "libxml2", "bash",  "tar"};
    json_t *findings = json_array();
    unsigned long row = digits(digest, 0, 1) & 15;
    for (size_t i = 0; i < FINDINGS_MAX && severities[row][i]; i++) {
        unsigned long number = digits(digest, 1 + 4 * i, 4);
        json_array_append_new(
            findings, json_pack("{s:o, s:s, s:o, s:s, s:[{s:s, s:s}, {s:s, s:o}]}", "name",
                                json_sprintf("CVE-0000-%05lu", number), "description",
                                "Made up by ecs-local from the image's digest.", "uri",
                                json_sprintf("https://example.com/CVE-0000-%05lu", number), "severity",
                                severities[row][i], "attributes", "key", "package_name", "value",
                                packages[number % (sizeof(packages) / sizeof(*packages))], "key",
                                "package_version", "value", json_sprintf("1.%lu", number / 8 % 100)));
    }
    return findings;
}

json_t *scan_counts(const char *digest)
{
    json_t *counts = json_object();
    unsigned long row = digits(digest, 0, 1) & 15;
    for (size_t i = 0; i < FINDINGS_MAX && severities[row][i]; i++) {
        json_int_t before = json_integer_value(json_object_get(counts, severities[row][i]));
        json_object_set_new(counts, severities[row][i], json_integer(before + 1));
    }
    return counts;
}

int64_t scan_completes_at(const struct image *image)
{
    static const double takes_ms = 2000;
    return image->scanned_at ? image->scanned_at + world_span(image->record.region->world, takes_ms) : 0;
}

bool scan_is_complete(const struct image *image)
{
    return image->scanned_at && scan_completes_at(image) <= world_wall(image->record.region->world);
}

json_t *scan_status(const struct image *image)
{
    bool complete = scan_is_complete(image);
    return json_pack("{s:s, s:s*}", "status", complete ? "COMPLETE" : "IN_PROGRESS", "description",
                     complete ? "The scan was completed successfully." : NULL);
}
