"""The API keys of a project."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from client.http import Http
from client.models import Key


class Keys:
    """Every method raises ClientError when the service refuses or cannot be reached; all need the scope admin."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def list(self) -> list[Key]:
        """The keys that are not revoked, newest first."""
        return [Key.model_validate(item) for item in self._http.get("/v1/keys")["data"]]

    def add(self, name: str, scopes: Sequence[str], expires_at: datetime | None = None) -> Key:
        """Make a key; its `token` is in this answer alone."""
        body: dict[str, Any] = {"name": name, "scopes": list(scopes)}
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return Key.model_validate(self._http.post("/v1/keys", body))

    def rotate(self, key_id: str, overlap_hours: float = 24) -> Key:
        """Make a key like this one, which itself works for some hours longer."""
        return Key.model_validate(self._http.post(f"/v1/keys/{key_id}/rotate", {"overlap_hours": overlap_hours}))

    def revoke(self, key_id: str) -> None:
        """Make a key useless at once."""
        self._http.delete(f"/v1/keys/{key_id}")
