#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stands before each test of `meson test --setup asan` in a build that has no sanitizer.
echo "this build has no sanitizer; make one that has:" >&2
echo "  meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false && meson test -C build-asan --setup asan" >&2
exit 1
