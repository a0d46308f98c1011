/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_INPUT_H
#define LOCAL_INPUT_H

#include <jansson.h>

/* The input of a call as JSON text of `len` bytes. NULL: it is not valid JSON. */
json_t *input_read(const char *text, size_t len);

#endif
