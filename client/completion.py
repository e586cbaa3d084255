"""What a shell is offered when TAB is pressed. A service that does not answer offers nothing, and says nothing."""

import contextlib

from client.errors import ClientError


def job_ids(incomplete: str) -> list[tuple[str, str]]:
    """The newest jobs, each with its name and state."""
    from client.sdk import Fgfi  # noqa: PLC0415 - a shell that completes a word waits for every import

    with contextlib.suppress(ClientError), Fgfi.connect() as service:
        jobs = service.jobs(limit=30)
        return [(job.id, f"{job.name}, {job.state}") for job in jobs if job.id.startswith(incomplete)]
    return []


def detector_names(incomplete: str) -> list[str]:
    """The names of the catalogue."""
    from fgfi_core.spec import DETECTORS  # noqa: PLC0415 - as above

    return [name for name in DETECTORS if name.startswith(incomplete)]
