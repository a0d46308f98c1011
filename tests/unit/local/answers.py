# SPDX-License-Identifier: Apache-2.0
"""Are answers what botocore's models say? Members known, types right, enums and required members kept.

    judge = Judge(client)       every answer to that client is judged from now on
    judge.problems              ["ecs.DescribeTasks: .tasks[0].cpu: 256 is no string"]
"""
import json


class Judge:
    def __init__(self, *clients):
        self.problems, self.seen = [], []
        for client in clients:
            client.meta.events.register("before-parse", self.answered)

    def answered(self, operation_model, response_dict, **_):
        service = operation_model.service_model
        name = f"{service.service_name}.{operation_model.name}"
        self.seen.append(name)
        if service.metadata["protocol"] != "json" or response_dict["status_code"] != 200:
            return
        try:
            tree = json.loads(response_dict["body"] or b"{}")
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return
        if operation_model.output_shape:
            self.problems += [f"{name}: {line}" for line in check(operation_model.output_shape, tree, "")]


def check(shape, value, at):
    """Yields what is wrong with a JSON value of that shape."""
    kind = shape.type_name
    wanted = KINDS[kind]
    if isinstance(value, bool) != (kind == "boolean") or not isinstance(value, wanted):
        yield f"{at}: {value!r} is no {kind}"
    elif kind == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"{at}: {name} is missing"
        for name, member in value.items():
            if name in shape.members:
                yield from check(shape.members[name], member, f"{at}.{name}")
            else:
                yield f"{at}: unknown member {name}"
    elif kind == "list":
        for i, item in enumerate(value):
            yield from check(shape.member, item, f"{at}[{i}]")
    elif kind == "map":
        for key, item in value.items():
            yield from check(shape.value, item, f"{at}.{key}")
    elif kind == "string" and shape.enum and value not in shape.enum:
        yield f"{at}: {value!r} is none of {shape.enum}"


KINDS = {
    "structure": dict, "list": list, "map": dict, "string": str, "boolean": bool, "blob": str,
    "integer": int, "long": int, "float": (int, float), "double": (int, float), "timestamp": (int, float),
}
