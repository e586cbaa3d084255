"""docs/spec.md, written from the models: `python -m fgfi_core.spec.reference > docs/spec.md` (or `make docs`)."""

import json
from collections.abc import Iterator
from typing import Any

from fgfi_core.spec.job import JobSpec
from fgfi_core.spec.methods import METHODS

Schema = dict[str, Any]

_BEGIN = """# The job spec

What a job may say, as YAML or JSON; the service, `fgfi` and the library hold it to the same models, from which this
page is written. A field that is not here is an error that names it. `fgfi submit JOB.YAML --dry-run` shows what a spec
becomes.

```yaml
name: cells-quarter
dataset: {id: ds_..., train: trainval, val: test}
teacher: {detector: shuffledet-1x}
student: {detector: shuffledet-0.25x}
method: {name: fine-grained, threshold: 0.5}
schedule: {epochs: 30, image_size: [320, 240]}
```
"""
# More than a table's cell holds.
_MOST_VALUES = 8
_PARTS = ("dataset", "teacher", "student", "schedule", "preflight", "resources")


def page() -> str:
    """The page, in Markdown."""
    schema = JobSpec.model_json_schema()
    return "\n".join([_BEGIN, *_sections(schema), ""])


def _sections(schema: Schema) -> Iterator[str]:
    known = schema["$defs"]
    yield "## The job\n"
    yield from _table(schema, known)
    for name in _PARTS:
        part = _resolved(schema["properties"][name], known)
        yield f"\n## `{name}`\n"
        yield _text(part.get("description"))
        yield ""
        yield from _table(part, known)
        for field, one in part["properties"].items():
            inner = _resolved(one, known)
            if "properties" in inner:
                yield f"\n### `{name}.{field}`\n"
                yield _text(inner.get("description"))
                yield ""
                yield from _table(inner, known)
    yield "\n## `method`\n"
    yield "By `method.name`; [methods.md](methods.md) says what each does.\n"
    for name, model in METHODS.items():
        method = model.model_json_schema()
        yield f"\n### `{name}`\n"
        yield _text(method.get("description"))
        yield ""
        yield from _table(method, method.get("$defs", {}), without="name")


def _table(schema: Schema, known: Schema, without: str = "") -> Iterator[str]:
    fields = {name: field for name, field in schema["properties"].items() if name != without}
    if not fields:
        yield "It has no fields."
        return
    yield "| field | values | default | what |"
    yield "|---|---|---|---|"
    required = schema.get("required", [])
    for name, field in fields.items():
        default = "**required**" if name in required else _default(field, known)
        words = _text(field.get("description") or _resolved(field, known).get("description"))
        yield f"| `{name}` | {_values(field, known)} | {default} | {words} |"


def _default(field: Schema, known: Schema) -> str:
    if "default" not in field:
        return ""
    if "properties" in _resolved(field, known):
        return "its own"
    value = field["default"]
    return "none" if value is None else f"`{json.dumps(value)}`"


def _values(field: Schema, known: Schema) -> str:
    """What a field may hold, in a few words."""
    if "oneOf" in field:
        return "a method, [below](#method)"
    if "anyOf" in field:
        every = (_values(one, known) for one in field["anyOf"] if one.get("type") != "null")
        return " or ".join(dict.fromkeys(every))
    if "$ref" in field or "allOf" in field:
        return "fields, below"
    return _list(field, known) if field.get("type") == "array" else _plain(field)


def _list(field: Schema, known: Schema) -> str:
    if "prefixItems" not in field:
        return f"list of {_values(field['items'], known)}"
    each = {_values(one, known) for one in field["prefixItems"]}
    return f"{len(field['prefixItems'])} of {' and '.join(sorted(each))}"


def _plain(field: Schema) -> str:
    values = [field["const"]] if "const" in field else field.get("enum", [])
    if values:
        named = ", ".join(f"`{value}`" for value in values)
        return named if len(values) <= _MOST_VALUES else "a name of [the catalogue](methods.md)"
    kind = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`"}
    word = kind.get(field.get("type", ""), "fields")
    bounds = [
        f"{sign} {field[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in field
    ]
    return f"{word} {', '.join(bounds)}".strip()


def _resolved(field: Schema, known: Schema) -> Schema:
    reference = field.get("$ref") or next((one["$ref"] for one in field.get("allOf", []) if "$ref" in one), None)
    return dict(known[reference.rsplit("/", 1)[-1]]) if reference else field


def _text(words: str | None) -> str:
    """A description in one line of a table."""
    return " ".join((words or "").split()).replace("|", "\\|")


def main() -> None:
    """Print the page."""
    print(page(), end="")


if __name__ == "__main__":
    main()
