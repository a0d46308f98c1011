#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As sessions.py, for doc/EMULATOR.md: its blocks are typed into a shell whose AWS CLI talks to an
ecs-local of its own, whose time stands still.

  emulator.py ECS-LOCAL DOCUMENT.md             what the document shows must come out
  emulator.py --paste ECS-LOCAL DOCUMENT.md     writes what came out into the document instead
"""
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "unit", "local")]
import sessions  # noqa: E402
from served import Served  # noqa: E402


class Prompt(sessions.Shell):
    """A shell beside the server, which listens on the usual port as far as the document knows."""

    def __init__(self, at, served):
        self.address = served.address
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self.env = dict(kept, HOME=at, ECS="http://" + served.address, AWS_ENDPOINT_URL="http://" + served.address,
                        AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local", AWS_DEFAULT_REGION="us-east-1",
                        AWS_PAGER="", AWS_EC2_METADATA_DISABLED="true")
        self.at = at
        super().__init__(self)

    def type(self, command):
        return [line.replace(self.address, "127.0.0.1:4566") for line in super().type(command)]


def main():
    arguments = [a for a in sys.argv[1:] if a != "--paste"]
    paste = len(arguments) < len(sys.argv) - 1
    if len(arguments) != 2:
        sys.exit(__doc__)
    missing = [name for name in ("aws", "curl", "jq") if not shutil.which(name)]
    if missing:
        print("SKIP: %s not here: doc/EMULATOR.md is not held against what comes out" % ", ".join(missing))
        sys.exit(77)
    with open(arguments[1]) as f:
        lines = f.read().split("\n")
    failures = ran = 0
    replaced = []
    with tempfile.TemporaryDirectory() as at, Served(os.path.abspath(arguments[0]), "--still") as served:
        shell = Prompt(at, served)
        try:
            for first, block in sessions.blocks(lines, "console"):
                new = []
                for command, shown in sessions.steps(block):
                    said = shell.type(command)
                    same = sessions.agree(shown, said)
                    new += ["$ " + command.replace("\n", "\n> ")] + (shown if same else said)
                    ran += 1
                    if not paste and not same:
                        failures += 1
                        print("line %d: $ %s\n--- shown\n%s\n--- came\n%s\n" % (first, command, "\n".join(shown), "\n".join(said)))
                replaced.append((first, len(block), new))
        finally:
            shell.close()
    for first, length, new in reversed(replaced):
        lines[first:first + length] = "\n".join(new).split("\n")
    if paste:
        with open(arguments[1], "w") as f:
            f.write("\n".join(lines))
    print("%d commands, %d differ" % (ran, failures))
    sys.exit(failures > 0 or not ran)


if __name__ == "__main__":
    main()
