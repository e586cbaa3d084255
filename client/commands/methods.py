"""`fgfi methods`: how a student may learn from a teacher, and what can be set."""

from collections.abc import Iterator
from typing import Any

from client.output import JsonOption, console, print_json, print_table
from fgfi_core.spec import METHODS


def methods(as_json: JsonOption = False) -> None:
    """List the methods of distillation with their fields; needs no service."""
    schemas = {name: model.model_json_schema() for name, model in METHODS.items()}
    if as_json:
        print_json(schemas)
        return
    for name, schema in schemas.items():
        console.print(f"[bold]{name}[/]  {' '.join(schema.get('description', '').split())}", soft_wrap=True)
        rows = list(_fields(schema))
        if rows:
            print_table(("field", "default", "what"), rows)
        console.print()


def _fields(schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, field in schema["properties"].items():
        if name != "name":
            yield name, str(field.get("default", "-")), " ".join(str(field.get("description", "")).split())
