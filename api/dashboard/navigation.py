"""The sections of the dashboard, in the order of the bar on top. A new page adds its line here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One entry: a template says which it belongs to by `{% set here = "jobs" %}`."""

    name: str
    title: str
    href: str


SECTIONS: tuple[Section, ...] = (
    Section("jobs", "Jobs", "/jobs"),
    Section("datasets", "Data sets", "/datasets"),
    Section("models", "Models", "/models"),
    Section("groups", "Groups", "/groups"),
    Section("workers", "Workers", "/workers"),
    Section("keys", "Keys", "/keys"),
    Section("usage", "Usage", "/usage"),
    Section("audit", "Audit", "/audit"),
)
