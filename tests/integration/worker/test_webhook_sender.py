"""Messages to a real receiver: sent with what they tell of, at least once, to whom they may be sent."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import func, select, update

from client.webhooks import NotGenuine, verify_webhook
from store import attempts, jobs, leases, webhook_sending, webhooks
from store.attempts import Trace
from store.database import Sessions
from store.settings import Settings
from store.tables import Job, Webhook, WebhookDelivery
from store.webhook_sending import Outcome
from store.webhook_signature import secret_of
from tests.integration.worker.receiver import Receiver, receiving
from worker.webhook_call import post
from worker.webhook_sender import Sender

LOOPBACK = ip_network("127.0.0.0/8")
HOUR = timedelta(hours=1)
Hook = Callable[..., Webhook]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"called_networks": (LOOPBACK,)})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def sender(settings: Settings, sessions: Sessions) -> Iterator[Sender]:
    made = Sender(settings, sessions)
    yield made
    made.close()


@pytest.fixture
def hook(sessions: Sessions, project_id: str, receiver: Receiver) -> Hook:
    """Makes a webhook to the receiver, or to another address."""

    def make(*events: Any, url: str = "") -> Webhook:
        with sessions.begin() as session:
            return webhooks.create(session, project_id, url or receiver.url, events or ("job.created",))

    return make


def send(sender: Sender) -> None:
    for sent in sender.deliver():
        sent.result(30)


def messages(sessions: Sessions) -> list[WebhookDelivery]:
    with sessions.begin() as session:
        return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.created_at)))


def make_due(sessions: Sessions, **values: Any) -> None:
    """Let every message be due now."""
    with sessions.begin() as session:
        session.execute(update(WebhookDelivery).values(due_at=func.clock_timestamp(), **values))


def test_what_happens_to_a_job_is_told_signed(
    sender: Sender,
    sessions: Sessions,
    receiver: Receiver,
    hook: Hook,
    make_job: Callable[[], Job],
    settings: Settings,
) -> None:
    made = hook("job.created", "job.started", "job.failed")
    job = make_job()
    with sessions.begin() as session:
        claim = leases.claim(session, job.id, worker_id="w", lease=HOUR)
        assert claim is not None
    with sessions.begin() as session:
        error = {"code": "bad_data", "message": "image 7 is broken", "hint": "Mend it."}
        attempts.fail(session, claim.lease, error, Trace("image 7 is broken"))

    for _ in range(3):
        send(sender)

    secret = secret_of(made.id, 1, settings.secret_key)
    told = [verify_webhook(one.body, one.headers, secret) for one in receiver.requests]
    assert [(one["type"], one["data"]["id"]) for one in told] == [
        ("job.created", job.id),
        ("job.started", job.id),
        ("job.failed", job.id),
    ]
    assert told[-1]["data"]["error"]["code"] == "bad_data"
    assert [one.path for one in receiver.requests] == ["/hooks?from=fgfi"] * 3
    assert [(one.state, one.response_status, one.attempts) for one in messages(sessions)] == [("delivered", 200, 1)] * 3
    with pytest.raises(NotGenuine):
        verify_webhook(
            receiver.requests[0].body, receiver.requests[0].headers, secret_of(made.id, 2, settings.secret_key)
        )


def test_what_was_not_committed_is_not_told(
    sender: Sender, sessions: Sessions, receiver: Receiver, hook: Hook, make_job: Callable[[], Job], project_id: str
) -> None:
    hook("job.cancelled")
    job = make_job()
    with sessions() as session:
        jobs.cancel(session, project_id, job.id)
        session.rollback()
    send(sender)
    assert receiver.requests == []


def test_who_asked_for_other_events_hears_nothing(
    sender: Sender, receiver: Receiver, hook: Hook, make_job: Callable[[], Job]
) -> None:
    hook("job.failed")
    make_job()
    send(sender)
    assert receiver.requests == []


def test_a_message_that_was_refused_is_sent_again_later_and_is_the_same(
    sender: Sender, sessions: Sessions, receiver: Receiver, hook: Hook, make_job: Callable[[], Job]
) -> None:
    hook()
    make_job()
    receiver.status = 500
    send(sender)
    send(sender)  # Not due yet.
    (waiting,) = messages(sessions)
    assert (waiting.state, waiting.response_status, waiting.error) == ("pending", 500, "answered 500")

    receiver.status = 204
    make_due(sessions)
    send(sender)

    first, second = receiver.requests
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    (taken,) = messages(sessions)
    assert (taken.state, taken.attempts, taken.error) == ("delivered", 2, None)


def test_a_steward_that_is_killed_before_it_could_mark_sends_again_under_the_same_id(
    sender: Sender,
    sessions: Sessions,
    receiver: Receiver,
    hook: Hook,
    make_job: Callable[[], Job],
    settings: Settings,
) -> None:
    hook()
    make_job()
    environment = {
        "FGFI_DATABASE_URL": settings.psycopg_url,
        "FGFI_REDIS_URL": settings.redis_url,
        "FGFI_STORAGE_URL": settings.storage_url,
        "FGFI_SECRET_KEY": settings.secret_key.get_secret_value(),
        "FGFI_CALLED_NETWORKS": str(LOOPBACK),
    }
    command = [sys.executable, "-m", "tests.integration.worker.deliver_once"]
    killed = subprocess.run(command, env={**os.environ, **environment}, check=False)
    assert killed.returncode == 9
    assert [one.state for one in messages(sessions)] == ["pending"]
    send(sender)  # It counts as under way for a minute.
    assert len(receiver.requests) == 1

    make_due(sessions)
    send(sender)

    first, second = receiver.requests
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert [one.state for one in messages(sessions)] == ["delivered"]


def test_a_slow_receiver_holds_up_no_other(
    sender: Sender, receiver: Receiver, hook: Hook, make_job: Callable[[], Job], sessions: Sessions
) -> None:
    go_on = threading.Event()

    def wait() -> None:
        go_on.wait(30)

    receiver.meanwhile = wait
    hook()
    with receiving() as other:
        hook(url=other.url)
        make_job()
        under_way = sender.deliver()
        other.wait_for(1)
        receiver.wait_for(1)
        assert sender.deliver() == []  # One at a time to each.
        go_on.set()
        for sent in under_way:
            sent.result(30)
    assert [one.state for one in messages(sessions)] == ["delivered"] * 2


def test_a_receiver_that_never_ends_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        outcome = post(url, b"{}", {}, allowed=[LOOPBACK], seconds=0.3)
    assert (outcome.taken, outcome.error) == (False, "no answer within 0.3 seconds")


def test_an_answer_that_drips_for_ever_is_left() -> None:
    stop = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            try:
                while not stop.wait(0.05):
                    connection.sendall(b"x-more: 1\r\n")
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        outcome = post(url, b"{}", {}, allowed=[LOOPBACK], seconds=0.5)
        stop.set()
        thread.join()
    assert (outcome.taken, outcome.error) == (False, "no answer within 0.5 seconds")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.status, receiver.headers = 302, {"location": elsewhere.url}
        outcome = post(receiver.url, b"{}", {}, allowed=[LOOPBACK])
        assert elsewhere.requests == []
    assert (outcome.status, outcome.error) == (302, "answered 302; redirects are not followed")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0.0.0.0"])
def test_a_private_address_is_not_called(receiver: Receiver, host: str) -> None:
    outcome = post(receiver.url.replace("127.0.0.1", host), b"{}", {}, allowed=[])
    assert outcome.status is None
    assert "not a public address" in (outcome.error or "")
    assert receiver.requests == []


def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    really = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return really("127.0.0.1" if asked == ["rebinding.example"] else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    outcome = post(receiver.url.replace("127.0.0.1", "rebinding.example"), b"{}", {}, allowed=[LOOPBACK])

    assert outcome.taken
    assert asked == ["rebinding.example", "127.0.0.1"]  # The second is no name: the address that was checked.
    assert receiver.requests[0].headers["host"].startswith("rebinding.example:")


def test_of_a_hundred_addresses_of_a_name_a_few_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    really = socket.getaddrinfo
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # Nobody listens there any more.

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        named = [f"127.0.1.{number}" for number in range(100)] if host == "crowd.example" else [host]
        return [entry for one in named for entry in really(one, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    outcome = post(f"http://crowd.example:{port}/", b"{}", {}, allowed=[LOOPBACK])
    assert "refused" in (outcome.error or "")
    assert asked == ["crowd.example", "127.0.1.0", "127.0.1.1", "127.0.1.2"]


def test_a_webhook_that_failed_for_days_is_disabled_and_says_why(
    sender: Sender, sessions: Sessions, receiver: Receiver, hook: Hook, make_job: Callable[[], Job], project_id: str
) -> None:
    made = hook()
    make_job()
    receiver.status = 503
    with sessions.begin() as session:
        session.execute(update(Webhook).values(failing_since=func.clock_timestamp() - timedelta(hours=73)))
    send(sender)
    with sessions.begin() as session:
        row = webhooks.get(session, project_id, made.id)
        assert row.disabled_reason == "No message was taken for 3 days."
    make_due(sessions)
    send(sender)
    assert len(receiver.requests) == 1


def test_a_receiver_that_is_gone_is_disabled_at_once(
    sender: Sender, sessions: Sessions, receiver: Receiver, hook: Hook, make_job: Callable[[], Job]
) -> None:
    hook()
    make_job()
    receiver.status = 410
    send(sender)
    with sessions.begin() as session:
        assert session.scalars(select(Webhook.disabled_reason)).all() == ["The receiver answered 410: it is gone."]


def test_a_success_ends_a_row_of_failures(
    sender: Sender, sessions: Sessions, hook: Hook, make_job: Callable[[], Job]
) -> None:
    hook()
    make_job()
    with sessions.begin() as session:
        session.execute(update(Webhook).values(failing_since=func.clock_timestamp()))
    send(sender)
    with sessions.begin() as session:
        assert session.scalars(select(Webhook.failing_since)).all() == [None]


def test_a_message_is_given_up_after_its_time(
    sender: Sender, sessions: Sessions, receiver: Receiver, hook: Hook, make_job: Callable[[], Job]
) -> None:
    hook()
    make_job()
    receiver.status = 500
    make_due(sessions, give_up_at=func.clock_timestamp())
    send(sender)
    assert [one.state for one in messages(sessions)] == ["failed"]


def test_a_try_that_was_counted_as_lost_marks_nothing_after_the_next_one(
    sessions: Sessions, hook: Hook, make_job: Callable[[], Job]
) -> None:
    hook()
    make_job()
    with sessions.begin() as session:
        [lost] = webhook_sending.take_due(session, limit=1, lasting=timedelta(0))
    with sessions.begin() as session:
        [again] = webhook_sending.take_due(session, limit=1, lasting=HOUR)
        webhook_sending.settle(session, again, Outcome(200, 3))
    with sessions.begin() as session:
        webhook_sending.settle(session, lost, Outcome(None, 15_000, "no answer within 15 seconds"))
    [message] = messages(sessions)
    assert (message.state, message.response_status, message.error) == ("delivered", 200, None)


def test_webhooks_that_fail_wait_behind_those_that_do_not(
    sessions: Sessions, hook: Hook, make_job: Callable[[], Job]
) -> None:
    webhooks_there = sorted(hook().id for _ in range(3))
    make_job()
    with sessions.begin() as session:
        failing = update(Webhook).where(Webhook.id.in_(webhooks_there[:2]))
        session.execute(failing.values(failing_since=func.clock_timestamp()))
    with sessions.begin() as session:
        [first] = webhook_sending.take_due(session, limit=1, lasting=HOUR)
        rest = webhook_sending.take_due(session, limit=9, lasting=HOUR)
    assert first.webhook_id == webhooks_there[2]
    assert {due.webhook_id for due in rest} == set(webhooks_there[:2])


def test_after_a_rotation_both_secrets_verify_until_the_overlap_is_over(
    sender: Sender,
    sessions: Sessions,
    receiver: Receiver,
    hook: Hook,
    make_job: Callable[[], Job],
    settings: Settings,
    project_id: str,
) -> None:
    made = hook()
    former, new = (secret_of(made.id, version, settings.secret_key) for version in (1, 2))
    with sessions.begin() as session:
        webhooks.rotate(session, project_id, made.id, HOUR)
    make_job()
    send(sender)
    for secret in (former, new):
        assert verify_webhook(receiver.requests[0].body, receiver.requests[0].headers, secret)

    with sessions.begin() as session:
        session.execute(update(Webhook).values(former_until=func.clock_timestamp()))
    make_job()
    send(sender)
    assert verify_webhook(receiver.requests[1].body, receiver.requests[1].headers, new)
    with pytest.raises(NotGenuine):
        verify_webhook(receiver.requests[1].body, receiver.requests[1].headers, former)


def test_deleting_a_webhook_never_undoes_what_a_job_does(
    sessions: Sessions, hook: Hook, make_job: Callable[[], Job], project_id: str
) -> None:
    made = hook("job.cancelled")
    job = make_job()
    with sessions.begin() as first:
        jobs.cancel(first, project_id, job.id)
        with sessions() as second:
            second.execute(select(1))
            row = second.scalar(select(Webhook.id).where(Webhook.id == made.id).with_for_update(skip_locked=True))
            assert row is None  # It is held until the job's move is committed.
    assert [one.event for one in messages(sessions)] == ["job.cancelled"]
