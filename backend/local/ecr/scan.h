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
#include <stdbool.h>
#include <stdint.h>

/* findings[] of DescribeImageScanFindings for "sha256:<hex>"; the caller's. */
json_t *scan_findings(const char *digest);
/* findingSeverityCounts of them. */
json_t *scan_counts(const char *digest);

struct image;
/* When the scan that was begun last completes, or did: 2 s of life later, in Unix milliseconds. 0: it was
 * never scanned. */
int64_t scan_completes_at(const struct image *image);
bool scan_is_complete(const struct image *image);
/* imageScanStatus: {status, description}. */
json_t *scan_status(const struct image *image);

#endif
