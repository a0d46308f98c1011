#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes backend/api/<service>.api from the API models that ship with botocore.

    python3 contrib/api/from-botocore.py            all services
    python3 contrib/api/from-botocore.py ecs ecr    these

Run by a developer who has botocore installed, when AWS has added something; the tables are
committed and the build needs no botocore. Only shapes that can be reached from the operations
below are written, without their documentation.
"""
import gzip
import json
import pathlib
import sys

import botocore

# The operations taken; None takes all.
SERVICES = {
    "ecs": None,
    "ecr": None,
    "ecr-public": None,
    "logs": """CreateLogGroup CreateLogStream DeleteLogGroup DescribeLogGroups DescribeLogStreams
        FilterLogEvents GetLogEvents PutLogEvents""",
    "sts": "AssumeRole AssumeRoleWithWebIdentity GetCallerIdentity",
    "application-autoscaling": """DeleteScalingPolicy DeregisterScalableTarget
        DescribeScalableTargets DescribeScalingPolicies PutScalingPolicy RegisterScalableTarget""",
    "events": """DeleteRule DescribeRule DisableRule EnableRule ListRuleNamesByTarget ListRules
        ListTargetsByRule PutRule PutTargets RemoveTargets""",
}

HEADER = """\
# SPDX-License-Identifier: Apache-2.0
# The shapes of the API of {service}, version {version}, as botocore {botocore} knows them.
# Written by contrib/api/from-botocore.py; compiled to C by backend/api/compile.py. One row a line:
#
#   service NAME VERSION
#   operation NAME INPUT OUTPUT [token=MEMBER]   "-" where there is none; the member that makes a call idempotent
#   structure NAME [MEMBER[!]:SHAPE ...]         "!" where it is required
#   document NAME                                any JSON value
#   list NAME ITEM [MIN..MAX]
#   map NAME KEY VALUE [MIN..MAX]
#   TYPE NAME [MIN..MAX] [enum=A,B,C] [pattern=the rest of the line]
#
# TYPE is string, blob, integer, long, double, boolean or timestamp. MIN..MAX bounds a length, a
# count or a value; an absent end is unbounded. Patterns are AWS's own and match the whole string.
"""

TYPES = {"float": "double"}


def load(service):
    folder = pathlib.Path(botocore.__file__).parent / "data" / service
    version = max(p.name for p in folder.iterdir() if (p / "service-2.json.gz").exists())
    with gzip.open(folder / version / "service-2.json.gz") as f:
        return version, json.load(f)


def references(shape):
    """The names of the shapes that this shape is made of."""
    parts = [shape.get(k) for k in ("member", "key", "value")] + list(shape.get("members", {}).values())
    return [part["shape"] for part in parts if part]


def reachable(shapes, roots):
    found, todo = set(), list(roots)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += references(shapes[name])
    return sorted(found)


def bounds(shape):
    low, high = shape.get("min"), shape.get("max")
    if low is None and high is None:
        return []
    return ["..".join("" if end is None else str(int(end)) for end in (low, high))]


def idempotency_token(shapes, operation):
    """The trait where AWS set it; ECS documents a clientToken on more operations than it marks."""
    members = shapes[operation["input"]["shape"]].get("members", {}) if "input" in operation else {}
    marked = [name for name, member in members.items() if member.get("idempotencyToken")]
    return (marked or [name for name in members if name == "clientToken"] or [None])[0]


def operation_row(shapes, name, operation):
    row = ["operation", name] + [operation.get(k, {}).get("shape", "-") for k in ("input", "output")]
    token = idempotency_token(shapes, operation)
    return " ".join(row + ([f"token={token}"] if token else []))


def shape_row(name, shape):
    kind = TYPES.get(shape["type"], shape["type"])
    if shape.get("document"):
        return f"document {name}"
    row = [kind, name]
    if kind == "structure":
        required = shape.get("required", [])
        row += [f"{m}{'!' if m in required else ''}:{ref['shape']}" for m, ref in sorted(shape["members"].items())]
        return " ".join(row)
    row += [shape[k]["shape"] for k in ("member", "key", "value") if k in shape]
    row += bounds(shape)
    if "enum" in shape:
        row.append("enum=" + ",".join(shape["enum"]))
    if "pattern" in shape:
        row.append("pattern=" + shape["pattern"])
    return " ".join(row)


def table(service, wanted):
    version, model = load(service)
    shapes = model["shapes"]
    operations = {n: o for n, o in sorted(model["operations"].items()) if wanted is None or n in wanted.split()}
    missing = set((wanted or "").split()) - set(operations)
    if missing:
        sys.exit(f"{service}: no such operation: {' '.join(sorted(missing))}")
    roots = [o[k]["shape"] for o in operations.values() for k in ("input", "output") if k in o]
    lines = [HEADER.format(service=service, version=version, botocore=botocore.__version__)]
    lines += [f"\nservice {service} {version}\n", "\n"]
    lines += [operation_row(shapes, n, o) + "\n" for n, o in operations.items()] + ["\n"]
    lines += [shape_row(n, shapes[n]) + "\n" for n in reachable(shapes, roots)]
    return "".join(lines)


def main():
    target = pathlib.Path(__file__).resolve().parents[2] / "backend" / "api"
    for service in sys.argv[1:] or SERVICES:
        text = table(service, SERVICES[service])
        (target / f"{service}.api").write_text(text)
        print(f"{service}.api: {len(text.splitlines())} lines, {len(text)} bytes")


if __name__ == "__main__":
    main()
