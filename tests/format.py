#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks clang-format whether every .c and .h of the tree is as .clang-format has it.

    format.py [ROOT]

Exit code 77 (a skip, told aloud) where there is no clang-format, or one of another major version
than the tree is formatted with: they differ on details.
"""
import pathlib
import re
import shutil
import subprocess
import sys

MAJOR = 14
FOLDERS = ("backend", "cache", "contrib", "fs", "include", "tests")


def skip(why):
    print(f"SKIP: {why}; the format is not checked")
    sys.exit(77)


def clang_format():
    for name in (f"clang-format-{MAJOR}", "clang-format"):
        program = shutil.which(name)
        if program:
            text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            version = re.search(r"version (\d+)", text)
            if version and int(version[1]) == MAJOR:
                return program
    skip(f"no clang-format {MAJOR} here")


def sources(root):
    """What git tracks or is about to, or, in a tree without git, all there is."""
    git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.c", "*.h"]
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(git, capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            return sorted({root / name for name in listed.stdout.split("\0") if name and (root / name).exists()})
    return [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.[ch]"))]


def main():
    root = pathlib.Path(sys.argv[1] if sys.argv[1:] else pathlib.Path(__file__).parents[1]).resolve()
    program = clang_format()
    files = sources(root)
    if not files:
        sys.exit(f"{root}: no sources")
    checked = subprocess.run([program, "--dry-run", "-Werror", *files], check=False)
    print(f"{len(files)} files")
    return checked.returncode


if __name__ == "__main__":
    sys.exit(main())
