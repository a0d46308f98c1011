#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the JSON Schema (draft-07) of an editable document, for an editor to complete and check with.

  make.py task-definition|service|cluster > task-definition.schema.json

Made of the same tables that ecsfs refuses unknown fields with (backend/api/ecs.api). In VS Code's settings:

  "json.schemas": [{"fileMatch": ["/mnt/ecs/task-definitions/*/latest.json"], "url": "file:///.../task-definition.schema.json"}]

A document may also name its schema itself, as "$schema": ecsfs drops that member.
"""
import json
import os
import sys

sys.dont_write_bytecode = True
API = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "backend", "api")
sys.path.insert(0, API)
import compile  # noqa: E402

# What a document takes, and the members that its path gives it.
DOCUMENTS = {
    "task-definition": (["RegisterTaskDefinitionRequest"], {"family"}),
    "service": (["CreateServiceRequest", "UpdateServiceRequest"], {"cluster", "service", "serviceName", "clientToken"}),
    "cluster": (["CreateClusterRequest"], {"clusterName"}),
}
TYPES = {"string": "string", "blob": "string", "timestamp": "string", "integer": "integer", "long": "integer",
         "double": "number", "boolean": "boolean"}


def plain(shape):
    out = {"type": TYPES[shape.kind]}
    if shape.enum:
        out["enum"] = shape.enum
    low, high = ("minimum", "maximum") if shape.kind in compile.NUMBERS else ("minLength", "maxLength")
    if shape.low is not None:
        out[low] = shape.low
    if shape.high is not None:
        out[high] = shape.high
    return out


def schema(shape):
    ref = lambda name: {"$ref": "#/definitions/" + name}
    if shape.kind == "structure":
        out = {"type": "object", "additionalProperties": False, "properties": {name: ref(of) for name, of, _ in shape.members}}
        required = [name for name, _, needed in shape.members if needed]
        return dict(out, required=required) if required else out
    if shape.kind == "list":
        return {"type": "array", "items": ref(shape.parts[0])}
    if shape.kind == "map":
        return {"type": "object", "additionalProperties": ref(shape.parts[1])}
    return {} if shape.kind == "document" else plain(shape)


def reached(shapes, names):
    """The shapes that these ones use, with themselves."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += shapes[name].parts + [of for _, of, _ in shapes[name].members]
    return sorted(found)


def document(name):
    shapes = compile.Service(os.path.join(API, "ecs.api")).shapes
    roots, from_path = DOCUMENTS[name]
    properties, required = {"$schema": {"type": "string"}}, []
    for root in roots:
        for member, of, needed in shapes[root].members:
            if member not in from_path and member not in properties:
                properties[member] = {"$ref": "#/definitions/" + of}
                required += [member] if needed else []
    used = reached(shapes, [p["$ref"].rsplit("/", 1)[1] for p in properties.values() if "$ref" in p])
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "ecsfs: " + name, "type": "object", "additionalProperties": False,
            "required": required, "properties": properties, "definitions": {n: schema(shapes[n]) for n in used}}


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in DOCUMENTS:
        sys.exit(__doc__)
    json.dump(document(sys.argv[1]), sys.stdout, indent=2, sort_keys=True)
    print()
