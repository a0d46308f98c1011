# SPDX-License-Identifier: Apache-2.0
# Sourced by contrib/try and contrib/check: installs from the distribution what is not there.
# shellcheck shell=sh disable=SC2034

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$(basename "$0"): $*"
  exit 1
}

# "what tells that it is there  its package", one a line: a pkg-config module, a command, or a file.
build_needs='
command:cc          gcc
file:/usr/include/stdio.h libc6-dev
command:meson       meson
command:ninja       ninja-build
command:pkg-config  pkg-config
command:python3     python3
command:fusermount3 fuse3
module:fuse3        libfuse3-dev
module:libcurl      libcurl4-openssl-dev
module:libcrypto    libssl-dev
module:jansson      libjansson-dev
module:sqlite3      libsqlite3-dev
module:libzstd      libzstd-dev
module:libmicrohttpd libmicrohttpd-dev
module:check        check
'

there() {
  case $1 in
  command:*) command -v "${1#command:}" >/dev/null 2>&1 ;;
  module:*) pkg-config --exists "${1#module:}" 2>/dev/null ;;
  file:*) [ -e "${1#file:}" ] ;;
  package:*) [ "$(dpkg-query -W -f '${db:Status-Status}' "${1#package:}" 2>/dev/null)" = installed ] ;;
  esac
}

# The packages of a table of needs that are not there.
lacking() {
  printf '%s\n' "$1" | while read -r mark package; do
    [ -z "$mark" ] || there "$mark" || printf '%s ' "$package"
  done
}

# install_needs TABLE...
install_needs() {
  lack=$(for table; do lacking "$table"; done)
  [ -n "$lack" ] || return 0
  say "installing: $lack"
  command -v apt-get >/dev/null || die "needs these Debian packages, and there is no apt-get here: $lack"
  root=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "needs packages; ask root for: apt-get install $lack"
    root=sudo
  fi
  # A stale or partly failing list is no reason to stop: the install below tells whether it matters.
  $root apt-get update -qq >&2 || say "apt-get update failed; trying with the lists that are here"
  # shellcheck disable=SC2086 # words are wanted
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lack >&2 ||
    die "could not install: $lack"
  lack=$(for table; do lacking "$table"; done)
  [ -z "$lack" ] || die "installed, but still not found: $lack"
}

# Where builds go: the clone, or the user's cache where the clone is not theirs to write.
build_home() {
  if [ -w "$1" ] && { [ ! -e "$1/build" ] || [ -w "$1/build" ]; }; then
    printf '%s\n' "$1/build"
  else
    printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/ecsfs/build"
  fi
}
