/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_ACCOUNT_SETTINGS_H
#define LOCAL_ACCOUNT_SETTINGS_H

#include "state.h"

/* The effective value of a setting: put, or AWS's default. "" for an unknown name. */
const char *account_setting(const struct region *region, const char *name);
void account_settings_free_all(struct region *region);

#endif
