"""A job spec from a YAML or JSON file, checked before anything is sent: every mistake named with its place."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from client.errors import EXIT_USAGE, ClientError
from fgfi_core.spec import JobSpec, mistakes

_LARGEST = 1_000_000


def read(path: Path, *, dataset: str | None = None) -> JobSpec:
    """Read and check a spec; `dataset` takes the place of its `dataset.id`. Raises ClientError naming every field."""
    content = _load(path)
    if dataset is not None:
        data = content.setdefault("dataset", {})
        if isinstance(data, dict):
            data["id"] = dataset
    try:
        return JobSpec.model_validate(content)
    except ValidationError as error:
        found = mistakes.explain(error.errors(include_url=False), content)
        hints = tuple(f"{one.path or 'the spec'}: {one.message}. {one.hint}".rstrip(" ") for one in found)
        count = "one mistake" if len(hints) == 1 else f"{len(hints)} mistakes"
        raise ClientError(f"{path} has {count}", hints=hints, exit_code=EXIT_USAGE, code="bad_spec") from error


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise ClientError(f"{path} is too large to be a job spec", exit_code=EXIT_USAGE)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ClientError(f"there is no file {path}", exit_code=EXIT_USAGE) from error
    except OSError as error:
        raise ClientError(f"cannot read {path}: {error.strerror}", exit_code=EXIT_USAGE) from error
    except UnicodeDecodeError as error:
        raise ClientError(f"{path} is not UTF-8 text", exit_code=EXIT_USAGE) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise ClientError(f"{path}{line} is not YAML or JSON: {problem}", exit_code=EXIT_USAGE) from error
    if not isinstance(content, dict):
        raise ClientError(
            f"{path} is {'empty' if content is None else 'not a job spec'}: it must be a mapping of fields",
            hints=("such as name, dataset, teacher and student; the folder examples/ has whole ones",),
            exit_code=EXIT_USAGE,
        )
    return content
