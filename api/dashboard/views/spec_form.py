"""The form of a new job, built from the spec's own JSON schema: what the spec gains is in the form by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fgfi_core.spec import JobSpec

Kind = Literal["text", "number", "switch", "choice", "choices", "pair", "list", "entries"]
Schema = Mapping[str, Any]

# What a person is asked first; whatever else the spec has stands under "More".
FIRST = frozenset(
    {"name", "dataset.train", "dataset.val", "baseline", "seeds", "schedule.epochs", "schedule.batch_size"}
    | {"schedule.image_size", "schedule.learning_rate", "resources.device", "method.threshold", "method.weight"}
    | {"teacher.init", "teacher.epochs", "student.init", "exports", "evaluation"}
)
# These have controls of their own, made of what there is in the service.
CHOSEN = frozenset({"dataset.id", "teacher.model", "teacher.detector", "student.model", "student.detector"})
WORDS = {"val": "measured split", "train": "training split", "init": "first weights", "id": "data set"}


@dataclass(frozen=True)
class Control:
    """One field. shown: its default as a person reads it, which stands in the empty control.

    options: of a choice. Bounds are those of a number, None where there is none.
    """

    path: str
    label: str
    kind: Kind
    hint: str
    shown: str
    options: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    first: bool = False


@dataclass(frozen=True)
class MethodForm:
    """A distillation method and its fields."""

    name: str
    description: str
    controls: tuple[Control, ...]


@dataclass(frozen=True)
class SpecForm:
    """All fields by the part of the spec they are in, "" for its top; the methods apart, for each has its own."""

    parts: Mapping[str, tuple[Control, ...]]
    methods: tuple[MethodForm, ...]
    default_method: str


def spec_form() -> SpecForm:
    """The form of today's spec."""
    schema = JobSpec.model_json_schema()
    definitions: Schema = schema["$defs"]
    parts: dict[str, list[Control]] = {"": []}
    for name, field in schema["properties"].items():
        if name == "method":
            continue
        inner = _resolved(field, definitions)
        if "properties" in inner:
            parts[name] = list(_controls(inner, f"{name}.", definitions))
        else:
            parts[""].append(_control(name, field))
    return SpecForm(
        parts={name: tuple(controls) for name, controls in parts.items()},
        methods=tuple(_methods(schema["properties"]["method"], definitions)),
        default_method=JobSpec.model_fields["method"].get_default(call_default_factory=True).name,
    )


def _methods(field: Schema, definitions: Schema) -> Iterator[MethodForm]:
    for name, reference in field["discriminator"]["mapping"].items():
        schema = definitions[reference.rpartition("/")[2]]
        controls = tuple(one for one in _controls(schema, "method.", definitions) if one.path != "method.name")
        yield MethodForm(name, schema.get("description", "").partition("\n\n")[0], controls)


def _controls(schema: Schema, prefix: str, definitions: Schema) -> Iterator[Control]:
    for name, field in schema["properties"].items():
        path, inner = f"{prefix}{name}", _resolved(field, definitions)
        if path in CHOSEN:
            continue
        if "properties" in inner:
            yield from _controls(inner, f"{path}.", definitions)
        else:
            yield _control(path, field)


def _resolved(field: Schema, definitions: Schema) -> Schema:
    """The schema behind a reference."""
    reference: str = field.get("$ref", "")
    found: Schema = definitions[reference.rpartition("/")[2]] if reference else field
    return found


def _control(path: str, field: Schema) -> Control:
    kind, options, bounds = _kind(field)
    name = path.rpartition(".")[2]
    return Control(
        path=path,
        label=WORDS.get(name, name.replace("_", " ")).capitalize(),
        kind=kind,
        hint=field.get("description", ""),
        shown=_shown(field.get("default"), kind),
        options=options,
        minimum=bounds.get("minimum", bounds.get("exclusiveMinimum")),
        maximum=bounds.get("maximum", bounds.get("exclusiveMaximum")),
        first=path in FIRST,
    )


def _kind(field: Schema) -> tuple[Kind, tuple[str, ...], Schema]:
    """Which control a field needs, what may be chosen, and the part of its schema that has the bounds."""
    ways: list[Schema] = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    words = tuple(str(one["const"]) for one in ways if "const" in one)
    main = next((one for one in ways if "const" not in one), ways[0])
    kind = main.get("type")
    if "enum" in main:
        return "choice", (*words, *map(str, main["enum"])), main
    if kind == "boolean":
        return "switch", (), main
    if kind in {"integer", "number"}:
        return "number", words, main
    if kind == "array":
        if "prefixItems" in main:
            return "pair", words, main
        return ("choices", tuple(main["items"]["enum"]), main) if "enum" in main["items"] else ("list", (), main)
    return ("entries" if kind == "object" else "text"), words, main


def _shown(default: Any, kind: Kind) -> str:
    if default is None:
        return ""
    if kind == "pair":
        return "x".join(map(str, default))
    if kind in {"list", "choices"}:
        return ", ".join(map(str, default))
    if isinstance(default, bool):
        return "true" if default else "false"
    return f"{default:g}" if isinstance(default, float) else str(default)
