# SPDX-License-Identifier: Apache-2.0
# For tests that want something to look at: a cluster, a task definition and a service with three running tasks,
# made through the mount. After lib.sh.
#
#     mount_world -o stale=600     mounts it, made before by another mount (which sees what lives)

DEMO=${BASH_SOURCE[0]%/*}/../../contrib/demo
SERVICE=$MNT/clusters/demo/services/web

build_world() {
    "$DEMO/build" "$MNT" >"$WORK/build" 2>&1 || fail "building the world: $(cat "$WORK/build")"
}

mount_world() {
    mount_ecsfs "local:$WORK/world.db"
    build_world
    unmount
    mount_ecsfs "local:$WORK/world.db" "$@"
}
