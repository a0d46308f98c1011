#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles <service>.api texts (their format is told at their top) to the tables of tables.h.

    compile.py OUTPUT.c INPUT.api...
"""
import sys

sys.dont_write_bytecode = True  # the build leaves nothing in the source tree
import ere

TYPES = {t: "ECS_SHAPE_" + t.upper() for t in
         "structure list map string integer long double boolean timestamp blob document".split()}
NUMBERS = {"integer", "long", "double"}
PARTS = {"list": 1, "map": 2}  # how many shapes are named before the options


def c_string(text):
    if text is None:
        return "NULL"
    out = ""
    for byte in text.encode("latin-1"):
        c = chr(byte)
        out += "\\" + c if c in '"\\?' else c if 32 <= byte < 127 else f"\\{byte:03o}"
    return f'"{out}"'


def identifier(text):
    return text.replace("-", "_")


class Shape:
    def __init__(self, kind, name, words):
        self.kind, self.name = kind, name
        self.members, self.parts, self.enum, self.pattern = [], [], None, None
        self.low, self.high = None, None
        if kind == "structure":
            self.members = [self.member(w) for w in words]
            return
        self.parts = words[:PARTS.get(kind, 0)]
        for word in words[len(self.parts):]:
            if word.startswith("enum="):
                self.enum = word[5:].split(",")
            elif word.startswith("pattern="):
                self.pattern = word[8:]
            else:
                low, high = word.split("..")
                self.low, self.high = (int(e) if e else None for e in (low, high))

    @staticmethod
    def member(word):
        name, shape = word.split(":")
        return name.rstrip("!"), shape, name.endswith("!")

    def bounds(self):
        """As ecsfs/api.h has them: 0 and -1 for none; a number bounded on one side has the
        type's own limit on the other."""
        if self.kind in NUMBERS and (self.low, self.high) != (None, None):
            return tuple(limit if end is None else str(end)
                         for end, limit in ((self.low, "LONG_MIN"), (self.high, "LONG_MAX")))
        return str(self.low or 0), str(-1 if self.high is None else self.high)


class Service:
    def __init__(self, path):
        self.operations, self.shapes = [], {}
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                try:
                    self.row(line.rstrip("\n"))
                except (ValueError, KeyError, IndexError) as e:
                    sys.exit(f"{path}:{number}: {e!r}")
        self.index = {name: i for i, name in enumerate(self.shapes)}

    def row(self, line):
        if not line or line.startswith("#"):
            return
        head, _, pattern = line.partition(" pattern=")
        kind, name, *words = head.split(" ")
        if kind == "service":
            self.name, self.c = name, identifier(name)
        elif kind == "operation":
            self.operations.append((name, *words[:2], words[2].removeprefix("token=") if words[2:] else None))
        else:
            TYPES[kind]
            self.shapes[name] = Shape(kind, name, words + (["pattern=" + pattern] if pattern else []))

    def shape(self, name):
        return "NULL" if name == "-" else f"&{self.c}_shapes[{self.index[name]}]"

    def write(self, out):
        """The array of shapes is declared first, since shapes may hold themselves."""
        out.write(f"\n/* {self.name} */\n")
        out.write(f"static const struct ecs_shape {self.c}_shapes[{len(self.shapes)}];\n")
        self.write_members(out)
        for shape in self.shapes.values():
            if shape.enum:
                values = ", ".join(map(c_string, shape.enum))
                out.write(f"static const char *const {self.c}_{shape.name}[] = {{{values}, NULL}};\n")
        out.write(f"static const struct ecs_shape {self.c}_shapes[{len(self.shapes)}] = {{\n")
        at = 0
        for shape in self.shapes.values():
            self.write_shape(out, shape, at)
            at += len(shape.members)
        out.write("};\n")

    def write_members(self, out):
        out.write(f"static const struct ecs_member {self.c}_members[] = {{\n")
        for shape in self.shapes.values():
            for name, of, required in sorted(shape.members):
                out.write(f'    {{"{name}", {self.shape(of)}, {"true" if required else "false"}}},\n')
        out.write("};\n")

    def write_shape(self, out, shape, at):
        low, high = shape.bounds()
        fields = [f'.name = "{shape.name}", .type = {TYPES[shape.kind]}, .min = {low}, .max = {high}']
        if shape.members:
            fields.append(f".members = {self.c}_members + {at}, .members_len = {len(shape.members)}")
        if shape.parts:
            fields.append(f".value = {self.shape(shape.parts[-1])}")
        if len(shape.parts) == 2:
            fields.append(f".key = {self.shape(shape.parts[0])}")
        if shape.enum:
            fields.append(f".enumeration = {self.c}_{shape.name}")
        if shape.pattern:
            fields.append(f".pattern = {c_string(shape.pattern)}")
        out.write(f"    {{{', '.join(fields)}}},\n")


def write_operations(out, services):
    rows = sorted((s.name, *operation, s) for s in services for operation in s.operations)
    out.write("\nconst struct ecs_api_operation api_operations[] = {\n")
    for service, name, source, target, token, s in rows:
        out.write(f'    {{"{service}", "{name}", {s.shape(source)}, {s.shape(target)}, {c_string(token)}}},\n')
    out.write(f"}};\nconst size_t api_operations_len = {len(rows)};\n")


def write_patterns(out, services):
    patterns = {shape.pattern for s in services for shape in s.shapes.values() if shape.pattern}
    rows = sorted((p, ere.posix(p)) for p in patterns)
    out.write("\nconst struct api_pattern api_patterns[] = {\n")
    for aws, posix in rows:
        out.write(f"    {{{c_string(aws)}, {c_string(posix)}}},\n")
    out.write(f"}};\nconst size_t api_patterns_len = {len(rows)};\n")
    out.write(f"struct api_compiled api_compiled[{len(rows)}];\n")


def main():
    services = [Service(path) for path in sys.argv[2:]]
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by compile.py; do not edit. */\n")
        out.write('#include <limits.h>\n\n#include "tables.h"\n')
        for service in services:
            service.write(out)
        write_operations(out, services)
        write_patterns(out, services)


if __name__ == "__main__":
    main()
