"""Who may call what: one line for each route, of which `test_authorisation.py` tries all that it says.

A new route: add its line to `CALLS`, `"METHOD /path": Call(scope, status)`. Where its path names a new kind of thing,
make one in `things.py`. Then `python -m tests.integration.api.authorisation` writes the table of docs/security.md anew.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Needs = Literal["nothing", "read", "submit", "admin", "operator"]
Ids = Mapping[str, str]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "security.md"
BEGIN, END = "<!-- routes: begin -->\n", "<!-- routes: end -->\n"


@dataclass(frozen=True)
class Call:
    """What a route answers.

    needs: the least scope. right: the status for who has it, asking for things of the own project that are there.
    foreign: for a key of another project that has the scope; None: as `right`, and nothing of ours is in the answer.
    writes: what the right call adds to the audit log. json, data, query: what it sends; they may name things by id.
    """

    needs: Needs
    right: int
    foreign: int | None = 404
    writes: tuple[str, ...] = ()
    json: Callable[[Ids], Any] | None = None
    data: Callable[[], bytes] | None = None
    query: str = ""


def spec(ids: Ids) -> dict[str, Any]:
    """The least a job needs."""
    detector = {"detector": "ssd-shufflenetv2-0.25x"}
    return {"name": "matrix", "dataset": {"id": ids["dataset_id"]}, "teacher": detector, "student": detector}


def archive() -> bytes:
    """What begins as a zip, of 22 bytes, new each time: the same content would be kept once."""
    return b"PK\x05\x06" + secrets.token_bytes(18)


def key(_: Ids) -> dict[str, Any]:
    """A key to be made."""
    return {"name": "matrix", "scopes": ["read"]}


def own(needs: Needs, right: int, **more: Any) -> Call:
    """A call that names no thing: it reads or makes what is the caller's own, whoever calls."""
    return Call(needs, right, foreign=None, **more)


CALLS: dict[str, Call] = {
    # What is open: it tells nothing of any project.
    "GET /healthz": own("nothing", 200),
    "GET /readyz": own("nothing", 200),
    "GET /metrics": own("nothing", 200),
    "GET /v1/openapi.json": own("nothing", 200),
    "GET /v1/errors": own("nothing", 200),
    "GET /v1/errors/{code}": own("nothing", 200),
    "GET /static/icon.svg": own("nothing", 200),
    "GET /": own("nothing", 303),
    "GET /login": own("nothing", 401),
    "GET /login/oidc": own("nothing", 404),  # Without a provider.
    "GET /login/oidc/callback": own("nothing", 404),
    "POST /logout": own("nothing", 303),
    # Webhooks. Addresses are numbers, so that nothing is resolved.
    "POST /v1/webhooks": own(
        "admin",
        201,
        json=lambda _: {"url": "https://8.8.8.8/hooks", "events": ["job.failed"]},
        writes=("webhook.create",),
    ),
    "GET /v1/webhooks": own("read", 200),
    "GET /v1/webhooks/{webhook_id}": Call("read", 200),
    "PATCH /v1/webhooks/{webhook_id}": Call(
        "admin", 200, json=lambda _: {"enabled": False}, writes=("webhook.change",)
    ),
    "DELETE /v1/webhooks/{webhook_id}": Call("admin", 204, writes=("webhook.delete",)),
    "POST /v1/webhooks/{webhook_id}/rotate": Call("admin", 200, writes=("webhook.rotate",)),
    "POST /v1/webhooks/{webhook_id}/test": Call("admin", 202, writes=("webhook.test",)),
    "GET /v1/webhooks/{webhook_id}/deliveries": Call("read", 200),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": Call(
        "admin", 202, writes=("webhook.redeliver",)
    ),
    # Data sets and uploads.
    "POST /v1/datasets": own("submit", 201, data=archive, query="name=x", writes=("dataset.create",)),
    "GET /v1/datasets": own("read", 200),
    "GET /v1/datasets/{dataset_id}": Call("read", 200),
    "GET /v1/datasets/{dataset_id}/thumbnails": Call("read", 200),
    "GET /v1/datasets/{dataset_id}/thumbnails/{number}": Call("read", 404),  # Its check made none.
    "GET /v1/datasets/{dataset_id}/revisions": Call("read", 200),
    "POST /v1/datasets/{dataset_id}/exports": Call(
        "submit", 202, json=lambda _: {"format": "coco"}, writes=("dataset.export",)
    ),
    "GET /v1/datasets/{dataset_id}/exports": Call("read", 200),
    "GET /v1/datasets/{dataset_id}/exports/{export_id}": Call("read", 200),
    "GET /v1/datasets/{dataset_id}/exports/{export_id}/content": Call("read", 409),  # Nobody has made it yet.
    "HEAD /v1/datasets/{dataset_id}/exports/{export_id}/content": Call("read", 409),
    "DELETE /v1/datasets/{dataset_id}": Call("submit", 204, writes=("dataset.delete",)),
    "POST /v1/uploads": own(
        "submit",
        201,
        json=lambda _: {"name": "x", "size": 9, "media_type": "application/zip"},
        writes=("upload.create",),
    ),
    "GET /v1/uploads/{upload_id}": Call("read", 200),
    "GET /v1/uploads/{upload_id}/links": Call("submit", 409),  # A folder gives no links.
    "PUT /v1/uploads/{upload_id}/parts/{number}": Call("submit", 200, data=archive),
    "POST /v1/uploads/{upload_id}/complete": Call("submit", 422),  # No part was sent.
    "DELETE /v1/uploads/{upload_id}": Call("submit", 204, writes=("upload.abort",)),
    # Models.
    "POST /v1/models": Call(
        "submit", 409, json=lambda ids: {"from_job": ids["job_id"], "role": "teacher"}
    ),  # The job was never run.
    "GET /v1/models": own("read", 200),
    "GET /v1/models/{model_id}": Call("read", 200),
    "GET /v1/models/{model_id}/content": Call("read", 200),
    "HEAD /v1/models/{model_id}/content": Call("read", 200),
    "DELETE /v1/models/{model_id}": Call("submit", 204, writes=("model.delete",)),
    # Jobs.
    "POST /v1/jobs": Call("submit", 201, json=spec, writes=("job.create",)),
    "POST /v1/jobs/bulk": own("submit", 207, json=lambda ids: {"jobs": [{"spec": spec(ids)}]}, writes=("job.create",)),
    "GET /v1/jobs": own("read", 200),
    "GET /v1/jobs/{job_id}": Call("read", 200),
    "POST /v1/jobs/{job_id}/cancel": Call("submit", 409),  # It has failed already.
    "POST /v1/jobs/{job_id}/pause": Call("submit", 409),
    "POST /v1/jobs/{job_id}/resume": Call("submit", 409),
    "POST /v1/jobs/{job_id}/retry": Call("submit", 200, writes=("job.retry",)),
    "POST /v1/jobs/{job_id}/clone": Call("submit", 201, writes=("job.create",)),
    "GET /v1/jobs/{job_id}/events": Call("read", 200),
    "GET /v1/jobs/{job_id}/events/stream": Call("read", 200),
    "GET /v1/jobs/{job_id}/metrics": Call("read", 200),
    "GET /v1/jobs/{job_id}/artifacts": Call("read", 200),
    "GET /v1/jobs/{job_id}/checkpoints": Call("read", 200),
    "GET /v1/jobs/{job_id}/report": Call("read", 200),
    "DELETE /v1/jobs/{job_id}": Call("submit", 204, writes=("job.delete",)),
    "GET /v1/artifacts/{artifact_id}": Call("read", 200),
    "GET /v1/artifacts/{artifact_id}/content": Call("read", 200),
    "HEAD /v1/artifacts/{artifact_id}/content": Call("read", 200),
    # Groups.
    "POST /v1/groups": Call(
        "submit",
        201,
        json=lambda ids: {"name": "x", "base": spec(ids), "variants": [{"changes": {}}]},
        writes=("group.create", "job.create"),
    ),
    "GET /v1/groups": own("read", 200),
    "GET /v1/groups/{group_id}": Call("read", 200),
    "POST /v1/groups/{group_id}/cancel": Call("submit", 200),
    "DELETE /v1/groups/{group_id}": Call("submit", 204, writes=("job.delete", "group.delete")),
    # Models measured on data sets.
    "POST /v1/evaluations": Call(
        "submit",
        201,
        json=lambda ids: {"name": "x", "model": ids["model_id"], "dataset": {"id": ids["dataset_id"]}},
        writes=("job.create",),
    ),
    "GET /v1/evaluations": own("read", 200),
    "GET /v1/evaluations/{evaluation_id}": Call("read", 200),
    # The catalogue.
    "GET /v1/detectors": own("read", 200),
    "GET /v1/methods": own("read", 200),
    "GET /v1/schemas/job": own("read", 200),
    # Projects, keys, sessions, use, audit log. An operator sees every project.
    "POST /v1/projects": own(
        "operator", 201, json=lambda _: {"name": secrets.token_hex(8)}, writes=("project.create",)
    ),
    "GET /v1/projects": own("read", 200),
    "GET /v1/projects/{project_id}": Call("read", 200),
    "PATCH /v1/projects/{project_id}": Call(
        "admin", 200, json=lambda _: {"name": "renamed"}, writes=("project.update",)
    ),
    "POST /v1/projects/{project_id}/keys": Call("operator", 201, foreign=201, json=key, writes=("key.create",)),
    "POST /v1/keys": own("admin", 201, json=key, writes=("key.create",)),
    "GET /v1/keys": own("admin", 200),
    "GET /v1/keys/{key_id}": Call("admin", 200),
    "POST /v1/keys/{key_id}/rotate": Call("admin", 201, writes=("key.rotate",)),
    "DELETE /v1/keys/{key_id}": Call("admin", 204, writes=("key.revoke",)),
    "POST /v1/login-links": own("admin", 201, writes=("login_link.create",)),
    "GET /v1/sessions": own("admin", 200),
    "DELETE /v1/sessions/{session_id}": Call("admin", 204, writes=("session.end",)),
    "GET /v1/usage": own("read", 200),
    "GET /v1/workers": own("read", 200),
    "GET /v1/audit": own("admin", 200),
    # The dashboard, for browsers that are logged in.
    "GET /jobs": own("read", 200),
    "GET /jobs/list": own("read", 200),
    "GET /jobs/stream": own("read", 200),
    "GET /jobs/new": own("read", 200),
    "POST /jobs/new/yaml": own("read", 200, json=spec),
    "POST /jobs/new/spec": own("read", 200, json=spec),
    "GET /jobs/{job_id}": Call("read", 200),
    "GET /jobs/{job_id}/top": Call("read", 200),
    "GET /jobs/{job_id}/rest": Call("read", 200),
    "GET /jobs/{job_id}/log": Call("read", 200),
    "GET /jobs/{job_id}/stream": Call("read", 200),
    "GET /jobs/{job_id}/metrics.csv": Call("read", 200),
    "GET /jobs/{job_id}/pictures": Call("read", 200),
    "GET /jobs/{job_id}/evaluation": Call("read", 200),
    "GET /jobs/{job_id}/evaluation/curve": Call("read", 200, query="class=cell"),
    "GET /jobs/{job_id}/downloads": Call("read", 200),
    "POST /jobs/{job_id}/delete": Call("submit", 303, writes=("job.delete",)),
    "POST /jobs/{job_id}/{action}": Call("submit", 303, writes=("job.retry",)),
    "GET /compare": Call("read", 200, query="job={job_id}&job={other_job_id}"),
    "GET /datasets": own("read", 200),
    "GET /datasets/list": own("read", 200),
    "GET /datasets/{dataset_id}": Call("read", 200),
    "GET /datasets/{dataset_id}/whole": Call("read", 200),
    "POST /datasets/{dataset_id}/delete": Call("submit", 303, writes=("dataset.delete",)),
    "GET /models": own("read", 200),
    "GET /models/list": own("read", 200),
    "GET /models/{model_id}": Call("read", 200),
    "GET /models/{model_id}/whole": Call("read", 200),
    "POST /models/{model_id}/delete": Call("submit", 303, writes=("model.delete",)),
    "GET /workers": own("read", 200),
    "GET /workers/list": own("read", 200),
    "GET /groups": own("read", 200),
    "GET /groups/list": own("read", 200),
    "GET /groups/new": own("submit", 200),
    "POST /groups/new": own("submit", 422),  # The form is empty.
    "GET /groups/{group_id}": Call("read", 200),
    "GET /groups/{group_id}/standing": Call("read", 200),
    "POST /groups/{group_id}/cancel": Call("submit", 303),
    "POST /groups/{group_id}/delete": Call("submit", 303, writes=("job.delete", "group.delete")),
    "GET /keys": own("admin", 200),
    "POST /keys": own("admin", 422),  # The form is empty.
    "POST /keys/{key_id}/rotate": Call("admin", 200, writes=("key.rotate",)),
    "POST /keys/{key_id}/revoke": Call("admin", 303, writes=("key.revoke",)),
    "POST /keys/sessions/{session_id}/end": Call("admin", 303, writes=("session.end",)),
    "GET /usage": own("read", 200),
    "GET /audit": own("admin", 200),
}


def answers(call: Call) -> dict[str, str]:
    """What the four askers get: no key, wrong scope, other project, right."""
    if call.needs == "nothing":
        return dict.fromkeys(("no key", "wrong scope", "other project", "right"), str(call.right))
    foreign = f"{call.right}, its own" if call.foreign is None else str(call.foreign)
    return {"no key": "401", "wrong scope": "403", "other project": foreign, "right": str(call.right)}


def table() -> str:
    """All of it in Markdown."""
    lines = [
        "| route | needs | no key | wrong scope | other project | right | audit log |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{route}` | {call.needs} | {' | '.join(answers(call).values())} | {', '.join(call.writes)} |"
        for route, call in CALLS.items()
    ]
    return "\n".join(lines) + "\n"


def page() -> str:
    """docs/security.md with the table as it is now."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page())
