"""Wrong requests of every kind, to a project as `scene` has it. What is answered stands in docs/rest.md.

A test sends them; `make examples` writes the answers there anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.api.scene import DETECTOR, STUDENT, name

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rest.md"
BEGIN, END = "<!-- mistakes -->\n", "<!-- end -->\n"
SPEC: dict[str, Any] = {
    "name": "cells-quarter",
    "dataset": {"id": name("ds", "Cells")},
    "teacher": {"detector": DETECTOR},
    "student": {"detector": STUDENT},
}


@dataclass(frozen=True)
class Mistake:
    """One request. json: its body, unless content says it byte by byte."""

    method: str
    path: str
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _job(**changes: Any) -> Mistake:
    return Mistake("POST", "/v1/jobs", SPEC | changes)


def _body(content: bytes, kind: str = "application/json") -> Mistake:
    return Mistake("POST", "/v1/jobs", content=content, headers={"content-type": kind})


MISTAKES: Mapping[str, Mistake] = {
    "no key": Mistake("GET", "/v1/jobs", headers={"authorization": ""}),
    "a key cut short": Mistake("GET", "/v1/jobs", headers={"authorization": "Bearer fgfi_abcdefghij"}),
    "a path that is not there": Mistake("GET", "/v1/job"),
    "a method that is not there": Mistake("PUT", "/v1/jobs", SPEC),
    "an id that is not there": Mistake("GET", f"/v1/jobs/{name('job', 'Nowhere')}"),
    "no body": _body(b""),
    "JSON that breaks off": _body(b'{"name": "cells'),
    "YAML that breaks off": _body(b"name: cells\nteacher: {detector: ", "application/yaml"),
    "a body of another kind": _body(b"name=cells", "text/plain"),
    "a field with another name": _job(techer={"detector": DETECTOR}),
    "a detector that is not there": _job(student={"detector": "shuffledet-0.3x"}),
    "a number out of range": _job(method={"name": "fine-grained", "threshold": 1.5}),
    "a word for a number, and no teacher": Mistake(
        "POST", "/v1/jobs", {k: v for k, v in SPEC.items() if k != "teacher"} | {"schedule": {"epochs": "thirty"}}
    ),
    "a data set that is not there": _job(dataset={"id": name("ds", "Nowhere")}),
    "a model that is not there": _job(teacher={"model": name("mdl", "Nowhere")}),
    "workers that nobody has": Mistake("POST", "/v1/jobs?device_class=h100", SPEC),
    "a filter with another word": Mistake("GET", "/v1/jobs?state=finished"),
    "a filter without its value": Mistake("GET", "/v1/jobs?metadata=line"),
    "more than a page": Mistake("GET", "/v1/jobs?limit=1000"),
    "a cursor made by hand": Mistake("GET", "/v1/jobs?cursor=2"),
    "an action that comes too late": Mistake("POST", f"/v1/jobs/{name('job', 'Done')}/pause"),
    "an upload of nothing": Mistake(
        "POST", "/v1/datasets?name=cells", content=b"", headers={"content-type": "application/zip"}
    ),
    "an upload that is no archive": Mistake(
        "POST", "/v1/datasets?name=cells", content=b"Rar!\x1a\x07\x01\x00", headers={"content-type": "application/zip"}
    ),
    "an upload that lacks a part": Mistake("POST", f"/v1/uploads/{name('up', 'Open')}/complete", {"sha256": "0" * 64}),
    "a webhook to this machine": Mistake(
        "POST", "/v1/webhooks", {"url": "https://127.0.0.1/hook", "events": ["job.succeeded"]}
    ),
    "a range behind the end": Mistake(
        "GET", f"/v1/artifacts/{name('art', 'Student')}/content", headers={"range": "bytes=4-"}
    ),
}


def row(what: str, problem: Mapping[str, Any]) -> str:
    """One line of the table: what is wrong, and what was answered."""
    hints = dict.fromkeys([problem.get("hint", ""), *(error.get("hint", "") for error in problem["errors"])])
    cells = (what, str(problem["status"]), f"`{problem['code']}`", problem["detail"], " ".join(filter(None, hints)))
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def table(ask: Callable[[Mistake], Mapping[str, Any]]) -> str:
    """All of it in Markdown; `ask` sends a request and gives the answer's body."""
    head = "| what is wrong | status | code | detail | hint |\n|---|---|---|---|---|\n"
    return head + "".join(row(what, ask(mistake)) for what, mistake in MISTAKES.items())


def page(made: str) -> str:
    """docs/rest.md with this table."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + made + END + rest.partition(END)[2]
