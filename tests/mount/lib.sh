# SPDX-License-Identifier: Apache-2.0
# For tests on a real mount; sourced by each *.test (bash). It makes a directory of the test's own ($WORK), mounts in
# it, and takes everything down again, whatever happens. A test ends at its first failure.
#
#     . "${0%/*}/lib.sh"
#     need_fuse
#     mount_local
#     assert_eq "$(cat "$MNT/.ecsfs/version")" "..." "the version"
#     unmount
#
# Environment: ECSFS (the executable), ECSFS_FAKE (the fake tree's), ECSFS_WRAPPER (words put before them: valgrind),
# ECSFS_TESTS_MUST_MOUNT=1 (CI: what would be skipped fails), ECSFS_TEST_SLOW (multiplies time limits),
# ECSFS_TEST_TIMEOUT (seconds for all of it), ECSFS_TESTS_SOURCE=ecs-local with ECS_LOCAL (the executable): see mount_ecsfs.

set -u
shopt -s lastpipe

TEST_NAME=${0##*/}
: "${ECSFS:?the path of the ecsfs executable}"
SLOW=${ECSFS_TEST_SLOW:-1}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/ecsfs-test.XXXXXX") || exit 1
MNT=$WORK/mnt
LOG=$WORK/log
mkdir "$MNT"
# Nothing of the user's is read or written.
export HOME=$WORK/home XDG_STATE_HOME=$WORK/state XDG_CACHE_HOME=$WORK/cache
unset STATE_DIRECTORY CACHE_DIRECTORY
mkdir "$HOME"
: >"$WORK/daemons"
PIDS=()  # daemons and other children to end, newest last
PID=     # the daemon of the last mount

# A test that hangs on its mount cannot even be interrupted: its daemons are killed under it.
TIMEOUT=${ECSFS_TEST_TIMEOUT:-100}
(
    trap 'kill "$nap" 2>/dev/null; exit 0' TERM
    sleep $((TIMEOUT * SLOW)) &
    nap=$!
    wait "$nap"
    echo "$TEST_NAME: not done after $((TIMEOUT * SLOW)) s: its daemons are killed" >&2
    xargs -r kill -KILL <"$WORK/daemons"
) &
WATCHDOG=$!

say() { printf '%s: %s\n' "$TEST_NAME" "$*"; }

# The line of the test (not of this file) that is being run.
where() {
    local i
    for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
        [[ ${BASH_SOURCE[i]} == */lib.sh ]] || { printf '%s:%s' "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}"; return; }
    done
    printf '%s' "$TEST_NAME"
}

fail() {
    printf 'FAIL %s: %s\n' "$(where)" "$*" >&2
    if [[ -s $LOG ]]; then
        printf -- '---- the end of the daemon'\''s log:\n' >&2
        tail -n 40 "$LOG" >&2
    fi
    exit 1
}

skip() {
    [[ ${ECSFS_TESTS_MUST_MOUNT:-0} == 1 ]] && fail "would be skipped, but ECSFS_TESTS_MUST_MOUNT=1: $*"
    say "SKIPPED: $*"
    exit 77
}

need_fuse() {
    [[ -c /dev/fuse ]] || skip "there is no /dev/fuse"
    { : <>/dev/fuse; } 2>/dev/null || skip "/dev/fuse cannot be opened by $(id -un)"
    [[ $(id -u) == 0 ]] || command -v fusermount3 >/dev/null || skip "fusermount3 is not installed"
}

need_program() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# Is something mounted exactly there? Asks the kernel's table, never the filesystem itself.
is_mounted() { awk -v path="$1" '$5 == path { found = 1 } END { exit !found }' /proc/self/mountinfo; }

now_ms() { local t=${EPOCHREALTIME/[.,]/}; printf '%s' "${t%???}"; }

# eventually SECONDS COMMAND...: polls until it succeeds
eventually() {
    local until=$(($(now_ms) + $1 * 1000 * SLOW))
    shift
    until "$@" >/dev/null 2>&1; do
        (($(now_ms) < until)) || fail "never came true: $*"
        sleep 0.02
    done
}

alive() { kill -0 "$1" 2>/dev/null; }
gone() { ! alive "$1"; }

# wait_mounted PID MOUNTPOINT
wait_mounted() {
    local until=$(($(now_ms) + 10000 * SLOW))
    until is_mounted "$2"; do
        alive "$1" || fail "the daemon ended before it mounted"
        (($(now_ms) < until)) || fail "not mounted within 10 s"
        sleep 0.005
    done
}

start_daemon() {
    # shellcheck disable=SC2086 # the wrapper is several words
    env --default-signal=INT ${ECSFS_WRAPPER:-} "$@" >>"$LOG" 2>&1 &
    PID=$!
    PIDS+=("$PID")
    echo "$PID" >>"$WORK/daemons"
}

# serve FILE: ecs-local, with its state in FILE ("": in memory); sets $SERVED. One a file: it goes on where it is.
declare -A SERVERS
serve() {
    local log
    [[ -n $1 && -n ${SERVERS[$1]:-} ]] && { SERVED=${SERVERS[$1]}; return; }
    log=$(mktemp "$WORK/served.XXXXXX")
    "${ECS_LOCAL:?the path of ecs-local}" --listen 127.0.0.1:0 ${1:+--state "$1"} >"$log" 2>&1 &
    PIDS+=("$!")
    eventually 10 grep -q "listening on" "$log"
    SERVED=http://$(sed -n 's/.*listening on //p' "$log")
    [[ -n $1 ]] && SERVERS[$1]=$SERVED
    return 0
}

# mount_ecsfs SOURCE [OPTIONS...]: at $MNT, in the foreground of a child. With ECSFS_TESTS_SOURCE=ecs-local a source
# that is local is served by ecs-local, and mounted as aws: the same must then hold of the same world.
mount_ecsfs() {
    local source=$1
    shift
    if [[ ${ECSFS_TESTS_SOURCE:-} == ecs-local && $source == local* ]]; then
        serve "$(cut -s -d: -f2- <<<"$source")"
        export AWS_ENDPOINT_URL=$SERVED AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
        export AWS_EC2_METADATA_DISABLED=true
        source=aws
        set -- -o pacing=off "$@"
    fi
    start_daemon "$ECSFS" "$source" "$MNT" -f "$@"
    wait_mounted "$PID" "$MNT"
}

mount_local() { mount_ecsfs local "$@"; }

# mount_fake [TIMEOUT_MS [d]]: a tree that parks, hangs and changes (fake_tree.c)
mount_fake() {
    : "${ECSFS_FAKE:?the path of ecsfs-fake}"
    start_daemon "$ECSFS_FAKE" "$MNT" "$@"
    wait_mounted "$PID" "$MNT"
}

# Ends the daemon and demands that it ends well (a sanitizer's complaint is a failure).
unmount() {
    local status=0
    kill -TERM "$PID" || fail "the daemon is not there any more"
    wait_for "$PID" 15 || fail "the daemon did not end within 15 s of SIGTERM"
    wait "$PID" || status=$?
    ((status == 0)) || fail "the daemon ended with status $status"
    is_mounted "$MNT" && fail "still mounted after the daemon ended"
    return 0
}

# wait_for PID SECONDS: a child of ours ends
wait_for() {
    local until=$(($(now_ms) + $2 * 1000 * SLOW))
    while alive "$1" && [[ $(ps -o stat= -p "$1") != Z* ]]; do
        (($(now_ms) < until)) || return 1
        sleep 0.02
    done
}

cleanup() {
    local status=$? i
    trap - EXIT
    cd /
    kill "$WATCHDOG" 2>/dev/null
    for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do
        alive "${PIDS[i]}" || continue
        kill -TERM "${PIDS[i]}" 2>/dev/null
        wait_for "${PIDS[i]}" 3 || kill -KILL "${PIDS[i]}" 2>/dev/null
    done
    for i in "$WORK"/*/; do
        i=${i%/}
        if is_mounted "$i"; then
            fusermount3 -uqz "$i" 2>/dev/null || umount -l "$i" 2>/dev/null
        fi
        is_mounted "$i" && { say "cannot unmount $i"; exit 1; }
    done
    rm -rf --one-file-system "$WORK"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# ---- assertions; the last word says what is being claimed ----

# Text for a message: on one line, and not too much of it.
shown() { printf '%q' "${1:0:600}"; }

# assert_eq GOT WANTED CLAIM
assert_eq() {
    [[ $1 == "$2" ]] || fail "$3
  got:    $(shown "$1")
  wanted: $(shown "$2")"
}

# assert_has TEXT PART CLAIM
assert_has() {
    [[ $1 == *"$2"* ]] || fail "$3
  got:           $(shown "$1")
  has no:        $(shown "$2")"
}

# assert_ok CLAIM COMMAND...
assert_ok() {
    local claim=$1 out status=0
    shift
    out=$("$@" 2>&1) || status=$?
    ((status == 0)) || fail "$claim
  command: $*
  status:  $status
  output:  $out"
}

# assert_error CLAIM PART COMMAND...: it fails, and its message has PART
assert_error() {
    local claim=$1 part=$2 out status=0
    shift 2
    out=$(LC_ALL=C "$@" 2>&1) || status=$?
    ((status != 0)) || fail "$claim
  command succeeded: $*
  output: $out"
    [[ $out == *"$part"* ]] || fail "$claim
  command:         $*
  status:          $status
  its message:     $out
  has no:          $part"
}

# assert_within SECONDS CLAIM COMMAND...: it succeeds in that time (a decimal); $TOOK tells how many milliseconds.
# The machine may be busy with other things: a limit that matters is set wide here, and asserted of the best of
# several.
assert_within() {
    local limit=$1 claim=$2 began took status=0
    shift 2
    began=$(now_ms)
    "$@" || status=$?
    took=$(($(now_ms) - began))
    TOOK=$took
    ((status == 0)) || fail "$claim
  command: $*
  status:  $status"
    awk -v took="$took" -v limit="$limit" -v slow="$SLOW" 'BEGIN { exit !(took <= limit * 1000 * slow) }' ||
        fail "$claim
  command: $*
  took:    $took ms
  limit:   $limit s"
}

# waits PID: returns once it waits for an answer of the filesystem (where the kernel does not say so, after a second)
waits() {
    local until=$(($(now_ms) + 10000)) at
    while at=$(cat "/proc/$1/wchan" 2>/dev/null) && [[ $at != *request_wait* ]]; do
        [[ $at == 0 ]] && (($(now_ms) > until - 9000)) && return
        (($(now_ms) < until)) || fail "process $1 does not wait"
        sleep 0.01
    done
}

# in_background NAME COMMAND...: output to $WORK/NAME, process id in $LAST; ended by cleanup
in_background() {
    local name=$1
    shift
    env --default-signal=INT "$@" >"$WORK/$name" 2>&1 & # a script's background jobs ignore Ctrl-C
    LAST=$!
    PIDS+=("$LAST")
}
