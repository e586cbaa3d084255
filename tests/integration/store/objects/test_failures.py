import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from store.objects import ObjectStore, S3Store, StorageAway, StorageRefused

KEY = "jobs/job_1/attempts/1/final.pt"
# Of many seconds that it would take with the defaults of the libraries; generous, for a busy machine.
QUICKLY = 12.0

ACTIONS: dict[str, Callable[[ObjectStore], object]] = {
    "put": lambda objects: objects.put(KEY, [b"x"]),
    "put of several parts": lambda objects: objects.put(KEY, iter([bytes(6 * 2**20)] * 2)),
    "get": lambda objects: b"".join(objects.get(KEY)),
    "get of a range": lambda objects: b"".join(objects.get(KEY, start=3, end=9)),
    "head": lambda objects: objects.head(KEY),
    "list": lambda objects: list(objects.list("jobs/")),
    "copy": lambda objects: objects.copy(KEY, "copies/1"),
    "delete": lambda objects: objects.delete(KEY),
    "sweep": lambda objects: objects.sweep(timedelta(0)),
    "ready": lambda objects: objects.ready(),
}
each_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())


def test_a_store_that_works_is_ready(objects: ObjectStore) -> None:
    objects.ready()
    assert list(objects.list()) == []


@each_action
def test_a_store_that_is_away_says_so_quickly(away: ObjectStore, action: Callable[[ObjectStore], object]) -> None:
    begun = time.monotonic()
    with pytest.raises(StorageAway) as caught:
        action(away)
    assert time.monotonic() - begun < QUICKLY
    assert caught.value.message
    assert caught.value.hint
    assert isinstance(caught.value, OSError)


@each_action
def test_a_wrong_key_is_refused_and_named(wrong_key: S3Store, action: Callable[[ObjectStore], object]) -> None:
    with pytest.raises(StorageRefused) as caught:
        action(wrong_key)
    assert "key" in caught.value.message
    assert "AWS_SECRET_ACCESS_KEY" in caught.value.hint
    assert "not-the-secret" not in str(caught.value)


READING = ("get", "get of a range", "head", "copy", "ready")


@pytest.mark.parametrize("action", [ACTIONS[name] for name in READING], ids=READING)
def test_a_bucket_that_is_not_there_is_not_taken_for_missing_objects(
    no_bucket: S3Store, action: Callable[[ObjectStore], object]
) -> None:
    with pytest.raises(StorageRefused, match="bucket"):
        action(no_bucket)


@pytest.mark.usefixtures("s3")
def test_a_plain_http_address_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(StorageRefused) as caught:
        S3Store("bucket").ready()
    assert "AWS_ALLOW_HTTP" in caught.value.hint
