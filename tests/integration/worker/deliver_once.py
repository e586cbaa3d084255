"""A steward that is killed after a receiver has a message and before it is marked: `python -m ...deliver_once`."""

import os

from store import failpoints
from store.database import make_engine, make_sessions
from store.settings import get_settings
from worker.webhook_sender import Sender

if __name__ == "__main__":
    failpoints.arm("webhook_sent", lambda: os._exit(9))
    settings = get_settings()
    for sent in Sender(settings, make_sessions(make_engine(settings))).deliver():
        sent.result()
