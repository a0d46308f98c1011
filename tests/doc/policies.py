#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policies.py SOURCE_ROOT: the IAM policies of contrib/iam allow every call that reading makes (cache/kinds_*.c), and
ecsfs --check (fs/check/check_table.c) tells of every operation that the tree uses."""
import fnmatch
import glob
import json
import os
import re
import sys

FREE = {"sts:GetCallerIdentity"}  # needs no permission


def allowed(path):
    with open(path) as f:
        return [action for statement in json.load(f)["Statement"]
                for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])]


def asked(root):
    """The list and describe calls of the resource kinds."""
    calls = set()
    for path in glob.glob(os.path.join(root, "cache", "kinds_*.c")):
        with open(path) as f:
            text = f.read()
        (service,) = set(re.findall(r'\.service = "([a-z-]+)"', text)) or {None}
        calls |= {"%s:%s" % (service, operation) for operation in re.findall(r'\.operation = "(\w+)"', text)}
    return calls - FREE


def operations(root):
    """All that backend/api knows: service:operation."""
    for path in glob.glob(os.path.join(root, "backend", "api", "*.api")):
        with open(path) as f:
            for operation in re.findall(r"^operation (\w+)", f.read(), re.M):
                yield os.path.basename(path)[:-4], operation


def made(root):
    """The names of operations in the tree and the cache: all that ecsfs can ask for."""
    words = set()
    for folder in ("fs", "cache"):
        for path in glob.glob(os.path.join(root, folder, "**", "*.c"), recursive=True):
            if not os.path.basename(path).startswith("check"):
                with open(path) as f:
                    words |= set(re.findall(r'"([A-Z]\w+)"', f.read()))
    return {operation for _, operation in operations(root)} & words - {name.split(":")[1] for name in FREE}


def checked(root):
    """What ecsfs --check tells of: {service:operation: whether it only reads}."""
    with open(os.path.join(root, "fs", "check", "check_table.c")) as f:
        table = f.read().split("check_probes[] = {")[1]
    rows = re.findall(r'(\b[A-Z]+\(|\{)\s*(?:NAME_\w+,\s*)?"([a-z-]+)",\s*"([A-Z]\w+)"(.*?)(?=\n    [A-Z{])', table, re.S)
    return {"%s:%s" % (service, operation): form in ("READ(", "LEARN(", "NEEDS(") or "CHECK_READS" in rest
            for form, service, operation, rest in rows}


def main():
    root, lacking = sys.argv[1], 0
    calls, probes = asked(root), checked(root)
    reads = {call for call, only_reads in probes.items() if only_reads}
    for name, wanted in (("read-only", calls | reads), ("operator", calls | reads), ("administrator", calls | set(probes))):
        actions = allowed(os.path.join(root, "contrib", "iam", name + ".json"))
        for call in sorted(wanted):
            if not any(fnmatch.fnmatchcase(call, action) for action in actions):
                print("contrib/iam/%s.json lacks %s" % (name, call))
                lacking += 1
    told = {call.split(":")[1] for call in probes}
    for operation in sorted(made(root) - told):
        print("fs/check/check_table.c has no row for %s: ecsfs --check would not tell that it is denied" % operation)
        lacking += 1
    print("%d calls of reading, %d operations, %d told by --check; %d lacking" % (len(calls), len(made(root)), len(probes), lacking))
    sys.exit(lacking > 0 or not calls or not probes)


if __name__ == "__main__":
    main()
