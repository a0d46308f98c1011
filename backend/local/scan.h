/* SPDX-License-Identifier: Apache-2.0 */
/* What a basic scan finds. The emulator looks into no image: it reads its findings off the digest, so
 * that the same image always has the same. The first hexadecimal digit decides:
 *
 *   0-7  nothing          a-b  LOW, LOW          e  HIGH, MEDIUM
 *   8-9  INFORMATIONAL    c-d  MEDIUM, LOW       f  CRITICAL, HIGH
 *
 * The names are CVE-0000-NNNN, which no real vulnerability has. */
#ifndef LOCAL_SCAN_H
#define LOCAL_SCAN_H

#include <jansson.h>

/* findings[] of DescribeImageScanFindings for "sha256:<hex>"; the caller's. */
json_t *scan_findings(const char *digest);
/* findingSeverityCounts of them. */
json_t *scan_counts(const char *digest);

#endif
