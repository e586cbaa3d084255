"""The list of workers."""

from collections.abc import Callable

from sqlalchemy import func, update
from starlette.testclient import TestClient

from store import projects, workers
from store.database import Sessions
from store.limits import Limits
from store.tables import Job, Worker
from tests.integration.api.conftest import MakeKey

GIB = 2**30


def seen(sessions: Sessions, worker_id: str, job_id: str | None = None, trouble: str | None = None) -> None:
    load = {
        "busy": 0.5,
        "processors": 8,
        "memory_used": GIB,
        "memory": 16 * GIB,
        "devices": [{"busy": 0.9, "memory_used": 2 * GIB}],
    }
    with sessions.begin() as session:
        workers.seen(
            session,
            worker_id,
            hostname=worker_id,
            pid=1,
            queues=["jobs"],
            device="cuda: NVIDIA L4",
            job_id=job_id,
            classes=["gpu", "cpu"],
            devices=[{"name": "NVIDIA L4", "memory": 24 * GIB}],
            trouble=trouble,
            load=load,
        )


def test_a_worker_is_told_with_its_devices_its_load_and_the_job_in_its_hand(
    client: TestClient, sessions: Sessions, make_job: Callable[[], Job]
) -> None:
    job = make_job()
    seen(sessions, "gpu-1", job.id)
    [told] = client.get("/v1/workers").json()["data"]
    assert (told["state"], told["job"]) == ("working", {"id": job.id, "name": job.name})
    assert told["machine"] == {"processors": 8, "busy": 0.5, "memory": 16 * GIB, "memory_used": GIB}
    assert told["devices"] == [{"name": "NVIDIA L4", "memory": 24 * GIB, "memory_used": 2 * GIB, "busy": 0.9}]


def test_of_another_projects_job_nothing_is_told_but_that_there_is_one(
    client: TestClient, sessions: Sessions, make_job: Callable[[], Job], make_key: MakeKey
) -> None:
    job = make_job()
    seen(sessions, "gpu-1", job.id)
    with sessions.begin() as session:
        other = projects.create(session, "others", Limits()).id
    answer = client.get("/v1/workers", headers={"authorization": f"Bearer {make_key('read', project=other)}"})
    [told] = answer.json()["data"]
    assert (told["state"], told["job"]) == ("working", None)
    assert job.id not in answer.text
    assert job.name not in answer.text


def test_idle_broken_and_lost_workers_are_told_apart(client: TestClient, sessions: Sessions) -> None:
    seen(sessions, "a-idle")
    seen(sessions, "b-broken", trouble="1 of 1 devices are gone")
    seen(sessions, "c-lost")
    with sessions.begin() as session:
        silent = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 5)
        session.execute(update(Worker).where(Worker.id == "c-lost").values(seen_at=silent))
    told = client.get("/v1/workers").json()["data"]
    assert [(one["id"], one["state"]) for one in told] == [
        ("a-idle", "idle"),
        ("b-broken", "trouble"),
        ("c-lost", "lost"),
    ]


def test_a_worker_that_said_nothing_of_its_machine_is_told_all_the_same(client: TestClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        workers.seen(session, "cpu-1", hostname="cpu-1", pid=1, queues=["jobs"])
    [told] = client.get("/v1/workers").json()["data"]
    assert (told["machine"], told["devices"], told["state"]) == (None, [], "idle")
