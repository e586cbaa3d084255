"""Who is asking, and what they may do."""

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["read", "submit", "admin", "operator"]
"""Each includes those before it. The first three are of one project; `operator` is of the installation: projects,
their limits, and keys for any of them."""

SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Principal:
    """A project, and what may be done in it.

    key_id: of the key that was sent, or that made the link a browser came in by. session_id: of a browser. user: as
    the login provider names them.
    """

    project_id: str
    scopes: frozenset[str]
    key_id: str | None = None
    session_id: str | None = None
    user: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether this scope is granted, by itself or by a greater one."""
        return bool(self.scopes & set(SCOPES[SCOPES.index(scope) :]))
