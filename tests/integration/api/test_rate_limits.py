"""Limits of rates on a real Redis, and without one."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from redis import Redis
from starlette.testclient import TestClient

from api.main import create_app
from api.rate_limits import PAUSE_SECONDS, RateLimits
from store.settings import Settings

MakeKey = Callable[..., str]


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    """With a broker, and limits that a test can reach."""
    with Redis.from_url(redis_url) as broker:
        broker.flushdb()
    few = {"rate_reads": 5, "rate_writes": 3, "rate_strangers": 2}
    return settings.model_copy(update={"redis_url": redis_url, **few})


def client_of(app: FastAPI, key: str) -> TestClient:
    return TestClient(app, base_url="http://localhost", headers={"authorization": f"Bearer {key}"})


def test_a_key_that_asks_too_often_is_told_when_to_come_again(app: FastAPI, make_key: MakeKey) -> None:
    client = client_of(app, make_key("admin"))
    answers = [client.get("/v1/jobs") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"read";q=5;w=60'
    left = [answer.headers["ratelimit"].partition(";r=")[2].partition(";")[0] for answer in answers]
    assert left == ["4", "3", "2", "1", "0", "0"]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 12  # A fifth of a minute, when one of five has come back.


def test_each_key_and_reads_and_writes_are_counted_apart(app: FastAPI, make_key: MakeKey) -> None:
    first, second = client_of(app, make_key("admin")), client_of(app, make_key("admin"))
    made = [first.post("/v1/keys", json={"name": "x"}).status_code for _ in range(4)]
    assert made == [201, 201, 201, 429]
    assert first.get("/v1/jobs").status_code == 200
    assert second.post("/v1/keys", json={"name": "x"}).status_code == 201


def test_a_request_that_was_refused_changes_nothing(app: FastAPI, make_key: MakeKey) -> None:
    client = client_of(app, make_key("admin"))
    for _ in range(5):
        client.post("/v1/keys", json={"name": "made"})
    assert [row["name"] for row in client.get("/v1/keys").json()["data"]].count("made") == 3


def test_a_browsers_session_is_counted(visitor: TestClient) -> None:
    assert [visitor.get("/jobs").status_code for _ in range(6)] == [200] * 5 + [429]


def test_wrong_keys_and_logins_of_one_address_are_counted_together(stranger: TestClient) -> None:
    wrong = {"authorization": "Bearer fgfi_wrong"}
    assert stranger.get("/v1/jobs", headers=wrong).status_code == 401
    assert stranger.get("/login?token=guessed").status_code == 403
    assert stranger.get("/v1/jobs", headers=wrong).status_code == 429
    assert stranger.get("/login").status_code == 401  # Who says nothing guesses nothing.


def test_two_processes_share_the_count(settings: Settings) -> None:
    one, other = RateLimits(settings), RateLimits(settings)
    verdicts = [process.take("write", "key_1") for process in (one, other, one, other)]
    assert [verdict and verdict.allowed for verdict in verdicts] == [True, True, True, False]


def test_a_bucket_is_gone_when_it_is_full_again(settings: Settings, redis_url: str) -> None:
    RateLimits(settings).take("write", "key_1")
    with Redis.from_url(redis_url) as broker:
        assert 0 < broker.pttl("fgfi:rate:write:key_1") <= 20_000  # A third of a minute for one of three.


def test_zero_is_no_limit(settings: Settings) -> None:
    limits = RateLimits(settings.model_copy(update={"rate_reads": 0}))
    assert limits.take("read", "key_1") is None


@pytest.fixture
def without_redis(settings: Settings) -> Iterator[FastAPI]:
    app = create_app(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    yield app
    app.state.service.engine.dispose()


def test_while_redis_is_away_everything_goes_on(
    without_redis: FastAPI, make_key: MakeKey, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(without_redis, make_key("admin"))
    assert [client.get("/v1/jobs").status_code for _ in range(7)] == [200] * 7
    assert [client.post("/v1/keys", json={"name": "x"}).status_code for _ in range(5)] == [201] * 5
    assert capsys.readouterr().err.count("rate_limits_off") == 1  # Then it is left alone for a while.


def test_redis_is_asked_again_after_a_while(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    limits = RateLimits(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}), lambda: clock[0])
    asked: list[float] = []

    def script(**_arguments: object) -> list[int]:
        asked.append(clock[0])
        return [1, 1, 0, 0]

    assert limits.take("read", "key_1") is None
    monkeypatch.setattr(limits, "_script", script)
    assert limits.take("read", "key_1") is None
    clock[0] += PAUSE_SECONDS
    assert limits.take("read", "key_1") is not None
    assert asked == [1000.0 + PAUSE_SECONDS]
