#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the walls of the house: who may include whom, and what every file must be.

    walls.py [ROOT]        checks the tree at ROOT; one line a violation
    walls.py --self-test   plants one violation of each rule and asks that it is found
"""
import pathlib
import re
import sys
import tempfile

ROOMS = ("backend/api", "backend/aws", "backend/base", "backend/local", "cache", "fs")
FOLDERS = ("backend", "cache", "contrib", "fs", "include", "tests")
LONGEST = 600

# A third-party header and the only files of the rooms that may include it; tests are free.
THIRD_PARTY = (
    (r"(fuse3/)?fuse.*\.h", r"fs/face/face\w*\.[ch]"),
    (r"curl/.*", r"backend/aws/\w+\.[ch]"),
    (r"sqlite3.*\.h", r"backend/local/store\w*\.[ch]"),
    (r"microhttpd\.h", r"backend/local/http/\w+\.[ch]"),
    (r"jansson\.h", r"(?!fs/face/).*"),
)
FUSE_FILES = 2  # the FUSE face is so many .c files at most

# Constructors, and who may know them beside the tests.
CONSTRUCTORS = {
    "ecsfs/aws.h": r"fs/main\.c|backend/aws/.*",
    "ecsfs/local.h": r"fs/main\.c|backend/local/.*",
}

# What the contracts may include: C's own and POSIX's.
STANDARD = set("""
    assert ctype errno fcntl float inttypes limits locale math poll pthread signal stdalign stdarg
    stdatomic stdbool stddef stdint stdio stdlib string sys/stat sys/time sys/types sys/uio time unistd
    """.split())

UNNAMED = r"(util|utils|misc|common|helper|helpers)"
SPDX = "SPDX-License-Identifier: Apache-2.0"
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE = re.compile(r"(?<![\w.*])/wo" + r"rk/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Source:
    """One file: its path below the root, and its lines."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.root, self.suffix, self.stem = root, path.suffix, path.stem
        self.lines = path.read_text(encoding="utf-8", errors="replace").splitlines()

    @property
    def is_c(self):
        return self.suffix in (".c", ".h")

    @property
    def room(self):
        return next((room for room in ROOMS if self.path.startswith(room + "/")), None)

    def includes(self):
        """(line number, whether it is "quoted", name)"""
        for number, line in enumerate(self.lines, 1):
            if self.is_c and (m := INCLUDE.match(line)):
                yield number, m[1] == '"', m[2]


def at_home(source, name):
    beside, room = (source.root / source.path).parent / name, source.root / source.room
    return ".." not in name and any(p.exists() and room in p.resolve().parents for p in (beside, room / name))


def own_rooms_only(source):
    """Rooms know include/ecsfs and themselves."""
    if not source.room:
        return
    for number, quoted, name in source.includes():
        if quoted and not name.startswith("ecsfs/") and not at_home(source, name):
            yield number, f'"{name}" is not of this room'


def third_party(source):
    if not source.room:
        return
    for number, _, name in source.includes():
        for header, allowed in THIRD_PARTY:
            if re.fullmatch(header, name) and not re.fullmatch(allowed, source.path):
                yield number, f"<{name}> is not for this file"


def constructors(source):
    for number, _, name in source.includes():
        if name in CONSTRUCTORS and not source.path.startswith("tests/"):
            if not re.fullmatch(CONSTRUCTORS[name], source.path):
                yield number, f"<{name}> makes a backend: for fs/main.c only"


def contracts(source):
    """Only the language, the system and other contracts appear in a contract."""
    if not source.path.startswith("include/"):
        return
    for number, quoted, name in source.includes():
        if quoted and not name.startswith("ecsfs/"):
            yield number, f'"{name}" in a contract'
        elif not quoted and name.removesuffix(".h") not in STANDARD:
            yield number, f"<{name}> in a contract"


def named_for_its_subject(source):
    parts = re.split(r"[_.-]", source.stem) if source.is_c else [source.stem]
    if any(re.fullmatch(UNNAMED, part) for part in parts):
        yield 1, "a name that says nothing of its subject"


def not_too_long(source):
    if source.is_c and len(source.lines) > LONGEST:
        yield len(source.lines), f"over {LONGEST} lines: split it"


def licensed(source):
    if source.is_c and source.lines[:1] != [f"/* {SPDX} */"]:
        yield 1, "no SPDX line"
    elif source.suffix in (".py", ".sh") and not any(line == f"# {SPDX}" for line in source.lines[:3]):
        yield 1, "no SPDX line"


def finished(source):
    for number, line in enumerate(source.lines, 1):
        if UNFINISHED.search(line):
            yield number, "unfinished: " + line.strip()


def of_no_machine(source):
    for number, line in enumerate(source.lines, 1):
        if MACHINE.search(line):
            yield number, "a path of somebody's machine"


RULES = (own_rooms_only, third_party, constructors, contracts, named_for_its_subject, not_too_long, licensed,
         finished, of_no_machine)


def small_face(sources):
    """A rule of the whole tree: the FUSE face is two files at most."""
    users = [s.path for s in sources if s.suffix == ".c" and s.room
             and any(re.fullmatch(THIRD_PARTY[0][0], name) for _, _, name in s.includes())]
    if len(users) > FUSE_FILES:
        yield f"{users[FUSE_FILES]}:1: FUSE in more than {FUSE_FILES} files: {' '.join(sorted(users))}"


def texts(root):
    """The files there are to check: all but data."""
    wanted = (".c", ".h", ".py", ".sh", ".build", ".md", ".api")
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in wanted and "__pycache__" not in path.parts:
                yield Source(root, path)


def violations(root):
    sources = list(texts(root))
    for source in sources:
        for rule in RULES:
            for number, what in rule(source):
                yield f"{source.path}:{number}: {what} [{rule.__name__}]"
    for what in small_face(sources):
        yield what + " [small_face]"


# Self-test: a clean tree, and what is planted in it with the rule that must find it.

HEAD = f"/* {SPDX} */\n"
CLEAN = {
    "include/ecsfs/x.h": HEAD + '#include <stdint.h>\n#include "ecsfs/y.h"\nstruct json_t;\n',
    "include/ecsfs/y.h": HEAD,
    "fs/main.c": HEAD + '#include "ecsfs/aws.h"\n#include "ecsfs/local.h"\n#include "tree/tree.h"\n',
    "fs/tree/tree.h": HEAD + "/* mkstemp's XXXXXX is no mark of ours; neither is a mastodon */\n",
    "fs/face/face.c": HEAD + "#include <fuse_lowlevel.h>\n",
    "fs/face/face_reply.c": HEAD + "#include <fuse3/fuse.h>\n",
    "fs/node.c": HEAD + "#include <jansson.h>\n",
    "backend/aws/net.c": HEAD + '#include <curl/curl.h>\n#include "ecsfs/aws.h"\n#include "sign.h"\n',
    "backend/aws/sign.h": HEAD,
    "backend/local/store.c": HEAD + "#include <sqlite3.h>\n",
    "backend/local/http/http.c": HEAD + "#include <microhttpd.h>\n",
    "backend/local/main.c": HEAD + '#include "ecsfs/local.h"\n',
    "cache/doc.c": HEAD + '#include "ecsfs/x.h"\n',
    "tests/unit/aws/test_sign.c": HEAD + '#include <curl/curl.h>\n#include "ecsfs/aws.h"\n#include "sign.h"\n',
    "tests/tool.py": f"#!/usr/bin/env python3\n# {SPDX}\n",
}
PLANTED = (
    ("own_rooms_only", "cache/bad.c", HEAD + '#include "../fs/tree/tree.h"\n'),
    ("own_rooms_only", "cache/bad.c", HEAD + '#include "tree.h"\n'),
    ("own_rooms_only", "backend/aws/bad.c", HEAD + '#include "backend/local/store.h"\n'),
    ("own_rooms_only", "backend/local/bad.c", HEAD + '#include "../aws/sign.h"\n'),
    ("third_party", "fs/tree/tree.c", HEAD + "#include <fuse.h>\n"),
    ("third_party", "fs/tree/tree.c", HEAD + "#  include <fuse3/fuse_lowlevel.h>\n"),
    ("third_party", "fs/tree/tree.c", HEAD + '#include "curl/curl.h"\n'),
    ("third_party", "backend/local/bad.c", HEAD + "#include <curl/curl.h>\n"),
    ("third_party", "backend/local/world.c", HEAD + "#include <sqlite3.h>\n"),
    ("third_party", "cache/store.c", HEAD + "#include <sqlite3.h>\n"),
    ("third_party", "backend/local/main.c", HEAD + "#include <microhttpd.h>\n"),
    ("third_party", "fs/face/face_json.c", HEAD + "#include <jansson.h>\n"),
    ("small_face", "fs/face/face_third.c", HEAD + "#include <fuse_lowlevel.h>\n"),
    ("constructors", "fs/tree/tree.c", HEAD + '#include "ecsfs/aws.h"\n'),
    ("constructors", "backend/aws/bad.c", HEAD + '#include "ecsfs/local.h"\n'),
    ("constructors", "backend/local/main.c", HEAD + '#include "ecsfs/aws.h"\n'),
    ("contracts", "include/ecsfs/z.h", HEAD + "#include <jansson.h>\n"),
    ("contracts", "include/ecsfs/z.h", HEAD + "#include <curl/curl.h>\n"),
    ("contracts", "include/ecsfs/z.h", HEAD + '#include "tree.h"\n'),
    ("named_for_its_subject", "fs/util.c", HEAD),
    ("named_for_its_subject", "fs/json_helpers.h", HEAD),
    ("named_for_its_subject", "tests/common.py", f"# {SPDX}\n"),
    ("not_too_long", "fs/long.c", HEAD + "int i;\n" * LONGEST),
    ("licensed", "fs/bare.c", "int i;\n"),
    ("licensed", "tests/bare.py", "#!/usr/bin/env python3\n"),
    ("licensed", "tests/bare.sh", "#!/bin/sh\n"),
    ("finished", "fs/later.c", HEAD + "/* TO" + "DO: this */\n"),
    ("finished", "contrib/later.md", "FIX" + "ME\n"),
    ("finished", "tests/later.py", f"# {SPDX}\n# XX" + "X\n"),
    ("of_no_machine", "tests/here.py", f"# {SPDX}\nopen('/wo" + "rk/data')\n"),
)


def plant(root, path, text):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def found_in(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        for path, text in files.items():
            plant(root, path, text)
        return list(violations(root))


def self_test():
    failures = [f"in a clean tree: {v}" for v in found_in(CLEAN)]
    for rule, path, text in PLANTED:
        found = found_in({**CLEAN, path: text})
        if not any(v.startswith(path + ":") and v.endswith(f"[{rule}]") for v in found):
            failures.append(f"{rule} does not find {path}:\n{text[-200:]}")
    untested = {r.__name__ for r in RULES} | {"small_face"}
    untested -= {rule for rule, _, _ in PLANTED}
    return failures + [f"no violation planted for {rule}" for rule in untested]


def main():
    if sys.argv[1:] == ["--self-test"]:
        found = self_test()
    else:
        root = pathlib.Path(sys.argv[1] if sys.argv[1:] else pathlib.Path(__file__).parents[1]).resolve()
        if not (root / "include" / "ecsfs").is_dir():
            sys.exit(f"{root}: not the source tree")
        found = list(violations(root))
    for what in found:
        print(what)
    print(f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
