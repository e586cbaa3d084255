"""A file of weights and the data count their classes alike: an output channel is a class only by its number."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from fgfi_core.errors import BadData
from fgfi_core.preflight.check import Subject, Verdict
from fgfi_core.training.resolve import SIDES


def check(subject: Subject) -> Iterator[Verdict]:
    """Refuses a teacher taken as it is whose classes are others, or the same in another order.

    Weights that are trained further learn the data's classes; there it is a warning.
    """
    bench = subject.bench
    for side in SIDES:
        if side not in bench.weights:
            continue
        path, own = bench.weights[side], bench.resolved.classes
        theirs = classes_of(path)
        final = bench.epochs(side) == 0
        if theirs is None:
            if final:
                text = f"{path.name} does not say which classes it was trained on; they are taken to be the data's."
                yield Verdict("warning", text, hint=f"The data's, in order: {', '.join(own)}.")
        elif theirs == own:
            yield Verdict("ok", f"the {side}'s file and the data agree in {len(own)} classes and their order.")
        else:
            yield Verdict(
                "refused" if final else "warning",
                f"{path.name}: {_difference(theirs, own)}" + ("" if final else " Training on will mend it."),
                hint=_hint(theirs, own) if final else "",
                error=BadData,
            )


def classes_of(path: Path) -> tuple[str, ...] | None:
    """The classes of a file's outputs, in order; None when it does not say. Raises BadData for no safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get("classes", "null")
    except (OSError, SafetensorError) as error:
        raise BadData(f"{path} cannot be read as safetensors: {error}.", hint="Give a .safetensors file.") from error
    try:
        names = json.loads(told)
    except ValueError:
        return None
    return tuple(str(name) for name in names) if isinstance(names, list) else None


def _difference(theirs: Sequence[str], own: Sequence[str]) -> str:
    if sorted(theirs) != sorted(own):
        return f"it was trained on the classes {', '.join(theirs)}; the data has {', '.join(own)}."
    moved = ", ".join(
        f"{number} is '{one}' there and '{other}' here"
        for number, (one, other) in enumerate(zip(theirs, own, strict=True))
        if one != other
    )
    return f"it has the data's classes in another order: {moved}."


def _hint(theirs: Sequence[str], own: Sequence[str]) -> str:
    if sorted(theirs) != sorted(own):
        return "Give a teacher of these classes, or set teacher.epochs above 0 to train it on this data."
    return f"List the data's classes in the teacher's order ({', '.join(theirs)}), or set teacher.epochs above 0."
