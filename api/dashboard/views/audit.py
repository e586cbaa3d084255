"""The audit log in words: who did what, to what, when and from where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from store.tables import ApiKey, AuditEntry

# The page of a resource, by what its id begins with.
PAGES = {"job_": "/jobs/", "ds_": "/datasets/", "mdl_": "/models/", "grp_": "/groups/"}
# What can be asked for by a prefix.
ACTIONS = {
    "": "everything",
    "job.": "jobs",
    "dataset.": "data sets",
    "upload.": "uploads",
    "model.": "models",
    "group.": "groups",
    "key.": "keys",
    "session.": "browsers",
    "login_link.": "login links",
    "project.": "projects",
}


@dataclass(frozen=True)
class Act:
    """One entry. href: of what was acted on, empty where it has no page. detail: what of it matters, as text."""

    id: str
    time: datetime
    actor: str
    actor_id: str
    action: str
    resource: str
    href: str
    detail: str
    address: str


@dataclass(frozen=True)
class Asked:
    """The filters as they stand in the address: texts, empty for none."""

    action: str = ""
    actor: str = ""
    resource: str = ""
    since: str = ""
    until: str = ""

    def address(self, cursor: str | None = None) -> str:
        """Where this is shown."""
        kept = {name: value for name, value in {**vars(self), "cursor": cursor}.items() if value}
        return f"/audit?{urlencode(kept)}" if kept else "/audit"


def acts(rows: Sequence[AuditEntry], keys: Sequence[ApiKey]) -> tuple[Act, ...]:
    """The entries, keys by their names."""
    names = {key.id: key.name for key in keys}
    return tuple(
        Act(
            id=row.id,
            time=row.created_at,
            actor=_actor(row, names),
            actor_id=row.actor_id or "",
            action=row.action,
            resource=row.resource_id or "",
            href=_page_of(row.resource_id or ""),
            detail=", ".join(
                f"{name}: {_text(value)}" for name, value in row.detail.items() if value not in (None, "")
            ),
            address=row.address or "",
        )
        for row in rows
    )


def _actor(row: AuditEntry, names: Mapping[str, str]) -> str:
    if row.actor_kind == "key":
        return f"key {names.get(row.actor_id or '', row.actor_id)}"
    if row.actor_kind == "user":
        return row.actor_id or "a user"
    return "a browser" if row.actor_kind == "link" else "the service"


def _page_of(resource: str) -> str:
    return next((page + resource for prefix, page in PAGES.items() if resource.startswith(prefix)), "")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
