import asyncio
from collections.abc import Callable

import pytest

from store import jobs
from store.database import Sessions
from store.events import changes
from store.settings import Settings
from store.tables import Job

pytestmark = pytest.mark.integration


def test_listeners_hear_of_a_change_after_its_commit(
    settings: Settings, sessions: Sessions, make_job: Callable[[], Job], project_id: str
) -> None:
    job = make_job()

    async def listen() -> list[str]:
        heard = changes(settings, idle_seconds=0.1)
        try:
            words = [await anext(heard)]  # Listening from here on.
            with sessions.begin() as session:
                jobs.cancel(session, project_id, job.id)
                words.append(await anext(heard))  # Not committed yet.
            words.append(await anext(heard))
        finally:
            await heard.aclose()  # type: ignore[attr-defined] # an iterator that is a generator
        return words

    assert asyncio.run(listen()) == ["", "", job.id]
