#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the sessions of a document, so that it cannot drift:

  sessions.py ECSFS DOCUMENT.md

Every fenced block marked `console` is typed into one shell that stands in a fresh mount of the emulator with the
demo's world in it (contrib/demo/build). What the document shows must be what comes out; only what differs
between any two runs (ids, times) may differ, and a line "..." stands for any lines.

  sessions.py --paste ECSFS DOCUMENT.md     writes what came out into the document instead

In a block marked `tree`, the first word of each line is a path or a pattern that must be there.
"""
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "peer"))
import peer  # noqa: E402

BUILD = os.path.join(HERE, "..", "..", "contrib", "demo", "build")
SAME = [(re.compile(p), r) for p, r in (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
    (r"\b[0-9a-f]{32}\b", "<id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"\b[A-Z][a-z]{2} [ \d]\d (\d\d:\d\d| \d{4})", "<time>"),
    (r"\b\d\d:\d\d:\d\d\b", "<time>"),
    (r"\b\d+[smhd] ago\b", "<ago>"),
    (r"ecs-svc/\d+", "ecs-svc/<n>"),
    (r"\b(uid|pid)(=| )\d+", r"\1\2<n>"),
    (r"\s+$", ""),
)]


def normal(line):
    for pattern, to in SAME:
        line = pattern.sub(to, line)
    return line


def blocks(lines, mark):
    """[(index of the first line in the block, lines)] of the blocks so marked."""
    inside = None
    for i, line in enumerate(lines):
        if inside is None and line.strip() == "```" + mark:
            inside = i + 1
        elif inside is not None and line.strip() == "```":
            yield inside, lines[inside:i]
            inside = None


def steps(block):
    """[(command, expected lines)]: "$ " begins a command, "> " continues it."""
    out = []
    for line in block:
        if line.startswith("$ "):
            out.append((line[2:], []))
        elif line.startswith("> ") and out and not out[-1][1]:
            out[-1] = (out[-1][0] + "\n" + line[2:], [])
        elif out:
            out[-1][1].append(line)
    return out


def agree(shown, said):
    """Whether the lines match, where "..." stands for any lines."""
    if not shown:
        return not said
    if shown[0] == "...":
        return any(agree(shown[1:], said[i:]) for i in range(len(said) + 1))
    return bool(said) and normal(shown[0]) == normal(said[0]) and agree(shown[1:], said[1:])


class Shell:
    """One bash for the whole document; a command's output ends with a mark."""
    MARK = "\x01end\x01"

    def __init__(self, mount):
        self.bash = subprocess.Popen(["bash", "--norc", "--noprofile"], cwd=mount.at, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, env=dict(mount.env, LC_ALL="C.UTF-8", MNT=mount.at, TZ="UTC"))
        self.at = mount.at

    def type(self, command):
        self.bash.stdin.write("{ %s\n} </dev/null; echo '%s'\n" % (command, self.MARK))
        self.bash.stdin.flush()
        out = []
        with peer.alarm(60):
            for line in self.bash.stdout:
                if line.rstrip("\n").endswith(self.MARK):
                    rest = line.rstrip("\n")[:-len(self.MARK)]
                    return out + ([rest] if rest else [])
                # As a terminal would have it: the mount elsewhere, no line numbers of a script.
                out.append(re.sub(r"^bash: line \d+: ", "bash: ", line.rstrip("\n").replace(self.at, "/mnt/ecs")))
        raise RuntimeError("the shell ended at: " + command)

    def close(self):
        self.bash.stdin.close()
        self.bash.wait(10)
        self.bash.stdout.close()


def main():
    arguments = [a for a in sys.argv[1:] if a != "--paste"]
    paste = len(arguments) < len(sys.argv) - 1
    if len(arguments) != 2:
        sys.exit(__doc__)
    peer.ECSFS = os.path.abspath(arguments[0])
    if not (os.access("/dev/fuse", os.R_OK | os.W_OK)):
        print("SKIP: /dev/fuse cannot be opened here")
        sys.exit(1 if os.environ.get("ECSFS_TESTS_MUST_MOUNT") == "1" else 77)
    with open(arguments[1]) as f:
        lines = f.read().split("\n")
    found = list(blocks(lines, "console"))
    names = [line.split()[0] for _, block in blocks(lines, "tree") for line in block if line.strip()]
    failures = ran = 0
    text = list(lines)
    with peer.Mount(None, source="local") as mount:
        subprocess.run([BUILD, mount.at], check=True)
        shell = Shell(mount)
        for name in names:
            ran += 1
            if not glob.glob(mount.path(name)):
                failures += 1
                print("%s: there is no %s" % (arguments[1], name))
        try:
            replaced = []
            for first, block in found:
                new = []
                for command, shown in steps(block):
                    said = shell.type(command)
                    ran += 1
                    new += ["$ " + command.replace("\n", "\n> ")] + (shown if agree(shown, said) else said)
                    if not paste and not agree(shown, said):
                        failures += 1
                        print("%s:%d: $ %s\n--- the document shows\n%s\n--- what came\n%s\n" %
                              (arguments[1], first, command, "\n".join(shown), "\n".join(said)))
                replaced.append((first, len(block), new))
        finally:
            shell.close()
        for first, length, new in reversed(replaced):
            text[first:first + length] = "\n".join(new).split("\n")
    if paste:
        with open(arguments[1], "w") as f:
            f.write("\n".join(text))
    if failures:
        print("If what came is right: %s --paste %s %s" % (sys.argv[0], *arguments))
    print("%s: %d lines of sessions and trees, %d differ" % (os.path.basename(arguments[1]), ran, failures))
    if not ran:
        print("no session in it")
    sys.exit(failures > 0 or not ran)


if __name__ == "__main__":
    main()
