"""Celery: the only file that knows it. A message names a job or an upload and is only a hint; PostgreSQL is the truth.

celery --app=worker.app worker                    # jobs and checks of uploads, one thing at a time
celery --app=worker.app worker --queues=jobs      # on a training machine: jobs of its own classes of devices
celery --app=worker.app worker --queues=datasets  # beside it, so that uploads need not wait for a training to end
"""

import logging
from functools import lru_cache
from typing import Any, Literal

from celery import Celery, signals
from kombu.entity import Queue
from kombu.exceptions import ChannelError, OperationalError

from store import turns
from store.queues import JOBS, all_queues, served
from store.settings import get_settings
from worker.checks import check_dataset
from worker.exports import make_export
from worker.model_check import check_model
from worker.presence import Presence
from worker.supervisor import RUNNER
from worker.turn import take_turn
from worker.workplace import Workplace, make_workplace

log = logging.getLogger(__name__)

Kind = Literal["job", "dataset", "model", "export"]
# Checks of models and exports wait with the checks of data sets: none of them needs a GPU.
QUEUES: dict[Kind, str] = {"job": JOBS, "dataset": "datasets", "model": "datasets", "export": "datasets"}
TASKS: dict[Kind, str] = {
    "job": "fgfi.job",
    "dataset": "fgfi.dataset",
    "model": "fgfi.model",
    "export": "fgfi.export",
}


def configuration() -> dict[str, Any]:
    """Celery's settings, read when they are first needed."""
    return {
        "broker_url": get_settings().redis_url,
        "task_queues": [Queue(name) for name in known_queues()],  # type: ignore[no-untyped-call]
        "task_default_queue": QUEUES["job"],
        "task_create_missing_queues": False,
        # JSON only: a pickled message would run code of whoever can write to Redis.
        "task_serializer": "json",
        "accept_content": ["json"],
        # Acknowledged when taken: with late acknowledgement Redis delivers every job again that runs longer than its
        # visibility timeout. What is lost with a worker, the steward announces again.
        "task_acks_late": False,
        "task_ignore_result": True,
        "result_backend": None,
        # One thing at a time in the main thread: the child's life hangs on the thread that started it, and a worker
        # that trains takes no message that another could work on.
        "worker_pool": "solo",
        "worker_concurrency": 1,
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "socket_keepalive": True,
            "socket_connect_timeout": 5,
            "socket_timeout": 30,
            # For whoever publishes: an absent broker is an error at once, not a call that never returns.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
    }


def known_queues() -> list[str]:
    """Every queue of this installation."""
    return [*all_queues(get_settings().device_classes), QUEUES["dataset"]]


app = Celery("fgfi")
app.add_defaults(configuration)


@app.task(name=TASKS["job"])  # type: ignore[untyped-decorator]
def run_job(job_id: str) -> None:
    """Make one attempt at this job, or at another whose turn comes first."""
    take_turn(workplace(), job_id, announce)


@app.task(name=TASKS["dataset"])  # type: ignore[untyped-decorator]
def run_check(dataset_id: str) -> None:
    """Check an uploaded data set."""
    check_dataset(workplace(), dataset_id)


@app.task(name=TASKS["model"])  # type: ignore[untyped-decorator]
def run_model_check(model_id: str) -> None:
    """Check a model's weights."""
    check_model(workplace(), model_id)


@app.task(name=TASKS["export"])  # type: ignore[untyped-decorator]
def run_export(export_id: str) -> None:
    """Write a data set in another format."""
    make_export(workplace(), export_id)


@lru_cache(maxsize=1)
def workplace() -> Workplace:
    """This worker process's database, objects and cache."""
    return make_workplace(get_settings())


def publish(kind: Kind, subject_id: str, queue: str | None = None) -> None:
    """Put a hint into the queue. Raises `kombu.exceptions.OperationalError` when the broker is away."""
    if queue not in known_queues():  # Of a class that this installation had once: the job waits until it has it again.
        queue = QUEUES[kind]
    app.send_task(TASKS[kind], kwargs={f"{kind}_id": subject_id}, queue=queue, retry=False)


def announce(job_id: str) -> None:
    """Send a job's hint again. When the broker is away, the steward does so later."""
    with workplace().sessions.begin() as session:
        queue = turns.queue_of_job(session, job_id)
    try:
        publish("job", job_id, queue)
    except OperationalError as error:
        log.warning("job %s not announced again: %s", job_id, error)


def waiting(queue: str) -> int:
    """How many hints nobody has taken from a queue yet. Raises `kombu.exceptions.OperationalError`."""
    with app.connection_for_write() as connection:
        try:
            answer = connection.default_channel.queue_declare(queue, passive=True)
        except ChannelError:  # An empty queue is no queue in Redis.
            return 0
        return int(answer.message_count)


@signals.celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _choose_queues(instance: Any, **_: object) -> None:
    """Of the queues of jobs, take from those of this machine's classes."""
    queues = instance.app.amqp.queues
    queues.select(served(queues.consume_from, workplace().classes))


_presence: list[Presence] = []


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _arrive(sender: Any, **_: object) -> None:
    names = sorted(queue.name for queue in sender.task_consumer.queues)
    workplace().queues = tuple(name for name in names if name != QUEUES["dataset"])
    spare = workplace().spare
    if spare is not None and workplace().queues:
        spare.prepare(RUNNER)
    presence = Presence(workplace(), names)
    presence.start()
    _presence.append(presence)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: object) -> None:
    # Runs inside the signal's handler, in the very thread that supervises: it only sets a flag.
    workplace().stopping.request()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _leave(**_: object) -> None:
    for presence in _presence:
        presence.stop()
    spare = workplace().spare
    if spare is not None:
        spare.discard()
