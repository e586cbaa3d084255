"""Sending what web hooks are to be told, beside the steward's other chores: a slow receiver holds up no other."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from store import failpoints, webhook_sending
from store.database import Sessions
from store.settings import Settings
from store.webhook_sending import Due, Outcome
from store.webhook_signature import secret_of, sign
from worker.webhook_call import post

log = logging.getLogger(__name__)

AT_ONCE = 8
# Longer than any try takes: what is not marked by then was lost with its steward, and is sent again.
LASTING = timedelta(seconds=60)


class Sender:
    """Takes due messages and sends them, each receiver's one after the other, several receivers at once."""

    def __init__(self, settings: Settings, sessions: Sessions, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._sessions = sessions
        self._clock = clock
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self._guard = threading.Lock()
        self._busy: set[str] = set()

    def deliver(self) -> list["Future[None]"]:
        """Begin to send what is due, as far as there is room; returns at once."""
        with self._guard:
            busy = frozenset(self._busy)
        if len(busy) >= AT_ONCE:
            return []
        with self._sessions.begin() as session:
            taken = webhook_sending.take_due(session, limit=AT_ONCE - len(busy), lasting=LASTING, busy=busy)
        with self._guard:
            self._busy.update(due.webhook_id for due in taken)
        return [self._pool.submit(self._try, due) for due in taken]

    def close(self) -> None:
        """Wait for what is being sent."""
        self._pool.shutdown()

    def _try(self, due: Due) -> None:
        try:
            outcome = self._send(due)
            failpoints.reach("webhook_sent")
            with self._sessions.begin() as session:
                webhook_sending.settle(session, due, outcome)
            log.info("webhook %s, message %s, try %d: %s", due.webhook_id, due.id, due.attempt, _told(outcome))
        except DBAPIError as error:
            log.warning("message %s was sent and could not be marked, it goes out again: %s", due.id, error)
        finally:
            with self._guard:
                self._busy.discard(due.webhook_id)

    def _send(self, due: Due) -> Outcome:
        moment = int(self._clock())
        secrets = [secret_of(due.webhook_id, version, self._settings.secret_key) for version in due.versions]
        headers = {
            "content-type": "application/json",
            "user-agent": "fgfi-webhooks/1",
            "webhook-id": due.id,
            "webhook-timestamp": str(moment),
            "webhook-signature": " ".join(sign(secret, due.id, moment, due.body) for secret in secrets),
        }
        return post(due.url, due.body, headers, allowed=self._settings.called_networks)


def _told(outcome: Outcome) -> str:
    return outcome.error or f"answered {outcome.status}"
