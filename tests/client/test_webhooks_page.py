"""The receiver of docs/webhooks.md, as it stands there."""

import io
import re
import time
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from store.webhook_signature import secret_of, sign

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
SECRET = secret_of("whk_1", 1, SecretStr("a secret of the service, of some length"))
BODY = b'{"type":"job.failed","timestamp":"2027-03-01T12:00:00+00:00","data":{"id":"job_7"}}'


@pytest.fixture
def receiver() -> Any:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    kind = names["Receiver"]
    kind.secret = SECRET
    return kind


def receive(kind: Any, message_id: str, signature: str, moment: int) -> int:
    """The status of the answer to one request, without a socket."""
    headers = Message()
    for name, value in {
        "content-length": str(len(BODY)),
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature,
    }.items():
        headers[name] = value
    handler: Any = kind.__new__(kind)
    handler.headers, handler.rfile, handler.wfile = headers, io.BytesIO(BODY), io.BytesIO()
    handler.request_version = handler.protocol_version = "HTTP/1.1"
    handler.requestline, handler.command, handler.client_address = "POST / HTTP/1.1", "POST", ("127.0.0.1", 1)
    handler.log_message = lambda *_: None
    handler.do_POST()
    return int(handler.wfile.getvalue().split()[1])


def test_the_receiver_takes_a_message_once_and_refuses_a_forged_one(
    receiver: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = int(time.time())
    signature = sign(SECRET, "msg_1", moment, BODY)
    assert receive(receiver, "msg_1", signature, moment) == 204
    assert receive(receiver, "msg_1", signature, moment) == 204
    assert receive(receiver, "msg_2", signature, moment) == 400
    assert capsys.readouterr().out == "job.failed job_7\n"
