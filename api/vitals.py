"""The service's vital signs in Prometheus' text format, asked for anew with every look."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from store.vitals import Vitals


def text(parts: Mapping[str, bool], ask: Callable[[], Vitals]) -> bytes:
    """parts: whether each answers. ask: the numbers; only called where the database answers."""
    registry = CollectorRegistry()
    up = Gauge("fgfi_part_up", "Whether a part answers the API: database, broker, store", ["part"], registry=registry)
    for part, answers in parts.items():
        up.labels(part).set(answers)
    if parts.get("database"):
        _numbers(registry, ask())
    return generate_latest(registry)


def _numbers(registry: CollectorRegistry, now: Vitals) -> None:
    jobs = Gauge("fgfi_queue_jobs", "Jobs that are due and wait", ["queue"], registry=registry)
    oldest = Gauge("fgfi_queue_oldest_seconds", "How long the oldest due job waits", ["queue"], registry=registry)
    idle = Gauge("fgfi_queue_idle_workers", "Workers that could take from it now", ["queue"], registry=registry)
    for name, queue in now.queues.items():
        jobs.labels(name).set(queue.jobs)
        oldest.labels(name).set(queue.oldest)
        idle.labels(name).set(queue.idle)
    lost = Gauge("fgfi_attempts_lost", "Attempts that were lost within the last hour", ["reason"], registry=registry)
    for reason, count in now.losses.items():
        lost.labels(reason).set(count)
    outbox = Gauge("fgfi_outbox_oldest_seconds", "How long the oldest message waits to be sent", registry=registry)
    outbox.set(now.outbox)
    Gauge("fgfi_workers", "Workers that were seen within a minute", registry=registry).set(now.workers)
    troubled = Gauge("fgfi_workers_troubled", "Workers that take nothing: their machine is unwell", registry=registry)
    troubled.set(now.troubled)
