"""The groups of a service: jobs that were made together, to be compared."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from client.http import Http
from client.models import Group


class Groups:
    """Every method raises ClientError when the service refuses or cannot be reached."""

    def __init__(self, http: Http, pages: Callable[[str], Iterator[Any]]) -> None:
        self._http = http
        self._pages = pages

    def list(self) -> list[Group]:
        """All groups, newest first, without their arms."""
        return [Group.model_validate(item) for item in self._pages("/v1/groups")]

    def get(self, group_id: str) -> Group:
        """One group, with the standing of every arm."""
        return Group.model_validate(self._http.get(f"/v1/groups/{group_id}"))

    def create(
        self,
        name: str,
        base: dict[str, Any],
        variants: Sequence[dict[str, Any]],
        priority: str = "normal",
        device_class: str | None = None,
    ) -> Group:
        """A job for each variant of a base spec, all or none, never made twice.

        variants: {"changes": a JSON merge patch of the base, "label": where it shall have one of its own}.
        """
        body = {"name": name, "base": base, "variants": list(variants), "priority": priority}
        if device_class is not None:
            body["device_class"] = device_class
        return Group.model_validate(self._http.post("/v1/groups", body, idempotency_key=str(uuid.uuid4())))

    def cancel(self, group_id: str) -> Group:
        """Cancel every job of it that is not over; repeating is fine."""
        return Group.model_validate(self._http.post(f"/v1/groups/{group_id}/cancel"))

    def delete(self, group_id: str) -> None:
        """Delete it with its jobs, which must be over."""
        self._http.delete(f"/v1/groups/{group_id}")
