#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policies.py SOURCE_ROOT: the IAM policies of contrib/iam allow every call that reading makes (cache/kinds_*.c)."""
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


def main():
    root, lacking = sys.argv[1], 0
    calls = asked(root)
    for name in ("read-only", "operator"):
        actions = allowed(os.path.join(root, "contrib", "iam", name + ".json"))
        for call in sorted(calls):
            if not any(fnmatch.fnmatchcase(call, action) for action in actions):
                print("contrib/iam/%s.json lacks %s" % (name, call))
                lacking += 1
    print("%d calls, %d lacking" % (len(calls), lacking))
    sys.exit(lacking > 0 or not calls)


if __name__ == "__main__":
    main()
